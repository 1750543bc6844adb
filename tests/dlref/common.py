"""What several test files need: layers, devices, random arrays."""

from collections.abc import Callable
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest

import dlref

Array = Any

ACTIVATIONS: list[type[dlref.Layer]] = [dlref.ReLU, dlref.Sigmoid, dlref.Tanh]
LAYERS: dict[str, Callable[[], dlref.Layer]] = {
    "Linear": lambda: dlref.Linear(4, 3, np.random.default_rng(0)),
    "ReLU": dlref.ReLU,
    "Sigmoid": dlref.Sigmoid,
    "Tanh": dlref.Tanh,
    "Sequential": lambda: dlref.mlp([4, 5, 3], seed=0),
}
"""Each maps (N, 4) to (N, 3) or (N, 4)."""

OPTIMIZERS: dict[str, Callable[[], dlref.Optimizer]] = {
    "SGD": lambda: dlref.SGD(0.1),
    "momentum": lambda: dlref.SGD(0.1, momentum=0.9),
    "Adam": lambda: dlref.Adam(0.1, weight_decay=0.1, amsgrad=True),
    "AdamW": lambda: dlref.AdamW(0.1, betas=(0.8, 0.9)),
}

TORCH_DEVICES = [
    pytest.param(
        device,
        marks=pytest.mark.skipif(
            device not in dlref.available_devices(), reason=f"this machine has no {device}"
        ),
    )
    for device in ("cpu", "cuda", "mps")
]
DEVICES = ["numpy", *TORCH_DEVICES]
on_all_arrays = pytest.mark.parametrize(
    ("device", "kernel"),
    [
        ("numpy", False),
        *(
            pytest.param(*device.values, kernel, marks=device.marks)
            for device in TORCH_DEVICES
            for kernel in (True, False)
        ),
    ],
)
"""On every device; on PyTorch's with its own kernels and without."""


def to_strict(x: Any) -> Any:
    """An array that can do what the array API standard asks for, and nothing else."""
    return strict.asarray(np.array(x))


def randomize(net: dlref.Layer, rng: np.random.Generator) -> dlref.Layer:
    """A float64 copy of a layer with random biases, which start at 0, and large weights."""
    return net.with_params(
        {name: rng.normal(0.0, 2 / np.sqrt(p.shape[0]), p.shape) for name, p in net.params.items()}
    )


def random_mlp(
    sizes: list[int], activation: type[dlref.Layer], rows: int, rng: np.random.Generator
) -> tuple[dlref.Sequential, np.ndarray]:
    """A float64 network and an input (rows, sizes[0]) at which finite differences can judge it.

    They cannot where a ReLU's input is so near 0 that a difference crosses the kink, nor where a
    gradient has vanished: they round at 1e-11, and of a dead network they compare 0 with 0.
    """
    for _ in range(10_000):
        net = randomize(dlref.mlp(sizes, activation), rng)
        assert isinstance(net, dlref.Sequential)
        x = rng.normal(size=(rows, sizes[0]))
        nearest, y, caches = np.inf, x, []
        for layer in net.layers:
            if isinstance(layer, dlref.ReLU):
                nearest = min(nearest, float(np.abs(y).min()))
            y, cache = layer.forward(y)
            caches.append(cache)
        dx, grads = net.backward(np.ones_like(y), caches, input_grad=True)
        if nearest > 1e-3 and min(np.abs(grad).max() for grad in [dx, *grads.values()]) > 1e-3:
            return net, x
    raise AssertionError("no such network in 10,000 draws")


def relative_error(actual: Array, expected: Array) -> float:
    """The largest difference, relative to the largest element."""
    actual, expected = dlref.asarray(actual), dlref.asarray(expected)
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    scale = float(np.abs(expected).max())
    difference = float(np.abs(actual - expected).max())
    return difference / scale if scale > 0 else difference
