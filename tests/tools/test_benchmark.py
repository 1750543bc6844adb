"""The page of the benchmark says what was measured, and nothing older."""

import json
from typing import Any

import pytest

from tests.pages.conftest import ROOT
from tools import benchmark, benchmark_chart
from tools.figures import differences


def record(**us: list[float]) -> dict[str, Any]:
    """A record of one net and these libraries, their times the same in both modes."""
    libraries = {
        name.replace("_", "-"): {"us": {"each": times, "end": times}} for name, times in us.items()
    }
    measurement = {"net": "2-2", "cores": 2, "libraries": libraries}
    titles = {name: name for name in libraries}
    return {"measurements": [measurement], "titles": titles, "unavailable": {}}


def test_charts_are_not_stale() -> None:
    for name, html in benchmark_chart.generate(ROOT).items():
        committed = (ROOT / name).read_text(encoding="utf-8")
        assert committed.split("\n")[0] == html.split("\n")[0], "run tools.benchmark_chart"
        assert differences(committed, html) == [], "run `python -m tools.benchmark_chart`"


def test_record_names_no_path_and_holds_every_round() -> None:
    text = (ROOT / benchmark.RECORD).read_text(encoding="utf-8")
    assert "/tmp" not in text
    assert "/home" not in text
    found = json.loads(text)
    for measurement in found["measurements"]:
        for library in measurement["libraries"].values():
            assert {len(times) for times in library["us"].values()} == {found["rounds"]}
    assert found["rounds"] >= 5


def test_ratio_is_taken_within_rounds() -> None:
    # The machine was half as fast in the second round: no matter.
    times = record(by_hand=[10.0, 20.0, 10.0], dlref_numpy=[11.0, 22.0, 11.0])
    ratios = benchmark.ratios(times["measurements"][0], "dlref-numpy", "by-hand", "each")
    assert ratios == pytest.approx([1.1, 1.1, 1.1])


def test_missed_goal_is_named() -> None:
    times = record(by_hand=[10.0], dlref_numpy=[13.0], torch_nn=[20.0], jax=[12.0])
    goals = {(goal.other, goal.mode): goal for goal in benchmark.goals(times, 2)}
    assert {key for key, goal in goals.items() if not goal.met} == {
        ("by-hand", "each"),
        ("by-hand", "end"),
        ("jax", "each"),
    }
    summary = benchmark.summary(times)
    assert "2-2: 1.30 × by-hand, read after each step; goal 1.2" in summary
    assert "1.30 × torch" not in summary


def test_machine_that_was_not_quiet_is_named() -> None:
    assert "measure again" not in benchmark.summary(record(by_hand=[1.0, 1.1], dlref_numpy=[1, 1]))
    assert "measure again" in benchmark.summary(record(by_hand=[1.0, 3.0], dlref_numpy=[1, 2]))


@pytest.mark.parametrize(
    ("time", "shown"), [(57.34, "57.3"), (312.4, "312"), (1789.0, "1,790"), (73412.0, "73,400")]
)
def test_time_is_shown_with_three_digits(time: float, shown: str) -> None:
    assert benchmark.digits(time) == shown
