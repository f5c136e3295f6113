#!/usr/bin/env python3
"""Goal: what is printed from a table and committed is what the table prints today.
Method: print again and compare; the message says how to write the file anew.

    printed_files_test.py HOLDFAST SOURCE_ROOT
"""
import difflib
import pathlib
import subprocess
import sys

holdfast, root = sys.argv[1], pathlib.Path(sys.argv[2])
PRINTED = {
    "config/holdfast.yaml": [holdfast, "config", "print", "--defaults"],
    "docs/configuration.md": [holdfast, "config", "print", "--reference"],
}
failures = 0

for name, command in PRINTED.items():
    printed = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    committed = (root / name).read_text(encoding="utf-8") if (root / name).is_file() else ""
    if printed == committed:
        print(f"ok: {name}")
        continue
    failures += 1
    print(f"FAILED: {name} differs; write it with: holdfast {' '.join(command[1:])} > {name}")
    sys.stdout.writelines(difflib.unified_diff(committed.splitlines(True), printed.splitlines(True), name, "printed", n=1))

crds = subprocess.run([sys.executable, root / "scripts/make_crds", "--check"], check=False)
print("ok: config/crds" if crds.returncode == 0 else "FAILED: config/crds differs; write it with: scripts/make_crds")
failures += crds.returncode != 0
checked = subprocess.run([holdfast, "config", "check", root / "config/holdfast.yaml"], check=False, stdout=subprocess.DEVNULL)
print("ok: the printed file is a valid one" if checked.returncode == 0 else "FAILED: the printed file is refused")
failures += checked.returncode != 0
sys.exit(1 if failures else 0)
