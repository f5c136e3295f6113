#!/usr/bin/env python3
"""Goal: the program is one file that needs nothing of the machine it runs on, and says by its exit code how it went.
Method: readelf, strip of a copy, an empty root directory, and the commands that need no cluster.

    binary_test.py HOLDFAST [--static] [--size]

--static: the build is a static one; --size: it is an optimized one, so that its size means something.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
FLAGS = [one for one in sys.argv[2:] if one.startswith("--")]
sys.argv[2:] = [one for one in sys.argv[2:] if not one.startswith("--")]
STRIPPED_MAX = 14 * 1024 * 1024
EMPTY_ROOT = harness.ROOT / "tests/support/empty_root.py"


def call(*arguments, **options):
    done = subprocess.run([str(HOLDFAST), *map(str, arguments)], check=False, text=True, capture_output=True, timeout=60,
                          env=harness.without_cluster("/nonexistent"), **options)
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
    version = expect(0, "--version")
    assert version.startswith("holdfast ") and expect(0, "version") == version
    commands = ("daemon", "status", "config", "install", "build", "template", "version")
    for command in commands:
        assert command in expect(0, "--help")
        assert "holdfast " + command in expect(0, command, "--help")
    assert expect(0, "help") == expect(0, "--help") and expect(0, "help", "status") == expect(0, "status", "--help")
    assert "--failed" in expect(0, "status", "--help") and "Exit code" in expect(0, "status", "--help")


def wrong_command_lines():
    """Each is answered with what is wrong and what was probably meant, and with 2."""
    for words, answer in {(): "Usage: holdfast COMMAND",
                          ("bogus",): 'holdfast: unknown command "bogus" for "holdfast"\n',
                          ("statsu",): 'unknown command "statsu" for "holdfast"\nDid you mean `holdfast status`?',
                          ("--bogus",): 'unknown flag "--bogus"',
                          ("help", "bogus"): 'unknown command "bogus"',
                          ("status", "--faild"): 'holdfast status: unknown flag "--faild", did you mean "--failed"?',
                          ("status", "--namespce=x"): 'unknown flag "--namespce", did you mean "--namespace"?',
                          ("status", "more"): 'unexpected argument "more"',
                          ("status", "-o", "yaml"): "--output",
                          ("config",): "holdfast config: ",
                          ("config", "chek"): 'unknown command "chek", did you mean "check"?',
                          ("config", "check"): "FILE is required",
                          ("daemon", "--listen", "0.0.0.0:9750"): "--listen: must be a loopback address",
                          ("daemon", "--listen", ":abc"): "--listen: must be a loopback address",
                          ("daemon", "--listen", "127.0.0.1:99999"): "--listen: the port must be 65535 at most"}.items():
        assert answer in expect(2, *words), words


def exit_codes():
    with harness.workdir() as work:
        expect(3, "status", "--state-dir", work)
        expect(3, "status", "--socket", work / "nobody.sock")
        good, bad = work / "good.yaml", work / "bad.yaml"
        good.write_text("site: shop-17\n", encoding="utf-8")
        bad.write_text("site: shop-17\nlimits:\n  memory: 1MiB\n", encoding="utf-8")
        assert expect(0, "config", "check", good).rstrip().endswith("good.yaml: ok")
        assert "bad.yaml:3: limits.memory" in expect(1, "config", "check", bad)
        bad.write_text("state_dir: 3\nlimits:\n  memory: 1MiB\n  memroy: 1\n", encoding="utf-8")
        lines = expect(1, "config", "check", bad).splitlines()
        assert [line.split(": ")[2] for line in lines] == ["state_dir", "limits.memory", "limits.memroy"], lines
        manifests = work / "manifests"
        manifests.mkdir()
        good.write_text(f"site: shop-17\nmanifests: {manifests}\n", encoding="utf-8")
        (manifests / "a.yaml").write_text("apiVersion: v1\nkind: Secret\n", encoding="utf-8")
        assert f"holdfast: {manifests}: a.yaml:1: not a " in expect(1, "config", "check", good)
        (manifests / "a.yaml").unlink()
        assert "cannot be read" in expect(1, "config", "check", work / "none.yaml")
        assert "site: \"shop-17\"" in expect(0, "config", "print", "--config", good)
        # 64: systemd does not restart on it.
        assert "bad.yaml:1" in expect(64, "daemon", "--config", bad, "--state-dir", work / "state")
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
                assert done.returncode == 1 and done.stderr == "Error: write stdout: no space left on device\n", (words, done)


def what_the_machine_refuses():
    """Too few descriptors at the start are an error message, not a core dump, wherever the last one goes."""
    ends = []
    for descriptors in range(6, 16):
        with harness.workdir() as work:
            log = work / "log"
            with open(log, "wb") as stream:
                process = subprocess.Popen([str(HOLDFAST), "daemon", "--state-dir", str(work / "state"), "--manifests", str(work / "none"),
                                            "--listen", "127.0.0.1:0"], stderr=stream, env=harness.without_cluster(work),
                                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)))
            try:
                harness.eventually(lambda: b'"url"' in log.read_bytes() or process.poll() is not None, 20, 0.02, "the daemon is ready or has ended")
            finally:
                process.terminate()
                process.wait(15)
            text = log.read_text(encoding="utf-8")
            # -15: it was ready, but did not listen to our signal yet.
            assert process.returncode in (0, 1, -15) and "terminate called" not in text, (descriptors, text)
            assert process.returncode != 1 or "Too many open files" in text, (descriptors, text)
            ends.append("the system refuses what is needed" in text)
    assert any(ends), "no number of descriptors ended in main: the test tests nothing"


def state_directory():
    """It holds what Secrets hold: closed to others, and one that others could write to is not taken."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work)
        daemon.state.mkdir(mode=0o755)
        daemon.start()
        daemon.stop()
        assert daemon.state.stat().st_mode & 0o777 == 0o700
        assert all(one.stat().st_mode & 0o077 == 0 for one in daemon.state.rglob("*") if not one.is_socket()), "others may read"
        daemon.state.chmod(0o770)
        assert "others may write to it" in expect(1, "daemon", "--state-dir", daemon.state, "--listen", "127.0.0.1:0")
        long = work / ("x" * 100)
        refused = expect(64, "daemon", "--state-dir", long, "--listen", "127.0.0.1:0")
        assert "status.socket" in refused and "path too long" in refused and refused.count(str(long)) == 1, refused
        assert "status.socket" in expect(3, "status", "--state-dir", long)


def no_core():
    """The daemon leaves no core file, and no other process of its user reads its memory: both would show its tokens."""
    if os.geteuid() != 0:
        print("skipped: no core, only root can start a daemon as somebody else")
        return
    nobody = 65534
    with harness.workdir() as work:
        work.chmod(0o755)
        daemon = harness.Daemon(HOLDFAST, work / "daemon")
        copy = shutil.copy(HOLDFAST, work / "holdfast")  # the build may lie where nobody may not go
        for path in (daemon.work, daemon.manifests, daemon.config):
            os.chown(path, nobody, nobody)
        log = open(work / "log", "wb")
        process = subprocess.Popen([copy, "daemon", "--config", daemon.config, "--state-dir", daemon.state, "--manifests", daemon.manifests,
                                    "--listen", "127.0.0.1:0"], stderr=log, env=harness.without_cluster(work), user=nobody, group=nobody,
                                   extra_groups=[])
        try:
            harness.eventually(lambda: b'"url"' in (work / "log").read_bytes() or process.poll() is not None, 20, 0.02, "the daemon is ready")
            assert process.poll() is None, (work / "log").read_text()
            limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
            assert re.search(r"Max core file size +0 +0 ", limits), limits
            # The kernel gives what it hides from a user to root.
            assert pathlib.Path(f"/proc/{process.pid}/environ").stat().st_uid == 0, "its memory may be read"
        finally:
            process.terminate()
            process.wait(15)
            log.close()


def which_cluster():
    """The flag, the setting, $KUBECONFIG, the pod's account, ~/.kube/config, in this order; and it is said which."""
    with harness.workdir() as work:
        home, plain = work / "home", harness.without_cluster(work / "home")
        pod = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
        config = work / "holdfast.yaml"

        def said(number, environment, *flags):
            log = work / f"log{number}"
            with open(log, "wb") as stream:
                process = subprocess.Popen([str(HOLDFAST), "daemon", "--config", str(config), "--state-dir", str(work / f"state{number}"),
                                            "--manifests", str(work / "none"), "--listen", "127.0.0.1:0", *flags],
                                           stderr=stream, env=environment)
            try:
                harness.eventually(lambda: b'"url"' in log.read_bytes() or process.poll() is not None, 20, 0.02, "the daemon is ready")
            finally:
                process.terminate()
                process.wait(15)
            lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
            return next((line["level"], line["msg"], line.get("kubeconfig")) for line in lines if "cluster" in line["msg"])

        config.write_text("", encoding="utf-8")
        level, message, _ = said(1, plain)
        assert level == "warning" and message.startswith("no cluster: ") and "--kubeconfig" in message, message
        (home / ".kube").mkdir(parents=True)
        (home / ".kube/config").write_text("apiVersion: v1\nkind: Config\n", encoding="utf-8")
        named = "the cluster is named by "
        assert said(2, plain) == ("info", named + "~/.kube/config", str(home / ".kube/config"))
        assert said(3, plain | pod)[:2] == ("info", named + "the pod's own account")
        assert said(4, plain | pod | {"KUBECONFIG": "/a:/b"}) == ("info", named + "$KUBECONFIG", "/a")
        assert said(5, plain | pod | {"KUBECONFIG": f"/a:{home}/.kube/config"}) == ("info", named + "$KUBECONFIG", str(home / ".kube/config"))
        config.write_text("kubeconfig: /c\n", encoding="utf-8")
        assert said(6, plain | pod | {"KUBECONFIG": "/a"}) == ("info", named + "the setting kubeconfig", "/c")
        assert said(7, plain | pod | {"KUBECONFIG": "/a"}, "--kubeconfig", "/d") == ("info", named + "--kubeconfig", "/d")


def nothing_wished_is_pending():
    """`holdfast status && echo ok` says ok when something was asked for and is done, not before."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        try:
            table, code = daemon.table()
            assert code == 1, table
            assert "  Pending: nothing is asked for yet\n" in table and "none configured" in table, table
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
    sys.exit(harness.run([("elf", elf), ("size", size), ("version and help", version_and_help),
                          ("wrong command lines", wrong_command_lines), ("exit codes", exit_codes), ("full disk", full_disk),
                          ("what the machine refuses", what_the_machine_refuses), ("state directory", state_directory), ("no core", no_core),
                          ("which cluster", which_cluster), ("nothing wished is pending", nothing_wished_is_pending), ("empty root", empty_root)]))
