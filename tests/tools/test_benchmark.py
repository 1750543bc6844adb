"""The page of the benchmark says what was measured, and nothing older."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.nets import CUDA_NETS
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


def measured(net: str, yardstick: str, **us: float) -> dict[str, Any]:
    """A measurement of two rounds: the times are made up."""
    libraries = {
        name.replace("_", "-"): {
            "us": {"each": [time, time * 1.1], "end": [time, time * 1.1]},
            "loss_error": 1e-8,
            "gradient_error": 1e-7,
            "first_step_seconds": 1.0,
            "idle_seconds": 1.0,
            "idle_cpu_seconds": 0.0,
        }
        for name, time in us.items()
    }
    return {"net": net, "batch_size": 4, "cores": 1, "yardstick": yardstick} | {
        "libraries": libraries
    }


@pytest.fixture
def made_up(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A folder with a record of three nets on a CPU and three on a GPU."""
    cuda = {"torch_nn_cuda": 100.0, "torch_compile_cuda": 80.0}
    wide = measured("8192-8192-8192-10", "torch-nn-cuda", dlref_captured_cuda=88.0, **cuda)
    wide |= {"sizes": [8192, 8192, 8192, 10]}
    found = json.loads((ROOT / benchmark.RECORD).read_text(encoding="utf-8")) | {
        "unavailable": {},
        "measurements": [
            measured("64-64-10", "by-hand", by_hand=10.0, dlref_numpy=11.0, torch_nn=50.0),
            measured("LeNet", "torch-nn", dlref_numpy=95.0, dlref_cpu=120.0, torch_nn=100.0),
            measured("GPT", "torch-nn", dlref_numpy=150.0, dlref_cpu=103.0, torch_nn=100.0),
        ],
        "cuda": [
            measured("LeNet", "torch-nn-cuda", dlref_captured_cuda=300.0, **cuda),
            wide,
            measured("GPT-2 small", "torch-nn-cuda", dlref_captured_cuda=84.0, **cuda),
        ],
    }
    found["titles"] |= {name: name for name in ("dlref-captured-cuda", *found["titles"])}
    found["titles"] |= {"torch-nn-cuda": "torch.nn, CUDA", "torch-compile-cuda": "compiled"}
    # Four examples take 2 · 4 · (2 · 8192² + 3 · 8192² + 3 · 8192 · 10) operations.
    found["product_rate"] = 2 * 4 * (5 * 8192**2 + 3 * 81920) / (88.0 * 1.05e-6) / 0.8
    path = tmp_path / benchmark.RECORD
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(found), encoding="utf-8")
    return tmp_path, found


def test_better_of_two_rows_is_compared_with_torch_nn(
    made_up: tuple[Path, dict[str, Any]],
) -> None:
    found = {goal.net: goal for goal in benchmark.better_goals(made_up[1], 1)}
    assert found["LeNet"].ratio == pytest.approx(0.95)
    assert found["LeNet"].met
    assert found["GPT"].ratio == pytest.approx(1.03)
    assert not found["GPT"].met
    assert {goal.net for goal in benchmark.goals(made_up[1], 1)} == {"64-64-10"}


def test_captured_is_compared_with_the_fastest_of_pytorch(
    made_up: tuple[Path, dict[str, Any]],
) -> None:
    found = {goal.net: goal for goal in benchmark.gpu_goals(made_up[1])}
    assert {net: round(goal.ratio, 2) for net, goal in found.items()} == {
        "8192-8192-8192-10": 1.1,
        "GPT-2 small": 1.05,
    }
    assert [goal.met for goal in found.values()] == [False, True]
    assert benchmark.product_share(made_up[1]) == pytest.approx(0.8)
    summary = benchmark.summary(made_up[1])
    assert "8192-8192-8192-10: 1.10 × the fastest of PyTorch, read at the end; goal 1.0" in summary
    assert "8192-wide: 80% of the GPU's rate of products; goal 75%" in summary


def test_page_shows_every_net_that_was_measured(made_up: tuple[Path, dict[str, Any]]) -> None:
    root, _ = made_up
    files = benchmark.generate(root)
    charts = benchmark_chart.generate(root)
    nets, gpu = (files[benchmark.FOLDER / f"{name}.md"] for name in ("nets", "gpu"))
    assert [line for line in nets.splitlines() if line.startswith("### ")] == [
        "### 64-64-10, batch 4",
        "### LeNet, batch 4",
        "### GPT, batch 4",
    ]
    assert "× torch.nn" in nets
    assert "computes 80% of what the card computes" in gpu
    assert "### GPT-2 small, batch 4" in gpu
    for chart in charts:
        assert chart.as_posix() in nets + gpu
    assert len(charts) == 6
    assert "as a multiple of that of torch.nn" in charts[benchmark.FOLDER / "gpu-1.html"]


def test_no_number_for_a_gpu_without_one() -> None:
    assert benchmark._gpu({"measurements": []}) == (
        "No GPU was at hand, so this page has no number for one.\n"
    )


def test_every_net_is_described() -> None:
    for net in CUDA_NETS:
        assert net.title in benchmark.ABOUT
        if net.tolerance > 1e-3:
            assert f"off by {net.tolerance:g}" in benchmark.ABOUT[net.title]
