#!/usr/bin/env python3
"""Runs the main job once everything is built; see scripts/quickstart."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
READY_WITHIN_S = 180


def say(text):
    print(f"quickstart: {text}", flush=True)


class Children:
    """Every process started here ends with it, last started first."""

    def __init__(self):
        self.processes = []

    def start(self, command, **options):
        process = subprocess.Popen(command, **options)
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def start_control_plane(children, folder, work):
    say("starting etcd, kube-apiserver and kube-controller-manager with one fake node")
    process = children.start([str(pathlib.Path(folder) / "controlplane"), "up", "--dir", str(work / "cluster"),
                              "--with-nodes", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    kubeconfig = process.stdout.readline().strip()
    if not kubeconfig:
        raise SystemExit("quickstart: the control plane did not start; its logs are in " + str(work / "cluster"))
    return kubeconfig


def make_repository(work):
    """A bare repository made from config/examples, and a clone to change it in."""
    clone, bare = work / "shop", work / "git" / "shop.git"
    shutil.copytree(ROOT / "config" / "examples", clone, ignore=shutil.ignore_patterns("fluxconfig.yaml"))
    git = ["git", "-c", "init.defaultBranch=main", "-c", "user.name=Quickstart", "-c", "user.email=quickstart@localhost"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Open the shop"]):
        subprocess.run(git + command, cwd=clone, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(clone), str(bare)], check=True)
    subprocess.run(["git", "remote", "add", "origin", str(bare)], cwd=clone, check=True)
    return clone, bare


def serve_repository(children, work):
    server = children.start([sys.executable, str(ROOT / "tests" / "support" / "git_http.py"), "--root", str(work / "git")],
                            stdout=subprocess.PIPE, text=True)
    return server.stdout.readline().strip().rstrip("/") + "/shop.git"


def status_of(holdfast, state, output):
    return subprocess.run([holdfast, "status", "--state-dir", str(state), "-o", output], capture_output=True, text=True)


def wait_until_compliant(holdfast, state, daemon, objects_expected):
    deadline, last = time.monotonic() + READY_WITHIN_S, ""
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            return f"the daemon ended with exit code {daemon.returncode}"
        result = status_of(holdfast, state, "json")
        if result.returncode in (0, 1, 2) and result.stdout:
            status = json.loads(result.stdout)
            objects = sum(one["objects"] for one in status["kustomizations"])
            line = f"{status['complianceState']}, {len(status['kustomizations'])} Kustomizations, {objects} objects applied"
            if line != last:
                say(line)
                last = line
            if status["complianceState"] == "Compliant" and objects >= objects_expected and status["configurations"]:
                return ""
        else:
            line = result.stderr.strip()
        time.sleep(0.3)
    return f"not Compliant after {READY_WITHIN_S} s: {last}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--holdfast", required=True)
    arguments.add_argument("--controlplane", default="")
    arguments.add_argument("--once", action="store_true", help="end when everything is Compliant")
    options = arguments.parse_args()
    holdfast = str(pathlib.Path(options.holdfast).resolve())
    work = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-quickstart-"))
    children, failed = Children(), ""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        kubeconfig = os.environ.get("KUBECONFIG") or start_control_plane(children, options.controlplane, work)
        say(f"kubeconfig: {kubeconfig}")
        clone, _ = make_repository(work)
        url = serve_repository(children, work)
        say(f"repository: {url} (clone to change: {clone})")
        subprocess.run([holdfast, "install", "--kubeconfig", kubeconfig], check=True, stdout=subprocess.DEVNULL)
        state, log, settings = work / "state", work / "daemon.log", work / "holdfast.yaml"
        settings.write_text("network: {allow: [127.0.0.0/8]}  # the Git server above; a source on loopback is refused otherwise\n",
                            encoding="utf-8")
        daemon = children.start([holdfast, "daemon", "--config", str(settings), "--kubeconfig", kubeconfig, "--state-dir", str(state), "--listen",
                                 "127.0.0.1:0", "--manifests", str(work / "manifests")], stderr=open(log, "w", encoding="utf-8"))
        kubectl = pathlib.Path(options.controlplane) / "kubectl" if options.controlplane else "kubectl"
        config = (ROOT / "config" / "examples" / "fluxconfig.yaml").read_text(encoding="utf-8").replace("GIT_URL", url)
        namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop-config}\n---\n"
        subprocess.run([str(kubectl), "--kubeconfig", kubeconfig, "apply", "-f", "-"], input=namespace + config, text=True,
                       check=True, stdout=subprocess.DEVNULL)
        say("FluxConfig shop-config/shop applied; the daemon takes it from here")
        failed = wait_until_compliant(holdfast, state, daemon, 6)
        table = status_of(holdfast, state, "table")
        print("\n" + table.stdout, flush=True)
        page = next((json.loads(line)["url"] for line in log.read_text(encoding="utf-8").splitlines() if '"url"' in line), "")
        say(f"status page: {page}   log: {log}")
        if failed:
            print(log.read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            raise SystemExit(f"quickstart: {failed}")
        if options.once:
            return
        print(f"""
Three things to try, in another terminal:
  1. change the repository:  cd {clone} && sed -i 's/paper/mail/' apps/base/till.properties && git commit -qam 'Mail receipts' && git push -q origin main
  2. be offline:             kill {children.processes[-2].pid}    (the Git server; {holdfast} status --state-dir {state} shows the age of what is held)
  3. break something:        {kubectl} --kubeconfig {kubeconfig} -n shop delete deployment till    (it is back at once)
Ctrl-C ends everything.
""", flush=True)
        daemon.wait()
    except KeyboardInterrupt:
        say("stopping")
    finally:
        children.stop()
        if not failed:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
