"""Training: the four-line loop, with batches, validation, a history and checkpoints."""

from collections.abc import Callable

import numpy as np

from dlref.backend import Array, asarray, device_of, namespace
from dlref.checks import check_size
from dlref.layer import Layer
from dlref.optimizer import Optimizer
from dlref.progress import progress
from dlref.weight_initialization import generator

Data = tuple[Array, Array]
Loss = Callable[[Array, Array], tuple[Array, Array]]
Metric = Callable[[Array, Array], float]
History = dict[str, list[float]]


def fit(
    net: Layer,
    data: Data,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    seed: int | np.random.Generator = 0,
    validation: Data | None = None,
    metric: Metric | None = None,
) -> History:
    """Train a network in place: the four-line loop over batches, epoch after epoch.

    >>> import dlref
    >>> x, y, x_test, y_test = dlref.data.digits()
    >>> net = dlref.mlp([64, 32, 10], seed=0)
    >>> history = dlref.fit(
    ...     net,
    ...     (x, y),
    ...     loss=dlref.cross_entropy,
    ...     optimizer=dlref.SGD(lr=0.5),
    ...     epochs=10,
    ...     batch_size=64,
    ... )
    >>> print(f"{dlref.accuracy(net.forward(x_test)[0], y_test):.2f}")
    0.93
    """
    check_size("fit: epochs", epochs)
    check_size("fit: batch_size", batch_size)
    rng = generator("fit", seed)
    x, y = data
    history: History = {"loss": []}
    steps = -(-len(x) // batch_size)
    with progress(epochs * steps, 0, "step") as advance:
        for _ in range(epochs):
            total = 0.0
            order = asarray(rng.permutation(len(x)), device_of(x))
            for start in range(0, len(x), batch_size):
                batch = order[start : start + batch_size]
                x_batch, y_batch = _rows(x, batch), _rows(y, batch)

                logits, cache = net.forward(x_batch)
                value, dlogits = loss(logits, y_batch)
                _, grads = net.backward(dlogits, cache)
                optimizer.step(net.params, grads)

                total += value * len(x_batch)
                advance("")
            history["loss"].append(float(total) / len(x))
            if validation is not None:
                for name, found in _evaluate(net, validation, loss, metric, batch_size).items():
                    history.setdefault(name, []).append(found)
    return history


def _rows(x: Array, indices: Array) -> Array:
    return namespace(x).take(x, indices, axis=0)


def _evaluate(
    net: Layer, data: Data, loss: Loss, metric: Metric | None, batch_size: int
) -> dict[str, float]:
    x, y = data
    totals = {"validation_loss": 0.0}
    for start in range(0, len(x), batch_size):
        x_batch, y_batch = x[start : start + batch_size], y[start : start + batch_size]
        logits, _ = net.forward(x_batch)
        totals["validation_loss"] += float(loss(logits, y_batch)[0]) * len(x_batch)
        if metric is not None:
            name = f"validation_{metric.__name__}"
            totals[name] = totals.get(name, 0.0) + metric(logits, y_batch) * len(x_batch)
    return {name: total / len(x) for name, total in totals.items()}
