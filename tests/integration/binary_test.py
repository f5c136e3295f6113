#!/usr/bin/env python3
"""Goal: the program is one file that needs nothing of the machine it runs on, and says by its exit code how it went.
Method: readelf, strip of a copy, an empty root directory, and the commands that need no cluster.

    binary_test.py HOLDFAST [--static] [--size]

--static: the build is a static one; --size: it is an optimized one, so that its size means something.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
FLAGS = [one for one in sys.argv[2:] if one.startswith("--")]
sys.argv[2:] = [one for one in sys.argv[2:] if not one.startswith("--")]
STRIPPED_MAX = 13 * 1024 * 1024
EMPTY_ROOT = harness.ROOT / "tests/support/empty_root.py"


def call(*arguments, **options):
    done = subprocess.run([str(HOLDFAST), *map(str, arguments)], check=False, text=True, capture_output=True, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def expect(code, *arguments, **options):
    got, out, err = call(*arguments, **options)
    assert got == code, f"holdfast {' '.join(map(str, arguments))}: exit code {got}, not {code}\n{out}{err}"
    return out + err


def elf():
    if "--static" not in FLAGS:
        print("skipped: elf, not a static build")
        return
    text = subprocess.run(["readelf", "-hlWd", str(HOLDFAST)], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert "INTERP" not in text, "the binary asks for a dynamic loader"
    assert "NEEDED" not in text, "the binary needs shared libraries"
    assert "DYN (" in text, "the binary is not position independent"
    stack = next(line for line in text.splitlines() if "GNU_STACK" in line)
    assert " E " not in stack.replace("RW ", " ") and "RWE" not in stack, "the stack is executable"
    assert "GNU_RELRO" in text, "relocations stay writable"


def size():
    if "--static" not in FLAGS or "--size" not in FLAGS:
        print("skipped: size, not an optimized static build")
        return
    strip = shutil.which("llvm-strip-19") or shutil.which("strip")
    if strip is None:
        print("skipped: size, there is no strip")
        return
    with harness.workdir() as work:
        shutil.copy(HOLDFAST, work / "holdfast")
        subprocess.run([strip, str(work / "holdfast")], check=True)
        stripped = (work / "holdfast").stat().st_size
    print(f"stripped: {stripped / 1048576:.2f} MiB of at most {STRIPPED_MAX / 1048576:.0f}")
    assert stripped <= STRIPPED_MAX


def version_and_help():
    assert expect(0, "--version").startswith("holdfast ")
    for command in ("daemon", "status", "config", "install", "build"):
        assert command in expect(0, "--help")
    assert call()[0] != 0 and call("no-such-command")[0] != 0


def exit_codes():
    with harness.workdir() as work:
        expect(3, "status", "--state-dir", work)
        expect(3, "status", "--socket", work / "nobody.sock")
        good, bad = work / "good.yaml", work / "bad.yaml"
        good.write_text("site: shop-17\n", encoding="utf-8")
        bad.write_text("site: shop-17\nlimits:\n  memory: 1MiB\n", encoding="utf-8")
        assert expect(0, "config", "check", good).rstrip().endswith("good.yaml: ok")
        assert "bad.yaml:3: limits.memory" in expect(1, "config", "check", bad)
        assert "cannot be read" in expect(1, "config", "check", work / "none.yaml")
        assert "site: \"shop-17\"" in expect(0, "config", "print", "--config", good)
        # 64: systemd does not restart on it.
        assert "bad.yaml:3" in expect(64, "daemon", "--config", bad, "--state-dir", work / "state")
        assert expect(0, "install", "--print").count("kind: \"CustomResourceDefinition\"") == 8


def full_disk():
    """Output that cannot be written is an error, not half a file and a zero."""
    with harness.workdir() as work:
        for path, text in {"kustomization.yaml": "configMapGenerator: [{name: a, literals: [b=c]}]\n", "Chart.yaml": "{apiVersion: v2, name: c, version: 1.0.0}\n",
                           "templates/a.yaml": "a: {{ repeat 9000 \"x\" }}\n"}.items():
            (work / path).parent.mkdir(exist_ok=True)
            (work / path).write_text(text, encoding="utf-8")
        with open("/dev/full", "w", encoding="utf-8") as full:
            for words in ("build", work), ("template", "name", work):
                done = subprocess.run([str(HOLDFAST), *map(str, words)], check=False, stdout=full, stderr=subprocess.PIPE, text=True)
                assert done.returncode == 1 and done.stderr == "Error: write stdout: No space left on device\n", (words, done)


def nothing_wished_is_well():
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        try:
            table, code = daemon.table()
            assert code == 0, table
            assert "none configured" in table
            assert expect(1, "daemon", "--state-dir", daemon.state, "--listen", "127.0.0.1:0"), "two daemons on one state"
        finally:
            stopped = daemon.stop()
        print(f"stopped in {stopped:.2f} s")
        assert stopped <= 2.5
        assert daemon.process.returncode == 0, daemon.tail()
        expect(3, "status", "--state-dir", daemon.state)


def empty_root():
    """Nothing of this machine is there: no /proc, no /sys, no libraries, no time zone, no certificates."""
    if "--static" not in FLAGS:
        print("skipped: empty root, not a static build")
        return
    tried = subprocess.run([sys.executable, str(EMPTY_ROOT), str(HOLDFAST), "--version"], check=False, text=True, capture_output=True)
    if tried.returncode != 0 and ("unshare" in tried.stderr or "chroot" in tried.stderr):
        print(f"skipped: empty root, {tried.stderr.strip()}")
        return
    assert tried.returncode == 0 and tried.stdout.startswith("holdfast "), tried.stderr
    with harness.workdir() as work:
        log = work / "log"
        with open(log, "wb") as stream:
            process = subprocess.Popen([sys.executable, str(EMPTY_ROOT), str(HOLDFAST), "daemon", "--state-dir", "/tmp/state",
                                        "--manifests", "/tmp/none", "--listen", "127.0.0.1:0"], stderr=stream, start_new_session=True)
        try:
            harness.eventually(lambda: b'"url"' in log.read_bytes() or process.poll() is not None, 20, 0.05, "the daemon in an empty root")
            time.sleep(0.3)  # long enough for a first look at everything
            assert process.poll() is None, log.read_text()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 15)  # our own session: the wrapper and the daemon
            process.wait(15)


if __name__ == "__main__":
    sys.exit(harness.run([("elf", elf), ("size", size), ("version and help", version_and_help), ("exit codes", exit_codes), ("full disk", full_disk),
                          ("nothing wished is well", nothing_wished_is_well), ("empty root", empty_root)]))
