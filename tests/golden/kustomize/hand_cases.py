# hand_cases.py: cases written one by one: each is about one behaviour.
import trees

CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"
GROUPS = {}


def group(name, base=None):
    GROUPS[name] = (base or {}, [])
    cases = GROUPS[name][1]

    def add(case, kustomization, files=None, flags="", directory="top"):
        tree = {f"{directory}/{path}": text for path, text in (files or {}).items()}
        if kustomization is not None:
            tree[f"{directory}/kustomization.yaml"] = kustomization
        cases.append({"name": case, "files": tree, "dir": directory, "flags": flags})
    return add


# ---- what is wrong with a kustomization
add = group("errors")
for name, text in {
    "unknown field": "resource: [a.yaml]\n",
    "number for text": "namePrefix: 1\n",
    "text for list": "resources: a.yaml\n",
    "object for list": "patches: {path: a}\n",
    "number in map": "commonLabels: {a: 1}\n",
    "number for object": "patches: [3]\n",
    "float count": "replicas: [{name: a, count: 1.5}]\n",
    "text count": "replicas: [{name: a, count: x}]\n",
    "bool name": "configMapGenerator: [{name: yes}]\n",
    "nested selector": "patches: [{patch: x, target: {group: 1}}]\n",
    "nested source": "configMapGenerator: [{literals: 3}]\n",
    "options": "configMapGenerator: [{name: a, options: {immutable: maybe}}]\n",
    "var target": "vars: [{name: x, objref: {kind: 1}}]\n",
    "empty": "",
    "only kind": "kind: Kustomization\n",
    "null field": "namePrefix: ~\n",
    "wrong kind": "kind: Foo\nnamePrefix: a\n",
    "wrong version": "apiVersion: v1\nnamePrefix: a\n",
    "wrong component version": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Component\nnamePrefix: a\n",
    "bad yaml": "a: b: c\n",
    "unclosed": "resources: [a\n",
    "tab": "resources:\n\t- a\n",
    "not a map": "- a\n",
    "missing resource": "resources: [gone.yaml]\n",
    "missing directory": "resources: [../gone]\n",
    "itself": "resources: [.]\n",
    "parent": "resources: [..]\n",
    "absolute": "resources: [/etc]\n",
    "missing patch": "patches: [{path: gone.yaml}]\n",
    "component is missing": "components: [gone]\n",
    "missing generator file": "configMapGenerator: [{name: a, files: [gone]}]\n",
    "missing env file": "configMapGenerator: [{name: a, envs: [gone]}]\n",
    "bad literal": "configMapGenerator: [{name: a, literals: [x]}]\n",
    "bad literal start": "configMapGenerator: [{name: a, literals: [\"=x\"]}]\n",
    "bad file key": "configMapGenerator: [{name: a, files: [\"=x\"]}]\n",
    "bad file path": "configMapGenerator: [{name: a, files: [\"x=\"]}]\n",
    "two equal signs": "configMapGenerator: [{name: a, files: [\"x=y=z\"]}]\n",
    "key twice": "configMapGenerator: [{name: a, literals: [x=1, x=2]}]\n",
    "generator without name": "configMapGenerator: [{literals: [x=1]}]\n",
    "merge nothing": "secretGenerator: [{name: a, behavior: merge, literals: [x=1]}]\n",
    "no plugin": "transformers: [gone.yaml]\n",
    "sort order": "sortOptions: {order: upwards}\nconfigMapGenerator: [{name: a}]\n",
    "fifo with options": "sortOptions: {order: fifo, legacySortOptions: {orderFirst: [A], orderLast: []}}\nconfigMapGenerator: [{name: a}]\n",
    "openapi version": "openapi: {version: v0.0.1}\nconfigMapGenerator: [{name: a}]\n",
    "openapi file": "openapi: {path: gone.json}\nconfigMapGenerator: [{name: a}]\n",
    "crds file": "crds: [gone.json]\n",
    "configurations file": "configurations: [gone.yaml]\n",
}.items():
    add(name, text)
for name, fields in {
    "patch without target": "patches: [{patch: \"- {op: remove, path: /data}\"}]\n",
    "patch matches nothing": "patches: [{patch: \"{apiVersion: v1, kind: Secret, metadata: {name: x}}\"}]\n",
    "bad selector": "patches: [{patch: \"[{op: remove, path: /data}]\", target: {labelSelector: \"a in\"}}]\n",
    "remove what is not there": "patches: [{patch: \"[{op: remove, path: /x/y}]\", target: {kind: ConfigMap}}]\n",
    "test fails": "patches: [{patch: \"[{op: test, path: /data/a, value: c}]\", target: {kind: ConfigMap}}]\n",
    "replicas match nothing": "replicas: [{name: none, count: 1}]\n",
    "replacement without source": "replacements: [{targets: [{select: {kind: ConfigMap}}]}]\n",
    "replacement source missing": "replacements: [{source: {kind: Secret}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a]}]}]\n",
    "replacement target missing": "replacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x.y]}]}]\n",
    "replacement delimiter": "replacements: [{source: {kind: ConfigMap, fieldPath: data.a, options: {delimiter: /, index: 5}}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a]}]}]\n",
    "var of nothing": "vars: [{name: V, objref: {apiVersion: v1, kind: Secret, name: x}}]\n",
    "var twice": "vars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: one}}, {name: V, objref: {apiVersion: v1, kind: ConfigMap, name: one}}]\n",
    "not a generator": "generators: [\"{apiVersion: builtin, kind: PrefixTransformer, metadata: {name: x}, prefix: a, fieldSpecs: []}\"]\n",
    "not a transformer": "transformers: [\"{apiVersion: builtin, kind: SecretGenerator, metadata: {name: x}}\"]\n",
    "no such builtin": "transformers: [\"{apiVersion: builtin, kind: FooTransformer, metadata: {name: x}}\"]\n",
    "operations that are text": "patchesJson6902: [{patch: no operations, target: {version: v1, kind: ConfigMap, name: one}}]\n",
    "operations that are no yaml": "patchesJson6902: [{patch: \"a: b: c\", target: {version: v1, kind: ConfigMap, name: one}}]\n",
    "operations that are broken json": "patchesJson6902: [{patch: \"[{op: add}\", target: {version: v1, kind: ConfigMap, name: one}}]\n",
    "path and patch": "patches: [{path: one.yaml, patch: \"- {op: remove, path: /data}\"}]\n",
    "neither path nor patch": "patches: [{target: {kind: ConfigMap, labelSelector: a=b}}]\n",
    "generator over a base": "configMapGenerator: [{name: one, literals: [a=1]}]\n",
    "generator with an origin over a base": "buildMetadata: [originAnnotations]\nconfigMapGenerator: [{name: one, literals: [a=1]}]\n",
    "exec plugin": "transformers: [\"{apiVersion: example.com/v1, kind: Exec, metadata: {name: x}}\"]\n",
    "prefix without specs": "transformers: [\"{apiVersion: builtin, kind: PrefixTransformer, metadata: {name: x}, prefix: a}\"]\n",
    "validator that changes": "validators: [\"{apiVersion: builtin, kind: LabelTransformer, metadata: {name: x}, labels: {a: b}, fieldSpecs: [{path: metadata/labels, create: true}]}\"]\n",
    "helm off": "helmCharts: [{name: x}]\n",
}.items():
    add(name, "resources: [one.yaml]\n" + fields, {"one.yaml": CM % "one"})
for name, text in {
    "no metadata": "a: 1\n", "no kind": "apiVersion: v1\nmetadata: {name: x}\n", "no name": "apiVersion: v1\nkind: ConfigMap\n",
    "labels in message": "kind: A\nmetadata: {labels: {a: b, c: d}}\n",
    "bad yaml resource": "a: [b\n", "text": "hello\n", "list": "- a\n", "separator with text": CM % "a" + "--- b\n" + CM % "b",
    "same id": CM % "a" + "---\n" + CM % "a", "items no list": "apiVersion: v1\nkind: FooList\nmetadata: {name: x}\nitems: 3\n",
    "duplicate key": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: {a: 1, a: 2}\n",
    "integer key": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: {1: 2}\n",
    "merge of text": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: {<<: 3}\n",
    "unknown alias": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: *none\n",
}.items():
    add("resource: " + name, "resources: [r.yaml]\n", {"r.yaml": text})
FUNCTION = "apiVersion: v1\nkind: Render\nmetadata:\n  name: demo\n  annotations:\n    config.kubernetes.io/function: |\n      container:\n" \
           "        image: example.com/render:v1\n        mounts:\n        - {type: bind, src: %s, dst: /tmp/charts}\n"
add("function with an absolute mount", "generators: [f.yaml]\n", {"f.yaml": FUNCTION % "/tmp/dir"}, "--enable-alpha-plugins")
add("function with a mount outside", "transformers: [f.yaml]\nresources: [one.yaml]\n", {"f.yaml": FUNCTION % "./tmp/../../dir", "one.yaml": CM % "one"},
    "--enable-alpha-plugins")
add("generator that could merge into two", "resources: [b]\nconfigMapGenerator: [{name: one, behavior: merge, literals: [a=1]}]\n", {
    "b/kustomization.yaml": "resources: [one.yaml, c]\n", "b/one.yaml": CM % "one", "b/c/kustomization.yaml": "resources: [one.yaml]\nnamePrefix: x-\n",
    "b/c/one.yaml": CM % "one"})
add("duplicate key below a comment", "resources: [r.yaml]\n", {"r.yaml": "# one\n\n# two\napiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: {a: 1, a: 2}\n"})
for name, field in {
    "a literal": "configMapGenerator: [{name: g, literals: [\"j=\\x7f\"]}]", "a secret": "secretGenerator: [{name: g, literals: [\"j=\\x80\"]}]",
    "a prefix": "namePrefix: \"a\\x7f\"", "a suffix": "nameSuffix: \"a\\x7f\"", "a namespace": "namespace: \"a\\x7f\"",
    "an annotation": "commonAnnotations: {a: \"a\\x7f\"}", "a label": "commonLabels: {a: \"a\\x7f\"}", "labels": "labels: [{pairs: {a: \"a\\x9f\"}}]",
    "a patch": "patches: [{patch: \"a: \\x7f\"}]", "options": "generatorOptions: {annotations: {a: \"\\x7f\"}}\nconfigMapGenerator: [{name: g}]",
}.items():
    add("a control character in " + name, "resources: [one.yaml]\n" + field + "\n", {"one.yaml": CM % "one"})
for name, data in {"null": "{null: d, a: b}", "a tilde": "{~: d}", "nothing": "{? : d}", "nulls in two maps": "{a: {null: 1}, b: {null: 2, 1: 2}}"}.items():
    add("a key that is " + name, "resources: [r.yaml]\n", {"r.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: %s\n" % data})
add("two files", "namePrefix: a\n", {"kustomization.yml": "namePrefix: b\n"})
add("no file", None, {"x.yaml": "a: b\n"})
add("component as resource", "resources: [c]\n", {"c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: a\n"})
add("kustomization as component", "components: [c]\n", {"c/kustomization.yaml": "namePrefix: a\n"})
add("error two levels down", "resources: [c]\n", {"c/kustomization.yaml": "resources: [d]\n", "c/d/kustomization.yaml": "resources: [gone.yaml]\n"})
add("error in a component of a base", "resources: [c]\n", {"c/kustomization.yaml": "components: [d]\n", "c/d/kustomization.yaml": "kind: Component\nresources: [\"gone\"]\n"})
add("outside of the root", "resources: [../other.yaml]\n", {"../other.yaml": CM % "x"})
add("outside, allowed", "resources: [../other.yaml]\n", {"../other.yaml": CM % "x"}, "--load-restrictor=LoadRestrictionsNone")
add("directory for a file", "patches: [{path: d}]\n", {"d/x": "a"}, "--load-restrictor=LoadRestrictionsNone")
add("base twice", "resources: [b, b]\n", {"b/kustomization.yaml": "configMapGenerator: [{name: a}]\n"})
add("cycle", "resources: [../b]\n", {"../b/kustomization.yaml": "resources: [../top]\n"})

VALIDATOR = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: v}\nlabels: {validated-by: us}\nfieldSpecs: [{path: metadata/labels, create: true}]\n"
for name, meta in {"no labels": "{name: a}", "other labels": "{name: a, labels: {x: y}}", "empty labels": "{name: a, labels: {}}",
                   "an older mark": "{name: a, labels: {validated-by: them}}"}.items():
    add("validator that leaves its mark on " + name, "resources: [one.yaml]\nvalidators: [v.yaml]\n",
        {"one.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {meta}\n", "v.yaml": VALIDATOR})
add("validator that sets a field to what it is", "resources: [one.yaml]\nvalidators: [v.yaml]\n", {
    "one.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n",
    "v.yaml": "apiVersion: builtin\nkind: ReplicaCountTransformer\nmetadata: {name: w}\nreplica: {name: web, count: 2}\nfieldSpecs: [{path: spec/replicas}]\n"})
add("validator in a component", "resources: [one.yaml]\ncomponents: [c]\n", {
    "one.yaml": CM % "one", "c/v.yaml": VALIDATOR.replace("validated-by", "marked"),
    "c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nvalidators: [v.yaml]\n"})

BEE_CRD = {"crd.yaml": "example.com/v1.Bee:\n  Schema:\n    properties:\n      apiVersion: {type: string}\n      kind: {type: string}\n      metadata: {type: object}\n"
                       "      spec: {$ref: example.com/v1.BeeSpec}\nexample.com/v1.BeeSpec:\n  Schema:\n    properties:\n      notes: {type: object, x-kubernetes-annotation: \"\"}\n"}
BEE_NOTES = {"conf.yaml": "commonAnnotations:\n- {path: spec/notes, create: true, kind: Bee}\n"}
add("CRDs against a configuration", "configurations: [conf.yaml]\ncrds: [crd.yaml]\nnamePrefix: x\n", {**BEE_CRD, **BEE_NOTES})
add("a configuration against the CRDs of a base", "resources: [b]\nconfigurations: [conf.yaml]\n",
    {**BEE_NOTES, "b/crd.yaml": BEE_CRD["crd.yaml"], "b/kustomization.yaml": "crds: [crd.yaml]\nnamePrefix: x\n"})

for name, plugin in {
    "number in an embedded struct": "kind: ConfigMapGenerator\nmetadata: {name: p}\nliterals: [1]\n", "embedded name": "kind: SecretGenerator\nmetadata: {name: p}\nname: 1\n",
    "named field": "kind: ConfigMapGenerator\nmetadata: {name: 1}\n", "options of a generator": "kind: ConfigMapGenerator\nmetadata: {name: p}\noptions: {labels: {a: 1}}\n",
    "text of a service": "kind: IAMPolicyGenerator\nmetadata: {name: p}\ncloud: gke\nkubernetesService: {name: a, namespace: {}}\nserviceAccount: {name: g, projectId: p}\n",
    "number for a cloud": "kind: IAMPolicyGenerator\nmetadata: {name: p}\ncloud: 1\n",
    "account without a name": "kind: IAMPolicyGenerator\nmetadata: {name: p}\ncloud: gke\nkubernetesService: {name: a}\nserviceAccount: {projectId: p}\n",
}.items():
    add("generator: " + name, "generators: [p.yaml]\n", {"p.yaml": "apiVersion: builtin\n" + plugin})
for name, plugin in {
    "bool for a kind": "kind: LabelTransformer\nmetadata: {name: p}\nlabels: {a: b}\nfieldSpecs: [{path: metadata/labels, kind: true}]\n",
    "number for a path": "kind: LabelTransformer\nmetadata: {name: p}\nlabels: {a: 1}\nfieldSpecs: [{path: 1, create: true}]\n",
    "number in a selector": "kind: PatchTransformer\nmetadata: {name: p}\npatch: \"[]\"\ntarget: {name: 1}\n",
    "number for a label selector": "kind: PatchTransformer\nmetadata: {name: p}\npatch: \"[]\"\ntarget: {labelSelector: 1}\n",
    "number in a replacement": "kind: ReplacementTransformer\nmetadata: {name: p}\nreplacements: [{source: {kind: 1}, targets: [{select: {kind: A}, fieldPaths: [1]}]}]\n",
    "number in an image": "kind: ImageTagTransformer\nmetadata: {name: p}\nimageTag: {name: a, newTag: 1.5}\nfieldSpecs: [{path: image}]\n",
}.items():
    add("transformer: " + name, "resources: [one.yaml]\ntransformers: [p.yaml]\n", {"one.yaml": CM % "one", "p.yaml": "apiVersion: builtin\n" + plugin})
for name, text in {"bool for a kind": "nameReference: [{kind: A, fieldSpecs: [{path: a, kind: true}]}]\n", "number for a version": "nameReference: [{kind: A, version: 1}]\n",
                   "number for a path": "images: [{path: 1}]\n"}.items():
    add("configuration: " + name, "configurations: [c.yaml]\nnamePrefix: x\n", {"c.yaml": text})
for field in ("labels: {}", "nameReference: {}", "nameReference: [{kind: A, fieldSpecs: {}}]", "images: x"):
    add("configuration: " + field, "configurations: [c.yaml]\nnamePrefix: x\n", {"c.yaml": field + "\n"})
for pattern in ("a[", "a(", "a)", "*", "a{2,1}", "\\\\q", "a**", "[b-a]"):
    add("expression: " + pattern, "resources: [one.yaml]\npatches: [{patch: \"- {op: remove, path: /data}\", target: {name: '%s'}}]\n" % pattern, {"one.yaml": CM % "one"})
add("fields of a prefix", "transformers: [p.yaml]\n", {"p.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: a\nfieldSpecs: {}\n"})
add("a prefix for a kind that is a number", "resources: [one.yaml]\ntransformers: [p.yaml]\n", {"one.yaml": CM % "one",
    "p.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: 1\nfieldSpecs: [{path: metadata/name, kind: 5}, {path: metadata/name, version: v1}]\n"})
add("a key with a quote", "na\"me: x\n")
add("a key with a tab", "\"na\\tme\": x\n")
add("an object among the CRDs", "crds: [one.yaml]\nnamePrefix: x\n", {"one.yaml": CM % "one"})
add("a list with a key twice", "resources: [r.yaml]\n", {"r.yaml": "apiVersion: v1\nkind: FooList\nmetadata: {name: x}\nitems: [{a: 1, a: 2}]\n"})

# ---- reading and writing
add = group("yaml")
SPEC = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec:\n"
for name, body in {
    "bools": "  a: yes\n  b: no\n  c: on\n  d: off\n  e: true\n  f: False\n  g: y\n  h: n\n  i: \"yes\"\n  j: 'on'\n",
    "numbers": "  a: 1\n  b: 1.0\n  c: 1e3\n  d: 0x10\n  e: 0o17\n  f: 017\n  g: 1_000\n  h: +1\n  i: -0\n  j: .5\n  k: 1.\n  l: 12345678901234567890\n  m: 1e400\n  n: 0b11\n",
    "float forms": "  a: 1e20\n  b: 1e21\n  c: 1e-7\n  d: 0.000001\n  e: 123456789.123456789\n  f: -1.5e-10\n  g: 100000000000000000000000.0\n",
    "specials": "  a: .inf\n",
    "nulls": "  a: null\n  b: ~\n  c:\n  d: Null\n  e: \"null\"\n  f: ''\n",
    "timestamps": "  a: 2024-01-02\n  b: 2024-01-02T03:04:05Z\n  c: 2024-01-02 03:04:05.678\n  d: \"2024-01-02\"\n  e: 24-1-2\n",
    "base 60": "  a: 1:20\n  b: 190:20:30\n  c: \"1:20\"\n  d: 22:22\n",
    "literal": "  a: |\n    x\n     y\n    z\n  b: |-\n    x\n  c: |+\n    x\n\n  d: |2\n     x\n",
    "folded": "  a: >\n    x\n    y\n\n    z\n  b: >-\n    x\n      y\n    z\n  c: >+\n    x\n\n  d: >\n\n    lead\n    er\n",
    "quotes": "  a: 'it''s'\n  b: \"tab\\tquote\\\" back\\\\ nl\\n\"\n  c: \"\\u00e9\\x41\\U0001F600\"\n  d: \"\\0\"\n  e: ' lead'\n  f: 'trail '\n",
    "needs quotes": "  a: '#x'\n  b: 'x: y'\n  c: 'x #y'\n  d: '- x'\n  e: '? x'\n  f: '{x'\n  g: '[x'\n  h: '&x'\n  i: '*x'\n  j: '!x'\n  k: '%x'\n  l: '@x'\n  m: '`x'\n  n: '|'\n  o: '='\n  p: '<<'\n  q: '-'\n  r: '---'\n",
    "long": "  a: " + "word " * 30 + "\n  b: " + "x" * 200 + "\n  c: \"" + "word " * 30 + "\\n end\"\n  d: '" + "a, " * 40 + "'\n",
    "tags": "  a: !!str 1\n  b: !!int \"1\"\n  c: !!float 1\n  d: !!bool \"true\"\n  e: !!null x\n  f: !mine x\n",
    "binary": "  a: !!binary aGVsbG8=\n",
    "anchors": "  a: &x {p: 1, q: [1, 2]}\n  b: *x\n  c: &y text\n  d: *y\n  e: [*x, *y]\n",
    "merge keys": "  base: &b {p: 1, q: 2}\n  one: {<<: *b, q: 3}\n  two: {q: 4, <<: [*b, {r: 5, p: 6}]}\n",
    "flow": "  a: {b: [1, {c: d}], \"e f\": g}\n  h: [ ]\n  i: { }\n  j: [a, b,\n    c]\n",
    "comments": "  # head\n  a: 1 # line\n  # foot\n\n  b: # after\n  - x # one\n  # between\n  - y\n",
    "keys": "  \"a b\": 1\n  'c': 2\n  \"1\": 3\n  \"true\": 4\n  a10: 5\n  a2: 6\n  a-b: 7\n  a.b: 8\n  A: 9\n  \"\": 10\n  ? x\n  : y\n",
    "indents": "  a:\n  - b:\n    - c\n    -   d: 1\n        e: 2\n  - - f\n    - g\n",
    "unicode": "  a: käse\n  b: \"\\u2028\"\n  c: \"\\u0085\"\n  d: 日本語\n  e: \"\\ufeff\"\n  f: \"\\u200b\"\n",
    "multi-line plain": "  a: one\n    two\n\n    three\n  b: \"one\n    two\n\n    three\"\n  c: 'one\n    two'\n",
}.items():
    add(name, "resources: [r.yaml]\n", {"r.yaml": SPEC + body})
for name, text in {
    "data": CM % "x" + "  \"<<\": j\n", "annotations": CM % "x" + "---\napiVersion: v1\nkind: A\nmetadata: {name: y, annotations: {\"<<\": j, a: b}, labels: {'<<': k}}\n",
    "data beside a merge": CM % "x" + "---\napiVersion: v1\nkind: A\nmetadata: {name: y}\nspec: {\"<<\": j, c: &c {d: 1}, e: {\"<<\": k, <<: *c}, f: {<<: *c, \"<<\": k}}\n",
}.items():
    text = text.replace("data: {a: b}\n  ", "data:\n  a: b\n  ")
    for kind, fields in {"": "", ", annotated": "commonAnnotations: {note: m}\n", ", patched": "patches: [{target: {kind: '.*'}, patch: \"[{op: add, path: /metadata/labels, value: {l: m}}]\"}]\n"}.items():
        add("a quoted merge key in " + name + kind, "resources: [r.yaml]\n" + fields, {"r.yaml": text})
for name, literals in {"a next line": "[\"j=a\\Nb\", \"k=\\N\", \"l=x \\N y\", \"m=\\N\\Nz\"]", "separators": "[\"j=a\\Lb\", \"k=a\\Pb\", \"l=a\\_b\", \"m=\\uFEFFb\", \"n=\\e\\r\\t\"]"}.items():
    add("literals with " + name, "configMapGenerator: [{name: g, literals: %s}]\nsecretGenerator: [{name: g, literals: %s}]\n"
        "generatorOptions: {annotations: {a: \"b\\Nc\"}}\n" % (literals, literals))
for name, text in {
    "several documents": CM % "a" + "---\n---\n# nothing\n---\n" + CM % "b" + "---\n",
    "leading separator": "---\n" + CM % "a", "crlf": (CM % "a").replace("\n", "\r\n"), "bom": "\ufeff" + CM % "a",
    "separator comment": CM % "a" + "--- # b\n" + CM % "b", "directive": "%YAML 1.2\n---\n" + CM % "a",
    "document end": CM % "a" + "...\n", "json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j"}, "data": {"a": "\\u003c"}}',
    "list": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {n: \"1\"}}\n",
    "list of lists": "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: x}\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
    "list without items": "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: x}\n", "empty list": "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: x}\nitems: []\n",
    "null annotations": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: , labels: {}}\n",
    "odd annotations": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {a: 1, b: true, c: ~, d: [x]}, labels: {a: 1}}\n",
    "local config": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {config.kubernetes.io/local-config: \"true\"}}\n---\n" + CM % "b",
    "local config false": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {config.kubernetes.io/local-config: \"false\"}}\n",
    "numeric name": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"123\", namespace: \"456\"}\n",
}.items():
    add("stream: " + name, "resources: [r.yaml]\n", {"r.yaml": text})
    add("stream, prefixed: " + name, "resources: [r.yaml]\nnamePrefix: p-\nnamespace: n\n", {"r.yaml": text})

# ---- names that others refer to
BASE = {"base/all.yaml": "\n---\n".join(x.strip("\n") for x in trees.FILES.values() if x is not trees.SCALARS) + "\n",
        "base/kustomization.yaml": "resources: [all.yaml]\n"}
add = group("references", BASE)
add("prefix and suffix", "resources: [../base]\nnamePrefix: a-\nnameSuffix: -z\n")
add("namespace", "resources: [../base]\nnamespace: other\n")
add("all at once", "resources: [../base]\nnamespace: other\nnamePrefix: a-\ncommonLabels: {x: y}\nconfigMapGenerator: [{name: settings, behavior: replace, literals: [a=b]}]\n")
add("same base under two prefixes", "resources: [one, two]\n", {
    "one/kustomization.yaml": "resources: [../../base]\nnamePrefix: one-\nnamespace: one\npatches:\n- {patch: \"{apiVersion: v1, kind: Namespace, metadata: {name: shop}, $patch: delete}\"}\n"
                              "- {patch: \"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: bees.example.com}, $patch: delete}\"}\n",
    "two/kustomization.yaml": "resources: [../../base]\nnamePrefix: two-\nnamespace: two\n"})
add("fifo", "resources: [../base]\n", {}, "--reorder=none")
add("managed by", "resources: [../base]\n", {}, "--enable-managedby-label")
# A label is one node in all the fields that one transformer put it into, and setting one of them later sets them all.
add("a label set again over a shared base", "resources: [one, two]\n", {
    "one/kustomization.yaml": "resources: [all.yaml]\nlabels: [{pairs: {team: bees}, includeSelectors: true}]\n",
    "one/all.yaml": trees.SERVICE + "---\n" + trees.DEPLOYMENT,
    "two/kustomization.yaml": "resources: [../one]\nlabels: [{pairs: {team: wasps}}]\nnamePrefix: two-\ncommonAnnotations: {note: z}\n"})
