"""The short forms of what the two commands show."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

import dlref
from tests.training.digits import interval, scores
from tests.training.python_manual import ngram_loss


def test_lenet_is_ahead_of_the_mlp_on_writers_it_has_not_seen() -> None:
    found = list(scores("last", range(2)))
    assert sum(score.lenet for score in found) > sum(score.mlp for score in found)
    assert min(score.lenet for score in found) / 360 > 0.9


def test_the_interval_is_that_of_wilson() -> None:
    for right in (0, 17, 335, 360):
        expected = binomtest(right, 360).proportion_ci(method="wilson")
        assert interval(right, 360) == pytest.approx(tuple(expected), abs=1e-4)


def test_ngrams_of_every_order_give_probabilities() -> None:
    ids = np.random.default_rng(0).integers(0, 4, 400).tolist()
    for order in (1, 2, 3, 5):
        found = [
            math.exp(-2 * ngram_loss(ids, [ids[7], character], order, 4)) for character in range(4)
        ]
        first = math.exp(-ngram_loss(ids, [ids[7]], order, 4))
        assert abs(sum(found) - first) < 1e-12  # of the second, whatever the first


def test_a_small_gpt_soon_knows_more_of_the_manual_than_counted_pairs() -> None:
    train, validation, characters = dlref.data.python_manual()
    x, y = dlref.data.windows(train, 64)
    net = dlref.gpt(len(characters), 64, 48, 2, 4, seed=0, device="cpu")
    optimizer = dlref.AdamW(0.003, betas=(0.9, 0.99))
    data = dlref.asarray(x, "cpu"), dlref.asarray(y, "cpu")
    dlref.fit(net, data, loss=dlref.cross_entropy, optimizer=optimizer, epochs=1, batch_size=8)
    x, y = dlref.data.windows(validation[:6401], 64)
    logits, _ = net.forward(dlref.asarray(x, "cpu"))
    loss = float(dlref.cross_entropy(logits, dlref.asarray(y, "cpu"))[0])
    ids = validation[:6400].tolist()
    # The margin is for rounding, which differs from processor to processor and grows in training.
    assert loss < ngram_loss(train.tolist(), ids, 2, len(characters)) - 0.1, loss
