"""Captured steps without a GPU: PyTorch's tracer records the step, and the recording is replayed.

A tracer sees what a CUDA graph sees: the operations on arrays, in their order, with every number
that Python computed frozen into them. Unlike a graph it also performs them once, which is undone.
What only a GPU can show runs where there is one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

import dlref
from dlref import backend, capture, checks, devices, integers, kernels, optimizer, training
from dlref.distributed import Group
from tests.dlref.common import relative_error

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 4)).astype(np.float32)  # two batches of 8, and one of 6
Y = RNG.integers(0, 3, 22)
IMAGES = RNG.normal(size=(22, 1, 8, 8)).astype(np.float32)
TOKENS = RNG.integers(0, 11, (22, 5))


def mlp() -> dlref.Layer:
    return dlref.mlp([4, 6, 3], seed=0, device="cpu")


def batch_norm() -> dlref.Layer:
    rng = np.random.default_rng(0)
    layers = dlref.Linear(4, 6, rng), dlref.BatchNorm(6), dlref.ReLU(), dlref.Linear(6, 3, rng)
    return dlref.Sequential(*layers).to("cpu")


def lenet() -> dlref.Layer:
    return dlref.lenet((1, 8, 8), 3, padding=(2, 2), seed=0, device="cpu")


def gpt() -> dlref.Layer:
    return dlref.gpt(11, 5, 8, 2, 2, seed=0, device="cpu")


NETS: dict[str, tuple[Callable[[], dlref.Layer], Any, Any]] = {
    "mlp": (mlp, X, Y),
    "batch_norm": (batch_norm, X, Y),
    "lenet": (lenet, IMAGES, Y),
    "gpt": (gpt, TOKENS, TOKENS),
}
OPTIMIZERS: dict[str, Callable[[], dlref.Optimizer]] = {
    "SGD": lambda: dlref.SGD(0.1),
    "momentum": lambda: dlref.SGD(0.1, momentum=0.9),
    "Adam": lambda: dlref.Adam(0.01, weight_decay=0.1, amsgrad=True),
    "AdamW": lambda: dlref.AdamW(0.01),
}


class Tracer:
    """In the place of ``record_graph``; counts what it does."""

    def __init__(self, arrays: Callable[[], list[Any]]) -> None:
        self.arrays, self.recordings, self.replays = arrays, 0, 0

    def __call__(self, function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        before = [array.clone() for array in self.arrays()]
        result = torch.zeros(())
        graph = make_fx(function)()
        for array, kept in zip(self.arrays(), before, strict=True):
            array.copy_(kept)
        self.recordings += 1

        def replay() -> None:
            self.replays += 1
            result.copy_(graph())

        return result, replay


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays on the CPU are treated as those on a GPU: their values are not read."""
    for module in (backend, checks, devices, integers, kernels):
        monkeypatch.setattr(module, "on_cpu", lambda x: False)
    for module in (checks, optimizer):
        monkeypatch.setattr(module, "is_plainly_finite", lambda x: False)
    monkeypatch.setattr(capture, "device_of", lambda x: "cuda")
    monkeypatch.setattr(capture, "asarray", lambda x, device, **kw: devices.asarray(x, "cpu", **kw))
    monkeypatch.setattr(capture, "run_beside", lambda function: function())
    monkeypatch.setattr(training, "seed_device", lambda like, rng: rng.integers(2**63))


def train(
    monkeypatch: pytest.MonkeyPatch,
    net_name: str,
    optimizer_name: str,
    *,
    captured: bool,
    batch_size: int = 8,
    **options: Any,
) -> tuple[dict[str, list[float]], dlref.Layer, Tracer]:
    make, x, y = NETS[net_name]
    net, moved_by = make(), OPTIMIZERS[optimizer_name]()
    tracer = Tracer(
        lambda: [*net.params.values(), *net.buffers.values(), *moved_by.state()[1].values()]
    )
    monkeypatch.setattr(capture, "record_graph", tracer)
    history = dlref.fit(
        net,
        (dlref.asarray(x, "cpu"), dlref.asarray(y, "cpu")),
        loss=dlref.cross_entropy,
        optimizer=moved_by,
        epochs=4,
        batch_size=batch_size,
        capture=captured,
        **options,
    )
    return history, net, tracer


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("net", NETS)
def test_a_recorded_step_replays_to_the_numbers_of_the_plain_loop(
    net: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"schedule": dlref.WarmupCosine(0.05, 12, warmup=4), "max_norm": 0.5}
    expected, plain, _ = train(monkeypatch, net, name, captured=False, **options)
    history, replayed, tracer = train(monkeypatch, net, name, captured=True, **options)
    assert (tracer.recordings, tracer.replays) == (1, 5)  # of 8 full batches, 3 warmed up
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)
    for key, p in [*plain.params.items(), *plain.buffers.items()]:
        found = (dict(replayed.params) | dict(replayed.buffers))[key]
        assert relative_error(found, p) <= 1e-6, key


@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_step_is_recorded_where_one_batch_holds_all_examples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, _, tracer = train(monkeypatch, "mlp", "SGD", captured=True, batch_size=1000)
    assert (tracer.recordings, tracer.replays) == (1, 1)  # of 4 batches, 3 warmed up


@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_loss_that_reads_a_value_cannot_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def reads(outputs: Any, y: Any) -> Any:
        loss, doutputs = dlref.cross_entropy(outputs, y)
        return loss, doutputs * float(loss)

    net = mlp()
    monkeypatch.setattr(capture, "record_graph", Tracer(lambda: []))
    data = dlref.asarray(X, "cpu"), dlref.asarray(Y, "cpu")
    with pytest.raises(RuntimeError):
        dlref.fit(
            net,
            data,
            loss=reads,
            optimizer=dlref.SGD(0.1),
            epochs=4,
            batch_size=8,
            capture=True,
        )


@pytest.mark.usefixtures("as_on_a_gpu")
def test_each_replay_draws_masks_of_its_own() -> None:
    layer, x = dlref.Dropout(0.5), torch.ones(1000)
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    graph = make_fx(lambda: layer.forward(x, training=rng)[0])()
    masks = [graph() for _ in range(20)]
    assert rng.bit_generator.state == before  # the device's generator draws
    for i, mask in enumerate(masks):
        assert set(mask.tolist()) == {0.0, 2.0}
        assert abs(float(mask.mean()) - 1) < 5 / np.sqrt(1000)  # 5 standard deviations
        assert all(bool((mask != other).any()) for other in masks[:i])


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_capture_without_a_gpu_says_where_the_network_is(device: str) -> None:
    net = dlref.mlp([4, 6, 3], device=device)
    before = {name: dlref.asarray(p) for name, p in net.params.items()}
    data = dlref.asarray(X, device), dlref.asarray(Y, device)
    with pytest.raises(ValueError, match=f'the network is on "{device}": move it with'):
        dlref.fit(
            net,
            data,
            loss=dlref.cross_entropy,
            optimizer=dlref.SGD(0.1),
            epochs=1,
            batch_size=8,
            capture=True,
        )
    for name, p in net.params.items():
        np.testing.assert_array_equal(dlref.asarray(p), before[name])


@pytest.mark.skipif("cuda" not in dlref.available_devices(), reason="this machine has no cuda")
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("net", NETS)
def test_a_cuda_graph_replays_to_the_numbers_of_the_plain_loop(net: str, name: str) -> None:
    make, x, y = NETS[net]
    data = dlref.asarray(x, "cuda"), dlref.asarray(y, "cuda")
    found = []
    for captured in (False, True):
        moved = make().to("cuda")
        history = dlref.fit(
            moved,
            data,
            loss=dlref.cross_entropy,
            optimizer=OPTIMIZERS[name](),
            epochs=4,
            batch_size=8,
            capture=captured,
        )
        found.append((history, moved))
    (expected, plain), (replayed, graph) = found
    np.testing.assert_allclose(replayed["loss"], expected["loss"], rtol=1e-4)
    for key, p in plain.params.items():
        assert relative_error(graph.params[key], p) <= 1e-4, key


def test_capture_with_several_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "join", lambda params: Group(rank=0, size=2))
    net = mlp()
    before = {name: p.clone() for name, p in net.params.items()}
    with pytest.raises(ValueError, match="capture=True records one process alone: leave it or"):
        dlref.fit(
            net,
            (dlref.asarray(X, "cpu"), dlref.asarray(Y, "cpu")),
            loss=dlref.cross_entropy,
            optimizer=dlref.SGD(0.1),
            epochs=1,
            batch_size=8,
            capture=True,
            parallel=True,
        )
    assert all(torch.equal(p, before[name]) for name, p in net.params.items())


@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_captured_run_ends_at_the_learning_rate_of_the_plain_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates: list[float] = []

    class Watched(dlref.SGD):
        def check_settings(self) -> None:
            super().check_settings()
            rates.append(self.lr)

    schedule = dlref.WarmupCosine(0.5, 12)
    monkeypatch.setitem(OPTIMIZERS, "watched", lambda: Watched(0.5))
    for captured in (True, False):
        rates.clear()
        train(monkeypatch, "mlp", "watched", captured=captured, schedule=schedule)
        assert rates[-1] == schedule(11)


@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_learning_rate_that_does_not_fit_ends_a_captured_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match=r"fit: schedule\(7\) must be at least 0.0, got -5"):
        train(
            monkeypatch,
            "mlp",
            "SGD",
            captured=True,
            schedule=lambda step: 0.1 if step < 7 else -5.0,
        )
