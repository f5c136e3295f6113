#!/usr/bin/env python3
# kustomize_bench.py: our build beside the real kustomize's on the same trees: CPU time, wall time and peak memory.
"""kustomize_bench.py TOOL ORACLE [--runs N] [--tutorial DIR]"""

import argparse
import os
import shutil
import tempfile

import process

TUTORIAL = os.path.normpath(os.path.join(os.path.dirname(__file__), "../../../shared/data/tutorial/gitops"))


def measure(program, directory, runs):
    command = [program, "build", directory]
    results = []
    for _ in range(runs):
        results.append(process.times(command))
        if results[-1][0] > 3:
            break  # long enough to be measured once
    return min(r[0] for r in results), min(r[1] for r in results), process.peak_mebibytes(command)


def measure_all(program, directories, runs):
    """Times added up, the largest peak."""
    wall, cpu, peak = zip(*(measure(program, directory, runs) for directory in directories))
    return sum(wall), sum(cpu), max(peak)


def write(top, files):
    for name, text in files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)


def deployment(name):
    return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels: {{app: {name}}}\nspec:\n  replicas: 2\n"
            f"  selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n"
            f"      containers:\n      - name: main\n        image: registry.example.com/{name}:1.0\n        ports: [{{containerPort: 8080}}]\n"
            f"        env:\n        - {{name: A, value: \"1\"}}\n        - {{name: B, valueFrom: {{configMapKeyRef: {{name: settings, key: b}}}}}}\n"
            f"        resources: {{limits: {{cpu: 500m, memory: 128Mi}}}}\n      volumes:\n      - {{name: c, configMap: {{name: settings}}}}\n")


def service(name):
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  selector: {{app: {name}}}\n  ports: [{{port: 80, targetPort: 8080}}]\n"


def small():
    return {"base/a.yaml": deployment("web") + "---\n" + service("web"), "base/kustomization.yaml": "resources: [a.yaml]\n",
            "top/kustomization.yaml": "resources: [../base]\nnamespace: shop\nnamePrefix: dev-\nimages: [{name: registry.example.com/web, newTag: \"2\"}]\n"}


def large():
    objects = [deployment(f"app{i}") if i % 2 else service(f"app{i}") for i in range(1000)]
    patches = "".join(f"- target: {{kind: Deployment, name: app{i}1}}\n  patch: |-\n    - {{op: replace, path: /spec/replicas, value: {i}}}\n" if i % 2 else
                      f"- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: app{i}1}}\n    spec: {{template: {{spec: {{containers: [{{name: main, image: x}}]}}}}}}\n"
                      for i in range(1, 51))
    return {"base/a.yaml": "---\n".join(objects), "base/kustomization.yaml": "resources: [a.yaml]\n",
            "top/kustomization.yaml": "resources: [../base]\nnamespace: shop\nnameSuffix: -v2\nlabels: [{pairs: {team: bees}, includeSelectors: true}]\n"
                                      "configMapGenerator: [{name: settings, literals: [b=1]}]\npatches:\n" + patches}


def crds():
    properties = "".join(f"              field{i}:\n                type: object\n                description: \"{'words of a description ' * 6}\"\n"
                         f"                properties:\n                  a: {{type: string}}\n                  b: {{type: integer, format: int32}}\n" for i in range(400))
    one = ("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: k{0}.example.com}}\nspec:\n  group: example.com\n"
           "  names: {{kind: K{0}, plural: k{0}}}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n"
           "      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            properties:\n")
    return {"top/crds.yaml": "---\n".join(one.format(i) + properties for i in range(38)),
            "top/kustomization.yaml": "resources: [crds.yaml]\ncommonAnnotations: {a: b}\n"}


def fleet():
    files = {}
    for i in range(20):
        files[f"base{i}/a.yaml"] = deployment(f"app{i}") + "---\n" + service(f"app{i}")
        files[f"base{i}/kustomization.yaml"] = "resources: [a.yaml]\n"
    for i in range(200):
        files[f"over{i}/kustomization.yaml"] = f"resources: [../base{i % 20}]\nnamePrefix: o{i}-\nnamespace: n{i}\n"
    files["top/kustomization.yaml"] = "resources:\n" + "".join(f"- ../over{i}\n" for i in range(200))
    return files


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("oracle")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tutorial", default=TUTORIAL, help="a directory with kustomizations, all of which are built")
    arguments = parser.parse_args()
    top = tempfile.mkdtemp(prefix="holdfast-bench-")
    try:
        cases = []
        for name, make in (("small overlay", small), ("1,000 objects, 50 patches", large), ("5 MB of CRDs", crds),
                           ("200 overlays over 20 bases", fleet)):
            directory = f"{top}/{make.__name__}"
            write(directory, make())
            cases.append((name, [directory + "/top"]))
        tutorial = sorted(path for path, _, files in os.walk(arguments.tutorial) if "kustomization.yaml" in files)
        if tutorial:
            cases.append((f"tutorial, {len(tutorial)} directories", tutorial))
        else:
            print(f"tutorial: skipped, {arguments.tutorial} is not there")
        print(f"{'':32} {'kustomize':>26} {'holdfast':>26}    faster (wall, CPU)  less memory")
        for name, directories in cases:
            theirs = measure_all(arguments.oracle, directories, arguments.runs)
            ours = measure_all(arguments.tool, directories, arguments.runs)
            print(f"{name:32} {theirs[0] * 1e3:8.1f} ms {theirs[2]:8.1f} MiB  {ours[0] * 1e3:10.1f} ms {ours[2]:8.1f} MiB"
                  f"    {theirs[0] / ours[0]:8.1f} x {theirs[1] / max(ours[1], 1e-4):8.1f} x  {theirs[2] / ours[2]:8.1f} x")
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    main()
