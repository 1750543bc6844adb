"""What a loss and a metric say of a network on a set of examples."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from dlref.backend import Array, dtype_name, namespace
from dlref.checks import FLOATS, check_array, check_finite
from dlref.devices import asarray_like
from dlref.layer import Layer

Data = tuple[Array, Array]
"""Inputs and targets, ``(x, y)``, one row an example in both."""

Loss = Callable[[Array, Array], tuple[Array, Array]]
"""A function of outputs and targets that returns the loss and the outputs' gradient."""

Metric = Callable[[Array, Array], float]
"""A function of outputs and targets that returns a number, as ``accuracy``."""


def evaluate(
    net: Layer, data: Data, loss: Loss, metric: Metric | None, batch_size: int
) -> dict[str, float]:
    """The means over all examples, so many at once, under their names in a history."""
    x, y = data
    means: dict[str, float] = {}
    for start in range(0, len(x), batch_size):
        x_rows, y_rows = x[start : start + batch_size], y[start : start + batch_size]
        outputs, _ = net.forward(x_rows)
        values = {"validation_loss": float(loss(outputs, y_rows)[0])}
        if metric is not None:
            values[f"validation_{_name(metric)}"] = float(metric(outputs, y_rows))
        for name, value in values.items():
            means[name] = means.get(name, 0.0) + value * (len(x_rows) / len(x))
    return means


def check_examples(
    what: str,
    net: Layer,
    data: Data,
    loss: Loss,
    metric: Metric | None = None,
    *,
    batch_size: int,
) -> None:
    """Raise unless network, loss and metric take every example, so that training will not stop.

    The targets are shown to the loss beside the network's outputs for the first example, which
    are repeated without a copy, and so cannot be written.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        got = f"{len(data)} of them" if isinstance(data, (tuple, list)) else type(data).__name__
        raise TypeError(f"fit: {what} must be a pair (x, y) of arrays, got {got}")
    for name, function in (("loss", loss), ("metric", metric)):
        if function is not None and not callable(function):
            raise TypeError(f"fit: {name} must be a function of outputs and y, got {function!r}")
    if metric is not None and _name(metric) == "loss":
        raise ValueError('fit: metric must not be named "loss", as the loss is: rename it')
    x, y = data
    xp = namespace(x)
    namespace(y)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"fit: {what} must hold as many targets as examples, at least one, "
            f"got x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)}"
        )
    if dtype_name(x) in FLOATS:
        check_finite(f"fit: {what}: x", x)
    else:  # tokens: the first that is too small or too large is among these
        rows = xp.reshape(x, (len(x), -1))
        for extreme in (xp.argmin(xp.min(rows, axis=1)), xp.argmax(xp.max(rows, axis=1))):
            first = int(extreme)
            with _explained(f"fit: {what} from example {first} on"):
                net.forward(x[first : first + 1])
    with _explained(f"fit: {what}: example 0"):
        outputs, _ = net.forward(x[:1])
    for start in range(0, len(y), batch_size):
        targets = y[start : start + batch_size]
        repeated = xp.broadcast_to(outputs, (len(targets), *outputs.shape[1:]))
        with _explained(f"fit: {what} from example {start} on"):
            found = loss(repeated, targets)
            if metric is not None:
                float(metric(repeated, targets))
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError(f"fit: loss must return (loss, doutputs), got {found!r:.80}")
        check_array("fit: the loss's doutputs", found[1], tuple(repeated.shape), like=repeated)


def check_smallest_batch(net: Layer, x: Array, batch_size: int, processes: int) -> None:
    """Raise unless the network can be trained on as few examples as an epoch's last batch leaves.

    ``BatchNorm`` takes no variance of a single row. Its running numbers are as before in the end.
    """
    last = len(x) % batch_size or min(batch_size, len(x))
    rows = max(1, last // processes)  # of the process that gets the fewest
    kept = [(array, asarray_like(array, array)) for array in net.buffers.values()]
    try:
        with _explained(
            f"fit: the last batch of an epoch has {last} examples, for {processes} process(es), so "
            "another batch_size may be the remedy"
        ):
            net.forward(x[:rows], training=np.random.default_rng(0))
    finally:
        for array, before in kept:
            array[...] = before


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what}: {error}") from error


def _name(metric: Metric) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))
