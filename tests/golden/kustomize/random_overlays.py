#!/usr/bin/env python3
# random_overlays.py: random stacks of kustomizations, built by kustomize and by us: same bytes, or the same first line of an error.
"""random_overlays.py TOOL [ORACLE] [--seeds N] [--first N] [--keep DIR]

Without ORACLE: kustomize of the directory HOLDFAST_ORACLE. Without --seeds: 200, or 2,000 when HOLDFAST_TEST_ALL is 1.

A seed makes one tree: some objects, one to four directories over each other, one to three fields in each, components and
shared bases between. What differs is left in --keep as a tree that can be built again."""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import trees
import txtar


FUSSY = {"replicas", "patchesSM", "patchesJson6902", "replacements", "vars", "transformers", "transformersInline",
         "openapi", "configurations", "components", "structured", "admission"}


def make(seed):
    source = random.Random(seed)
    tree = {}
    names = sorted({"deployment.yaml", "service.yaml", "config.yaml"} | set(source.sample(sorted(trees.FILES), source.randint(0, 4))))
    for name in names:
        tree[f"base/{name}"] = trees.FILES[name]
    trees.write(tree, "base", trees.merge({"resources": names}, fields(source, tree, "base", 1)))
    below = ["base"]
    for level in range(source.randint(1, 4)):
        directory = f"level{level}"
        resources = [f"../{source.choice(below)}"]
        if source.random() < 0.2 and len(below) > 1:
            resources = [f"../{name}" for name in source.sample(below, 2)]
        own = trees.merge({"resources": resources}, fields(source, tree, directory, source.randint(1, 3)))
        if source.random() < 0.25:
            part = f"part{level}"
            trees.write(tree, part, fields(source, tree, part, source.randint(1, 2)), component=True)
            own = trees.merge(own, {"components": [f"../{part}"]})
        trees.write(tree, directory, own)
        below.append(directory)
    return tree, below[-1]


def fields(source, tree, directory, count):
    out = {}
    for name in source.sample(sorted(trees.FEATURES), count):
        # Features that need a certain object fail without it: less often, so that most trees build.
        if name in FUSSY and source.random() < 0.7:
            continue
        out = trees.merge(out, source.choice(trees.FEATURES[name])(tree, directory))
    return out


def build(program, top, directory):
    try:
        done = subprocess.run([program, "build", os.path.join(top, directory)], capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "hang", b""
    if done.returncode == 0:
        return "ok", done.stdout
    return ("error" if done.returncode == 1 else "crash"), done.stderr


def first_line(stderr):
    """The error's; Go prints the addresses of what it failed at."""
    line = next((x for x in stderr.decode("utf-8", "replace").splitlines() if x.startswith("Error: ")), "")
    line = re.sub(r"0x[0-9a-f]{6,}", "0x", line)
    # Which of several objects and fields it names depends on the order of a Go map.
    return re.sub(r"updating name reference in .* found multiple possible referrals.*", "several referrals", line)


def same_results(theirs, ours):
    if theirs[0] != ours[0]:
        return theirs[0] == "crash" and ours[0] == "error"  # kustomize panics: any refusal will do
    return first_line(theirs[1]) == first_line(ours[1]) if ours[0] == "error" else ours[1] == theirs[1]


def compare(seed, arguments):
    tree, directory = make(seed)
    top = tempfile.mkdtemp(prefix="holdfast-overlay-")
    try:
        txtar.write_tree(top, tree)
        theirs = build(arguments.oracle, top, directory)
        ours = build(arguments.tool, top, directory)
        same = same_results(theirs, ours)
        if not same and arguments.keep:
            kept = os.path.join(arguments.keep, f"seed{seed}")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(top, kept)
            for name, result in (("theirs", theirs), ("ours", ours)):
                with open(os.path.join(kept, name), "wb") as out:
                    out.write(result[1])
        return seed, directory, same, theirs[0], ours[0]
    finally:
        shutil.rmtree(top)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("oracle", nargs="?", default=os.path.join(os.environ.get("HOLDFAST_ORACLE", "."), "kustomize"))
    parser.add_argument("--seeds", type=int, default=2000 if os.environ.get("HOLDFAST_TEST_ALL") == "1" else 200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    if not os.access(arguments.oracle, os.X_OK):
        print("no oracle: run scripts/build_oracles")
        return 77
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda seed: compare(seed, arguments),
                                range(arguments.first, arguments.first + arguments.seeds)))
    different = [result for result in results if not result[2]]
    built = sum(result[3] == "ok" for result in results)
    for seed, directory, _, theirs, ours in different:
        print(f"seed {seed} ({directory}): kustomize {theirs}, ours {ours}")
    print(f"{len(results)} seeds, {built} build, {len(different)} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
