#!/usr/bin/env python3
"""summarize.py TESTLOG: names what failed and what was skipped, and closes with one line that counts the tests.

A Catch2 binary counts as many tests as it has test cases, any other program as one.
"""
import json
import pathlib
import re
import sys

CASES = re.compile(r"(?:test cases:\s*(\d+)|All tests passed \(\d+ assertions? in (\d+) test cases?\))")
FAILED = re.compile(r"test cases:\s*\d+.*?\|\s*(\d+) failed")
GOOD, SKIPPED = {"OK", "EXPECTEDFAIL"}, {"SKIP"}

log = pathlib.Path(sys.argv[1])
passed = failed = skipped = 0
if log.exists():
    for line in log.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        result, output = test["result"], test.get("stdout") or ""
        cases = CASES.search(output)
        count = int(cases.group(1) or cases.group(2)) if cases else 1
        if result in GOOD:
            passed += count
        elif result in SKIPPED:
            skipped += 1
            print(f"skipped: {test['name']}: {output.strip().splitlines()[-1] if output.strip() else ''}")
        else:
            bad = FAILED.search(output)
            broken = max(1, int(bad.group(1))) if bad else 1
            failed += broken
            passed += max(0, count - broken) if bad else 0
            print(f"failed: {test['name']} ({result})")
if passed + failed == 0:
    failed = 1
    print("failed: no test ran")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
