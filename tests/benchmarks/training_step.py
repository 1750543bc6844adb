"""One training step, three times: by hand in NumPy, and the loop of dlref on two devices.

All three make a network of linear layers and ReLU from the same weights, and train it on the
same batch with cross-entropy and plain gradient descent.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import dlref

LEARNING_RATE = 0.01

Arrays = list[np.ndarray]


class Step(NamedTuple):
    """A training step, and what it starts from."""

    run: Callable[[], Any]
    """Make one step; return the loss, which nothing reads."""
    gradients: Callable[[], tuple[float, Arrays]]
    """The loss and every gradient at the present parameters, without a step."""


def batch(sizes: list[int], batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs (N, D), float32, and labels (N,)."""
    rng = np.random.default_rng(0)
    x = rng.random((batch_size, sizes[0]), dtype=np.float32)
    return x, rng.integers(0, sizes[-1], batch_size)


def by_hand(sizes: list[int], batch_size: int) -> Step:
    """What a competent person writes plainly: no classes, no checks."""
    x, y = batch(sizes, batch_size)
    params = [param.copy() for param in dlref.mlp(sizes, seed=0).params.values()]
    weights, biases = params[0::2], params[1::2]
    last = len(weights) - 1
    rows = np.arange(batch_size)

    def backpropagate() -> tuple[Any, Arrays, Arrays]:
        activations = [x]
        a = x
        for i in range(last):
            a = np.maximum(a @ weights[i] + biases[i], 0)
            activations.append(a)
        logits = a @ weights[last] + biases[last]

        exps = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exps / exps.sum(axis=1, keepdims=True)
        loss = -np.log(probabilities[rows, y]).mean()

        d = probabilities
        d[rows, y] -= 1
        d /= batch_size
        weight_grads, bias_grads = [], []
        for i in range(last, -1, -1):
            weight_grads.append(activations[i].T @ d)
            bias_grads.append(d.sum(axis=0))
            if i > 0:
                d = (d @ weights[i].T) * (activations[i] > 0)
        return loss, weight_grads[::-1], bias_grads[::-1]

    def run() -> Any:
        loss, weight_grads, bias_grads = backpropagate()
        for i in range(last + 1):
            weights[i] -= LEARNING_RATE * weight_grads[i]
            biases[i] -= LEARNING_RATE * bias_grads[i]
        return loss

    def gradients() -> tuple[float, Arrays]:
        loss, weight_grads, bias_grads = backpropagate()
        pairs = zip(weight_grads, bias_grads, strict=True)
        return float(loss), [grad for pair in pairs for grad in pair]

    return Step(run, gradients)


def layered(sizes: list[int], batch_size: int, device: str) -> Step:
    """The loop that every page teaches."""
    x, y = (dlref.asarray(array, device) for array in batch(sizes, batch_size))
    net = dlref.mlp(sizes, seed=0, device=device)
    optimizer = dlref.SGD(lr=LEARNING_RATE)

    def run() -> Any:
        logits, cache = net.forward(x)
        loss, dlogits = dlref.cross_entropy(logits, y)
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
        return loss

    def gradients() -> tuple[float, Arrays]:
        logits, cache = net.forward(x)
        loss, dlogits = dlref.cross_entropy(logits, y)
        _, grads = net.backward(dlogits, cache)
        return float(loss), [dlref.asarray(grads[name]) for name in net.params]

    return Step(run, gradients)
