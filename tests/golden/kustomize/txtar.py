# txtar.py: several small file trees in one text file.
"""A group file:

    == base                     files that every case of the group starts with
    -- path/file.yaml --
    ...
    == case NAME [| FLAGS]      a case: more files, then what kustomize says
    -- path/file.yaml --
    ...
    -- expect --                its output; or -- error -- and the first line of it
    -- stderr --                its warnings, if there are any
    -- output/NAME --           what it wrote into a directory or file of its choice, if anything

A line of content that starts with "-- ", "== " or a backslash gets a backslash in front. A file without a last line break
ends in a line "\\\\ no newline".
"""

import os


def write_tree(top, files):
    """Path -> text or bytes, below the directory `top`."""
    for name, text in files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())


def escape(text):
    lines = text.split("\n")
    cut = lines[-1] != ""
    if not cut:
        lines.pop()
    out = "".join(("\\" if line.startswith(("-- ", "== ", "\\")) else "") + line + "\n" for line in lines)
    return out + "\\ no newline\n" if cut else out


def unescape(lines):
    cut = lines and lines[-1] == "\\ no newline\n"
    if cut:
        lines = lines[:-1]
    text = "".join(line[1:] if line.startswith("\\") else line for line in lines)
    return text[:-1] if cut else text


def write_group(path, base, cases):
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write("== base\n")
        for name in sorted(base):
            out.write(f"-- {name} --\n{escape(base[name])}")
        for case in cases:
            flags = f" | {case['flags']}" if case.get("flags") else ""
            out.write(f"== case {case['name']}{flags}\n")
            for name in sorted(case["files"]):
                if base.get(name) != case["files"][name]:
                    out.write(f"-- {name} --\n{escape(case['files'][name])}")
            if "error" in case:
                out.write(f"-- error --\n{escape(case['error'] + chr(10))}")
            else:
                out.write(f"-- expect --\n{escape(case['expect'])}")
            if case.get("stderr"):
                out.write(f"-- stderr --\n{escape(case['stderr'])}")
            for name, text in sorted(case.get("output", {}).items()):
                out.write(f"-- output/{name} --\n{escape(text)}")


def read_group(path):
    """What write_group wrote: the cases with all of their files."""
    base, cases, files, lines = {}, [], None, None
    with open(path, encoding="utf-8", newline="") as text:
        for line in text:
            if line == "== base\n":
                files = base
            elif line.startswith("== case "):
                name, _, flags = line[8:-1].partition(" | ")
                files = dict(base)
                cases.append({"name": name, "flags": flags, "files": files})
            elif line.startswith("-- ") and line.endswith(" --\n"):
                lines = files.setdefault(line[3:-4], [])
                lines.clear()
            else:
                lines.append(line)
    for case in cases:
        parts = {name: unescape(content) for name, content in case["files"].items()}
        case["output"] = {name[7:]: parts.pop(name) for name in list(parts) if name.startswith("output/")}
        for key in ("expect", "error", "stderr"):
            if key in parts:
                case[key] = parts.pop(key)
        case["files"] = parts
    return cases
