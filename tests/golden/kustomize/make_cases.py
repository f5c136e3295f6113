#!/usr/bin/env python3
# make_cases.py: writes cases/*.txt: kustomizations of every kind, with what the real kustomize makes of them.
"""make_cases.py KUSTOMIZE_BINARY

Deterministic: the same trees in the same order each time. The binary is the oracle of scripts/build_oracles; when a
case is new, run this and commit what changed."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import hand_cases
import trees
import txtar

HERE = os.path.dirname(os.path.abspath(__file__))
SETS = {
    "app": ["deployment.yaml", "service.yaml", "config.yaml"],
    "more": ["rbac.yaml", "ingress.yaml", "secret.yaml", "config.yaml"],
    "sets": ["stateful.yaml", "jobs.yaml", "scaler.yaml"],
    "cluster": ["cluster.yaml", "network.yaml", "config.yaml"],
}
SMALL = {"small.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\nspec:\n"
                       "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n"
                       "      containers:\n      - {name: web, image: nginx:1, env: [{name: MODE, value: \"on\"}]}\n"
                       "      volumes: [{name: c, configMap: {name: settings}}]\n",
         "rest.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: fast, level: \"3\"}\n---\n"
                      "apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {note: \"yes\"}}\n"
                      "spec: {selector: {app: web}, ports: [{port: 80}]}\n---\n"
                      "apiVersion: example.com/v1\nkind: Bee\nmetadata: {name: maya}\n"
                      "spec: {replicas: 1, image: \"hive:1\", settingsRef: {name: settings}, flowers: [{name: rose, count: 1}]}\n"}


def run(binary, files, directory, flags):
    with tempfile.TemporaryDirectory(prefix="holdfast-cases-") as top:
        top = os.path.realpath(top)
        txtar.write_tree(top, files)
        done = subprocess.run([binary, "build", *flags.split(), os.path.join(top, directory)], capture_output=True)
        if done.returncode == 0:
            return {"expect": done.stdout.decode()}
        line = next((x for x in done.stderr.decode().splitlines() if x.startswith("Error: ")), "Error: crash")
        # Go prints the addresses of generators; ours is always the same.
        line = re.sub(r"0x[0-9a-f]{6,}", "0xc000000000", line)
        return {"error": line.replace(top, "$DIR")}


def base_of(names, source):
    tree = {f"base/{name}": source[name] for name in names}
    trees.write(tree, "base", {"resources": list(names)})
    return tree


def single_cases(names, source):
    """Every variant of every field, beside its resources and in an overlay."""
    for feature, variants in trees.FEATURES.items():
        for number, variant in enumerate(variants):
            files = {}
            fields = variant(files, "over")
            trees.write(files, "over", trees.merge({"resources": ["../base"]}, fields))
            yield {"name": f"{feature} {number}", "files": files, "dir": "over"}


def crossed_cases(count, seed):
    """Two fields in the base, others in the overlay, sometimes a component."""
    random_source = random.Random(seed)
    for number in range(count):
        files = {}
        picked = random_source.sample(sorted(trees.FEATURES), 3)
        parts = [random_source.choice(trees.FEATURES[name]) for name in picked]
        below = parts[0](files, "mid")
        trees.write(files, "mid", trees.merge({"resources": ["../base"]}, below))
        above = trees.merge({"resources": ["../mid"]}, parts[1](files, "over"))
        if random_source.random() < 0.4:
            os_part = parts[2](files, "part")
            trees.write(files, "part", os_part, component=True)
            above = trees.merge(above, {"components": ["../part"]})
        trees.write(files, "over", above)
        yield {"name": f"{number} " + " + ".join(picked), "files": files, "dir": "over"}


def main():
    binary = sys.argv[1]
    groups = {}
    for name, files in SETS.items():
        groups[f"single_{name}"] = (base_of(files, trees.FILES), list(single_cases(files, trees.FILES)))
    small = base_of(["small.yaml", "rest.yaml"], SMALL)
    for number in range(4):
        groups[f"crossed_{number}"] = (small, list(crossed_cases(90, number)))
    for name, (base, cases) in hand_cases.GROUPS.items():
        groups[f"hand_{name}"] = (base, cases)
    out = os.path.join(HERE, "cases")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    total = 0
    for name, (base, cases) in groups.items():
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda case: run(binary, {**base, **case["files"]}, case["dir"], case.get("flags", "")), cases))
        kept = []
        for case, result in zip(cases, results):
            # Left out: panics, and messages that print whole objects in Go's syntax.
            if result.get("error") == "Error: crash" or "map[string]interface {}{" in result.get("error", ""):
                continue
            kept.append({**case, **result, "flags": (case.get("flags", "") + " " + case["dir"]).strip()})
        txtar.write_group(os.path.join(out, name + ".txt"), base, kept)
        total += len(kept)
        print(f"{name}: {len(kept)} cases, {sum('error' in case for case in kept)} errors")
    print(f"{total} cases")


if __name__ == "__main__":
    main()
