#!/usr/bin/env python3
"""record.py ORACLE: writes cases.jsonl: named questions, and some random ones, with kyaml's answers."""
import json
import subprocess
import sys
from pathlib import Path

import generate

HERE = Path(__file__).resolve().parent
RANDOM = 320  # questions; the seeds are fixed, the text of each at most 700 bytes


def deployment(spec):
    return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n" + "".join(
        "      " + line + "\n" for line in spec.strip("\n").split("\n"))


def containers(text):
    return deployment("containers:\n" + text)


def service(ports):
    return "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n" + "".join(
        "  " + line + "\n" for line in ports.strip("\n").split("\n"))


def thing(text):
    return "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n" + text


MERGES = {
    "a field is replaced, others stay": (thing("spec: {a: 1, b: 2}\n"), thing("spec: {a: 3}\n")),
    "a null removes a field": (thing("spec: {a: 1, b: 2}\n"), thing("spec: {a: null}\n")),
    "a null of the object stays when it has text": (thing("spec: {a: null}\n"), thing("spec: {b: 1}\n")),
    "a null without text goes": (thing("spec:\n  a:\n  c: 1\n"), thing("spec: {b: 1}\n")),
    "a null removes what is not there": (thing(""), thing("spec: {a: null}\n")),
    "null over null": (thing("spec: {a: null}\n"), thing("spec: {a: null}\n")),
    "a map over a scalar is refused": (thing("spec: 1\n"), thing("spec: {a: 1}\n")),
    "a list over a map is refused": (thing("spec: {a: 1}\n"), thing("spec: [1]\n")),
    "quotes of the old value stay: a number becomes text": (thing("spec: {a: \"x\", b: 'y'}\n"), thing("spec: {a: 5, b: true}\n")),
    "a plain old value takes the quotes of the new": (thing("spec: {a: 5}\n"), thing("spec: {a: \"7\"}\n")),
    "words that YAML 1.1 takes for bools get quotes": (thing("spec: {a: yes, b: on, c: n}\n"), thing("spec: {d: off, a: no}\n")),
    "keys keep their quotes when added": (thing("spec: {}\n"), thing("spec: {\"a\": 1, 'b.c': 2}\n")),
    "empty braces take the style of the patch": (thing("spec: {}\n"), thing("spec:\n  a:\n    b: 1\n")),
    "comments come along": (thing("spec:\n  # old\n  a: 1 # one\n"), thing("spec:\n  # new\n  a: 2 # two\n")),
    "a map is deleted by directive": (thing("spec: {a: {b: 1}, c: 1}\n"), thing("spec: {a: {$patch: delete}}\n")),
    "a map is replaced by directive": (thing("spec: {a: {b: 1, c: 2}}\n"), thing("spec: {a: {d: 3, $patch: replace}}\n")),
    "a map is merged by directive": (thing("spec: {a: {b: 1}}\n"), thing("spec: {a: {d: 3, $patch: merge}}\n")),
    "an unknown directive is refused": (thing("spec: {a: {b: 1}}\n"), thing("spec: {a: {$patch: remove}}\n")),
    "a directive in a new map is taken out": (thing(""), thing("spec: {a: {$patch: replace, b: 1}}\n")),
    "deleting a map that is not there": (thing(""), thing("spec: {a: {$patch: delete}}\n")),
    "the whole object is deleted": (thing("spec: 1\n"), thing("$patch: delete\n")),
    "a replace of the whole object is the patch": (thing("spec: 1\n"), thing("$patch: replace\nother: 2\n")),
    "lists of unknown kinds are replaced": (thing("spec: {l: [{name: a, x: 1}]}\n"), thing("spec: {l: [{name: a, y: 2}]}\n")),
    "a known object inside of an unknown one is merged": (
        thing("spec:\n  pod: {apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: x}]}}\n"),
        thing("spec:\n  pod: {apiVersion: v1, kind: Pod, spec: {containers: [{name: a, tty: true}]}}\n")),
    "containers merge by name, new ones first": (
        containers("- {name: a, image: x}\n- {name: b, image: y}"), containers("- {name: c, image: z}\n- {name: b, tty: true}")),
    "a container is deleted": (containers("- {name: a}\n- {name: b}"), containers("- {name: a, $patch: delete}")),
    "deleting a container that is not there": (containers("- {name: a}"), containers("- {name: x, $patch: delete}")),
    "a replaced container keeps its old fields": (
        containers("- {name: a, image: x, tty: true}"), containers("- {name: a, image: y, $patch: replace}")),
    "all containers are replaced": (containers("- {name: a, image: x}"), containers("- {name: b, image: y}\n- {$patch: replace}")),
    "all containers are deleted": (containers("- {name: a}"), containers("- {$patch: delete}")),
    "a merge directive in a list is taken out": (containers("- {name: a}"), containers("- {name: b}\n- {$patch: merge}")),
    "an unknown directive in a list is refused": (containers("- {name: a}"), containers("- {$patch: odd}")),
    "a container without a name removes the others": (containers("- {name: a}\n- {image: x}\n- {name: b}"), containers("- {name: b, tty: true}")),
    "a patch container without a name": (containers("- {name: a}\n- {name: b}"), containers("- {image: x}")),
    "containers with one name are one": (containers("- {name: a, image: x}\n- {name: a, image: y}"), containers("- {name: a, tty: true}")),
    "an empty list in the patch changes nothing": (containers("- {name: a}"), deployment("containers: []")),
    "a null list is removed": (containers("- {name: a}"), deployment("containers: null")),
    "a list where none was": (deployment("hostname: x"), containers("- {name: a}\n- {name: b, $patch: delete}\n- {name: c}")),
    "a null element is dropped": (containers("- {name: a}\n- null\n- {name: b}"), containers("- {name: b, tty: true}")),
    "a scalar among containers": (containers("- {name: a}\n- x"), containers("- {name: a, tty: true}")),
    "environment variables merge, secrets of envFrom do not": (
        containers("- name: a\n  env: [{name: A, value: '1'}]\n  envFrom: [{secretRef: {name: x}}]"),
        containers("- name: a\n  env: [{name: B, value: '2'}, {name: A, value: '3'}]\n  envFrom: [{secretRef: {name: y}}]")),
    "a value becomes a reference": (
        containers("- name: a\n  env: [{name: A, value: '1'}]"),
        containers("- name: a\n  env: [{name: A, value: null, valueFrom: {fieldRef: {fieldPath: x}}}]")),
    "tolerations are replaced": (deployment("tolerations: [{key: a}]"), deployment("tolerations: [{key: b}]")),
    "volumes merge by name without $retainKeys": (
        deployment("volumes: [{name: v, emptyDir: {}}]"), deployment("volumes: [{name: v, configMap: {name: c}}]")),
    "$retainKeys is a field like any other": (
        deployment("volumes: [{name: v, emptyDir: {}}]"),
        deployment("volumes: [{name: v, configMap: {name: c}, $retainKeys: [name, configMap]}]")),
    "$setElementOrder is a field like any other": (
        containers("- {name: a}\n- {name: b}"),
        deployment("$setElementOrder/containers: [{name: b}, {name: a}]\ncontainers: [{name: b, tty: true}]")),
    "$deleteFromPrimitiveList is a field like any other": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [x, y]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, $deleteFromPrimitiveList/finalizers: [x]}\n"),
    "finalizers are united, new ones first": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [x, y, x]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [z, y]}\n"),
    "finalizers are deleted by directive": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [x]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [{$patch: delete}]}\n"),
    "a map among finalizers": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [x, {y: 1}, z]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [z]}\n"),
    "ports merge by port and protocol": (
        service("- {port: 80, protocol: TCP, name: a}\n- {port: 80, protocol: UDP, name: b}"),
        service("- {port: 80, protocol: UDP, nodePort: 3}")),
    "a port without protocol matches the one that has it": (
        service("- {port: 80, protocol: TCP, name: a}"), service("- {port: 80, nodePort: 3}")),
    "a port gets its protocol from the patch": (service("- {port: 80, name: a}"), service("- {port: 80, protocol: TCP, nodePort: 3}")),
    "ports of nobody with a protocol": (service("- {port: 80, name: a}"), service("- {port: 80, nodePort: 3}\n- {port: 81}")),
    "a port with a protocol only": (service("- {port: 80}\n- {port: 81}"), service("- {protocol: TCP}")),
    "a port is deleted": (service("- {port: 80, protocol: TCP}\n- {port: 81, protocol: TCP}"), service("- {port: 80, protocol: TCP, $patch: delete}")),
    "many ports": (
        service("".join(f"- {{port: {p}, protocol: TCP, name: n{p}}}\n" for p in range(30))),
        service("".join(f"- {{port: {p}, protocol: TCP, nodePort: {p}}}\n" for p in range(0, 60, 7)))),
    "many containers": (
        containers("".join(f"- {{name: c{i}, image: x}}\n" for i in range(40))),
        containers("".join(f"- {{name: c{i}, tty: true{', $patch: delete' if i % 3 == 0 else ''}}}\n" for i in range(0, 80, 2)))),
    "a comment can be a schema": (
        containers("- {name: a, image: x}"), deployment("containers: # {\"type\": \"array\"}\n- {name: b}")),
    "a comment of Flux is no schema that matters": (
        containers("- name: a\n  image: x # {\"$imagepolicy\": \"ns:p\"}"), containers("- name: a\n  tty: true")),
}

SCHEMA = json.dumps({"definitions": {
    "v1.Thing": {"properties": {"spec": {"$ref": "#/definitions/v1.Spec"}},
                 "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}]},
    "v1.Spec": {"properties": {"l": {"type": "array", "items": {"$ref": "#/definitions/v1.Item"},
                                     "x-kubernetes-patch-merge-key": "id", "x-kubernetes-patch-strategy": "merge"},
                               "m": {"additionalProperties": {"type": "array", "items": {"type": "string"},
                                                              "x-kubernetes-patch-strategy": "merge"}}}},
    "v1.Item": {"properties": {"id": {"type": "string"}, "spec": {"$ref": "#/definitions/v1.Spec"}}}}})

WITH_SCHEMA = {
    "a user's schema merges a list": (thing("spec: {l: [{id: a, x: 1}, {id: b}]}\n"), thing("spec: {l: [{id: b, y: 2}, {id: c}]}\n")),
    "a user's schema refers to itself": (thing("spec: {l: [{id: a, spec: {l: [{id: x}]}}]}\n"), thing("spec: {l: [{id: a, spec: {l: [{id: y}]}}]}\n")),
    "a user's schema has values of a map": (thing("spec: {m: {k: [a, b]}}\n"), thing("spec: {m: {k: [c, a], o: [d]}}\n")),
    "a user's schema replaces the builtin one": (containers("- {name: a, image: x}"), containers("- {name: a, tty: true}")),
}

JSON = {
    "keys are sorted and numbers become floats": ("b: 10000000\na: {d: 1.50, c: 0x10}\n", []),
    "add to a map": ("a: {}\n", [{"op": "add", "path": "/a/b", "value": {"c": 1}}]),
    "add to the end of a list": ("a: [1]\n", [{"op": "add", "path": "/a/-", "value": 2}]),
    "add into a list": ("a: [1, 2]\n", [{"op": "add", "path": "/a/1", "value": 9}]),
    "add counts from the end": ("a: [1, 2]\n", [{"op": "add", "path": "/a/-1", "value": 9}]),
    "add past the end": ("a: [1]\n", [{"op": "add", "path": "/a/3", "value": 9}]),
    "add to a list by name": ("a: [1]\n", [{"op": "add", "path": "/a/x", "value": 9}]),
    "add below nothing": ("a: 1\n", [{"op": "add", "path": "/b/c", "value": 9}]),
    "add below a scalar": ("a: 1\n", [{"op": "add", "path": "/a/c", "value": 9}]),
    "add without a value": ("a: 1\n", [{"op": "add", "path": "/b"}]),
    "add without a path": ("a: 1\n", [{"op": "add", "value": 1}]),
    "a path without a slash": ("a: 1\n", [{"op": "add", "path": "b", "value": 1}]),
    "text before the first slash": ("a: 1\n", [{"op": "add", "path": "x/b", "value": 1}]),
    "escapes in a path": ("a/b: 1\nc~d: 2\n", [{"op": "replace", "path": "/a~1b", "value": 3}, {"op": "remove", "path": "/c~0d"}]),
    "remove": ("a: {b: 1, c: 2}\n", [{"op": "remove", "path": "/a/b"}]),
    "remove what is not there": ("a: {}\n", [{"op": "remove", "path": "/a/b"}]),
    "remove from a list": ("a: [1, 2, 3]\n", [{"op": "remove", "path": "/a/1"}]),
    "remove past the end": ("a: [1]\n", [{"op": "remove", "path": "/a/1"}]),
    "remove all": ("a: 1\n", [{"op": "remove", "path": ""}]),
    "replace makes a key": ("a: {}\n", [{"op": "replace", "path": "/a/b", "value": 1}]),
    "replace past the end": ("a: [1]\n", [{"op": "replace", "path": "/a/1", "value": 2}]),
    "replace below nothing": ("a: 1\n", [{"op": "replace", "path": "/b/c", "value": 2}]),
    "replace everything": ("a: 1\n", [{"op": "replace", "path": "", "value": {"z": 1}}]),
    "replace everything by a list": ("a: 1\n", [{"op": "replace", "path": "", "value": [1]}]),
    "replace everything by a number": ("a: 1\n", [{"op": "replace", "path": "", "value": 1}]),
    "move": ("a: {b: 1}\nc: {}\n", [{"op": "move", "from": "/a/b", "path": "/c/d"}]),
    "move what is not there": ("a: {}\n", [{"op": "move", "from": "/a/b", "path": "/c"}]),
    "copy": ("a: {b: [1]}\n", [{"op": "copy", "from": "/a/b", "path": "/c"}]),
    "copy what is not there gives null": ("a: {}\n", [{"op": "copy", "from": "/a/b", "path": "/c"}]),
    "test passes": ("a: {b: [1, {c: x}]}\n", [{"op": "test", "path": "/a", "value": {"b": [1, {"c": "x"}]}}]),
    "test fails": ("a: 1\n", [{"op": "test", "path": "/a", "value": 2}]),
    "test tells 1 from 1.0": ("a: 1\n", [{"op": "test", "path": "/a", "value": 1.0}]),
    "test of nothing is null": ("a: 1\n", [{"op": "test", "path": "/b", "value": None}]),
    "test compares the text of a JSON patch": ("a: <b>\n", [{"op": "test", "path": "/a", "value": "<b>"}]),
    "unknown operation": ("a: 1\n", [{"op": "set", "path": "/a"}]),
    "no operation": ("a: 1\n", [{"path": "/a"}]),
    "texts that look like other types keep their quotes": ("a: 1\n", [{"op": "add", "path": "/b", "value": "yes"}, {"op": "add", "path": "/c", "value": "1"}, {"op": "add", "path": "/d", "value": "x\ny\n"}]),
}

FINDS = {
    "a name": ("match", "a: {b: 1}\n", "a.b", ""),
    "a name that is missing": ("match", "a: {b: 1}\n", "a.c", ""),
    "a name is made": ("match", "a: {b: 1}\n", "a.c.d", "scalar"),
    "every element": ("match", "a: [{b: 1}, {b: 2}, {c: 3}]\n", "a.*.b", ""),
    "an element by key": ("match", "a: [{n: x, b: 1}, {n: y, b: 2}]\n", "a.[n=y].b", ""),
    "elements by expression": ("match", "a: [{n: x1, b: 1}, {n: y1, b: 2}, {n: x2, b: 3}]\n", "a.[n=^x].b", ""),
    "a broken expression": ("match", "a: [{n: x}]\n", "a.[n=(].b", ""),
    "quoted values are compared with their quotes": ("match", "a: [{n: \"80\", b: 1}]\n", "a.[n=^80$].b", ""),
    "an element by text": ("match", "a: [x, y, z]\n", "a.[=y]", ""),
    "an index": ("match", "a: [x, y]\n", "a.1", ""),
    "an index that is too large": ("match", "a: [x, y]\n", "a.2", ""),
    "an element is appended by index": ("match", "a: [x, y]\n", "a.2", "scalar"),
    "an element is appended by key": ("match", "a: [{n: x}]\n", "a.[n=y].b", "scalar"),
    "below a text that is YAML": ("match", "a: 'b: {c: 1}'\n", "a.b.c", ""),
    "below a text that is not": ("match", "a: hello\n", "a.b", ""),
    "a name with dots": ("match", "a: {b.c/d: 1}\n", "a.[b.c/d]", ""),
    "a name with an escaped dot": ("match", "a: {b.c: 1}\n", "a.b\\.c", ""),
    "a list where a map should be": ("match", "a: [1]\n", "a.b", ""),
    "lookup of an index": ("lookup", "a: [x, {b: 1}]\n", "a.1.b", ""),
    "lookup of the last": ("lookup", "a: [x, y]\n", "a.-", ""),
    "lookup by key": ("lookup", "a: [{n: x, b: 1}]\n", "a.[n=x].b", ""),
    "lookup makes a list element": ("lookup", "a: {}\n", "a.l.[n=x].b", "scalar"),
    "lookup knows no wildcard": ("lookup", "a: [x]\n", "a.*", ""),
    "lookup of a negative index": ("lookup", "a: [x]\n", "a.-1", ""),
    "lookup without an equals sign": ("lookup", "a: [x]\n", "a.[b]", ""),
}

SPECS = {
    "a field": (thing("spec: {a: 1}\n"), {"path": "spec/a"}, "", "x", ""),
    "a field in all elements": (thing("spec: {l: [{a: 1}, {a: 2}, {b: 3}]}\n"), {"path": "spec/l/a"}, "", "x", ""),
    "a list that is named as one": (thing("spec: {l: [{a: 1}]}\n"), {"path": "spec/l[]/a"}, "", "x", ""),
    "a field is made": (thing(""), {"path": "spec/a/b", "create": True}, "scalar", "x", ""),
    "a list is not made": (thing(""), {"path": "spec/l[]/b", "create": True}, "scalar", "x", ""),
    "a field is not made": (thing(""), {"path": "spec/a/b"}, "scalar", "x", ""),
    "a null becomes what is made": (thing("spec: null\n"), {"path": "spec/a", "create": True}, "scalar", "x", ""),
    "a slash in a name": (thing("spec: {a/b: 1}\n"), {"path": "spec/a\\/b"}, "", "x", ""),
    "another kind": (thing("spec: {a: 1}\n"), {"path": "spec/a", "kind": "Other"}, "", "x", ""),
    "another group": (thing("spec: {a: 1}\n"), {"path": "spec/a", "group": "other"}, "", "x", ""),
    "through a scalar": (thing("spec: 1\n"), {"path": "spec/a"}, "", "x", ""),
    "through a scalar in a list": (thing("spec: [1]\n"), {"path": "spec/a"}, "", "x", ""),
    "a map where a scalar should be": (thing("spec: {a: {}}\n"), {"path": "spec/a"}, "", "x", ""),
    "an entry": (thing("spec: {a: {}}\n"), {"path": "spec/a"}, "map", "x", "k !!str"),
    "an entry in two maps is one node": (thing("spec: [{a: {k: \"1\"}}, {a: {}}]\n"), {"path": "spec/a"}, "map", "5", "k !!str"),
    "a word of YAML 1.1": (thing("spec: {a: x}\n"), {"path": "spec/a"}, "", "yes", ""),
    "an empty path": (thing("spec: {a: x}\n"), {"path": ""}, "", "yes", ""),
}

SELECTORS = ["a=1", "a==1", "a!=1", "a", "!a", "!z", "z", "a in (1,2)", "a notin (1,2)", "z notin (1)", "a=1,b=2", "a=1,b=3", "n>3", "n<3",
             "a>x", "a in ()", "a in (,1)", "a=", "a in 1", "a in (1", "=1", "a b", "a=1,", ",", "a=!", "-x", "x/y/z", "X.io/y=1",
             "a=_1", "", " a = 1 ", "in in (in)", "notin", "a=in", "b~1", "a=1 b=2", "x.io/y", "/y", "a notin", "!a=1"]


def questions():
    for name, (base, change) in MERGES.items():
        yield {"name": "merge: " + name, "op": "merge", "base": base, "patch": change}
    for name in ("containers merge by name, new ones first", "ports merge by port and protocol", "a container is deleted",
                 "a container without a name removes the others", "many containers", "many ports"):
        base, change = MERGES[name]
        yield {"name": "append: " + name, "op": "append", "base": base, "patch": change}
    for name in ("lists of unknown kinds are replaced", "a map among finalizers"):
        base, change = MERGES[name]
        yield {"name": "infer: " + name, "op": "infer", "base": base, "patch": change}
    for name, (base, change) in WITH_SCHEMA.items():
        yield {"name": "schema: " + name, "op": "merge", "base": base, "patch": change, "schema": SCHEMA}
    for name, (base, operations) in JSON.items():
        yield {"name": "json: " + name, "op": "json6902", "base": base, "patch": json.dumps(operations)}
    yield {"name": "json: a patch in YAML", "op": "json6902", "base": "a: 1\n", "patch": "- op: test\n  path: /a\n  value: 1\n- {op: add, path: /b, value: on}\n"}
    yield {"name": "json: a map is no patch", "op": "json6902", "base": "a: 1\n", "patch": "op: add\n"}
    yield {"name": "json: a number is no operation", "op": "json6902", "base": "a: 1\n", "patch": "[1]"}
    for name, (op, base, path, create) in FINDS.items():
        yield {"name": f"{op}: {name}", "op": op, "base": base, "path": path, "create": create}
    for name, (base, spec, create, value, tag) in SPECS.items():
        yield {"name": "fieldspec: " + name, "op": "fieldspec", "base": base, "spec": spec, "create": create, "value": value, "tag": tag}
    for text in SELECTORS:
        yield {"name": f"selector: {text}", "op": "selector", "base": "metadata: {labels: {a: '1', b: '2', n: '5', in: in}}\n", "selector": text}

    schema = generate.Schema(generate.TABLE.read_text())
    kinds = ["merge"] * 10 + ["json6902"] * 2 + ["find"] * 2 + ["fieldspec"] * 2
    made, seed = 0, 0
    while made < RANDOM:
        seed += 1
        generator = generate.Generator(schema, seed)
        question = getattr(generator, generator.pick(kinds))()
        if len(json.dumps(question)) <= 700:
            made += 1
            yield {"name": f"random: {seed}", **question}


def main():
    asked = list(questions())
    done = subprocess.run([sys.argv[1]], input="".join(json.dumps(q) + "\n" for q in asked), capture_output=True, text=True, check=True)
    with open(HERE / "cases.jsonl", "w") as out:
        for question, answer in zip(asked, map(json.loads, done.stdout.splitlines()), strict=True):
            if not answer["err"].startswith("panic"):
                out.write(json.dumps({**question, "answer": answer}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
