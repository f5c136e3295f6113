#!/usr/bin/env python3
"""generate.py: random YAML texts, JSON lines {"name","base64"}: token soup, trees with comments, damaged files.

usage: generate.py KIND SEED COUNT [FILE_LIST]     KIND is soup, tree, scalar or damage (needs FILE_LIST)
"""
import base64
import json
import random
import sys

WORDS = ["a", "b", "key", "value", "name", "1", "0", "-1", "1.5", "0x1F", "0o7", "010", "1_000", "1e3", ".5", "-.inf", ".nan",
         "true", "no", "Yes", "off", "null", "~", "2001-01-01", "2001-12-14T21:59:43.10-05:00", "1:20", "190:20:30", "a:b", "a b",
         "a#b", "é", "日本", "\U0001F600", "<<", "x y  z", "-a", "?a", ":a", "a,b", "[x", "a]", "@a", "`", "%", "!", "=", "99999999999999999999"]
SOUP = ["- ", "-", "? ", ": ", ":", "\n", "\n", "\n", "\n  ", "\n    ", " ", "  ", "# c\n", " # c", "#c", "[", "]", "{", "}", ", ", ",",
        "&a ", "*a ", "&b", "*b", "!!str ", "!!int ", "!x ", "! ", "!<tag:x> ", "|", ">", "|-", ">+", "|2", "'", '"', "''", '""', "'x'",
        '"x\\n"', '"\\u00e9"', "<<: ", "---", "---\n", "...\n", "--- ", "%YAML 1.1\n", "%TAG ! tag:x,1:\n", "\t", "\r\n", "\r", "\u0085",
        "\u2028", "a: ", "b: ", "k: v\n", "- x\n", "a:\n", "  - ", "\\", "\ufeff", "~", "1", "true"] + WORDS


def soup(r):
    return "".join(r.choice(SOUP) for _ in range(r.randint(1, 25)))


def scalar_text(r):
    return r.choice(WORDS) if r.random() < .6 else "".join(r.choice("ab 01:#-?,[]{}'\"\\\n\t.&*!|>%@`=~é\u2028\u0085\U0001F600_<") for _ in range(r.randint(0, 14)))


def quoted(r, text):
    if r.random() < .5:
        return "'" + text.replace("'", "''").replace("\n", "\n\n  ") + "'"
    return json.dumps(text, ensure_ascii=r.random() < .5)


def leaf(r, indent):
    k = r.random()
    if k < .45:
        return r.choice(WORDS)
    if k < .6:
        return quoted(r, scalar_text(r))
    if k < .75:
        head = r.choice(["|", ">", "|-", ">-", "|+", ">+", "|2-", ">1"])
        lines = [r.choice(["", "x", " y", "z w", "# no comment", "- a", "\t", "b: c"]) for _ in range(r.randint(0, 4))]
        return head + r.choice(["", " # lc"]) + "".join("\n" + (" " * (indent + 2) + l if l or r.random() < .3 else "") for l in lines)
    if k < .8:
        return ""
    if k < .9:
        return flow(r, 2)
    return r.choice(["&x ", "!!str ", "!t ", "&y !!int "]) + r.choice(WORDS)


def flow(r, depth):
    k = r.random()
    if depth == 0 or k < .4:
        return r.choice(["a", "1", "'q'", '"d"', "*x", "k: v", "~", "a b"])
    gap = r.choice(["", " ", "\n     ", " # fc\n     ", "\n    # hc\n     "])
    items = [gap + flow(r, depth - 1) for _ in range(r.randint(0, 3))]
    if k < .7:
        return "[" + ",".join(items) + r.choice(["", ",", gap]) + "]"
    return "{" + ",".join(gap + r.choice(["a", "b", "'c'", "? d"]) + r.choice([": ", ":", " : ", ""]) + flow(r, 0) for _ in items) + gap + "}"


def noise(r, indent):
    out = ""
    while r.random() < .35:
        out += r.choice(["\n", " " * indent + "# h\n", " " * r.randint(0, 6) + "# o\n", "\n", "# zero\n", " " * (indent + 2) + "# in\n", "   \n"])
    return out


def tree(r, indent=0, depth=3):
    out = ""
    is_map = r.random() < .6
    for i in range(r.randint(1, 3)):
        out += noise(r, indent)
        pad = " " * indent
        lc = r.choice(["", "", "", " # l%d" % i])
        if is_map:
            key = r.choice(["k%d" % i, "key", "'q%d'" % i, "1%d" % i, "<<", "true"]) if r.random() < .2 else "k%d" % i
            head = pad + key + ":"
        else:
            head = pad + "-"
        if depth and r.random() < .5:
            if not is_map and r.random() < .6:
                body = tree(r, indent + 2, depth - 1)
                first = body.lstrip(" ")
                out += (pad + "- " + first) if not body.startswith(("\n", "#")) and body[indent + 2:indent + 3] != "#" else head + lc + "\n" + body
            else:
                wide = r.choice([0, 2, 2, 4]) if is_map else 2
                out += head + r.choice(["", "", " &n", " !m"]) + lc + "\n" + tree(r, indent + wide if wide else indent + 2, depth - 1)
        else:
            text = leaf(r, indent)
            out += head + (" " + text if text else "") + (lc if "\n" not in text else "") + "\n"
    return out + noise(r, indent)


def document(r):
    text = noise(r, 0) + r.choice(["", "", "---\n", "%YAML 1.1\n---\n", "--- # d\n"]) + tree(r)
    while r.random() < .2:
        text += r.choice(["---\n", "...\n---\n", "--- # d\n"]) + tree(r)
    text += r.choice(["", "", "...\n", "# end", "\n# end\n", "\n\n"])
    if r.random() < .1:
        text = text.replace("\n", "\r\n")
    if r.random() < .3:
        text = text.rstrip("\n")
    return text


def scalar(r):
    """Strings as JSON: what the writers make of them, as keys and as values."""
    return json.dumps({scalar_text(r): scalar_text(r) * r.choice([1, 1, 1, 8]) for _ in range(r.randint(1, 4))}, ensure_ascii=r.random() < .5) \
        if r.random() < .7 else json.dumps([scalar_text(r) + " " + scalar_text(r) * 9, r.random() * 10 ** r.randint(-12, 25), r.randint(-2**66, 2**66)])


def damage(r, files):
    with open(r.choice(files), "rb") as file:
        lines = file.read(20000).split(b"\n")
    at = r.randrange(len(lines))
    lines = lines[at:at + r.randint(2, 40)]
    for _ in range(r.randint(0, 4)):
        i = r.randrange(len(lines))
        k = r.randrange(9)
        if k == 0:
            del lines[i]
        elif k == 1:
            lines.insert(i, r.choice(SOUP).encode())
        elif k == 2:
            j = r.randint(0, len(lines[i]))
            lines[i] = lines[i][:j] + r.choice(SOUP).encode() + lines[i][j:]
        elif k == 3:
            lines[i] = b" " * r.randint(0, 6) + lines[i].lstrip()
        elif k == 4:
            lines.insert(i, b" " * r.randint(0, 8) + b"# comment")
        elif k == 5:
            lines.insert(i, b"")
        elif k == 6:
            lines[i] = lines[i] + b" # line"
        elif k == 7:
            lines[i] = bytes(c for c in lines[i] if r.random() > .05)
        else:
            lines[i] = lines[i] + bytes([r.randrange(256)])
        if not lines:
            lines = [b""]
    return r.choice([b"\n", b"\n", b"\n", b"\r\n"]).join(lines)


def main():
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    files = open(sys.argv[4]).read().split("\n")[:-1] if len(sys.argv) > 4 else []
    for i in range(seed, seed + count):
        r = random.Random(f"{kind} {i}")
        text = {"soup": soup, "tree": document, "scalar": scalar}[kind](r) if kind != "damage" else damage(r, files)
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        print(json.dumps({"name": f"{kind} {i}", "in": "", "base64": base64.b64encode(data).decode()}))


main()
