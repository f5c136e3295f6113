"""Reads the plain kind of YAML that docs/openapi.yaml is written in, without a library: block maps and lists, one-line
flow lists, plain and quoted scalars of one line. Anything else is an error, not a guess."""
import re


def load(text):
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append((number, len(line) - len(line.lstrip()), line.strip()))
    value, rest = _block(lines, lines[0][1])
    if rest:
        raise ValueError(f"line {rest[0][0]}: not expected here")
    return value


def _scalar(text, number):
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError(f"line {number}: a list of one line only")
        inner = text[1:-1].strip()
        return [_scalar(part.strip(), number) for part in inner.split(",")] if inner else []
    if text == "{}":
        return {}
    if text[0] in "'\"":
        if len(text) < 2 or text[-1] != text[0] or "\\" in text:
            raise ValueError(f"line {number}: a simple quoted scalar only")
        return text[1:-1]
    if text[0] in "&*!|>%@`{" or " #" in text or ": " in text:
        raise ValueError(f"line {number}: quote this scalar")
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _block(lines, indent):
    return _list(lines, indent) if lines[0][2].startswith("- ") else _map(lines, indent)


def _list(lines, indent):
    items = []
    while lines and lines[0][1] == indent and lines[0][2].startswith("- "):
        number, _, text = lines[0]
        inner = text[2:]
        if re.match(r"[\w$/'\".-]+:( |$)", inner):
            lines = [(number, indent + 2, inner)] + lines[1:]
            value, lines = _map(lines, indent + 2)
        else:
            value, lines = _scalar(inner, number), lines[1:]
        items.append(value)
    return items, lines


def _map(lines, indent):
    found = {}
    while lines and lines[0][1] == indent and not lines[0][2].startswith("- "):
        number, _, text = lines[0]
        match = re.match(r"(?:'([^']+)'|\"([^\"]+)\"|([^\s:]+)):(?: (.+))?$", text)
        if not match:
            raise ValueError(f"line {number}: not `key: value`")
        key = match[1] or match[2] or match[3]
        if key in found:
            raise ValueError(f"line {number}: {key} twice")
        lines = lines[1:]
        if match[4]:
            found[key] = _scalar(match[4], number)
        elif lines and (lines[0][1] > indent or (lines[0][1] == indent and lines[0][2].startswith("- "))):
            found[key], lines = _block(lines, lines[0][1])
        else:
            found[key] = None
    if lines and lines[0][1] > indent:
        raise ValueError(f"line {lines[0][0]}: indented too far")
    return found, lines
