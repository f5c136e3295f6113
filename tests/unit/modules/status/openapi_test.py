#!/usr/bin/env python3
"""Goal: docs/openapi.yaml describes every field that can be there, and the checker notices when it does not.
Method: a snapshot with something in every place; then the same with one field more, less, or of another type.

    openapi_test.py SAMPLE
"""
import copy
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "tests/support"))
from openapi import OpenApi, metrics_faults  # noqa: E402


def printed(what):
    return subprocess.run([sys.argv[1], what], check=True, text=True, stdout=subprocess.PIPE).stdout


def objects(value):
    """Every object inside, the outermost first."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from objects(member)


api = OpenApi(ROOT / "docs/openapi.yaml")
document = json.loads(printed("json"))


def faults(value):
    return api.faults("/api/v1/status", 200, "application/json", value)


assert not faults(document), faults(document)
assert not metrics_faults(printed("metrics")), metrics_faults(printed("metrics"))
unnoticed, changes = [], 0
for index, whole in enumerate(objects(document)):
    is_counts = set(whole) == {"get", "apply"}
    for name in list(whole):
        for change in ("less", "other type"):
            changed = copy.deepcopy(document)
            inner = list(objects(changed))[index]
            if change == "less":
                del inner[name]
            else:
                inner[name] = 1.5
            changes += 1
            if not faults(changed) and not (is_counts and change == "less"):
                unnoticed.append(f"{change}: {name}")
    changed = copy.deepcopy(document)
    list(objects(changed))[index]["novel"] = "x"
    changes += 1
    if not faults(changed):
        unnoticed.append(f"more: in {sorted(whole)}")
assert not unnoticed, unnoticed
for broken in ("no_family 1\n", "# TYPE a gauge\na{b=\"c} 1\n", "# TYPE a gauge\na 1", "# TYPE a counter\na 1\n", "# TYPE a gauge\na 1\na 1\n"):
    assert metrics_faults(broken), broken
print(f"ok: {changes} changes noticed")
