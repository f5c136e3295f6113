"""Holds an answer against docs/openapi.yaml: the part of JSON Schema that the file uses, nothing else."""
import pathlib
import re

import small_yaml

TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}
KNOWN = {"type", "description", "required", "properties", "additionalProperties", "enum", "items", "format", "$ref", "anyOf"}


class OpenApi:
    def __init__(self, file):
        self.document = small_yaml.load(pathlib.Path(file).read_text(encoding="utf-8"))

    def faults(self, path, code, content_type, body):
        """What is wrong with an answer; empty when it is as described."""
        answers = self.document["paths"][path]["get"]["responses"]
        if str(code) not in answers:
            return [f"{path}: status {code} is not described"]
        content = answers[str(code)]["content"]
        if content_type not in content:
            return [f"{path}: content type {content_type} is not described"]
        return self.check(content[content_type]["schema"], body, path)

    def check(self, schema, value, where):
        unknown = set(schema) - KNOWN
        if unknown:
            raise ValueError(f"{where}: the checker does not know {unknown}")
        if "$ref" in schema:
            return self.check(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, where)
        if "anyOf" in schema:
            found = [self.check(one, value, where) for one in schema["anyOf"]]
            return [] if [] in found else [f"{where}: fits none of {len(found)}"] + found[-1]
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(type(value) is TYPES[one] for one in types):  # bool is no integer
            return [f"{where}: {value!r} is not {' or '.join(types)}"]
        faults = []
        if "enum" in schema and value not in schema["enum"]:
            faults.append(f"{where}: {value!r} is not one of {schema['enum']}")
        if schema.get("format") == "date-time" and value is not None:
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
                faults.append(f"{where}: {value!r} is no time")
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            faults += [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
            others = schema.get("additionalProperties", True)
            for name, member in value.items():
                if name in properties:
                    faults += self.check(properties[name], member, f"{where}.{name}")
                elif others is False:
                    faults.append(f"{where}: {name} is not described")
                elif isinstance(others, dict):
                    faults += self.check(others, member, f"{where}.{name}")
        if isinstance(value, list):
            for index, member in enumerate(value):
                faults += self.check(schema["items"], member, f"{where}[{index}]")
        return faults


_SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+(?:\.\d+)?)')


def metrics_faults(text):
    """What Prometheus would refuse: a line that is no sample, a sample without its family, a family or a sample twice."""
    faults, families, seen = [], {}, set()
    if not text.endswith("\n"):
        faults.append("the last line has no end")
    for number, line in enumerate(text.splitlines(), 1):
        comment = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line)
        if comment:
            if comment[1] == "TYPE":
                if comment[2] in families or comment[3] not in ("gauge", "counter"):
                    faults.append(f"line {number}: {line}")
                families[comment[2]] = comment[3]
            continue
        sample = _SAMPLE.fullmatch(line)
        if not sample or sample[1] not in families:
            faults.append(f"line {number}: {line}")
            continue
        if families[sample[1]] == "counter" and not sample[1].endswith("_total"):
            faults.append(f"line {number}: a counter is named …_total")
        if (sample[1], sample[2]) in seen:
            faults.append(f"line {number}: twice")
        seen.add((sample[1], sample[2]))
    return faults
