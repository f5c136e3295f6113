"""Two views of one scenario side by side, and docs/differences.md, the only place where they may differ."""
import json
import os
import re

ABSENT = "absent"
COLUMNS = ["scenario", "path", "ours", "Flux's", "why"]


class Difference:
    def __init__(self, path, ours, flux):
        self.path, self.ours, self.flux = path, ours, flux

    def __str__(self):
        return f"{self.path}\n      ours   {self.ours}\n      Flux's {self.flux}"

    def key(self):
        return self.path, self.ours, self.flux


def in_words(value):
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def step(path, key):
    return f"{path}.{key}" if re.fullmatch(r"[\w-]+", key) else f"{path}[{key}]"


def differences(ours, flux, path):
    if isinstance(ours, dict) and isinstance(flux, dict):
        found = []
        for key in sorted({*ours, *flux}):
            here = step(path, key)
            if key not in ours:
                found.append(Difference(here, ABSENT, in_words(flux[key])))
            elif key not in flux:
                found.append(Difference(here, in_words(ours[key]), ABSENT))
            else:
                found += differences(ours[key], flux[key], here)
        return found
    if ".managers" in path and isinstance(ours, list) and isinstance(flux, list):
        return [Difference(f"{path}({one})", "owned" if one in ours else ABSENT, "owned" if one in flux else ABSENT)
                for one in sorted({*ours, *flux}) if (one in ours) != (one in flux)]
    if ours == flux or (path.endswith(".message") and isinstance(ours, str) and isinstance(flux, str) and ours.startswith(flux)):
        return []
    return [Difference(path, in_words(ours), in_words(flux))]


def of_objects(ours, flux):
    found = []
    for key in sorted({*ours, *flux}):
        if key not in ours or key not in flux:
            found.append(Difference(key, "there" if key in ours else ABSENT, "there" if key in flux else ABSENT))
        else:
            found += differences(ours[key], flux[key], key)
    return found


def head(event):
    return f"events({event['object']} {event['type']} {event['reason']} {event['source']})"


def of_events(ours, flux):
    """An Event of Flux needs one of ours that says at least the same; each is used once. What is left is paired by what it is about."""
    found, left, lonely = [], list(ours), []
    for event in sorted(flux, key=lambda one: -len(one["message"])):
        same = [one for one in left if head(one) == head(event) and one["message"].startswith(event["message"])]
        if same:
            left.remove(same[0])
            for field in ("annotations", "times"):
                found += differences(same[0].get(field), event.get(field), f"{head(event)}.{field}")
        else:
            lonely.append(event)
    for event in lonely:
        other = max((one for one in left if head(one) == head(event)), default=None,
                    key=lambda one: len(os.path.commonprefix([one["message"], event["message"]])))
        if other:
            left.remove(other)
        found.append(Difference(head(event), other["message"] if other else ABSENT, event["message"]))
    return found + [Difference(head(one), one["message"], ABSENT) for one in left]


def of_answers(ours, flux):
    return differences(dict(ours), dict(flux), "answers")


class Row:
    """One known difference: cells with `*` for anything."""

    def __init__(self, cells):
        self.cells, self.used = cells, False
        self.patterns = [self.pattern(cell) for cell in cells[:4]]

    @staticmethod
    def pattern(cell):
        return re.compile(".*".join(re.escape(piece) for piece in cell.split("*")), re.DOTALL)

    def explains(self, scenario, difference):
        values = (scenario, difference.path, difference.ours, difference.flux)
        return all(pattern.fullmatch(value) for pattern, value in zip(self.patterns, values))

    def __str__(self):
        return " | ".join(self.cells[:4])


def cells_of(line):
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    return [re.sub(r"^`(.*)`$", r"\1", cell).replace("\\|", "|") for cell in cells]


def read_rows(file):
    """The rows of the table whose head is COLUMNS."""
    rows, inside = [], False
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = cells_of(line)
        if cells == COLUMNS:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            if len(cells) != len(COLUMNS) or not cells[4]:
                raise ValueError(f"{file.name}: a row needs {len(COLUMNS)} cells: {line}")
            rows.append(Row(cells))
    return rows
