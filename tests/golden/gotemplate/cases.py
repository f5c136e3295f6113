# cases.py: reads and writes the golden files, runs a JSON-lines evaluator. Used by record and random_diff.
#
# A golden file is one JSON array per line:
#   ["=", "@name", data]                          names a piece of data
#   [template, data or "@name", flags, out, err]  flags: f sprig and missingkey=zero, s missingkey=error, i ints
import json
import os
import subprocess


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def requests(lines):
    named = {line[1]: line[2] for line in lines if line[0] == "=" and len(line) == 3}
    for index, line in enumerate(lines):
        if len(line) == 3 and line[0] == "=":
            continue
        template, data, flags = line[:3]
        if isinstance(data, str) and data in named:
            data = named[data]
        yield {"id": index, "template": template, "data": data, "funcs": "f" in flags, "strict": "s" in flags, "ints": "i" in flags}


def run(program, wanted):
    text = "".join(json.dumps(request) + "\n" for request in wanted)
    done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=1800, env=dict(os.environ, TZ="UTC"), check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def build_oracle():
    """The Go evaluator in oracle/, outside the tree."""
    here = os.path.dirname(os.path.abspath(__file__))
    cache = os.environ.get("HOLDFAST_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "holdfast")
    program = os.path.join(cache, "gotemplate", "oracle")
    env = dict(os.environ, GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-buildvcs=false", CGO_ENABLED="0")
    subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=os.path.join(here, "oracle"), env=env, check=True)
    return program
