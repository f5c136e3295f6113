#!/usr/bin/env python3
"""Goal: the service unit is one that systemd understands whole, and exposes as little as the README says.
Method: systemd's own tools, offline, on the unit with its binary's path replaced by one that exists.

    systemd_test.py SOURCE_ROOT
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 1.1
folder = pathlib.Path(sys.argv[1]) / "systemd"
failures = 0


def judge(good, what, output=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'FAILED'}: {what}")
    if not good:
        print(output)


def run(*command):
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


if shutil.which("systemd-analyze") is None:
    print("skipped: there is no systemd-analyze")
    sys.exit(77)

code, output = run("systemd-analyze", "security", "--offline=yes", str(folder / "holdfast.service"))
found = re.search(r"exposure level for holdfast\.service: ([\d.]+)", output)
judge(found is not None and float(found[1]) <= EXPOSURE_MAX, f"exposure {found[1] if found else '?'} of at most {EXPOSURE_MAX}", output)

settings = {}
for line in (folder / "holdfast.service").read_text(encoding="utf-8").splitlines():
    name, equals, value = line.partition("=")
    if equals and not line.startswith("#"):
        settings.setdefault(name, []).append(value)
program = settings["ExecStart"][0].split()[0]
for name, wanted in {"NoExecPaths": ["/"], "ExecPaths": [program], "MemorySwapMax": ["0"], "LimitCORE": ["0"], "StateDirectoryMode": ["0700"],
                     "UMask": ["0077"], "IPAddressDeny": None}.items():  # None: managed identities live on a link-local address
    judge(settings.get(name) == wanted, f"{name} is {wanted}", str(settings.get(name)))
judge(int(settings["OOMScoreAdjust"][0]) < 0, "others go first when the node has no memory")

with tempfile.TemporaryDirectory() as scratch:
    unit = pathlib.Path(scratch, "holdfast.service")
    unit.write_text((folder / "holdfast.service").read_text(encoding="utf-8").replace("/usr/bin/holdfast", "/bin/true"), encoding="utf-8")
    code, output = run("systemd-analyze", "verify", "--man=no", str(unit))
    if "Failed to" in output and "manager" in output:
        print(f"skipped: systemd-analyze verify cannot run here: {output.strip()}")
    else:
        # Other units of this machine may have faults of their own.
        ours = [line for line in output.splitlines() if "holdfast" in line]
        judge(not ours, "every line of the unit is understood", "\n".join(ours))
    for tool, file, option in (("systemd-sysusers", "holdfast.sysusers", "--dry-run"), ("systemd-tmpfiles", "holdfast.tmpfiles", "--create")):
        if shutil.which(tool) is None:
            print(f"skipped: there is no {tool}")
            continue
        root = pathlib.Path(scratch, tool)
        (root / "etc").mkdir(parents=True)
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nholdfast:x:990:990::/:/bin/sh\n", encoding="ascii")
        (root / "etc/group").write_text("root:x:0:\nholdfast:x:990:\n", encoding="ascii")
        code, output = run(tool, option, f"--root={root}", str((folder / file).resolve()))
        if option == "--create" and "Operation not permitted" in output:
            print(f"skipped: {tool} may not change owners here")
            continue
        judge(code == 0, f"{tool} takes {file}", output)
sys.exit(1 if failures else 0)
