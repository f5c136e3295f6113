#!/usr/bin/env python3
"""hostile_input_test.py HOLDFAST: what `holdfast template` and `holdfast build` say to input that means harm."""

import os
import pathlib
import pty
import resource
import subprocess
import sys
import tempfile
import unittest

HOLDFAST = sys.argv.pop(1)


class HostileInput(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def chart(self, template, schema=None):
        (self.root / "templates").mkdir()
        (self.root / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 1.0.0\n")
        (self.root / "templates/a.yaml").write_text(template)
        (self.root / "values.yaml").write_text("a: 5\n")
        if schema:
            (self.root / "values.schema.json").write_text(schema)

    def run_command(self, *words, stack=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))

        return subprocess.run([HOLDFAST, *words], capture_output=True, text=True, preexec_fn=limit if stack else None)

    def test_templates_without_end_stop_at_the_stack_there_is(self):
        self.chart('{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}')
        for stack in (8 << 20, 64 << 20):
            with self.subTest(stack=stack):
                done = self.run_command("template", str(self.root), stack=stack)
                self.assertEqual(1, done.returncode)
                self.assertIn("exceeded maximum template depth", done.stderr)

    def test_a_divisor_that_no_double_holds_is_a_failed_check(self):
        self.chart("a: 1", '{"properties":{"a":{"multipleOf":1234567890123456789012e400}}}')
        done = self.run_command("template", str(self.root))
        self.assertEqual(1, done.returncode)
        self.assertIn("multipleOf: got 5, want ∞", done.stderr)

    def test_a_time_that_no_clock_shows_is_refused(self):
        self.chart("a: {{ now | unixEpoch }}")
        self.assertIn("a: 9223372036", self.run_command("template", "--time", "9223372036", str(self.root)).stdout)
        for time in ("9223372037", "-9223372037", "9223372036854775807"):
            with self.subTest(time=time):
                done = self.run_command("template", "--time", time, str(self.root))
                self.assertEqual(1, done.returncode)
                self.assertIn("more than 9223372036", done.stderr)

    def test_a_namespace_is_no_path(self):
        source, out = self.root / "in", self.root / "out"
        source.mkdir()
        out.mkdir()
        (self.root / "escaped").mkdir()
        objects = [f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {ns}}}\n" for ns in ("../escaped/x", "b")]
        (source / "all.yaml").write_text("---\n".join(objects))
        (source / "kustomization.yaml").write_text("resources: [all.yaml]\n")
        done = self.run_command("build", str(source), "-o", str(out))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["..", "b"], sorted(name.name.split("_")[0] for name in out.iterdir()))
        self.assertEqual([], list((self.root / "escaped").iterdir()))

    def test_what_is_quoted_commands_no_terminal(self):
        (self.root / "kustomization.yaml").write_text('resources: ["\\e]0;owned\\a\\e[2J\\u202Etxt.yaml"]\n')
        for verb in ("build", "template"):
            with self.subTest(verb=verb):
                ours, theirs = pty.openpty()
                done = subprocess.run([HOLDFAST, verb, str(self.root if verb == "build" else self.root / "\x1b[2J")], stderr=theirs, stdout=theirs)
                os.close(theirs)
                with open(ours, "rb", buffering=0) as terminal:
                    said = terminal.read(8000).decode()
                self.assertEqual(1, done.returncode)
                self.assertIn("[2J", said)
                self.assertEqual([], [one for one in said if one in "\x1b\x07\u202e"])

    def test_who_reads_a_pipe_reads_every_byte(self):
        (self.root / "kustomization.yaml").write_text('resources: ["\\e[2J.yaml"]\n')
        self.assertIn("\x1b[2J.yaml", self.run_command("build", str(self.root)).stderr)


if __name__ == "__main__":
    unittest.main()
