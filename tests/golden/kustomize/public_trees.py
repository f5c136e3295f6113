#!/usr/bin/env python3
# public_trees.py TOOL [FOLDER...]: every kustomization below the folders builds to the oracle's bytes, or fails in both with the same
# first line. Without folders: the project's own manifests and the tutorial's repository in ../shared/data (skipped when absent).
# For a fleet of one's own: public_trees.py build/holdfast ~/fleet

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
SKIPPED = 77


def folders(words):
    if words:
        return [Path(word) for word in words]
    data = ROOT.parent / "shared/data"
    return [folder for folder in (data / "tutorial/gitops", data / "podinfo-kustomize") if folder.is_dir()]


def build(program, folder):
    done = subprocess.run([program, "build", "--load-restrictor=LoadRestrictionsNone", folder], capture_output=True, check=False)
    first = done.stderr.decode(errors="replace").split("\n", 1)[0] if done.returncode else ""
    return done.returncode != 0, done.stdout, first


def main():
    oracle = os.environ.get("HOLDFAST_ORACLE")
    trees = folders(sys.argv[2:])
    if not oracle or not trees:
        print("skipped: no HOLDFAST_ORACLE" if not oracle else "skipped: no ../shared/data")
        return SKIPPED
    compared = differ = 0
    for tree in trees:
        for folder in sorted({path.parent for name in NAMES for path in tree.rglob(name)}):
            compared += 1
            theirs, ours = build(oracle + "/kustomize", folder), build(sys.argv[1], folder)
            if theirs != ours:
                differ += 1
                print(f"{folder}:\n  kustomize: {theirs[2] or 'builds'}\n  holdfast:  {ours[2] or 'builds'}")
    print(f"{compared} kustomizations, {differ} differ")
    return 1 if differ or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
