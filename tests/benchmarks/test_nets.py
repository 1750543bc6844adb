"""The nets are the same nets in dlref and in torch.nn, and what runs on a GPU runs on a CPU too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlref
from dlref.step import Step
from tests.benchmarks import cuda
from tests.benchmarks.answers import Checked
from tests.benchmarks.libraries import (
    LIBRARIES,
    Library,
    Trainer,
    UnavailableError,
    make_trainer,
    rows,
)
from tests.benchmarks.measure import BenchmarkError, Effort, compare, measure
from tests.benchmarks.nets import CUDA_NETS, GPT, MLP, NETS, TOLERANCE, LeNet, Net, problem
from tests.benchmarks.with_dlref import Captured, Dlref
from tests.benchmarks.with_torch import Eager
from tests.benchmarks.worker import Worker

TINY: list[Net] = [
    MLP((5, 7, 6, 3), 8),
    LeNet(4),
    GPT("tiny GPT", tokens=11, context=6, features=8, depth=2, heads=2, batch_size=3),
]
SHORT = Effort(rounds=2, seconds=0.01, limit=120.0)


def checked(trainer: Trainer) -> Checked:
    worker = Worker()
    worker.trainer = trainer
    return worker.check()


@pytest.mark.parametrize("net", TINY, ids=lambda net: net.title)
@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_module_by_hand_is_the_net_of_dlref(net: Net, device: str) -> None:
    exact = problem(net).in_float64()
    theirs, ours = checked(Eager(exact, "cpu")), checked(Dlref(exact, device))
    assert theirs.gradients is not None
    assert ours.gradients is not None
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-12)
    for name, mine, other in zip(exact.params, ours.gradients, theirs.gradients, strict=True):
        assert np.abs(mine - other).max() <= 1e-12 * np.abs(other).max(), name
    for mine, other in zip(ours.updated, theirs.updated, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("net", TINY[1:], ids=lambda net: net.title)
def test_every_row_of_a_net_agrees_and_is_timed(net: Net, tmp_path: Path) -> None:
    record = measure(net, rows(net, cuda=False), 1, SHORT, str(tmp_path))
    assert record["yardstick"] == "torch-nn"
    assert list(record["libraries"]) == ["dlref-numpy", "dlref-cpu", "torch-nn", "torch-compile"]


def test_rows_of_nets() -> None:
    assert "by-hand" in rows(NETS[0], cuda=False)
    assert list(rows(CUDA_NETS[-1], cuda=True)) == [
        "dlref-cuda",
        "dlref-captured-cuda",
        "torch-nn-cuda",
        "torch-compile-cuda",
        "torch-compile-reduced-cuda",
    ]
    assert [net.title for net in CUDA_NETS[-2:]] == ["8192-8192-8192-10", "GPT-2 small"]


@pytest.mark.parametrize("net", TINY, ids=lambda net: net.title)
@pytest.mark.parametrize("name", [name for name in LIBRARIES if name.endswith("-cuda")])
def test_row_on_a_gpu_agrees_and_is_timed(name: str, net: Net, tmp_path: Path) -> None:
    if "cuda" not in dlref.available_devices():
        pytest.skip("there is no GPU")
    record = measure(net, {name: LIBRARIES[name]}, 0, SHORT, str(tmp_path))
    assert min(record["libraries"][name]["us"]["each"]) > 0


def test_reduce_overhead_runs_on_a_cpu_too(tmp_path: Path) -> None:
    row = LIBRARIES["torch-compile-reduced-cuda"]._replace(device="cpu")
    record = measure(TINY[0], {"reduced": row}, 1, SHORT, str(tmp_path))
    assert record["libraries"]["reduced"]["loss_error"] <= TOLERANCE


def test_step_that_is_captured_is_checked_at_its_first_replay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a GPU: what stands for the recording makes a plain step, and counts itself."""
    steps: list[str] = []

    class Recorded:
        def __init__(self, step: Step) -> None:
            self.step = step

        def __call__(self, x: Any, y: Any, rng: np.random.Generator) -> Any:
            steps.append("step")
            return self.step(x, y, rng)

    monkeypatch.setattr("tests.benchmarks.with_dlref.CapturedStep", Recorded)
    task = problem(TINY[2])
    found = checked(Captured(task, "cpu"))
    compare("captured", found, checked(Eager(task.in_float64(), "cpu")), task)
    assert len(steps) == 4  # three to warm up


def test_net_may_have_a_tolerance_of_its_own() -> None:
    loose = problem(MLP((5, 7, 6, 3), 8, tolerance=0.05))
    exact = checked(Eager(loose.in_float64(), "cpu"))
    assert exact.gradients is not None
    off = exact._replace(gradients=[exact.gradients[0] * 1.01, *exact.gradients[1:]])
    compare("off", off, exact, loose)
    with pytest.raises(BenchmarkError, match=r"off: gradient 0\.weight differs"):
        compare("off", off, exact, problem(TINY[0]))


def test_rate_of_products_is_measured() -> None:
    assert cuda.product_rate("cpu", size=64, count=2) > 0


def test_gpu_that_is_not_there_is_said() -> None:
    if "cuda" in dlref.available_devices():
        pytest.skip("there is one")
    for trainer in ("with_torch:Eager", "with_dlref:Captured"):
        library = Library(trainer, f"tests.benchmarks.{trainer}", "cuda")
        with pytest.raises(UnavailableError, match=r"no (CUDA )?device"):
            make_trainer(library, problem(TINY[0]))
