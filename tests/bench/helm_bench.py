#!/usr/bin/env python3
"""helm template v4.2.1 and holdfast template, one after the other on the same charts: time, peak memory, ratio.

usage: helm_bench.py HELM OUR-PROGRAM FOLDER-WITH-TUTORIAL-CHARTS [HELMBENCH HELM_TOOL]

Each row is the median of its runs, process start included. With the last two (tests/oracle/helmbench, tests/support/helm_tool.cpp)
the engines alone are compared too: a loaded chart's first render, and one of those after it.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import process


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


def measure(program, chart, runs):
    command = [program, "template", "rel", chart]
    columns = zip(*(process.times(command) for _ in range(runs)))
    return [statistics.median(column) for column in columns] + [process.peak_mebibytes(command)]


def hundred(program, chart):
    """Wall and CPU time of 100 releases in a row, and the peak of one."""
    totals = [process.times([program, "template", "rel%d" % i, chart]) for i in range(100)]
    return [sum(column) for column in zip(*totals)] + [process.peak_mebibytes([program, "template", "rel", chart])]


def report(label, theirs, ours):
    print("%-30s %9.3f %9.4f %6.1fx %9.3f %9.4f %6.1fx %9.1f %9.1f %6.1fx" % (
        label, theirs[0], ours[0], theirs[0] / ours[0], theirs[1], ours[1], theirs[1] / max(ours[1], 1e-6), theirs[2], ours[2], theirs[2] / ours[2]))


def report_engines(label, helmbench, helm_tool, chart):
    theirs, ours = ([float(word) for word in subprocess.check_output(command, text=True).split()[:2]]
                    for command in ([helmbench, "40", chart], [helm_tool, "engine", "40", chart]))
    print("%-30s first %8.2f ms %8.3f ms %6.1fx   later %8.2f ms %8.3f ms %6.1fx" % (
        label + ", engine only", theirs[0], ours[0], theirs[0] / ours[0], theirs[1], ours[1], theirs[1] / ours[1]))


def main():
    helm, ours, folder = sys.argv[1:4]
    top = tempfile.mkdtemp(prefix="holdfast-bench-")
    charts = [(name.replace(".tgz", ""), os.path.join(folder, name)) for name in sorted(os.listdir(folder))
              if name.startswith(("podinfo-6.14.1", "redis", "ingress-nginx"))]
    charts.append(("500 templates", umbrella(os.path.join(top, "umbrella"), 500)))
    try:
        print("%-30s %9s %9s %7s %9s %9s %7s %9s %9s %7s" % ("seconds, MiB", "helm", "ours", "", "helm CPU", "ours CPU", "", "helm mem", "ours mem", ""))
        for name, chart in charts:
            report(name, measure(helm, chart, 9), measure(ours, chart, 15))
        podinfo = next(chart for name, chart in charts if name.startswith("podinfo"))
        report("100 releases of podinfo", hundred(helm, podinfo), hundred(ours, podinfo))
        for name, chart in charts if len(sys.argv) > 5 else []:
            report_engines(name, sys.argv[4], sys.argv[5], chart)
    finally:
        shutil.rmtree(top)


main()
