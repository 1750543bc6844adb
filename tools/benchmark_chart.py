"""The charts of the benchmark's page: a dot and a bar for each library, on a scale of ratios.

`python -m tools.benchmark_chart` draws them from the record anew; `make bench` does so too.
"""

import json
from html import escape
from pathlib import Path
from statistics import median

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tools import benchmark
from tools.benchmark import FOLDER, HAND, MODES, RECORD, ROOT, Measurement
from tools.figures import STYLE, to_svg
from tools.generated import write_changed

ROW = 0.32  # inches
NAMES = benchmark.YARDSTICKS | {HAND: "the hand-written loop"}


def generate(root: Path) -> dict[Path, str]:
    """Every chart, by path, as the HTML that a page includes: a net with all cores, or on a GPU."""
    if not (root / RECORD).exists():
        return {}
    record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    found = {
        "net": benchmark.with_cores(record, benchmark.most_cores(record)),
        "gpu": benchmark.on_gpu(record),
    }
    return {
        FOLDER / f"{kind}-{number}.html": chart(
            measurement, record["titles"], f"benchmark-{kind}-{number}"
        )
        for kind, measurements in found.items()
        for number, measurement in enumerate(measurements, start=1)
    }


def write(root: Path) -> None:
    """Write the charts that have changed."""
    write_changed(root, generate(root))


def chart(measurement: Measurement, titles: dict[str, str], name: str) -> str:
    """Ratios to the yardstick, a row for each other library; its text says the medians."""
    to = benchmark.yardstick(measurement)
    names = [library for library in measurement["libraries"] if library != to]
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.8, 1.3 + ROW * len(names)))
        for place, (mode, offset) in enumerate(zip(MODES, (-0.14, 0.14), strict=True)):
            found = [benchmark.ratios(measurement, library, to, mode) for library in names]
            rows = [row + offset for row in range(len(names))]
            color, marker = f"C{place}", "os"[place]
            axes.hlines(rows, [min(r) for r in found], [max(r) for r in found], color, linewidth=2)
            axes.plot([median(r) for r in found], rows, marker, color=color, label=MODES[mode])
        axes.axvline(1, linewidth=1, color=STYLE["text.color"])
        axes.set(xscale="log", xlim=limits(measurement, names), ylim=(len(names) - 0.5, -0.5))
        axes.set_yticks(range(len(names)), [titles[library] for library in names])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(f"times {NAMES[to]}")
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=2, frameon=False)
        svg = to_svg(figure, name)
        plt.close(figure)
    label = escape(words(measurement, titles))
    return f'<div role="img" aria-label="{label}">\n{svg}\n</div>\n'


def limits(measurement: Measurement, names: list[str]) -> tuple[float, float]:
    """The scale of a chart: all that was measured, and a little room."""
    to = benchmark.yardstick(measurement)
    found = [
        ratio
        for library in names
        for mode in MODES
        for ratio in benchmark.ratios(measurement, library, to, mode)
    ]
    return min(found) / 1.15, max(found) * 1.15


def words(measurement: Measurement, titles: dict[str, str]) -> str:
    """The chart for those who do not see it."""
    to = benchmark.yardstick(measurement)
    parts: list[str] = []
    for library in measurement["libraries"]:
        if library != to:
            each, end = (
                f"{median(benchmark.ratios(measurement, library, to, mode)):.2f}" for mode in MODES
            )
            parts.append(f"{titles[library]} {each} and {end}")
    return (
        f"{measurement['net']}: time of a step as a multiple of that of {NAMES[to]}, with the "
        f"loss read after each step and at the end: {'; '.join(parts)}"
    )


if __name__ == "__main__":
    write(ROOT)
