#!/usr/bin/env python3
"""Refuses what breaks the architecture or has bitten someone: docs/ARCHITECTURE.md gives the layers, this reads the tree.

    tidy.py [ROOT]

Also prints the ten longest files and functions: a list to look at, not a limit.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()

# An include points to a lower number, or stays in its folder.
LAYERS = [
    ["base"], ["model"], ["yaml"],
    ["text/semver", "text/glob", "text/regex", "text/envsubst", "text/gotemplate", "text/jsonschema", "text/cel", "patch", "crypto"],
    ["kustomize", "helm", "sops", "http", "sandbox"],
    ["kube", "git", "oci", "helmrepo", "bucket", "azure"], ["story"],
    ["access"], ["rollout"], ["intake", "source", "reconcile", "fluxconfig", "notify", "image", "uplink", "mirror", "status"],
    ["cache/db"], ["cache/blobs", "cache/outbox"], ["cache/artifacts", "cache/journal"], ["daemon"]]
LAYER = {folder: number for number, row in enumerate(LAYERS) for folder in row}
TEXT_ORDER = ["text/semver", "text/glob", "text/regex", "text/envsubst", "text/gotemplate", "text/jsonschema", "text/cel"]

# (start of the include, folders or files that own it). The first that fits counts.
OWNERS = [
    ("git2", ["modules/git/"]), ("libssh2", ["modules/git/"]), ("sqlite3.h", ["cache/db/"]), ("boost/beast", ["modules/http/"]),
    ("openssl/ssl.h", ["modules/http/"]), ("ares.h", ["modules/http/"]), ("yaml-cpp/", ["daemon/config.cpp"]),
    ("yaml.h", ["nowhere: modules/yaml is our own"]), ("CLI/", ["daemon/cli/"]), ("archive", ["modules/source/"]),
    ("sodium", ["modules/crypto/"]), ("linux/", ["modules/sandbox/", "modules/http/acknowledged"]), ("iconv.h", ["modules/base/"]), ("nss.h", ["modules/base/"]),
    ("openssl/", ["modules/crypto/"]), ("re2/", ["modules/text/regex/"]), ("zlib.h", ["modules/http/", "modules/source/", "modules/base/packed.cpp"])]
# Includes outside the owner that stay, each with its reason.
BORROWED = {
    ("modules/http/", "openssl/"): "certificates and errors of a TLS session are read with OpenSSL's own types",
    ("modules/kustomize/t_image.cpp", "re2/re2.h"): "a fixed pattern of kustomize's own source",
    ("modules/kustomize/selection.cpp", "re2/re2.h"): "selectors are anchored as Go's regexp does",
    ("modules/patch/regex.cpp", "re2/re2.h"): "label and annotation patterns, bounded there",
    ("modules/helm/archive.cpp", "zlib.h"): "a chart is unpacked in the worker, where http is not linked"}

# `co_await f();` drops what f returns. These return nothing, or a flag that the caller may ignore.
AWAITED_FOR_NOTHING = {
    "sleep_for": "void", "yield_once": "void", "stop_if_cancelled": "void, throws", "join": "void", "stop": "void",
    "write_copy": "void, never fails", "drop_former_manager": "void, best effort", "tell": "void, best effort", "look_at": "void, best effort", "look_up": "void, best effort", "check_cluster": "void, best effort", "collect": "void, best effort", "name_rows": "void, best effort", "look_at_versions": "void, best effort",
    "learn_mode": "void, tries until it knows", "pause": "void", "take_turn": "void, the lane keeps what went wrong",
    "async_wait": "Asio: the token keeps the error", "asio::async_read": "Asio: the token keeps the error",
    "asio::async_write": "Asio: the token keeps the error", "asio::post": "Asio: nothing to fail"}

# What is known and not yet done: printed, not refused.
OWED = set()

CODE = (".cpp", ".hpp", ".inc")
# Recorded output of other programs and third-party sources may say anything.
NOT_OURS = ("third_party/", "tests/golden/", "config/crds/", "tests/oracle")

problems = []


def bad(place, why):
    text = f"{place}: {why}"
    if text in OWED:
        print(f"owed: {text}")
    else:
        problems.append(text)


def tracked():
    try:
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        names = listed.stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # a source archive
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith(("build", ".git/", "third_party/vendor/"))]
    return sorted(name for name in names if name and (ROOT / name).is_file())


def folder_of(path):
    parts = path.split("/")
    if parts[0] == "daemon":
        return "daemon"
    if parts[0] == "cache" and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "modules" and len(parts) > 3 and parts[1] == "text":
        return "/".join(parts[1:3])
    return parts[1] if parts[0] == "modules" and len(parts) > 2 else ""


def without_comments(text):
    """The same lines with comments, and the inside of string literals, blanked."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])'", re.S)

    def blank(match):
        found = match.group(0)
        hidden = re.sub(r"[^\n]", " ", found)
        return '"' + hidden[1:-1] + '"' if found[0] == '"' else hidden
    return pattern.sub(blank, text)


def check_layers(path, included, place):
    here, there = folder_of(path), folder_of(included)
    if not there or here == there:
        return
    if here not in LAYER or there not in LAYER:
        bad(place, f"the layer of {here if here not in LAYER else there} is not known: add it to LAYERS")
        return
    if here.startswith("text/") and there.startswith("text/") and TEXT_ORDER.index(there) < TEXT_ORDER.index(here):
        return
    if LAYER[there] >= LAYER[here]:
        bad(place, f"{here} includes {there}, which is not below it")
    elif here.startswith("cache/") and included.startswith("modules/"):
        if not (there in ("base", "model", "crypto") or included.endswith("/ports.hpp")):
            bad(place, f"{here} may use ports.hpp of {there} only, not {included}")


def check_owner(path, header, place):
    for start, owners in OWNERS:
        if not header.startswith(start):
            continue
        borrowed = any(path.startswith(where) and header.startswith(what) for where, what in BORROWED)
        if not borrowed and not path.startswith(tuple(owners)):
            bad(place, f"<{header}> belongs to {', '.join(owners)}")
        return


def check_code(path, text):
    product = path.startswith(("modules/", "cache/", "daemon/"))
    code = without_comments(text)
    last = ";"
    raw = text.split("\n")
    for number, line in enumerate(code.split("\n"), 1):
        place = f"{path}:{number}"
        include = re.match(r'\s*#\s*include\s+(?:<([^>]+)>|"([^"]+)")', raw[number - 1])
        if include and product:
            if include[1]:
                check_owner(path, include[1], place)
            else:
                check_layers(path, include[2], place)
                if include[2].startswith("tests/"):
                    bad(place, "the product includes a test")
        if re.search(r"using namespace std\s*;", line):
            bad(place, "`using namespace std`: write std:: or use single names")
        if re.search(r"\bdetached\b", line):
            bad(place, "`detached`: start it in a TaskGroup (C6)")
        if product and re.search(r"\bstd::sto(i|l|ul|ll|ull|f|d|ld)\b", line):
            bad(place, "std::sto*: it throws at numbers out of range; use std::from_chars and check it")
        if re.search(r"\bfriend\s+(class|struct)\s+\w*Test", line):
            bad(place, "`friend` for a test: test what the header promises")
        if product and not path.startswith("daemon/") and re.search(r"\b(secure_)?getenv\b", line):
            bad(place, "getenv outside daemon/: take the value as a parameter")
        awaited = re.match(r"\s*co_await\s+(.+)", line)
        if awaited and product and last in ";{}:":
            call = re.match(r"(?:asio::|[\w:.>\-]*?)(\w+)\s*\(", awaited[1])
            name = awaited[1] if not call else call[0].rstrip(" (") if call[0].startswith("asio::") else call[1]
            if name not in AWAITED_FOR_NOTHING:
                bad(place, f"co_await {name}: name the Result and check it (C2)")
        if line.strip():
            last = line.strip()[-1]


def check_awaited_names(texts):
    """A name that may be dropped must not be, somewhere else, a step that can fail."""
    for path, text in texts.items():
        for number, line in enumerate(without_comments(text).split("\n"), 1):
            found = re.search(r"\bTask<[^;()]*>\s+(?:[\w<>]+::)*(\w+)\(", line)
            if found and found[1] in AWAITED_FOR_NOTHING:
                bad(f"{path}:{number}", f"Task {found[1]}() has the name of a step whose end nobody checks: rename one of them")


def check_words(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(r"(?<![\w.}])/(?:root|work)/(?!\{)", line):
            bad(f"{path}:{number}", "a path of one machine")
        if re.search(r"\b(?:TODO|FIXME|XXX)\b", line):
            bad(f"{path}:{number}", "a note to oneself: do it, or open an issue")


def check_folders(names):
    for name in names:
        folder, _, last = name.rpartition("/")
        if last == "meson.build" and folder.startswith(("modules/", "cache/")) and f"{folder}/README.md" not in names:
            bad(folder, "has no README.md")


def check_readmes(names, texts):
    """A README that says what to read names files that are there."""
    for path, text in texts.items():
        folder, _, last = path.rpartition("/")
        if last != "README.md" or not folder.startswith(("modules/", "cache/", "daemon")):
            continue
        for name in re.findall(r"(?<![*>}\w./-])[\w./-]+\.(?:hpp|cpp|py)\b", text):
            if not any(one == name or one.endswith(f"/{name}") for one in names):
                bad(path, f"names {name}, which is not there")


def check_named_in_docs(texts):
    page = ROOT / "docs/ARCHITECTURE.md"
    if not page.is_file():
        print("skipped: Errc values, there is no docs/ARCHITECTURE.md")
        return
    body = texts["modules/base/error.hpp"].split("enum class Errc {")[1].split("};")[0]
    for value in re.findall(r"^\s*(\w+),", body, re.M):
        if not re.search(rf"\b{value}\b", page.read_text(encoding="utf-8")):
            bad("docs/ARCHITECTURE.md", f"does not say what Errc::{value} is for")


def check_requirements(texts):
    page = ROOT / "docs/TRACE.md"
    if not page.is_file():
        print("skipped: requirements, there is no docs/TRACE.md")
        return
    traced = set(re.findall(r"\bR-?\d+\b", page.read_text(encoding="utf-8")))
    tested = {found for path, text in texts.items() if path.startswith("tests/") for found in re.findall(r"req:(R-?\d+)", text)}
    for one in sorted(tested - traced):
        bad("docs/TRACE.md", f"[req:{one}] is tested but not listed")
    for one in sorted(traced - tested):
        bad("docs/TRACE.md", f"{one} is listed but no test names [req:{one}]")


def functions(path, text):
    start, name = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        head = re.match(r"[A-Za-z].*?([\w:~]+)\s*\(", line)
        if head and not line.startswith(("namespace", "class", "struct", "TEST_CASE")):
            start, name = number, head[1]
        if line == "}" and start:
            yield number - start + 1, f"{path}:{start} {name}"
            start = 0


def main():
    names = tracked()
    texts = {}
    for name in names:
        if name.startswith("third_party/"):
            continue
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    code = {name: text for name, text in texts.items() if name.endswith(CODE)}
    for name, text in code.items():
        check_code(name, text)
    for name, text in texts.items():
        if not name.startswith(NOT_OURS) and name != "scripts/tidy.py":
            check_words(name, text)
    product = {name: text for name, text in code.items() if not name.startswith("tests/")}
    check_awaited_names(product)
    check_folders(set(names))
    check_readmes(set(names), texts)
    check_named_in_docs(texts)
    check_requirements(texts)

    print("longest files (to look at):")
    hand_written = {name: text for name, text in product.items() if not name.endswith(".inc")}
    for lines, name in sorted(((text.count("\n"), name) for name, text in hand_written.items()), reverse=True)[:10]:
        print(f"  {lines:5} {name}")
    print("longest functions (to look at):")
    found = [one for name, text in hand_written.items() if name.endswith(".cpp") for one in functions(name, text)]
    for lines, name in sorted(found, reverse=True)[:10]:
        print(f"  {lines:5} {name}")
    for problem in problems:
        print(f"tidy: {problem}", file=sys.stderr)
    print(f"{len(names)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
