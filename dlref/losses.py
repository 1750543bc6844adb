"""Loss functions: one number for how wrong the predictions are, and its gradient.

Both average over the batch, so that the batch's size does not change the gradient's scale.
The loss comes back as a 0-d array of the library it was given: ``float(loss)`` reads it.
"""

from dlref.backend import Array, namespace
from dlref.checks import check_array, check_finite, check_float, one_hot


def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Mean negative log-probability that softmax gives to the right classes, in nats.

    Softmax turns each row of logits into probabilities. A row of onehot has 1 at the right class
    and 0 elsewhere.

    Formula:
        loss = 1/N Σₙ (log Σⱼ exp(logits[n, j]) − logits[n, labels[n]])
        dlogits = 1/N (softmax(logits) − onehot(labels))

    Args:
        logits: scores before softmax (N, C), float32 or float64.
        labels: right classes (N,), integers in [0, C).

    Returns:
        ``(loss, dlogits)``: mean nats an example, and its gradient (N, C), in the logits' dtype.

    Raises:
        ValueError: a shape, a device, a label or a value that does not fit.
        TypeError: a dtype that does not fit.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), sections 3.13 and 6.2.2.3,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> loss, dlogits = dlref.cross_entropy(np.zeros((2, 4)), np.array([0, 3]))
    >>> print(f"{loss:.4f} = log 4")
    1.3863 = log 4
    """
    check_finite("cross_entropy: logits", logits)
    target = one_hot("cross_entropy: labels", labels, like=logits)  # (N, C)
    xp = namespace(logits)
    rows = logits.shape[0]

    shifted = logits - xp.max(logits, axis=1, keepdims=True)  # so that exp cannot overflow
    exps = xp.exp(shifted)
    sums = xp.sum(exps, axis=1, keepdims=True)  # (N, 1)
    loss = xp.sum((xp.log(sums) - shifted) * target) / rows
    return loss, (exps / sums - target) / rows


def mse(predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Mean squared error, over all elements.

    In the formula, size is the number of elements.

    Formula:
        loss = 1/size Σ (predictions − targets)²
        dpredictions = 2/size (predictions − targets)

    Args:
        predictions: any shape, float32 or float64.
        targets: the same shape and dtype. (N, 1) against (N,) is refused, not broadcast.

    Returns:
        ``(loss, dpredictions)``: in the square of the targets' unit, and its gradient, in the
        shape and dtype of the predictions.

    Raises:
        ValueError: a shape, a device or a value that does not fit.
        TypeError: a dtype that does not fit.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 5.1.4,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> loss, dpredictions = dlref.mse(np.array([1.0, 4.0]), np.array([0.0, 2.0]))
    >>> print(loss, dpredictions)
    2.5 [1. 2.]
    """
    check_float("mse: predictions", predictions)
    check_finite("mse: predictions", predictions)
    check_array("mse: targets", targets, predictions.shape, like=predictions)
    check_finite("mse: targets", targets)
    difference = predictions - targets
    size = 1
    for length in difference.shape:
        size *= length
    loss = namespace(difference).sum(difference * difference) / size
    return loss, difference * (2 / size)
