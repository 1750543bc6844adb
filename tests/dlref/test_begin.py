"""What ``fit`` looks at before it begins: what will fail is not begun, and leaves no trace."""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlref
from dlref import distributed, progress, training
from dlref.distributed import Group
from dlref.fingerprint import fingerprint
from tests.dlref.common import relative_error

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 4)).astype(np.float32)
Y = RNG.integers(0, 3, 22)
TEXT = RNG.integers(0, 11, (22, 5))


def numbers(net: dlref.Layer) -> dict[str, np.ndarray]:
    return {n: dlref.asarray(p) for n, p in [*net.params.items(), *net.buffers.items()]}


def fit(net: dlref.Layer, **options: Any) -> None:
    given: dict[str, Any] = {
        "data": (X, Y),
        "loss": dlref.cross_entropy,
        "optimizer": dlref.SGD(0.5),
        "epochs": 1,
        "batch_size": 8,
    }
    dlref.fit(net, **given | options)


def assert_refused(net: dlref.Layer, match: str, path: Path, **options: Any) -> None:
    optimizer = options.pop("optimizer", dlref.SGD(0.1))
    before, rate = numbers(net), optimizer.lr
    with pytest.raises(ValueError, match=match):
        fit(net, optimizer=optimizer, checkpoint=path / "run.safetensors", **options)
    for name, array in numbers(net).items():
        np.testing.assert_array_equal(array, before[name])
    assert optimizer.lr == rate
    assert not any(path.iterdir())


def test_capture_without_a_gpu(tmp_path: Path) -> None:
    assert_refused(dlref.mlp([4, 3]), 'is on "numpy"', tmp_path, capture=True)


def test_schedule_with_a_first_rate_that_does_not_fit(tmp_path: Path) -> None:
    match = r"schedule\(0\) must be at least 0.0, got -1"
    assert_refused(dlref.mlp([4, 3]), match, tmp_path, schedule=lambda step: -1.0)


def test_schedule_with_an_optimizer_that_has_made_steps(tmp_path: Path) -> None:
    optimizer = dlref.SGD(0.5)
    fit(dlref.mlp([4, 3]), optimizer=optimizer)
    assert_refused(
        dlref.mlp([4, 3]),
        "this one has made 3: make a new SGD",
        tmp_path,
        optimizer=optimizer,
        schedule=dlref.WarmupCosine(0.5, 6),
    )


def test_loss_whose_gradient_has_another_shape(tmp_path: Path) -> None:
    def loss(outputs: Any, y: Any) -> Any:
        value, gradient = dlref.cross_entropy(outputs, y)
        return value, gradient[:, :2]

    match = r"doutputs must have shape \(8, 3\), got \(8, 2\)"
    assert_refused(dlref.mlp([4, 3]), match, tmp_path, loss=loss)


@pytest.mark.parametrize("token", [-1, 99])
@pytest.mark.parametrize("place", [(20, 1), (21, 4)])
def test_a_token_out_of_range_in_any_example_is_named_by_where_it_is(
    token: int, place: tuple[int, int], tmp_path: Path
) -> None:
    text = TEXT.copy()
    text[place] = token
    row, column = place
    match = rf"data from example {row} on: .*\[0, 11\), got {token} at index \(0, {column}\)"
    assert_refused(dlref.gpt(11, 5, 8, 1, 2), match, tmp_path, data=(text, TEXT))


@pytest.mark.parametrize("batch_size", [7, 21])
def test_last_batch_that_is_too_small_for_batch_norm(batch_size: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(dlref.Linear(4, 3, rng), dlref.BatchNorm(3))
    match = r"the last batch of an epoch has 1 examples.*another batch_size"
    assert_refused(net, match, tmp_path, batch_size=batch_size)


def test_last_batch_that_leaves_one_row_for_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "join", lambda params: Group(rank=0, size=2))
    rng = np.random.default_rng(0)
    net = dlref.Sequential(dlref.Linear(4, 3, rng), dlref.BatchNorm(3))
    match = r"the last batch of an epoch has 3 examples, for 2 process"
    data = X[:19], Y[:19]
    assert_refused(net, match, tmp_path, data=data, batch_size=8, parallel=True)


def test_look_at_the_last_batch_leaves_running_numbers_as_they_are() -> None:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(dlref.Linear(4, 3, rng), dlref.BatchNorm(3))
    before = numbers(net)
    dlref.evaluation.check_smallest_batch(net, X, 8, 1)
    for name, array in numbers(net).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("kind", [np.uint8, np.int16])
def test_sizes_of_small_integers_do_not_overflow(kind: Any) -> None:
    x, y = RNG.normal(size=(600, 4)).astype(np.float32), RNG.integers(0, 3, 600)
    nets = [dlref.mlp([4, 3], seed=0) for _ in range(2)]
    for net, size in zip(nets, (kind(64), 64), strict=True):
        fit(net, data=(x, y), epochs=kind(1), batch_size=size)
    for name, p in nets[0].params.items():
        np.testing.assert_array_equal(p, nets[1].params[name])
    windows = [dlref.data.windows(np.arange(999), n)[0] for n in (kind(100), 100)]
    np.testing.assert_array_equal(windows[0], windows[1])


def test_order_of_the_examples_does_not_depend_on_what_a_gpu_draws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train() -> dict[str, np.ndarray]:
        net = dlref.mlp([4, 3], seed=0, device="cpu")
        fit(net, data=(dlref.asarray(X, "cpu"), dlref.asarray(Y, "cpu")), epochs=2)
        return numbers(net)

    expected, seeds = train(), []
    monkeypatch.setattr(
        training, "seed_device", lambda like, rng: seeds.append(int(rng.integers(2**63)))
    )
    for name, array in train().items():
        assert relative_error(array, expected[name]) == 0, name
    assert len(set(seeds)) == 2  # the masks of each epoch are others


def test_only_process_0_shows_a_bar_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    original = progress.progress

    def watched(done: int, total: int, unit: str, *, show: bool) -> Any:
        shown.append(show)
        return original(done, total, unit, show=False)

    monkeypatch.setattr(training, "progress", watched)
    for rank in (0, 1):
        monkeypatch.setattr(training, "join", lambda params, rank=rank: Group(rank=rank, size=1))
        fit(dlref.mlp([4, 3]), checkpoint=tmp_path / f"{rank}.safetensors", parallel=True)
    assert shown == [True, False]
    assert [path.name for path in tmp_path.iterdir()] == ["0.safetensors"]


def test_process_that_is_not_answered_gives_up_at_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distributed, "LONGEST_WAIT", timedelta(seconds=0.2))
    store = torch.distributed.HashStore()  # type: ignore[attr-defined]
    store.set("call 1", "the word of a process that stands still")
    with pytest.raises(RuntimeError, match=r"no answer within 0:00:00\.2"):
        distributed._meet(store, 0, 2)


class Decay:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, step: int) -> float:
        return self.rate**step


def test_objects_are_known_by_their_class_and_numbers_not_by_their_address() -> None:
    def words(part: Any) -> str:
        return fingerprint(part=part)["part"]

    assert words(Decay(0.9)) == words(Decay(0.9)) != words(Decay(0.5))
    assert words(partial(pow, 2, mod=3)) == words(partial(pow, 2, mod=3)) != words(partial(pow, 3))
    assert "0x" not in words(partial(Decay, rate=0.9)) + words(Decay(0.9))
    assert words({"scale": np.array(2.0)}) != words({"scale": np.array(3.0)})
    assert words({"a": 1}) == words({"a": 1}) != words({"a": 2})
    assert words(partial(pow, mod={"a": 1})) != words(partial(pow, mod={"a": np.ones(2)}))


@pytest.mark.parametrize("package", ["torch", "safetensors"])
def test_missing_package_is_named_with_the_remedy(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(ImportError, match=f"needs {package}.*: pip install {package}"):
        fit(
            dlref.mlp([4, 3]),
            parallel=package == "torch",
            checkpoint=tmp_path / "run.safetensors" if package == "safetensors" else None,
        )


def test_to_torch_without_pytorch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="to_torch needs torch"):
        dlref.to_torch(dlref.mlp([4, 3]))


def test_load_gpt2_without_safetensors_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"load_gpt2 needs safetensors.*: pip install safetens"):
        dlref.load_gpt2(tmp_path / "model.safetensors", heads=2)


def test_memory_of_a_run_is_that_of_its_batches() -> None:
    shapes = set()

    def loss(outputs: Any, y: Any) -> Any:
        shapes.add(tuple(outputs.shape))
        return dlref.cross_entropy(outputs, y)

    x, y = RNG.integers(0, 11, (600, 5)), RNG.integers(0, 11, (600, 5))
    fit(dlref.gpt(11, 5, 8, 1, 2), data=(x, y), loss=loss, batch_size=100, validation=(x, y))
    assert shapes == {(100, 5, 11)}
