#!/usr/bin/env python3
"""Goal: a static binary runs in an empty root, and on a hostile one loads no code that it did not bring.
Method: the probe with its traps open proves that the traps work; with them closed none may spring.

    empty_root_test.py EMPTY_ROOT PROBE TRAP
"""
import subprocess
import sys

empty_root, probe, trap = sys.argv[1:]
failures = 0


def expect(what, code, arguments):
    global failures
    done = subprocess.run([sys.executable, empty_root, *arguments], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    good = done.returncode == code
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: {what} (exit code {done.returncode}, expected {code})")
    if not good:
        print(done.stdout)


headers = subprocess.run(["readelf", "-lWd", probe], check=True, text=True, stdout=subprocess.PIPE).stdout
if "INTERP" in headers or "NEEDED" in headers:
    sys.exit("FAILED: the probe is not static")
expect("in an empty root everything works", 0, [probe])
for place in ("nss", "openssl"):  # iconv is closed when the binary is linked
    expect(f"with open traps, code named for {place} is loaded", 99, ["--trap", trap, "--trap-in", place, probe, "open"])
expect("with closed traps none is", 0, ["--trap", trap, probe])
sys.exit(failures)
