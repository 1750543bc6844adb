"""The code runs on any library of the array API standard: array-api-strict has nothing else."""

from typing import Any

import numpy as np
import pytest

import dlref
from tests.dlref.common import ACTIVATIONS, OPTIMIZERS, relative_error, to_strict


def from_strict(x: Any) -> np.ndarray:
    return np.from_dlpack(x)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_training_on_strict_arrays_gives_numpys_numbers(
    activation: type[dlref.Layer], optimizer: str
) -> None:
    rng = np.random.default_rng(0)
    net = dlref.mlp([4, 5, 3], activation).to(dtype="float64")
    strict_net = net.with_params({name: to_strict(p) for name, p in net.params.items()})
    x, y = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    optimizers = OPTIMIZERS[optimizer](), OPTIMIZERS[optimizer]()
    for _ in range(5):
        logits, cache = net.forward(x)
        loss, dlogits = dlref.cross_entropy(logits, y)
        dx, grads = net.backward(dlogits, cache, input_grad=True)
        optimizers[0].step(net.params, grads)

        logits2, cache2 = strict_net.forward(to_strict(x))
        loss2, dlogits2 = dlref.cross_entropy(logits2, to_strict(y))
        dx2, grads2 = strict_net.backward(dlogits2, cache2, input_grad=True)
        optimizers[1].step(strict_net.params, grads2)

        assert float(loss2) == pytest.approx(float(loss), rel=1e-12)
        assert relative_error(from_strict(dx2), dx) <= 1e-12
        for name, grad in grads.items():
            assert relative_error(from_strict(grads2[name]), grad) <= 1e-12
            assert relative_error(from_strict(strict_net.params[name]), net.params[name]) <= 1e-12
    assert dlref.accuracy(logits2, to_strict(y)) == dlref.accuracy(logits, y)


def test_mse_on_strict_arrays_gives_numpys_numbers() -> None:
    rng = np.random.default_rng(0)
    predictions, targets = rng.normal(size=(2, 5, 1))
    loss, gradient = dlref.mse(predictions, targets)
    loss2, gradient2 = dlref.mse(to_strict(predictions), to_strict(targets))
    assert float(loss2) == pytest.approx(float(loss), rel=1e-12)
    assert relative_error(from_strict(gradient2), gradient) <= 1e-12


def test_gradcheck_runs_on_strict_arrays() -> None:
    net = dlref.mlp([3, 4, 2], dlref.Tanh).to(dtype="float64")
    strict_net = net.with_params({name: to_strict(p) for name, p in net.params.items()})
    x = to_strict(np.random.default_rng(0).normal(size=(2, 3)))
    assert max(dlref.gradcheck(strict_net, x).values()) <= 1e-6


def test_bad_values_in_strict_arrays_are_named() -> None:
    with pytest.raises(ValueError, match=r"got nan at index \(1, 0\)"):
        dlref.mse(to_strict([[0.0], [np.nan]]), to_strict([[0.0], [1.0]]))
    with pytest.raises(ValueError, match="got 3 at index 1"):
        dlref.cross_entropy(to_strict([[0.0, 1.0], [1.0, 0.0]]), to_strict([0, 3]))
