#!/usr/bin/env python3
# flux_cases.py: writes flux.txt: what kustomize-controller builds of a directory, with the fields of a Kustomization.
"""flux_cases.py FLUXBUILD

FLUXBUILD is fluxbuild/ built with `go build`: fluxcd/pkg's generator, then its build. The tree `dir` is built; the fields
stand in fields.json."""

import json
import os
import subprocess
import sys
import tempfile

import trees
import txtar

HERE = os.path.dirname(os.path.abspath(__file__))
CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"
APP = {"dir/deployment.yaml": trees.DEPLOYMENT, "dir/service.yaml": trees.SERVICE}
MADE = {**APP, "dir/kustomization.yaml": "resources: [deployment.yaml, service.yaml]\n"}
COMPONENT = {"part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -part\n"}
CASES = []


def add(name, files, fields=None):
    CASES.append((name, files, fields or {}))


# ---- without a kustomization
add("files are found in all directories, sorted", {"dir/b.yaml": CM % "b", "dir/a/z.yml": CM % "z", "dir/a/y.yaml": CM % "y", "dir/c.json": "{}",
                                                  "dir/a/note.txt": "x", "dir/B.yaml": CM % "upper", "dir/a.yaml": CM % "file"})
add("a directory with a kustomization is one resource", {"dir/a.yaml": CM % "a", "dir/b/Kustomization": "resources: [x.yaml]\nnamePrefix: p-\n",
                                                         "dir/b/x.yaml": CM % "x", "dir/b/unused.yaml": CM % "unused"})
add("nothing at all", {"dir/readme.md": "x"})
add("nothing at all, and a namespace", {"dir/readme.md": "x"}, {"targetNamespace": "ns"})
add("empty files and comments", {"dir/a.yaml": "", "dir/b.yaml": "# nothing\n", "dir/c.yaml": "---\n---\n", "dir/d.yaml": CM % "d"})
add("a file that is no object", {"dir/a.yaml": CM % "a", "dir/values.yaml": "replicas: 1\n"})
add("a file that is no YAML", {"dir/a.yaml": "a: [b\n"})
add("hidden directories", {"dir/.hidden/a.yaml": CM % "a", "dir/b.yaml": CM % "b"})
add("the same object twice", {"dir/a.yaml": CM % "a", "dir/b.yaml": CM % "a"})

# ---- with one
for name, text in {
    "resources": "resources: [deployment.yaml]\n", "no resources": "configMapGenerator: [{name: a, literals: [x=1]}]\n",
    "only a prefix": "namePrefix: a-\n", "nothing": "", "a comment": "# nothing\n", "bases only": "bases: [../base]\n",
    "an unknown field": "resources: [deployment.yaml]\nresource: [service.yaml]\n", "a wrong type": "resources: deployment.yaml\n",
    "the deprecated fields": "resources: [deployment.yaml]\ncommonLabels: {a: b}\npatchesStrategicMerge: [\"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 9}}\"]\n"
                             "patchesJson6902: [{target: {group: apps, version: v1, kind: Deployment, name: web}, patch: \"- {op: add, path: /spec/paused, value: true}\"}]\n"
                             "imageTags: [{name: busybox, newTag: \"9\"}]\nvars: [{name: CONFIG_NAME, objref: {apiVersion: apps/v1, kind: Deployment, name: web}}]\n",
    "a list": "- a\n", "broken YAML": "a: b: c\n", "a component": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [deployment.yaml]\n",
    "another kind": "kind: Foo\nresources: [deployment.yaml]\n", "numbers for text": "resources: [deployment.yaml]\nnamePrefix: 1\ncommonLabels: {a: 1}\n",
    "a generator's options": "resources: [deployment.yaml]\ngeneratorOptions: {disableNameSuffixHash: true}\nsecretGenerator: [{name: s, literals: [a=b]}]\n",
    "plugins": "resources: [deployment.yaml]\ntransformers: [\"{apiVersion: builtin, kind: LabelTransformer, metadata: {name: l}, labels: {a: b}, fieldSpecs: [{path: metadata/labels, create: true}]}\"]\n",
    "outside of the directory": "resources: [../base/x.yaml, deployment.yaml]\n", 
    "sort options": "resources: [service.yaml, deployment.yaml]\nsortOptions: {order: fifo}\n",
    "charts": "resources: [deployment.yaml]\nhelmCharts: [{name: web}]\n", "replicas and labels": "resources: [deployment.yaml]\nreplicas: [{name: web, count: 5}]\nlabels: [{pairs: {a: b}, includeSelectors: true}]\n",
}.items():
    add(f"a kustomization: {name}", {**APP, "base/kustomization.yaml": "resources: [x.yaml]\n", "base/x.yaml": CM % "x", "dir/kustomization.yaml": text})
add("a kustomization.yml", {**APP, "dir/kustomization.yml": "resources: [service.yaml]\n"})
add("a schema beside the builtin one", {**MADE, "dir/kustomization.yaml": "resources: [deployment.yaml]\nopenapi: {path: schema.json}\npatches: [{path: patch.yaml}]\n",
                                        "dir/schema.json": json.dumps({"definitions": {"v1.Bee": {"x-kubernetes-group-version-kind": [{"group": "e.com", "kind": "Bee", "version": "v1"}]}}}),
                                        "dir/patch.yaml": trees.PATCH})

# ---- the fields of a Kustomization
FIELDS = {
    "targetNamespace": {"targetNamespace": "shop"}, "prefix and suffix": {"namePrefix": "a-", "nameSuffix": "-z"},
    "a patch": {"patches": [{"patch": trees.PATCH}]},
    "a patch with a target": {"patches": [{"patch": "- {op: replace, path: /spec/replicas, value: 7}\n", "target": {"kind": "Deployment", "name": "w.*", "labelSelector": "app=web"}}]},
    "a patch for nothing": {"patches": [{"patch": "apiVersion: v1\nkind: Secret\nmetadata: {name: none}\n"}]},
    "images": {"images": [{"name": "busybox", "newTag": "1.37"}, {"name": "registry.example.com:5000/shop/web", "newName": "mirror/web", "digest": "sha256:abc"}]},
    "build metadata": {"buildMetadata": ["originAnnotations", "transformerAnnotations"]},
    "all at once": {"targetNamespace": "shop", "namePrefix": "a-", "patches": [{"patch": trees.PATCH}], "images": [{"name": "nginx", "newTag": "1"}], "components": ["../part"]},
    "a component": {"components": ["../part"]}, "two components, one missing": {"components": ["../part", "../gone"]},
    "a missing component that may": {"components": ["../gone", "../part"], "ignoreMissingComponents": True},
    "a remote component": {"components": ["https://example.com/a.git"]}, "an absolute component": {"components": ["/part"]},
}
for name, fields in FIELDS.items():
    add(f"field: {name}", {**MADE, **COMPONENT}, fields)
    add(f"field, no kustomization: {name}", {**APP, **COMPONENT}, fields)
RICH = ("resources: [deployment.yaml, service.yaml]\nnamespace: own\nnamePrefix: own-\nnameSuffix: -own\npatches: [{patch: \"- {op: add, path: /metadata/labels/own, value: x}\", target: {kind: Deployment}}]\n"
        "images: [{name: busybox, newName: own/busybox, newTag: own}, {name: nginx, digest: \"sha256:own\"}]\ncomponents: [../part]\nbuildMetadata: [transformerAnnotations]\n")
for name, fields in {**FIELDS, "image tag over a name": {"images": [{"name": "busybox", "newTag": "2"}]}, "image tag over a digest": {"images": [{"name": "nginx", "newTag": "2"}]},
                     "image digest over a tag": {"images": [{"name": "busybox", "digest": "sha256:new"}]}, "image name alone": {"images": [{"name": "nginx", "newName": "n"}]}}.items():
    add(f"field over the file's own: {name}", {**APP, **COMPONENT, "dir/kustomization.yaml": RICH}, fields)


def run(fluxbuild, files, fields):
    with tempfile.TemporaryDirectory(prefix="holdfast-flux-") as top:
        top = os.path.realpath(top)
        txtar.write_tree(top, files)
        done = subprocess.run([fluxbuild, top, os.path.join(top, "dir"), json.dumps(fields)], capture_output=True)
        if done.returncode == 0:
            return {"expect": done.stdout.decode()}
        line = next((x for x in done.stderr.decode().splitlines() if x.startswith("Error: ")), "Error: crash")
        return {"error": line.replace(top, "$DIR")}


def main():
    cases = []
    for name, files, fields in CASES:
        files = {**files, "fields.json": json.dumps(fields) + "\n"}
        cases.append({"name": name, "files": files, "flags": "dir", **run(sys.argv[1], files, fields)})
    txtar.write_group(os.path.join(HERE, "flux.txt"), {}, cases)
    print(f"{len(cases)} cases, {sum('error' in case for case in cases)} errors")


if __name__ == "__main__":
    main()
