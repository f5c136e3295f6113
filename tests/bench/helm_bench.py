#!/usr/bin/env python3
"""helm template v4.2.1 and holdfast template, one after the other on the same charts: time, peak memory, ratio.

usage: helm_bench.py HELM OUR-PROGRAM FOLDER-WITH-TUTORIAL-CHARTS

Each row is the median of its runs, process start included. Peak memory is the largest resident set of the process.
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def umbrella(folder, templates):
    """A chart of `templates` templates over 10 subcharts, each with includes, toYaml and a checksum."""
    for sub in range(10):
        top = os.path.join(folder, "charts", "s%d" % sub)
        os.makedirs(os.path.join(top, "templates"))
        with open(os.path.join(top, "Chart.yaml"), "w") as f:
            f.write("apiVersion: v2\nname: s%d\nversion: 0.1.0\n" % sub)
        with open(os.path.join(top, "values.yaml"), "w") as f:
            f.write("labels: {a: b, c: d}\nenv: [{name: A, value: '1'}, {name: B, value: '2'}]\nports: [80, 443]\n")
        with open(os.path.join(top, "templates", "_h.tpl"), "w") as f:
            f.write('{{ define "s%d.labels" }}app: {{ .Chart.Name }}\nrelease: {{ .Release.Name }}\n{{ toYaml .Values.labels }}{{ end }}' % sub)
        for i in range(templates // 10):
            with open(os.path.join(top, "templates", "t%d.yaml" % i), "w") as f:
                f.write('apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-%d-%d\n  labels: {{ include "s%d.labels" . | nindent 4 }}\n'
                        "  annotations: {sum: {{ toYaml .Values | sha256sum }}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n"
                        "        env: {{ toYaml .Values.env | nindent 8 }}\n        ports:\n{{- range .Values.ports }}\n        - containerPort: {{ . | int }}\n{{- end }}\n"
                        % (sub, i, sub))
    with open(os.path.join(folder, "Chart.yaml"), "w") as f:
        f.write("apiVersion: v2\nname: umbrella\nversion: 0.1.0\n")
    return folder


def once(program, args):
    start = time.monotonic()
    pid = os.posix_spawn(program, [program, "template"] + args, {"HOME": "/nonexistent"},
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit("%s failed on %s" % (program, args))
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(program, args, runs):
    results = [once(program, args) for _ in range(runs)]
    return [statistics.median(column) for column in zip(*results)]


def main():
    helm, ours, charts = sys.argv[1:4]
    rows = [(name.replace(".tgz", ""), ["rel", os.path.join(charts, name)], 9)
            for name in sorted(os.listdir(charts)) if name.startswith(("podinfo-6.14.1", "redis", "ingress-nginx"))]
    top = tempfile.mkdtemp()
    rows.append(("500 templates", ["rel", umbrella(os.path.join(top, "umbrella"), 500)], 5))
    print("%-24s %10s %10s %7s %10s %10s %7s %9s %9s %7s" % ("chart", "helm s", "ours s", "ratio", "helm cpu", "ours cpu", "ratio", "helm MiB", "ours MiB", "ratio"))
    for name, args, runs in rows:
        h, o = measure(helm, args, runs), measure(ours, args, runs)
        print("%-24s %10.3f %10.4f %6.1fx %10.3f %10.4f %6.1fx %9.1f %9.1f %6.1fx" % (name, h[0], o[0], h[0] / o[0], h[1], o[1], h[1] / max(o[1], 1e-6), h[2], o[2], h[2] / o[2]))
    for label, program in (("helm", helm), ("ours", ours)):
        start, cpu = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        for i in range(100):
            once(program, ["rel%d" % i] + rows[1][1][1:])
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print("%s: 100 releases of podinfo in %.2f s, %.2f s of CPU" % (label, time.monotonic() - start, used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime))


main()
