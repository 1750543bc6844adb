"""Initial weights: their distribution, and the same ones on every device."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import dlref
from tests.dlref.common import TORCH_DEVICES


@pytest.mark.parametrize(("inputs", "outputs"), [(300, 400), (50, 2000), (2000, 50)])
def test_he_normal_has_the_mean_and_deviation_of_torchs_kaiming_normal(
    inputs: int, outputs: int
) -> None:
    weight = dlref.he_normal(inputs, outputs, np.random.default_rng(0))
    # torch.nn.init.kaiming_normal_: gain / sqrt(fan_in), gain sqrt(2) for ReLU.
    deviation = torch.nn.init.calculate_gain("relu") / math.sqrt(inputs)
    assert weight.shape == (inputs, outputs)
    standard_error = deviation / math.sqrt(weight.size)
    assert abs(weight.mean()) < 5 * standard_error
    assert abs(weight.std() - deviation) < 5 * standard_error / math.sqrt(2)
    fourth_moment = (weight**4).mean() / deviation**4  # 3 for a normal distribution
    assert abs(fourth_moment - 3) < 5 * math.sqrt(96 / weight.size)
    torchs = torch.nn.init.kaiming_normal_(torch.empty(outputs, inputs), nonlinearity="relu")
    assert abs(float(torchs.std()) / weight.std() - 1) < 0.02


@pytest.mark.parametrize(("inputs", "outputs"), [(300, 400), (50, 2000), (2000, 50)])
def test_glorot_uniform_has_the_bounds_of_torchs_xavier_uniform(inputs: int, outputs: int) -> None:
    weight = dlref.glorot_uniform(inputs, outputs, np.random.default_rng(0))
    limit = math.sqrt(6 / (inputs + outputs))
    assert weight.shape == (inputs, outputs)
    assert 0.999 * limit < np.abs(weight).max() <= limit
    deviation = limit / math.sqrt(3)
    assert abs(weight.mean()) < 5 * deviation / math.sqrt(weight.size)
    assert abs(weight.std() / deviation - 1) < 0.02
    torchs = torch.nn.init.xavier_uniform_(torch.empty(outputs, inputs))
    assert 0.999 * limit < float(torchs.abs().max()) <= limit * (1 + 1e-6)


@pytest.mark.parametrize("device", TORCH_DEVICES)
@pytest.mark.parametrize("init", [dlref.he_normal, dlref.glorot_uniform])
def test_equal_seeds_give_equal_weights_on_every_device(init: Any, device: str) -> None:
    for seed in range(3):
        expected = dlref.mlp([5, 4, 3], init=init, seed=seed).params
        found = dlref.mlp([5, 4, 3], init=init, seed=seed, device=device).params
        for name, p in expected.items():
            np.testing.assert_array_equal(dlref.asarray(found[name]), p)


def test_seeds_differ_and_a_generator_goes_on() -> None:
    first, second = (dlref.mlp([5, 3], seed=seed).params["0.weight"] for seed in (0, 1))
    assert not np.array_equal(first, second)
    rng = np.random.default_rng(0)
    third, fourth = (dlref.mlp([5, 3], seed=rng).params["0.weight"] for _ in range(2))
    np.testing.assert_array_equal(first, third)
    assert not np.array_equal(third, fourth)


def test_biases_start_at_zero_and_parameters_are_float32() -> None:
    for name, p in dlref.mlp([5, 4, 3]).params.items():
        assert p.dtype == np.float32
        assert name.endswith("weight") or not p.any()


def test_any_function_can_draw_the_weights() -> None:
    layer = dlref.Linear(2, 3, np.random.default_rng(0), lambda d, m, rng: np.full((d, m), 7))
    np.testing.assert_array_equal(layer.params["weight"], np.full((2, 3), 7, np.float32))
