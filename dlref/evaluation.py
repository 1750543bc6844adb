"""What a loss and a metric say of a network on a set of examples."""

from collections.abc import Callable

from dlref.backend import Array, dtype_name, namespace
from dlref.checks import FLOATS, check_finite
from dlref.layer import Layer

Data = tuple[Array, Array]
"""Inputs and targets, ``(x, y)``, one row an example in both."""

Loss = Callable[[Array, Array], tuple[Array, Array]]
"""A function of outputs and targets that returns the loss and the outputs' gradient."""

Metric = Callable[[Array, Array], float]
"""A function of outputs and targets that returns a number, as ``accuracy``."""

ROWS = 4096  # examples at once


def evaluate(net: Layer, data: Data, loss: Loss, metric: Metric | None) -> dict[str, float]:
    """The means over all examples, under the names that they have in a history."""
    x, y = data
    means: dict[str, float] = {}
    for start in range(0, len(x), ROWS):
        x_rows, y_rows = x[start : start + ROWS], y[start : start + ROWS]
        outputs, _ = net.forward(x_rows)
        values = {"validation_loss": float(loss(outputs, y_rows)[0])}
        if metric is not None:
            values[f"validation_{_name(metric)}"] = float(metric(outputs, y_rows))
        for name, value in values.items():
            means[name] = means.get(name, 0.0) + value * (len(x_rows) / len(x))
    return means


def check_examples(
    what: str, net: Layer, data: Data, loss: Loss, metric: Metric | None = None
) -> None:
    """Raise unless network, loss and metric take every example, so that training will not stop.

    The targets are shown to the loss beside the network's outputs for the first example, which
    are repeated without a copy, and so cannot be written.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise TypeError(f"fit: {what} must be a pair (x, y) of arrays, got {type(data).__name__}")
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
    outputs, _ = net.forward(x[:1])
    for start in range(0, len(y), ROWS):
        targets = y[start : start + ROWS]
        repeated = xp.broadcast_to(outputs, (len(targets), *outputs.shape[1:]))
        try:
            found = loss(repeated, targets)
            if metric is not None:
                float(metric(repeated, targets))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"fit: {what} from example {start} on: {error}") from error
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError(f"fit: loss must return (loss, doutputs), got {found!r:.80}")


def _name(metric: Metric) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))
