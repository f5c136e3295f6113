#!/usr/bin/env python3
"""A kind is one row and one folder: adds a made-up one to a copy of the tree, counts what had to change for it, and compiles it.

    new_kind_test.py TREE
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TREE = pathlib.Path(sys.argv[1]).resolve()
ELSEWHERE_MAX = 4
TARGETS = ["modules/model/libmodel.a", "modules/parrot/libparrot.a", "daemon/libdaemon.a.p/wiring.cpp.o"]
TAKEN = ("cache", "config", "daemon", "modules", "scripts", "systemd", "third_party", "meson.build", "meson_options.txt")

OWN = {
    "modules/model/kinds/parrot.hpp": """\
#pragma once

#include "modules/model/spec.hpp"
#include "modules/model/status.hpp"

#include <span>

namespace holdfast::model {

class Fields;

struct ParrotSpec {
    std::string says;
    bool suspend = false;
};

struct ParrotStatus {
    std::string last_said;
};

Spec read_parrot(Fields& spec, std::string const& own_namespace);
std::span<StatusField const> parrot_status();
std::string parrot_said(Status const& status);

}  // namespace holdfast::model
""",
    "modules/model/kinds/parrot.cpp": """\
#include "modules/model/kinds/parrot.hpp"

#include "modules/model/fields.hpp"
#include "modules/model/members.hpp"

#include <array>

namespace holdfast::model {

Spec read_parrot(Fields& spec, std::string const&) {
    ParrotSpec parrot{.says = spec.required_text("says"), .suspend = spec.flag("suspend", false)};
    return Spec{std::move(parrot), {}};
}

std::span<StatusField const> parrot_status() {
    static constexpr std::array kFields = std::to_array<StatusField>({
        {"lastSaid", [](Status const& status, json::object& out) { out["lastSaid"] = parrot_said(status); },
         [](json::object const& from, Status& status) { status.part<ParrotStatus>().last_said = text_at(from, "lastSaid"); }},
    });
    return kFields;
}

std::string parrot_said(Status const& status) { return status.part<ParrotStatus>().last_said; }

}  // namespace holdfast::model
""",
    "modules/parrot/parrot.hpp": """\
#pragma once

#include "modules/story/story.hpp"

namespace holdfast::parrot {

class Parrots final : public story::Story {
public:
    explicit Parrots(story::Ports ports) : ports_(ports) {}

    void load(model::JournalEntry const&) override {}
    asio::awaitable<story::Outcome> reconcile(model::Entry entry) override;
    asio::awaitable<story::Outcome> finalize(model::Entry entry) override;
    void forget(model::Key const&) override {}
    model::ComplianceRecord record(model::Entry const& entry) const override;

private:
    story::Ports ports_;
};

}  // namespace holdfast::parrot
""",
    "modules/parrot/parrot.cpp": """\
#include "modules/parrot/parrot.hpp"

namespace holdfast::parrot {

asio::awaitable<story::Outcome> Parrots::reconcile(model::Entry entry) {
    auto outcome = story::begin(entry);
    auto& said = outcome.status.part<model::ParrotStatus>().last_said;
    said = entry.spec_as<model::ParrotSpec>().says;
    co_return story::succeed(entry, std::move(outcome), "Succeeded", "said it", {}, ports_.clock);
}

asio::awaitable<story::Outcome> Parrots::finalize(model::Entry entry) {
    auto outcome = story::begin(entry);
    outcome.released = true;
    co_return outcome;
}

model::ComplianceRecord Parrots::record(model::Entry const& entry) const {
    return story::object_record(entry, ports_.clock.wall());
}

}  // namespace holdfast::parrot
""",
    "modules/parrot/meson.build": """\
parrot_lib = static_library('parrot', 'parrot.cpp', dependencies: [story_dep])
parrot_dep = declare_dependency(link_with: parrot_lib, dependencies: [story_dep])
story_deps += parrot_dep
""",
}

# File, what is looked for, what stands there then: the whole of a new kind outside its own files.
ELSEWHERE = [
    ("modules/model/key.hpp", r"(enum class Kind : std::uint8_t \{[^}]*?) \};", r"\1, parrot };"),
    ("modules/model/kinds.hpp", r'(#include "modules/model/kinds/kustomization.hpp"\n)', r'\1#include "modules/model/kinds/parrot.hpp"\n'),
    ("modules/model/kinds.hpp", r"\n\}\);\n\nconstexpr bool rows_are_in_order", r'''
    {Kind::parrot, "Parrot", "birds.example.com", "birds.example.com/v1", "parrots", "parrot-controller", "parrot-controller", "",
     Class::notifier, read_parrot, parrot_status, parrot_said, parrot_said},
});

constexpr bool rows_are_in_order'''),
    ("meson.build", r"\nkinds = \[([^]]*)\]", r"\nkinds = [\1, 'parrot']"),
    ("meson.build", r"'fluxconfig',", r"'fluxconfig', 'parrot',"),
    ("daemon/wiring.cpp", r'(#include "daemon/wiring.hpp"\n)', r'\1\n#include "modules/parrot/parrot.hpp"\n'),
    ("daemon/wiring.cpp", r"(    own\(Kind::flux_config, .*;\n)", r"\1    own(Kind::parrot, std::make_unique<parrot::Parrots>(parts_.ports));\n"),
]


def copy_of_tree(to):
    for name in TAKEN:
        for path in [TREE / name] if (TREE / name).is_file() else sorted((TREE / name).rglob("*")):
            inside = path.relative_to(TREE)
            if not path.is_file() or inside.parts[:2] == ("third_party", "vendor") or "__pycache__" in inside.parts:
                continue
            (to / inside).parent.mkdir(parents=True, exist_ok=True)
            (to / inside).write_bytes(path.read_bytes())
            (to / inside).chmod(path.stat().st_mode & 0o777)
    (to / "third_party/vendor").symlink_to(TREE / "third_party/vendor")


def run(*command, cwd, env):
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-6000:]}")


def main():
    with tempfile.TemporaryDirectory(prefix="new-kind-") as scratch:
        tree = pathlib.Path(scratch)
        copy_of_tree(tree)
        for name, text in OWN.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
        for name, pattern, replacement in ELSEWHERE:
            text, count = re.subn(pattern, replacement, (tree / name).read_text())
            if count != 1:
                sys.exit(f"{name}: {pattern!r} is there {count} times: how a kind is added has changed, and this test with it")
            (tree / name).write_text(text)
        changed = sorted({name for name, _, _ in ELSEWHERE})
        if len(changed) > ELSEWHERE_MAX:
            sys.exit(f"a new kind changes {len(changed)} files that are not its own: {', '.join(changed)}")
        # ccache finds what the tree's own build compiled already: paths are relative to the copy.
        env = {**os.environ, "CCACHE_BASEDIR": scratch, "CCACHE_NOHASHDIR": "1"}
        run("meson", "setup", "build", "--native-file", "scripts/clang.ini", "-Dtests=false", cwd=tree, env=env)
        run("ninja", "-C", "build", *TARGETS, cwd=tree, env=env)
        print(f"a new kind changes {len(changed)} files that are not its own: {', '.join(changed)}")


main()
