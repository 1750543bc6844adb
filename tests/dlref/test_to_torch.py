"""The equivalent torch.nn.Module: the same outputs, gradients, names; and arrays by DLPack."""

from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
import torch.utils.dlpack

import dlref
from tests.dlref.common import TORCH_DEVICES, relative_error

RNG = np.random.default_rng(0)
Nets = Callable[[np.random.Generator], dlref.Layer]
ROWS, IMAGES, TOKENS = (2, 4), (2, 4, 6, 6), (2, 5)
NETS: dict[str, tuple[Nets, tuple[int, ...]]] = {
    "mlp": (lambda rng: dlref.mlp([4, 5, 3], seed=rng), ROWS),
    "sigmoid": (lambda rng: dlref.mlp([4, 4], dlref.Sigmoid, seed=rng), ROWS),
    "activations": (
        lambda rng: dlref.Sequential(dlref.Sigmoid(), dlref.Tanh(), dlref.GELU()),
        ROWS,
    ),
    "convolution": (
        lambda rng: dlref.Sequential(
            dlref.Conv2d(4, 6, 3, rng, stride=2, padding=1, groups=2),
            dlref.BatchNorm(6),
            dlref.LocalResponseNorm(3, 0.5),
            dlref.MaxPool2d(2, stride=1),
            dlref.Flatten(),
            dlref.Linear(24, 3, rng),
            dlref.BatchNorm(3),
            dlref.Dropout(0.3),
        ),
        IMAGES,
    ),
    "block": (lambda rng: dlref.transformer_block(6, 2, rng), (2, 5, 6)),
    "causal block": (lambda rng: dlref.transformer_block(6, 3, rng, causal=True), (2, 5, 6)),
    "lenet": (lambda rng: dlref.lenet((1, 8, 8), 4, padding=(2, 2), seed=rng), (2, 1, 8, 8)),
    "gpt": (lambda rng: dlref.gpt(11, 6, 8, 2, 2, dropout=0.2, seed=rng), TOKENS),
}


def random_net(name: str) -> tuple[dlref.Layer, np.ndarray]:
    """A float64 network with random parameters and running numbers, and an input for it."""
    make, shape = NETS[name]
    rng = np.random.default_rng(1)
    net = make(rng).to(dtype="float64")
    for p in net.params.values():
        p += 0.3 * rng.normal(size=p.shape)
    for running in net.buffers.values():
        running += rng.uniform(size=running.shape)
    return net, rng.integers(0, 11, shape) if shape == TOKENS else rng.normal(size=shape)


@pytest.mark.parametrize("device", ["numpy", *TORCH_DEVICES])
@pytest.mark.parametrize("name", NETS)
def test_the_module_has_the_outputs_the_gradients_and_the_names_of_the_network(
    name: str, device: str
) -> None:
    if device == "mps":
        return  # it has no float64
    net, x = random_net(name)
    net = net.to(device)
    y, cache = net.forward(dlref.asarray(x, device))
    dy = RNG.normal(size=tuple(y.shape))
    dx, grads = net.backward(dlref.asarray(dy, device), cache, input_grad=True)

    module = dlref.to_torch(net)
    where = "cpu" if device == "numpy" else device
    inputs = dlref.asarray(x, where)
    inputs.requires_grad_(dx is not None)
    outputs = module(inputs)
    outputs.backward(dlref.asarray(dy, where))
    assert relative_error(outputs, y) <= 1e-12
    if dx is not None:
        assert relative_error(inputs.grad, dx) <= 1e-10
    found = dict(module.named_parameters())
    assert list(found) == list(net.params)
    for key, parameter in found.items():
        assert parameter.grad is not None
        embedding = name == "gpt" and key in ("0.weight", "0.position")
        linear = parameter.grad.ndim == 2 and not embedding
        assert relative_error(parameter.grad.T if linear else parameter.grad, grads[key]) <= 1e-9


def test_the_module_trains_by_batch_statistics_to_the_same_running_numbers() -> None:
    net, x = random_net("convolution")
    module = dlref.to_torch(net).train()
    for _ in range(3):
        net.forward(x, training=np.random.default_rng(0))
        module(torch.from_numpy(x))
    state = module.state_dict()
    for name, running in net.buffers.items():
        assert relative_error(state[name], running) <= 1e-12, name


def test_the_module_shares_no_memory_with_the_network() -> None:
    for device in ("numpy", "cpu"):
        net = dlref.mlp([3, 2], device=device)
        with torch.no_grad():
            for parameter in dlref.to_torch(net).parameters():
                parameter.add_(1)
        assert float(dlref.asarray(net.params["0.bias"]).sum()) == 0


def test_a_class_of_the_readers_own_is_refused() -> None:
    class Twice(dlref.ReLU):
        def forward(self, x: Any, *, training: Any = None) -> Any:
            y, cache = super().forward(x)
            return 2 * y, cache

    with pytest.raises(TypeError, match=r"Twice\(\) is not dlref's own: write its torch.nn.Module"):
        dlref.to_torch(dlref.Sequential(Twice()))


def test_arrays_pass_by_dlpack_without_a_copy() -> None:
    net = dlref.mlp([3, 2], seed=0)
    theirs = {name: torch.utils.dlpack.from_dlpack(p) for name, p in net.params.items()}
    on_torch = net.with_params(theirs)
    x = np.ones((1, 3), np.float32)
    expected = net.forward(x)[0].copy()
    np.testing.assert_array_equal(
        on_torch.forward(torch.utils.dlpack.from_dlpack(x))[0].numpy(), expected
    )
    theirs["0.bias"] += 1
    np.testing.assert_array_equal(net.forward(x)[0], expected + 1)


def test_asarray_takes_the_arrays_of_another_library() -> None:
    x = array_api_strict.asarray(np.arange(6.0).reshape(2, 3))
    for device in ("numpy", "cpu"):
        found = dlref.asarray(x, device)
        np.testing.assert_array_equal(dlref.asarray(found), np.arange(6.0).reshape(2, 3))
