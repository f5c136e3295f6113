#!/usr/bin/env python3
"""generate.py: random questions for patch_tool and its oracle: objects of every builtin kind, and changes to them.

Objects are made from the schema table itself (modules/patch/schema_table.inc), so that every list with a merge key
comes up; patches are made of the same types, with directives, nulls and elements that lack their keys.
"""
import json
import random
import re
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parents[4] / "modules/patch/schema_table.inc"
NONE = 0xFFFF


class Schema:
    def __init__(self, text):
        def block(name):
            body = re.search(r"constexpr [\w:]+ " + name + r"\[\](?:\[4\])? =\s*\{?(.*?);\n", text, re.S).group(1)
            return body
        words = "".join(json.loads(w.replace("\\x00", "\\u0000")) for w in re.findall(r'"(?:[^"\\]|\\.)*"', block("kWords")))
        word = lambda at: words[at:words.index("\0", at)]
        rows = lambda name: [list(map(int, r.split(","))) for r in re.findall(r"\{([\d,]+)\}", block(name))]
        keys = [re.findall(r'"([^"]*)"', k) for k in re.findall(r"\{([^{}]*)\}", block("kKeyLists"))]
        fields = [(word(n), t) for n, t in rows("kFields")]
        self.types = []
        for first, count, rest, strategy, key_list, array in rows("kTypes"):
            self.types.append({"fields": fields[first:first + count], "rest": rest, "strategy": word(strategy),
                               "keys": keys[key_list], "array": bool(array)})
        self.kinds = [(word(a), word(k), t) for a, k, t, _ in rows("kKinds") if t != NONE]


SCALARS = ["1", "8080", '"8080"', "'8080'", "abc", "abc", "x-y", '"true"', "true", "yes", '"yes"', "on", "null", "~", "", "1.5",
           "1e3", "0x10", "012", "2001-01-01", '"two words"', "two words", "'a: b'", "http://host:80/a", "TCP", "UDP",
           "1_000", "0o14", '""', "100000000000", "1.0", '"#x"', "nginx:1.2"]
NAMES = ["a", "b", "c", "web", "db"]


class Generator:
    def __init__(self, schema, seed):
        self.schema, self.random = schema, random.Random(seed)

    def pick(self, items):
        return self.random.choice(items)

    def chance(self, p):
        return self.random.random() < p

    def scalar(self):
        return self.pick(SCALARS)

    def anything(self, depth):
        if depth <= 0 or self.chance(0.5):
            return self.scalar()
        if self.chance(0.5):
            return {self.pick(NAMES): self.anything(depth - 1) for _ in range(self.random.randint(0, 3))}
        return [self.anything(depth - 1) for _ in range(self.random.randint(0, 3))]

    def key_value(self, key):
        if "port" in key.lower():
            return self.pick(["80", "443", "8080", '"80"'])
        if key == "protocol":
            return self.pick(["TCP", "UDP"])
        return self.pick(NAMES)

    def value(self, type_id, depth, patch, key=None):
        """A value of a type; about one in thirty is of another shape."""
        if type_id == NONE or self.chance(0.01):
            return self.anything(2)
        t = self.schema.types[type_id]
        if t["array"]:
            return self.list(t, depth, patch)
        if t["fields"] or t["rest"] != NONE:
            return self.map(t, depth, patch)
        return self.scalar()

    def map(self, t, depth, patch, keys=()):
        out = {}
        if patch and self.chance(0.06):
            out["$patch"] = self.pick(["delete", "replace", "merge", "delete", "replace", "odd"])
        fields = list(t["fields"])
        wanted = [f for f in fields if f[0] in keys and not self.chance(0.06)]
        others = [f for f in fields if f[0] not in keys]
        self.random.shuffle(others)
        interesting = [f for f in others if self.holds_lists(f[1])]
        chosen = wanted + interesting[:self.random.randint(0, 3)] + others[:self.random.randint(0, 2)]
        self.random.shuffle(chosen)
        for name, type_id in chosen:
            if depth <= 0 and name not in keys:
                continue
            if name in keys:
                out[name] = self.key_value(name)
            elif patch and self.chance(0.07):
                out[name] = self.pick(["null", "~", ""])
            else:
                out[name] = self.value(type_id, depth - 1, patch)
        if not fields and t["rest"] != NONE:
            for _ in range(self.random.randint(0, 3)):
                out[self.pick(NAMES)] = "null" if patch and self.chance(0.1) else self.value(t["rest"], depth - 1, patch)
        return out

    def list(self, t, depth, patch):
        element = self.schema.types[t["rest"]] if t["rest"] != NONE else None
        out = []
        for _ in range(self.pick([0, 1, 1, 2, 2, 3, 4])):
            if element is None or self.chance(0.015):
                out.append(self.anything(1))
            elif element["fields"]:
                out.append(self.map(element, depth - 1, patch, t["keys"]))
            else:
                out.append(self.pick(NAMES) if t["strategy"] else self.value(t["rest"], depth - 1, patch))
        if patch and self.chance(0.08):
            out.insert(self.random.randint(0, len(out)), {"$patch": self.pick(["replace", "delete", "merge"])})
        if self.chance(0.02):
            out.append(self.pick(["null", {}, ""]))
        return out

    def holds_lists(self, type_id, seen=()):
        if type_id == NONE or type_id in seen or len(seen) > 4:
            return False
        t = self.schema.types[type_id]
        return "merge" in t["strategy"] or any(self.holds_lists(f[1], (*seen, type_id)) for f in t["fields"]) or (
            t["array"] and self.holds_lists(t["rest"], (*seen, type_id)))

    def object(self, api_version, kind, type_id, patch):
        depth = self.random.randint(3, 9)
        body = self.map(self.schema.types[type_id], depth, patch)
        body.pop("$patch", None) if self.chance(0.9) else None
        body.update({"apiVersion": api_version, "kind": kind})
        metadata = body.get("metadata")
        body["metadata"] = metadata if isinstance(metadata, dict) else {}
        body["metadata"]["name"] = "a"
        return body

    # ---- writing

    def write(self, value, indent=0, inline=False):
        pad = "  " * indent
        comment = " # note" if self.chance(0.02) else ""
        if isinstance(value, str):
            return value + comment + "\n"
        if not value:
            return ("{}" if isinstance(value, dict) else "[]") + comment + "\n"
        out = "" if inline else "\n"
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for i, (key, item) in enumerate(items):
            lead = "" if inline and i == 0 else pad
            if self.chance(0.01) and not (inline and i == 0):
                out += pad + "# above\n"
            if isinstance(value, dict):
                quoted = f'"{key}"' if self.chance(0.03) else key
                text = self.write(item, indent + 1)
                out += lead + quoted + ":" + (text if text[0] == "\n" else " " + text if text != "\n" else "\n")
            else:
                text = self.write(item, indent + 1, isinstance(item, (dict, list)))
                out += lead + "-" + (" " + text if text != "\n" else "\n")
        return out

    def text(self, value):
        return self.write(value, 0, True)

    # ---- questions

    def merge(self):
        api_version, kind, type_id = self.pick(self.schema.kinds)
        op = self.pick(["merge"] * 8 + ["append", "infer"])
        base = self.object(api_version, kind, type_id, False)
        change = self.object(api_version, kind, type_id, True)
        if self.chance(0.1):
            for one in (base, change):
                one["apiVersion"], one["kind"] = "example.com/v1", "Thing"
        return {"op": op, "base": self.text(base), "patch": self.text(change)}

    def pointers(self, value, path=""):
        yield path
        if isinstance(value, dict):
            for key, item in value.items():
                yield from self.pointers(item, path + "/" + key.replace("~", "~0").replace("/", "~1"))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                yield from self.pointers(item, path + "/" + str(i))

    def json6902(self):
        api_version, kind, type_id = self.pick(self.schema.kinds)
        base = self.object(api_version, kind, type_id, False)
        known = list(self.pointers(base))
        place = lambda: self.pick(known) + self.pick([""] * 6 + ["/new", "/-", "/0", "/-1", "/5", "/a/b", "/+1", "/x~1y"])
        operations = []
        for _ in range(self.random.randint(1, 4)):
            op = self.pick(["add", "add", "remove", "replace", "replace", "test", "copy", "move", "odd"][:self.pick([7, 8, 9])])
            one = {"op": op, "path": place()}
            if op in ("add", "replace", "test"):
                one["value"] = self.pick([1, 1.5, "x", "yes", True, None, {"b": [1, {"c": "<d>"}]}, ["a"], 10000000, 1e30, "", {}])
            if op in ("copy", "move"):
                one["from"] = place()
            if self.chance(0.03):
                one.pop(self.pick(list(one)))
            operations.append(one)
        text = json.dumps(operations)
        if self.chance(0.5):
            text = "".join("- " + "\n  ".join(f"{k}: {json.dumps(v)}" for k, v in o.items()) + "\n" if o else "- {}\n"
                           for o in operations)
        return {"op": "json6902", "base": self.text(base), "patch": text}

    def path(self, value):
        parts = []
        while isinstance(value, (dict, list)) and value and not self.chance(0.1):
            if isinstance(value, dict):
                key = self.pick(list(value))
                parts.append(key if self.chance(0.93) else self.pick(["new", "*", "0", "[a=b]"]))
                value = value[key]
            else:
                i = self.random.randrange(len(value))
                item = value[i]
                names = [k for k, v in item.items() if isinstance(v, str) and v] if isinstance(item, dict) else []
                how = self.pick(["index", "every", "key", "key", "value", "-", "past", "regex"])
                if how in ("key", "regex") and names:
                    name = self.pick(names)
                    wanted = item[name].strip("'\"") if how == "key" else self.pick([".*", "^a", "[a-c]", "(", "b|c"])
                    parts.append(f"[{name}={wanted}]")
                elif how == "value" and isinstance(item, str):
                    parts.append(f"[={item}]")
                else:
                    parts.append({"index": str(i), "every": "*", "-": "-", "past": str(len(value))}.get(how, str(i)))
                value = item
        if self.chance(0.1):
            parts.append(self.pick(["new", "0", "[name=x]", "[=y]"]))
        return parts

    def find(self):
        api_version, kind, type_id = self.pick(self.schema.kinds)
        base = self.object(api_version, kind, type_id, False)
        parts = self.path(base)
        path = ".".join(p.replace(".", "\\.") for p in parts)
        # To make an element that does not match its own pattern is what kustomize tries without end.
        hangs = any(set(p) & set("^(|") or p.endswith("=[a-c]]") for p in parts)
        return {"op": self.pick(["match", "match", "lookup"]), "base": self.text(base), "path": path,
                "create": "" if hangs else self.pick(["", "", "scalar", "map", "list"])}

    def fieldspec(self):
        api_version, kind, type_id = self.pick(self.schema.kinds)
        base = self.object(api_version, kind, type_id, False)
        parts = [p for p in self.path(base) if not re.fullmatch(r"[\d*-]+|\[.*", p)]
        parts = [p.replace("/", "\\/") + ("[]" if self.chance(0.1) else "") for p in parts]
        if self.chance(0.3):
            parts.append(self.pick(["new", "name", "labels"]))
        spec = {"path": "/".join(parts), "create": self.chance(0.6)}
        if self.chance(0.2):
            spec["kind"] = self.pick([kind, "Other"])
        return {"op": "fieldspec", "base": self.text(base), "spec": spec, "create": self.pick(["scalar", "map", "list", ""]),
                "value": self.pick(["x", "yes", "1", "true", "a: b", "", "null"]),
                "tag": self.pick(["", "", "", "key !!str", "key !!int", " !!str", "key "])}

    def selector(self):
        labels = {self.pick(NAMES): self.pick(["a", "b", '"1"', '""', '"5"']) for _ in range(3)}
        parts = []
        for _ in range(self.random.randint(0, 3)):
            name = self.pick(NAMES + ["x.io/y", "-bad", "a b", ""])
            parts.append(self.pick(["{n}", "!{n}", "{n}=a", "{n}==b", "{n} != a", "{n} in (a,b)", "{n} notin (a)", "{n}>3", "{n}<3",
                                    "{n} in ()", "{n} in (,a)", "{n} in a", "{n}=", "{n} notin (a,,b)", "{n}=!", "{n} in (a",
                                    "{n}>x", "{n}=_a"]).replace("{n}", name))
        return {"op": "selector", "base": self.text({"metadata": {"labels": labels}}),
                "selector": self.pick([",", ", ", ",,"][:self.pick([2, 3])]).join(parts)}


def main():
    count, seed, only = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    schema = Schema(TABLE.read_text())
    kinds = only or ["merge"] * 10 + ["json6902"] * 3 + ["find"] * 3 + ["fieldspec"] * 2 + ["selector"]
    for i in range(count):
        generator = Generator(schema, seed * 1_000_003 + i)
        print(json.dumps(getattr(generator, generator.pick(kinds))()))


if __name__ == "__main__":
    main()
