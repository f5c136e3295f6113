#!/usr/bin/env python3
"""Runs a static binary in a root directory of its own, where nothing of this machine is.

    empty_root.py [--trap TRAP.so [--trap-in nss|openssl|gconv]] [--file PATH=CONTENT]... BINARY [ARGUMENT...]

The root holds the binary, an /etc/hosts with "10.0.0.1 edge-host", /tmp and /dev/null. With --trap it is hostile: its
nsswitch.conf, openssl.cnf and gconv-modules (or the one of --trap-in) name TRAP.so, which creates /trapped when loaded.
Exit code: that of the binary; 99 when the trap was loaded (or the binary crashed in it).
Needs root, or user namespaces that it may use.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

LIBRARIES = "lib/x86_64-linux-gnu"


def trap_nss(root, trap):
    (root / LIBRARIES).mkdir(parents=True)
    shutil.copy(trap, root / LIBRARIES / "libnss_trap.so.2")
    (root / "etc/nsswitch.conf").write_text("".join(
        f"{name}: trap files\n" for name in ("hosts", "passwd", "group", "services", "protocols", "networks")), encoding="ascii")


def trap_openssl(root, trap):
    (root / "usr/lib/ssl").mkdir(parents=True)
    shutil.copy(trap, root / "provider.so")
    (root / "usr/lib/ssl/openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nproviders = providers\n[providers]\ntrap = trap\n"
        "[trap]\nmodule = /provider.so\nactivate = 1\n", encoding="ascii")


def trap_gconv(root, trap):
    folder = root / "usr" / LIBRARIES / "gconv"
    folder.mkdir(parents=True)
    shutil.copy(trap, folder / "ISO8859-1.so")
    (folder / "gconv-modules").write_text(
        "module ISO-8859-1// INTERNAL ISO8859-1 1\nmodule INTERNAL ISO-8859-1// ISO8859-1 1\n", encoding="ascii")


TRAPS = {"nss": trap_nss, "openssl": trap_openssl, "gconv": trap_gconv}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trap")
    parser.add_argument("--trap-in", choices=TRAPS)
    parser.add_argument("--file", action="append", default=[], metavar="PATH=CONTENT")
    parser.add_argument("binary")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ("etc", "tmp", "dev"):
            (root / name).mkdir()
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n10.0.0.1 edge-host\n", encoding="ascii")
        (root / "dev/null").touch()
        for assignment in options.file:
            path, _, content = assignment.partition("=")
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        if options.trap:
            for name, lay in TRAPS.items():
                if options.trap_in in (None, name):
                    lay(root, options.trap)
        shutil.copy(options.binary, root / "binary")
        command = ["chroot", str(root), "/binary", *options.arguments]
        if os.geteuid() != 0:
            command = ["unshare", "--user", "--map-root-user", *command]
        code = subprocess.run(command, check=False).returncode
        if (root / "trapped").exists():
            print("empty_root: the trap was loaded", file=sys.stderr)
            return 99
        return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
