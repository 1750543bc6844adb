"""What the page of the benchmark shows, made from what `make bench` measured.

The record, docs/reference/benchmark.json, holds the time of a step in every round. Here it becomes
medians and ranges, ratios within rounds, and the goals: as tables for the page, and as text.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RECORD = Path("docs/reference/benchmark.json")
FOLDER = Path("docs/generated/benchmark")
MODES = {"each": "read after each step", "end": "read at the end"}
QUIET = 1.5  # the spread above which the machine was not
HAND, OURS, JAX = "by-hand", "dlref-numpy", "jax"

Measurement = dict[str, Any]


class Goal(NamedTuple):
    """The ratio of our time to another library's on one net, and what it is meant to be."""

    net: str
    other: str
    mode: str
    ratio: float
    limit: float

    @property
    def met(self) -> bool:
        return self.ratio <= self.limit


def generate(root: Path) -> dict[Path, str]:
    """The Markdown files of the page, by path; none where nothing was measured."""
    if not (root / RECORD).exists():
        return {}
    record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    files = {FOLDER / "machine.md": _machine(record), FOLDER / "agreement.md": _agreement(record)}
    for cores, name in ((most_cores(record), "all-cores"), (1, "one-core")):
        files[FOLDER / f"goals-{name}.md"] = _goals_table(record, cores)
        for number, measurement in enumerate(with_cores(record, cores), start=1):
            files[FOLDER / f"net-{number}-{name}.md"] = _table(measurement, record)
    return files


def with_cores(record: dict[str, Any], cores: int) -> list[Measurement]:
    """The measurements with so many cores, in the order of the nets."""
    return [found for found in record["measurements"] if found["cores"] == cores]


def most_cores(record: dict[str, Any]) -> int:
    """How many cores the libraries had where they had all."""
    return max(int(measurement["cores"]) for measurement in record["measurements"])


def ratios(measurement: Measurement, name: str, to: str, mode: str) -> list[float]:
    """The time of one library over another's, in each round."""
    libraries = measurement["libraries"]
    pairs = zip(libraries[name]["us"][mode], libraries[to]["us"][mode], strict=True)
    return [ours / theirs for ours, theirs in pairs]


def spread(record: dict[str, Any], cores: int) -> float:
    """How many times its fastest round a slowest round takes, as the median of all rows."""
    found = [
        float(max(times) / min(times))
        for measurement in with_cores(record, cores)
        for library in measurement["libraries"].values()
        for times in library["us"].values()
    ]
    return median(found)


def goals(record: dict[str, Any], cores: int) -> Iterator[Goal]:
    """What dlref on NumPy is meant to reach, and the median of its ratio within rounds."""
    measurements = with_cores(record, cores)
    for number, measurement in enumerate(measurements):
        smallest, largest = number == 0, number == len(measurements) - 1
        wanted = {(HAND, mode): 1.2 if smallest else 1.1 for mode in MODES}
        for name in measurement["libraries"]:
            if name.startswith(("torch", "scikit")) and not name.endswith("cuda"):
                # Ahead on all but the largest net; there level, which is: within a tenth.
                wanted |= {(name, mode): 1.1 if largest else 1.0 for mode in MODES}
        if JAX in measurement["libraries"]:
            wanted |= {(JAX, "each"): 1.0, (JAX, "end"): 1.3}
        for (other, mode), limit in wanted.items():
            ratio = median(ratios(measurement, OURS, other, mode))
            yield Goal(measurement["net"], other, mode, ratio, limit)


def summary(record: dict[str, Any]) -> str:
    """The medians, the goals met and those missed, for a terminal."""
    lines = []
    for measurement in record["measurements"]:
        lines += ["", f"{measurement['net']}, cores: {measurement['cores']}; µs a step, × by hand"]
        for name in measurement["libraries"]:
            cells = []
            for mode in MODES:
                times = measurement["libraries"][name]["us"][mode]
                ratio = median(ratios(measurement, name, HAND, mode))
                span = f"({min(times):.0f} to {max(times):.0f})"
                cells.append(f"{median(times):9.1f} {span:18} {ratio:6.2f} ×")
            lines.append(f"  {record['titles'][name]:26} {'  |  '.join(cells)}")
    lines += [f"{record['titles'][name]}: {why}" for name, why in record["unavailable"].items()]
    for cores in dict.fromkeys((most_cores(record), 1)):
        found = list(goals(record, cores))
        missed = [goal for goal in found if not goal.met]
        lines += [
            "",
            f"cores: {cores}: {len(found) - len(missed)} of {len(found)} goals met; missed:",
        ]
        lines += [
            f"  {goal.net}: {goal.ratio:.2f} × {record['titles'][goal.other]}, "
            f"{MODES[goal.mode]}; goal {goal.limit:.1f}"
            for goal in missed
        ]
    for cores in sorted({measurement["cores"] for measurement in record["measurements"]}):
        if (wide := spread(record, cores)) > QUIET:
            lines += [
                "",
                f"cores: {cores}: the slowest round takes {wide:.1f} times the fastest, in the "
                "median of all rows: something else was running, so measure again",
            ]
    return "\n".join(lines)


def digits(microseconds: float) -> str:
    """A time with three digits at most, thousands apart: ``57.3``, ``1,790``."""
    if microseconds < 100:
        return f"{microseconds:.1f}"
    places = 10 ** max(0, len(str(int(microseconds))) - 3)
    return f"{round(microseconds / places) * places:,}"


def _table(measurement: Measurement, record: dict[str, Any]) -> str:
    lines = [
        "| µs a step | Loss read after each step | × by hand | Loss read at the end | × by hand |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, library in measurement["libraries"].items():
        cells = [record["titles"][name]]
        for mode in MODES:
            times = library["us"][mode]
            ratio = median(ratios(measurement, name, HAND, mode))
            span = f"{digits(min(times))} to {digits(max(times))}"
            cells += [f"**{digits(median(times))}** ({span})", f"{ratio:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _goals_table(record: dict[str, Any], cores: int) -> str:
    """A column for each net: our time over each other's, and in bold what misses its goal."""
    found = list(goals(record, cores))
    nets = [measurement["net"] for measurement in with_cores(record, cores)]
    met = sum(goal.met for goal in found)
    lines = [
        f"{met} of {len(found)} goals are reached. Each number is the time of dlref on NumPy over "
        "the other's, the median of all rounds; in brackets, the goal; in bold, what misses it.",
        "",
        f"| dlref on NumPy beside | {' | '.join(nets)} |",
        f"|---{'|--:' * len(nets)}|",
    ]
    for other, mode in dict.fromkeys((goal.other, goal.mode) for goal in found):
        row = [goal for goal in found if (goal.other, goal.mode) == (other, mode)]
        cells = [f"{f'{g.ratio:.2f}' if g.met else f'**{g.ratio:.2f}**'} ({g.limit})" for g in row]
        lines.append(f"| {record['titles'][other]}, {MODES[mode]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _agreement(record: dict[str, Any]) -> str:
    """How far each library's loss and gradients were from the reference, at worst over all nets."""
    lines = [
        f"The run stops where one is off by more than {record['tolerance']:g}.",
        "",
        "| Library | Loss | Gradients | First step, with compilation |",
        "|---|--:|--:|--:|",
    ]
    everywhere = [measurement["libraries"] for measurement in record["measurements"]]
    for name in everywhere[0]:
        rows = [libraries[name] for libraries in everywhere]
        loss = max(row["loss_error"] for row in rows)
        errors = [row["gradient_error"] for row in rows]
        gradients = "by its step" if None in errors else f"{max(errors):.0e}"
        seconds = [row["first_step_seconds"] for row in rows]
        span = f"{min(seconds):.2f} to {max(seconds):.2f} s"
        lines.append(f"| {record['titles'][name]} | {loss:.0e} | {gradients} | {span} |")
    return "\n".join(lines) + "\n"


def _machine(record: dict[str, Any]) -> str:
    here = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    waiting = [
        library["idle_cpu_seconds"] / library["idle_seconds"]
        for measurement in record["measurements"]
        for library in measurement["libraries"].values()
    ]
    settings = {most_cores(record): "with all cores", 1: "with one"}
    slowest = " and ".join(
        f"{spread(record, cores):.2f} times the fastest {how}" for cores, how in settings.items()
    )
    lines = [
        f"Measured on {record['date']}: {here['processor']}, {here['cores']} cores, "
        f"{here['memory_gib']} GiB of memory, {here['system']}; {versions}. Each number is from "
        f"{record['rounds']} rounds of {record['seconds']:g} s. The slowest round took {slowest}, "
        "in the median of all rows. A process that waited for its turn used "
        f"{max(waiting):.1%} of a core at most.",
        "",
    ]
    if here["gpu"]:
        lines += [f"GPU and its driver: {here['gpu']}.", ""]
    if not any(name.endswith("cuda") for name in record["measurements"][0]["libraries"]):
        lines += [
            "No GPU was at hand, so no row is of CUDA, and this page has no number for it.",
            "",
        ]
    for name, why in record["unavailable"].items():
        if not name.endswith("cuda"):
            lines += [f"{record['titles'][name]} could not be measured: {why}.", ""]
    return "\n".join(lines)
