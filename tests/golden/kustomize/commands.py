#!/usr/bin/env python3
# commands.py: `holdfast build` as a command: where it writes, which flags it refuses, and helmCharts with the built-in engine.
"""commands.py HOLDFAST                  compares with commands.txt
   commands.py --record KUSTOMIZE HELM   writes commands.txt: what the real programs say

Every case runs in a directory of its own; `$DIR` stands for it in what is recorded."""

import os
import signal
import subprocess
import sys
import tempfile

import txtar

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = os.path.join(HERE, "commands.txt")
CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"
OBJECTS = """apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: first}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: Web.v1, namespace: second}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:web"}
---
apiVersion: v1
kind: Service
metadata: {name: nowhere}
---
apiVersion: v1
kind: Namespace
metadata: {name: first}
---
apiVersion: example.com/v1
kind: Bee
metadata: {name: maya, namespace: first}
"""
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: \"4.5\"\n",
    "charts/web/values.yaml": "replicas: 1\nimage: {name: nginx, tag: \"1.25\"}\nlist: [a, b]\nnested: {keep: 1, change: 2}\nsecret: false\n",
    "charts/web/crds/bee.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: bees.example.com}\nspec: {group: example.com}\n",
    "charts/web/templates/_helpers.tpl": "{{- define \"web.labels\" -}}\napp: {{ .Chart.Name }}\nrelease: {{ .Release.Name }}\nchart: {{ .Chart.Name }}-{{ .Chart.Version }}\n{{- end }}\n",
    "charts/web/templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-config\n  namespace: {{ .Release.Namespace }}\n"
        "  labels: {{- include \"web.labels\" . | nindent 4 }}\ndata:\n  values: {{ .Values | toJson | quote }}\n  kube: {{ .Capabilities.KubeVersion.Version }}\n"
        "  monitors: {{ .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" | quote }}\n  service: {{ .Release.Service }}\n  revision: {{ .Release.Revision | quote }}\n",
    "charts/web/templates/deployment.yaml": "# a comment\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicas }}\n"
        "  template:\n    spec:\n      containers:\n      - name: web\n        image: \"{{ .Values.image.name }}:{{ .Values.image.tag }}\"\n        args: {{ toYaml .Values.list | nindent 8 }}\n",
    "charts/web/templates/hook.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-hook\n  annotations: {helm.sh/hook: pre-install}\n",
    "charts/web/templates/tests/test.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-test\n  annotations: {helm.sh/hook: test}\n",
    "charts/web/templates/secret.yaml": "{{- if .Values.secret }}\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: {{ .Values.secret | quote }}}\n{{- end }}\n",
    "values.yaml": "replicas: 3\nimage: {tag: \"9\"}\nlist: [file]\nnested: {change: file}\n",
    "more.yaml": "replicas: 4\nextra: {from: more}\n",
}

# name, arguments, kustomization, more files
COMMANDS = [
    ("a directory and several namespaces", "-o out/ .", "resources: [all.yaml]\n", {"all.yaml": OBJECTS, "out/old.txt": "stays\n"}),
    ("a directory and one namespace", "--output out .", "resources: [all.yaml]\nnamespace: first\n",
     {"all.yaml": "---\n".join(x for x in OBJECTS.split("---\n") if "Namespace\n" not in x), "out/old.txt": "stays\n"}),
    ("a directory and a name for a file that is there", "-o out .", "resources: [a.yaml]\n", {"a.yaml": CM % "a", "out/v1_configmap_a.yaml": "x" * 300}),
    ("a file", "-o out/new.yaml .", "resources: [all.yaml]\n", {"all.yaml": OBJECTS, "out/old.txt": "stays\n"}),
    ("a file that is there", "-oout/there.yaml", "resources: [a.yaml]\n", {"a.yaml": CM % "a", "out/there.yaml": "x" * 300}),
    ("nothing to write", "-o out .", "resources: [a.yaml]\npatches: [{patch: \"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, $patch: delete}\"}]\n",
     {"a.yaml": CM % "a", "out/old.txt": "stays\n"}),
    ("a failed build writes nothing", "-o out .", "resources: [gone.yaml]\n", {"out/old.txt": "stays\n"}),
    ("no directory named", "", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("two directories", "a b", "resources: [a.yaml]\n", {}),
    ("a directory that is not there", "gone", "resources: [a.yaml]\n", {}),
    ("a file for a directory", "a.yaml", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("an unknown restrictor", "--load-restrictor=None .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("an unknown order", "--reorder=up .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("a deprecated flag and an unknown order", "--enable-managedby-label --reorder bad .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("no order", "--reorder= .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("a deprecated flag", "--reorder none .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("names that are not ASCII", "-o out .", "resources: [a.yaml]\n", {"a.yaml": CM % "ÉTÉ" + "---\n" + CM % "\u0130\u212a", "out/old.txt": "stays\n"}),
    ("a directory in the way", "-o out/v1_configmap_a.yaml/x .", "resources: [a.yaml]\n", {"a.yaml": CM % "a", "out/v1_configmap_a.yaml": "x"}),
    ("an unknown letter", "-x .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("an unknown flag", "--x=1 .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("a letter without its value", ". -o", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("a flag without its value", ". --output", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    ("a flag without a name", "--=a .", "resources: [a.yaml]\n", {"a.yaml": CM % "a"}),
    *[(f"--enable-alpha-plugins{value}", f"--enable-alpha-plugins{value} .", "helmCharts: [{name: web}]\n", {}) for value in ("=maybe", "=", "=False")],
    ("deprecated fields", ".", "bases: [base]\ncommonLabels: {a: b}\nvars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}}]\n"
     "patchesJson6902: [{target: {version: v1, kind: ConfigMap, name: a}, patch: \"- {op: add, path: /data/x, value: y}\"}]\nimageTags: [{name: x}]\n"
     "patchesStrategicMerge: [\"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {z: z}}\"]\n",
     {"base/kustomization.yaml": "resources: [a.yaml]\ncommonLabels: {c: d}\n", "base/a.yaml": CM % "a"}),
    ("charts without the flag", ".", "helmCharts: [{name: web}]\n", CHART),
]
for name, fields in {
    "as it is": "{name: web}", "release name": "{name: web, releaseName: shop}", "namespace": "{name: web, releaseName: shop, namespace: hive}",
    "values file": "{name: web, releaseName: r, valuesFile: values.yaml}",
    "values inline": "{name: web, releaseName: r, valuesInline: {replicas: 7, nested: {new: 1}, list: [inline]}}",
    "values overridden": "{name: web, releaseName: r, valuesFile: values.yaml, valuesMerge: override, valuesInline: {replicas: 7, nested: {new: 1}}}",
    "values merged": "{name: web, releaseName: r, valuesFile: values.yaml, valuesMerge: merge, valuesInline: {replicas: 7, nested: {change: in, new: 1}, list: [x]}}",
    "values replaced": "{name: web, releaseName: r, valuesFile: values.yaml, valuesMerge: replace, valuesInline: {replicas: 7}}",
    "unknown merge": "{name: web, releaseName: r, valuesMerge: both}",
    "more values files": "{name: web, releaseName: r, valuesFile: values.yaml, additionalValuesFiles: [more.yaml], valuesInline: {secret: \"on\"}}",
    "a null value": "{name: web, releaseName: r, valuesInline: {nested: null, image: {name: ~}}}",
    "CRDs": "{name: web, releaseName: r, includeCRDs: true}", "no tests": "{name: web, releaseName: r, skipTests: true}",
    "no hooks": "{name: web, releaseName: r, skipHooks: true}", "neither": "{name: web, releaseName: r, skipHooks: true, skipTests: true, includeCRDs: true}",
    "API versions": "{name: web, releaseName: r, apiVersions: [monitoring.coreos.com/v1, a/b]}",
    "kube version": "{name: web, releaseName: r, kubeVersion: \"1.27\"}", "name template": "{name: web, nameTemplate: \"shop-{{ lower `ABC` }}\"}",
    "version": "{name: web, releaseName: r, version: 1.2.3}", "missing values file": "{name: web, releaseName: r, valuesFile: gone.yaml}",
    "missing chart": "{name: gone, releaseName: r}",
    "keys that are no text": "{name: web, releaseName: r, valuesInline: {\"8080\": x, n: 1, \"true\": 2, \"2024-01-02\": 3, \"1.5\": 5}}", "debug": "{name: web, releaseName: r, debug: true}",
}.items():
    COMMANDS.append((f"chart: {name}", "--enable-helm .", f"helmCharts:\n- {fields}\n", CHART))
for value in ("=True", "=TRUE", "=t", "=1", "=false", "=maybe", "="):
    COMMANDS.append((f"chart: --enable-helm{value}", f"--enable-helm{value} .", "helmCharts: [{name: web, releaseName: r}]\n", CHART))
COMMANDS += [
    ("chart: keys of the file that are no text", "--enable-helm .", "helmCharts: [{name: web, releaseName: r, valuesInline: {b: 1}, valuesFile: v.yaml}]\n",
     {**CHART, "v.yaml": "8080: x\nn: 1\ntrue: 2\n2024-01-02: 3\n1.5: 5\n"}),
    ("chart: without objects", "--enable-helm .", "helmCharts: [{name: web, releaseName: r}]\n", {**CHART, "charts/web/templates/a.yaml": "a: b\n"}),
    ("chart: two of one", "--enable-helm .", "helmCharts:\n- {name: web, releaseName: a}\n- {name: web, releaseName: b, namespace: hive}\nnamespace: other\nnamePrefix: p-\n", CHART),
    ("chart: patched", "--enable-helm .", "helmCharts: [{name: web, releaseName: a}]\npatches: [{target: {kind: Deployment}, patch: \"- {op: replace, path: /spec/replicas, value: 8}\"}]\n"
     "images: [{name: nginx, newTag: \"2\"}]\ncommonAnnotations: {a: b}\n", CHART),
    ("chart: another home", "--enable-helm .", "helmGlobals: {chartHome: others}\nhelmCharts: [{name: web, releaseName: a}]\n",
     {name.replace("charts/", "others/"): text for name, text in CHART.items()}),
    ("chart: in a base", "--enable-helm over", None,
     {**{f"base/{name}": text for name, text in CHART.items()}, "base/kustomization.yaml": "helmCharts: [{name: web, releaseName: a}]\n",
      "over/kustomization.yaml": "resources: [../base]\nnamespace: over\nbuildMetadata: [originAnnotations]\n"}),
    ("chart: as a generator", "--enable-helm .", "generators: [g.yaml]\n",
     {**CHART, "g.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: any}\nname: web\nreleaseName: g\nvaluesInline: {replicas: 2}\n"}),
    ("chart: versions by flags", "--enable-helm --helm-kube-version 1.28 --helm-api-versions monitoring.coreos.com/v1 .", "helmCharts: [{name: web, releaseName: a}]\n", CHART),
    ("chart: the old field", "--enable-helm .", "helmChartInflationGenerator: [{chartName: web, releaseName: old, values: values.yaml}]\n", CHART),
    ("chart: broken template", "--enable-helm .", "helmCharts: [{name: web, releaseName: a}]\n", {**CHART, "charts/web/templates/x.yaml": "{{ fail \"no\" }}\n"}),
]
# Ours alone: kustomize would start a container.
REFUSED = ["--as-current-user", "--mount type=bind,src=/a,dst=/b", "--network", "--network-name net", "--env A=b", "-e A=b", "--enable-exec"]


def run(argv, files, arguments):
    with tempfile.TemporaryDirectory(prefix="holdfast-commands-") as top:
        top = os.path.realpath(top)
        txtar.write_tree(top, files)
        done = subprocess.run([*argv, *arguments.split()], cwd=top, capture_output=True, timeout=60,
                              env={"PATH": "/usr/bin:/bin", "HOME": top})
        output = {}
        if os.path.isdir(os.path.join(top, "out")):
            for name in os.listdir(os.path.join(top, "out")):
                with open(os.path.join(top, "out", name), encoding="utf-8", newline="") as text:
                    output[name] = text.read()
        result = {"output": output}
        result["stderr"] = "".join(x for x in done.stderr.decode().splitlines(True) if x.startswith(("# Warning", "Flag --")))
        if done.returncode == 0:
            result["expect"] = done.stdout.decode()
        else:
            line = next((x for x in done.stderr.decode().splitlines() if x.startswith("Error: ")), f"crash {done.returncode}")
            result["error"] = line.replace(top, "$DIR")
        return result


def odd_places(holdfast):
    """What no recorded tree can hold: links in circles, NULs, folders that are gone, pipes. Yields name, got, wanted."""
    build, template = [holdfast, "build"], [holdfast, "template", "r", "c"]
    with tempfile.TemporaryDirectory(prefix="holdfast-commands-") as top:
        top = os.path.realpath(top)
        txtar.write_tree(top, {"loop/kustomization.yaml": "resources: [r.yaml]\n", "nul/kustomization.yaml": "resources: [\"a\\0b\"]\n",
                               "good/kustomization.yaml": "resources: [a.yaml]\n", "good/a.yaml": CM % "a", "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
                               "c/templates/a.yaml": CM % "a" + "b: {{ repeat 1000000 \"x\" }}\n"})
        os.symlink("r.yaml", f"{top}/loop/r.yaml")
        os.mkdir(f"{top}/gone")

        def first_line(argv, directory, before=None):
            done = subprocess.run(argv, cwd=directory, capture_output=True, timeout=60, preexec_fn=before, env={"PATH": "/usr/bin:/bin"})
            return done.stderr.decode().split("\n")[0].replace(top, "$DIR")
        too_many = "evalsymlink failure on '$DIR/loop/r.yaml' : EvalSymlinks: too many links"
        yield ("a link to itself", first_line([*build, "."], f"{top}/loop"),
               f"Error: accumulating resources: accumulation err='accumulating resources from 'r.yaml': {too_many}': "
               f"must build at directory: not a valid directory: {too_many}")
        invalid = "evalsymlink failure on '$DIR/nul/a\0b' : lstat $DIR/nul/a\0b: invalid argument"
        yield ("a NUL in a path", first_line([*build, "."], f"{top}/nul"),
               f"Error: accumulating resources: accumulation err='accumulating resources from 'a\0b': {invalid}': "
               f"must build at directory: not a valid directory: {invalid}")
        yield ("a deleted working directory", first_line([*build, "."], f"{top}/gone", lambda: os.rmdir(f"{top}/gone")),
               "Error: must build at directory: not a valid directory: abs path error on '.' : getwd: no such file or directory")
        yield ("an empty root", first_line([*build, "--root", "", "good"], top),
               "Error: invalid argument \"\" for \"--root\" flag: an empty path confines nothing")

        reader, writer = os.pipe()
        os.close(reader)  # as `| head` does
        done = subprocess.run(template, cwd=top, stdout=writer, stderr=subprocess.PIPE, timeout=60)
        os.close(writer)
        yield "a reader that is gone", (done.returncode, done.stderr), (-signal.SIGPIPE, b"")

        for argv in (template, [*build, "big"]):
            txtar.write_tree(top, {"big/kustomization.yaml": "resources: [a.yaml]\n", "big/a.yaml": CM % "a" + "# " + "x" * 100 + "\nb: " + "x" * 1000000 + "\n"})
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            process = subprocess.Popen(argv, cwd=top, stdout=writer)
            os.close(writer)
            with open(reader, "rb") as pipe:
                text = pipe.read()
            yield f"a pipe that does not block ({argv[1]})", (process.wait(timeout=60), len(text) > 1000000), (0, True)


def tree_of(kustomization, files):
    return {**files, **({"kustomization.yaml": kustomization} if kustomization is not None else {})}


def record(kustomize, helm):
    cases = []
    for name, arguments, kustomization, files in COMMANDS:
        tree = tree_of(kustomization, files)
        helm_flags = ["--helm-command", helm] if "--enable-helm" in arguments else []
        cases.append({"name": name, "flags": arguments, "files": tree, **run([kustomize, "build", *helm_flags], tree, arguments)})
    txtar.write_group(RECORDED, CHART, cases)
    print(f"{len(cases)} cases, {sum('error' in case for case in cases)} errors")
    return 0


def compare(holdfast):
    wrong = 0
    cases = txtar.read_group(RECORDED)
    for case in cases:
        got = run([os.path.abspath(holdfast), "build"], case["files"], case["flags"])
        if "error" in case:
            case["error"] = case["error"].rstrip("\n")
        for key in ("expect", "error", "stderr", "output"):
            if (got.get(key) or "") != (case.get(key) or ""):
                wrong += 1
                print(f"{case['name']}: {key}\n--- recorded\n{case.get(key)}\n--- ours\n{got.get(key)}")
    for flags in REFUSED:
        got = run([os.path.abspath(holdfast), "build"], {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": CM % "a"}, flags + " .")
        if "which are never run here" not in got.get("error", ""):
            wrong += 1
            print(f"{flags} is not refused: {got}")
    for name, got, wanted in odd_places(os.path.abspath(holdfast)):
        if got != wanted:
            wrong += 1
            print(f"{name}:\n--- wanted\n{wanted}\n--- ours\n{got}")
    print(f"{len(cases) + len(REFUSED)} commands, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(record(*sys.argv[2:4]) if sys.argv[1] == "--record" else compare(sys.argv[1]))
