# oracle.py: the golden documents, and a JSON-lines program asked about documents. Used by record and compare_go.
#
# A line of documents.jsonl is one object: "doc", or "base64" for what is no UTF-8, and of the answer "out", "toml", "err".
import base64
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "documents.jsonl")
SOURCES = os.path.join(HERE, "..", "..", "oracle")


def read():
    with open(PATH, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line["doc"].encode() if "doc" in line else base64.b64decode(line["base64"]) for line in lines]


def write(documents, answers):
    with open(PATH, "w", encoding="utf-8") as file:
        for document, answer in zip(documents, answers):
            try:
                line = {"doc": document.decode()}
            except UnicodeDecodeError:
                line = {"base64": base64.b64encode(document).decode()}
            line.update((name, answer[name]) for name in ("out", "toml", "err"))
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def ask(program, documents):
    text = "".join(json.dumps({"id": i, "doc": base64.b64encode(d).decode()}) + "\n" for i, d in enumerate(documents))
    # An empty zone is UTC, as ours always is; without one Go would look at this machine's.
    done = subprocess.run([program], input=text.encode(), capture_output=True, timeout=1800, check=True, env=dict(os.environ, TZ=""))
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def build():
    """tests/oracle/tomlexec, outside the tree; without the rest of the oracles, which take minutes."""
    cache = os.environ.get("HOLDFAST_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "holdfast")
    program = os.path.join(cache, "toml", "tomlexec")
    env = dict(os.environ, GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-buildvcs=false", CGO_ENABLED="0")
    subprocess.run(["go", "build", "-trimpath", "-o", program, "./tomlexec"], cwd=SOURCES, env=env, check=True)
    return program


def suite():
    """The documents of toml-test, from the module that Helm links; not kept here."""
    listed = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", "github.com/BurntSushi/toml"], cwd=SOURCES, capture_output=True, text=True, check=True)
    documents = []
    for folder, folders, names in os.walk(os.path.join(listed.stdout.strip(), "internal", "toml-test", "tests")):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".toml"):
                with open(os.path.join(folder, name), "rb") as file:
                    documents.append(file.read())
    return documents
