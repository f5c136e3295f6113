#!/usr/bin/env python3
"""compare.py TOOL ORACLE COUNT SEED [OP...]: asks both the same random questions and prints where they differ."""
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent


def answers(program, questions):
    done = subprocess.run([program], input=questions, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != questions.count("\n"):
        sys.exit(f"{program} stopped at question {len(lines) + 1}: {done.stderr[-2000:]}\n{questions.splitlines()[len(lines)]}")
    return [json.loads(line) for line in lines]


def main():
    tool, oracle, count, seed, *only = sys.argv[1:]
    if Path(count).exists():
        questions = Path(count).read_text()
    else:
        questions = subprocess.run([HERE / "generate.py", count, seed, *only], capture_output=True, text=True, check=True).stdout
    counts, shown = Counter(), 0
    for question, ours, theirs in zip(questions.splitlines(), answers(tool, questions), answers(oracle, questions)):
        question = json.loads(question)
        if theirs["err"].startswith("panic"):
            same = bool(ours["err"])  # where kustomize crashes, an error
        elif theirs["err"]:
            same = ours["err"] == theirs["err"]
        else:
            same = ours == theirs
        counts[question["op"], "same" if same else "different"] += 1
        if same or shown >= 5:
            continue
        shown += 1
        print("=" * 30, question["op"])
        for name in question:
            if name != "op":
                print(f"--- {name}\n{question[name]}")
        for name in ("err", "tree", "out"):
            if ours[name] != theirs[name]:
                print(f"--- our {name}\n{ours[name]}\n--- their {name}\n{theirs[name]}")
    for key in sorted(counts):
        print(*key, counts[key])
    sys.exit(any(k[1] == "different" for k in counts))


if __name__ == "__main__":
    main()
