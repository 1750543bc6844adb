"""What the page of the benchmark shows, made from what `make bench` measured.

The record, docs/reference/benchmark.json, holds the time of a step in every round. Here it becomes
medians and ranges, ratios within rounds, and the goals: as tables for the page, and as text.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from textwrap import indent
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RECORD = Path("docs/reference/benchmark.json")
FOLDER = Path("docs/generated/benchmark")
MODES = {"each": "read after each step", "end": "read at the end"}
QUIET = 1.5  # the spread above which the machine was not
HAND, OURS, JAX = "by-hand", "dlref-numpy", "jax"
YARDSTICKS = {HAND: "by hand", "torch-nn": "torch.nn", "torch-nn-cuda": "torch.nn"}
SHARE = 0.75  # of a GPU's rate of products, that its widest net is meant to reach
ABOUT = {
    "64-64-10": "The smallest: products of matrices take so little that the calls in between "
    "decide.",
    "64-128-128-10": "Two hidden layers.",
    "784-512-512-10": "The size of a first net on pictures of digits with 28 × 28 pixels.",
    "64-[128×20]-10": "Twenty hidden layers: many short calls, one after another.",
    "1024-2048-2048-1024": "Large for a CPU. The products of matrices are nearly all of it.",
    "LeNet": "Two convolutions and three linear layers, on pictures with 28 × 28 pixels.",
    "GPT": "A small GPT: 6 layers with 6 heads each, rows of 192 numbers, 103 tokens, texts of "
    "128 tokens, no dropout.",
    "8192-8192-8192-10": "As wide as a GPU likes it. Of 67 million inputs of ReLU, some are so "
    "close to 0 that rounding decides their sign: here gradients may be off by 0.005.",
    "GPT-2 small": "The shape of the smallest GPT-2, with 124 million parameters, on texts of 1024 "
    "tokens, without dropout.",
}

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
    return {
        FOLDER / "machine.md": _machine(record),
        FOLDER / "agreement.md": _agreement(record, record["measurements"]),
        FOLDER / "goals-all-cores.md": _goals(record, most_cores(record)),
        FOLDER / "goals-one-core.md": _goals(record, 1),
        FOLDER / "nets.md": _nets(record),
        FOLDER / "gpu.md": _gpu(record),
    }


def with_cores(record: dict[str, Any], cores: int) -> list[Measurement]:
    """The measurements with so many cores, in the order of the nets."""
    return [found for found in record["measurements"] if found["cores"] == cores]


def on_gpu(record: dict[str, Any]) -> list[Measurement]:
    """The measurements on a GPU, in the order of the nets; none where none was at hand."""
    return list(record.get("cuda", []))


def yardstick(measurement: Measurement) -> str:
    """The row that all others of a net are compared with."""
    return str(measurement.get("yardstick", HAND))


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


def best(measurement: Measurement, ours: list[str], others: list[str], mode: str) -> float:
    """Our fastest row's ratio to the fastest of the others, each the median within rounds."""
    return min(
        max(median(ratios(measurement, name, other, mode)) for other in others) for name in ours
    )


def goals(record: dict[str, Any], cores: int) -> Iterator[Goal]:
    """What dlref on NumPy is meant to reach on MLPs, and the median of its ratio within rounds."""
    measurements = [found for found in with_cores(record, cores) if yardstick(found) == HAND]
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


def better_goals(record: dict[str, Any], cores: int) -> Iterator[Goal]:
    """What the better of dlref on NumPy and on PyTorch is meant to reach on the other nets."""
    for measurement in with_cores(record, cores):
        if yardstick(measurement) != HAND:
            for mode in MODES:
                ratio = best(measurement, [OURS, "dlref-cpu"], ["torch-nn"], mode)
                yield Goal(measurement["net"], "torch-nn", mode, ratio, 1.0)


def gpu_goals(record: dict[str, Any]) -> Iterator[Goal]:
    """What captured dlref is meant to reach beside the fastest of PyTorch's rows."""
    for measurement in on_gpu(record):
        limit = 1.1 if measurement["net"] == "GPT-2 small" else 1.0
        others = [name for name in measurement["libraries"] if name.startswith("torch")]
        if measurement.get("sizes") or measurement["net"] == "GPT-2 small":
            for mode in MODES:
                ratio = best(measurement, ["dlref-captured-cuda"], others, mode)
                yield Goal(measurement["net"], "the fastest of PyTorch", mode, ratio, limit)


def product_share(record: dict[str, Any]) -> float | None:
    """How much of a GPU's rate of products captured dlref reaches on the 8192-wide net.

    A step has three products for each weight, but none for the gradient of the net's input.
    """
    for measurement in on_gpu(record):
        if sizes := measurement.get("sizes"):
            products = [inputs * outputs for inputs, outputs in pairwise(sizes)]
            if max(products) == 8192**2:
                count = 2 * measurement["batch_size"] * (3 * sum(products) - products[0])
                microseconds = median(measurement["libraries"]["dlref-captured-cuda"]["us"]["end"])
                return float(count / (microseconds * 1e-6) / record["product_rate"])
    return None


def summary(record: dict[str, Any]) -> str:
    """The medians, the goals met and those missed, for a terminal."""
    lines = []
    for measurement in [*record["measurements"], *on_gpu(record)]:
        to = yardstick(measurement)
        where = "GPU" if to.endswith("cuda") else f"cores: {measurement['cores']}"
        lines += ["", f"{measurement['net']}, {where}; µs a step, × {YARDSTICKS[to]}"]
        for name in measurement["libraries"]:
            cells = []
            for mode in MODES:
                times = measurement["libraries"][name]["us"][mode]
                ratio = median(ratios(measurement, name, to, mode))
                span = f"({min(times):.0f} to {max(times):.0f})"
                cells.append(f"{median(times):9.1f} {span:18} {ratio:6.2f} ×")
            lines.append(f"  {record['titles'][name]:26} {'  |  '.join(cells)}")
    lines += [f"{record['titles'][name]}: {why}" for name, why in record["unavailable"].items()]
    judged = {
        f"cores: {cores}": [*goals(record, cores), *better_goals(record, cores)]
        for cores in (most_cores(record), 1)
    }
    if on_gpu(record):
        judged["GPU"] = list(gpu_goals(record))
    for where, found in judged.items():
        missed = [goal for goal in found if not goal.met]
        lines += ["", f"{where}: {len(found) - len(missed)} of {len(found)} goals met; missed:"]
        lines += [
            f"  {goal.net}: {goal.ratio:.2f} × {record['titles'].get(goal.other, goal.other)}, "
            f"{MODES[goal.mode]}; goal {goal.limit:.1f}"
            for goal in missed
        ]
    if share := product_share(record):
        lines += [f"8192-wide: {share:.0%} of the GPU's rate of products; goal {SHARE:.0%}"]
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


def _nets(record: dict[str, Any]) -> str:
    """A section for each net: what it is, its chart, its table, and the table with one core."""
    parts = []
    one_core = {measurement["net"]: measurement for measurement in with_cores(record, 1)}
    for number, measurement in enumerate(with_cores(record, most_cores(record)), start=1):
        parts += [_section(measurement, f"net-{number}.html"), _table(measurement, record)]
        table = indent(_table(one_core[measurement["net"]], record), "    ")
        parts.append(f'??? note "The same with one core"\n\n{table}')
    return "\n".join(parts)


def _gpu(record: dict[str, Any]) -> str:
    """Goals, a section for each net, and how exact the rows are; or that there was no GPU."""
    if not on_gpu(record):
        return "No GPU was at hand, so this page has no number for one.\n"
    found = list(gpu_goals(record))
    parts = [
        "Captured dlref is meant to take no longer than the fastest of PyTorch's rows on linear "
        "layers, and at most 1.1 times as long on GPT-2 small.\n",
        _reached(found, "captured dlref"),
        _goals_table(found, "Captured dlref beside", record),
    ]
    if share := product_share(record):
        parts.append(
            f"On the 8192-wide net, captured dlref computes {share:.0%} of what the card computes "
            f"in products alone, {record['product_rate'] / 1e12:.1f} TFLOP/s in float32, measured "
            f"with matrices of 8192 × 8192. The goal is {SHARE:.0%}.\n"
        )
    for number, measurement in enumerate(on_gpu(record), start=1):
        parts += [_section(measurement, f"gpu-{number}.html"), _table(measurement, record)]
    parts.append(_agreement(record, on_gpu(record)))
    return "\n".join(parts)


def _section(measurement: Measurement, chart: str) -> str:
    return f"""### {measurement["net"]}, batch {measurement["batch_size"]}

{ABOUT[measurement["net"]]}

<figure>
--8<-- "{(FOLDER / chart).as_posix()}"
<figcaption>Bars reach from the fastest to the slowest round.</figcaption>
</figure>
"""


def _table(measurement: Measurement, record: dict[str, Any]) -> str:
    to = yardstick(measurement)
    by = f"× {YARDSTICKS[to]}"
    lines = [
        f"| µs a step | Loss read after each step | {by} | Loss read at the end | {by} |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, library in measurement["libraries"].items():
        cells = [record["titles"][name]]
        for mode in MODES:
            times = library["us"][mode]
            ratio = median(ratios(measurement, name, to, mode))
            span = f"{digits(min(times))} to {digits(max(times))}"
            cells += [f"**{digits(median(times))}** ({span})", f"{ratio:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _goals(record: dict[str, Any], cores: int) -> str:
    """What dlref on NumPy reaches on MLPs, and the better of two rows on other nets."""
    found, better = list(goals(record, cores)), list(better_goals(record, cores))
    parts = [
        _reached(found, "dlref on NumPy"),
        _goals_table(found, "dlref on NumPy beside", record),
    ]
    if better:
        who = "the better of dlref on NumPy and on PyTorch"
        parts += [
            _reached(better, who),
            _goals_table(better, "The better of both beside", record),
        ]
    return "\n".join(parts)


def _reached(found: list[Goal], who: str) -> str:
    met = sum(goal.met for goal in found)
    return (
        f"{met} of {len(found)} goals are reached. Each number is the time of {who} over "
        "the other's, the median of all rounds; in brackets, the goal; in bold, what misses it.\n"
    )


def _ratio(goal: Goal) -> str:
    if goal.met:
        return f"{goal.ratio:.2f}"
    hidden = round(goal.ratio, 2) <= goal.limit  # two digits would show it as reached
    return f"**{goal.ratio:.3f}**" if hidden else f"**{goal.ratio:.2f}**"


def _goals_table(found: list[Goal], title: str, record: dict[str, Any]) -> str:
    """A column for each net: our time over each other's, and in bold what misses its goal."""
    nets = list(dict.fromkeys(goal.net for goal in found))
    lines = [f"| {title} | {' | '.join(nets)} |", f"|---{'|--:' * len(nets)}|"]
    for other, mode in dict.fromkeys((goal.other, goal.mode) for goal in found):
        row = [goal for goal in found if (goal.other, goal.mode) == (other, mode)]
        cells = [f"{_ratio(goal)} ({goal.limit})" for goal in row]
        name = record["titles"].get(other, other)
        lines.append(f"| {name}, {MODES[mode]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _agreement(record: dict[str, Any], measurements: list[Measurement]) -> str:
    """How far each library's loss and gradients were from the reference, at worst over all nets."""
    lines = [
        f"The run stops where one is off by more than {record['tolerance']:g}.",
        "",
        "| Library | Loss | Gradients | First step, with compilation |",
        "|---|--:|--:|--:|",
    ]
    everywhere = [measurement["libraries"] for measurement in measurements]
    for name in everywhere[0]:
        rows = [libraries[name] for libraries in everywhere if name in libraries]
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
    for name, why in record["unavailable"].items():
        if not name.endswith("cuda"):
            lines += [f"{record['titles'][name]} could not be measured: {why}.", ""]
    return "\n".join(lines)
