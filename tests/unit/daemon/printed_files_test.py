#!/usr/bin/env python3
"""Goal: what is printed from a table and committed is what the table prints today.
Method: print again and compare; the message says how to write the file anew.

    printed_files_test.py HOLDFAST SOURCE_ROOT
"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

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
# The unit as it is shipped is the one of the default memory; another memory is another drop-in.
unit = (root / "systemd/holdfast.service").read_text(encoding="utf-8")
drop_in = subprocess.run([holdfast, "config", "print", "--unit"], check=True, text=True, stdout=subprocess.PIPE).stdout
shipped = int(re.search(r"^MemoryMax=(\d+)M$", unit, re.M)[1]) << 20
made = int(re.search(r"^MemoryMax=(\d+)$", drop_in, re.M)[1])
print("ok: MemoryMax follows limits.memory" if shipped == made else f"FAILED: the unit has MemoryMax {shipped}, the default is {made}")
failures += shipped != made
with tempfile.TemporaryDirectory() as scratch:
    larger = pathlib.Path(scratch, "holdfast.yaml")
    larger.write_text("limits:\n  memory: 1GiB\n", encoding="utf-8")
    drop_in = subprocess.run([holdfast, "config", "print", "--unit", "--config", larger], check=True, text=True, stdout=subprocess.PIPE).stdout
    follows = drop_in.splitlines()[-2:] == ["[Service]", f"MemoryMax={1280 << 20}"]
    print("ok: a drop-in for 1 GiB" if follows else f"FAILED: {drop_in}")
    failures += not follows
checked = subprocess.run([holdfast, "config", "check", root / "config/holdfast.yaml"], check=False, stdout=subprocess.DEVNULL)
print("ok: the printed file is a valid one" if checked.returncode == 0 else "FAILED: the printed file is refused")
failures += checked.returncode != 0
sys.exit(1 if failures else 0)
