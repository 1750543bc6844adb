"""Labels and tokens: what is out of range is named, and on a GPU nothing is read."""

from typing import Any

import numpy as np
import pytest
import torch

import dlref
from dlref.integers import check_range, one_hot
from tests.dlref.common import to_strict

WRONG = np.array([[0, 3], [-5, 9]])  # the first is neither the smallest nor the largest


@pytest.mark.parametrize("array", [np.asarray, torch.tensor, to_strict])
def test_the_first_of_several_numbers_out_of_range_is_named_with_its_place(array: Any) -> None:
    with pytest.raises(ValueError, match=r"x must be .* \[0, 3\), got 3 at index \(0, 1\)"):
        check_range("x", array(WRONG), 3)
    with pytest.raises(ValueError, match=r"got -5 at index 0"):
        check_range("x", array(WRONG[1]), 3)
    with pytest.raises(ValueError, match=r"labels must be .* got 3 at index \(0, 1\)"):
        one_hot("labels", array(WRONG), like=array(np.zeros((2, 2, 3))))
    check_range("x", array(WRONG[0]), 4)


def test_a_token_out_of_range_is_named_with_its_place() -> None:
    embedding = dlref.Embedding(3, 2, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"Embedding: x must be .* got 3 at index \(0, 1\)"):
        embedding.forward(WRONG)


def test_what_cannot_be_read_is_not_read() -> None:
    """PyTorch's "meta" tensors have no numbers, so that any look at one raises, as a GPU cannot."""
    labels = torch.zeros((4,), dtype=torch.int64, device="meta")
    with pytest.raises(RuntimeError, match="meta"):
        int(labels[0])
    check_range("labels", labels, 3)
    target = one_hot("labels", labels, like=torch.zeros((4, 3), device="meta"))
    assert (target.shape, target.dtype) == ((4, 3), torch.float32)
