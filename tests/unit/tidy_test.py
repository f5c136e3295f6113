#!/usr/bin/env python3
"""Goal: scripts/tidy.py refuses each thing it is there to refuse, and nothing in a clean tree.
Method: a small tree with one fault at a time.

    tidy_test.py TIDY
"""
import pathlib
import subprocess
import sys
import tempfile

CLEAN = {
    "modules/base/error.hpp": "enum class Errc {\n    offline,  // why\n    busy,\n};\n",
    "modules/base/meson.build": "", "modules/base/README.md": "base\n",
    "modules/kube/client.cpp": '#include "modules/base/error.hpp"\n// co_await f(); detached\nvoid f() {\n    co_await sleep_for(1);\n'
                               '    auto done =\n        co_await apply();\n}\n',
    "cache/db/db.cpp": "#include <sqlite3.h>\n",
    "docs/ARCHITECTURE.md": "offline busy\n",
}
FAULTS = {
    "an include upwards": ("modules/kube/up.cpp", '#include "modules/source/ports.hpp"\n', "kube includes source, which is not below it"),
    "an include sideways": ("modules/git/side.cpp", '#include "modules/kube/object.hpp"\n', "git includes kube"),
    "text out of order": ("modules/text/semver/a.cpp", '#include "modules/text/regex/regex.hpp"\n', "text/semver includes text/regex"),
    "cache past the ports": ("cache/blobs/a.cpp", '#include "modules/source/artifact.hpp"\n', "ports.hpp of source only"),
    "the product includes a test": ("daemon/a.cpp", '#include "tests/support/fake.hpp"\n', "includes a test"),
    "an unknown folder": ("modules/novel/a.cpp", '#include "modules/base/error.hpp"\n', "layer of novel is not known"),
    "SQLite outside the cache": ("modules/base/a.cpp", "#include <sqlite3.h>\n", "<sqlite3.h> belongs to cache/db/"),
    "Beast outside http": ("modules/kube/a.cpp", "#include <boost/beast/http.hpp>\n", "belongs to modules/http/"),
    "a dropped Result": ("modules/kube/a.cpp", "void f() {\n    co_await cluster.apply(x);\n}\n", "co_await apply: name the Result"),
    "a name that hides a Result": ("modules/kube/a.hpp", "Task<void> join(int x);\n", "rename one of them"),
    "using namespace std": ("modules/kube/a.cpp", "using namespace std;\n", "using namespace std"),
    "throws": ("modules/kube/a.cpp", "int f(std::string const& s) { return std::stoi(s); }\n", "std::from_chars"),
    "detached": ("modules/kube/a.cpp", "void f() { co_spawn(io, g(), asio::detached); }\n", "TaskGroup"),
    "a friend for a test": ("modules/kube/a.hpp", "class A { friend class ATest; };\n", "test what the header promises"),
    "getenv below the daemon": ("modules/kube/a.cpp", 'auto x = std::getenv("HOME");\n', "getenv outside daemon/"),
    "a README that names a file of yesterday": ("modules/base/README.md", "Read     gone.hpp\n",
                                                "modules/base/README.md: names gone.hpp, which is not there"),
    "a folder without README": ("modules/git/meson.build", "", "modules/git: has no README.md"),
    "an Errc nobody explains": ("docs/ARCHITECTURE.md", "offline\n", "Errc::busy"),
    "a machine's path": ("scripts/a.sh", "cd /ro" + "ot/x\n", "a path of one machine"),
    "a note to oneself": ("scripts/a.sh", "# TO" + "DO later\n", "open an issue"),
}


def run(tidy, fault):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **fault}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, tidy, folder], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def main():
    failures = 0
    clean = run(sys.argv[1], {})
    if clean.returncode != 0:
        print(f"FAILED: the clean tree is refused:\n{clean.stderr}")
        failures += 1
    for what, (name, text, message) in FAULTS.items():
        done = run(sys.argv[1], {name: text})
        good = done.returncode == 1 and message in done.stderr
        failures += not good
        print(f"{'ok' if good else 'FAILED'}: {what}")
        if not good:
            print(done.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
