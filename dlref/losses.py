"""Loss functions: one number for how wrong the predictions are, and its gradient.

All average over the batch, so that the batch's size does not change the gradient's scale.
The loss comes back as a number of the library and on the device it was given: ``float(loss)`` reads
it.
"""

import math

from dlref import kernels
from dlref.backend import Array, namespace, row_max
from dlref.checks import check_array, check_finite, check_float, check_probabilities
from dlref.integers import check_labels, one_hot


def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Mean negative log-probability that softmax gives to the right classes, in nats.

    Softmax turns each row of logits into probabilities. A row of onehot has 1 at the right class
    and 0 elsewhere.

    Formula:
        loss = 1/N Σₙ (log Σⱼ exp(logits[n, j]) − logits[n, labels[n]])
        dlogits = 1/N (softmax(logits) − onehot(labels))

    Args:
        logits: scores before softmax (N, C), or (..., C), float32 or float64.
        labels: right classes (N,), or (...), integers in [0, C).

    Returns:
        ``(loss, dlogits)``: mean nats an example (or a token), and its gradient, as the logits in
        shape and dtype.

    Raises:
        ValueError: a shape, a device, a label or a value that does not fit. (The values of arrays
            on a GPU are not looked at.)
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
    labels = check_labels("cross_entropy: labels", labels, like=logits)
    if kernel := kernels.cross_entropy(logits, labels):
        return kernel
    target = one_hot("cross_entropy: labels", labels, like=logits)  # (N, C)
    xp = namespace(logits)
    rows = math.prod(labels.shape)

    shifted = logits - row_max(logits)  # so that exp cannot overflow
    exps = xp.exp(shifted)
    sums = xp.sum(exps, axis=-1, keepdims=True)  # (N, 1)
    loss = (xp.sum(xp.log(sums)) - xp.sum(shifted * target)) / rows
    dlogits = exps / sums
    dlogits -= target
    dlogits /= rows
    return loss, dlogits


def binary_cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Mean negative log-probability that the sigmoid gives to the right answers, in nats.

    Each element is a question of its own: a logit is the log of the odds of yes. In the formula,
    size is the number of elements, z a logit and t its label.

    Formula:
        loss = 1/size Σ (max(z, 0) − z t + log(1 + exp(−|z|)))
        dlogits = 1/size (sigmoid(z) − t)

    Args:
        logits: any shape, float32 or float64.
        labels: the same shape and dtype; 0 for no, 1 for yes, or a probability in between.

    Returns:
        ``(loss, dlogits)``: mean nats an element, and its gradient, as the logits in shape and
        dtype.

    Raises:
        ValueError: a shape, a device or a value that does not fit.
        TypeError: a dtype that does not fit.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.2.2,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> loss, dlogits = dlref.binary_cross_entropy(np.array([0.0, 1e4]), np.array([1.0, 1.0]))
    >>> print(f"{loss:.4f} = log 2 / 2", dlogits)
    0.3466 = log 2 / 2 [-0.25  0.  ]
    """
    check_float("binary_cross_entropy: logits", logits)
    check_finite("binary_cross_entropy: logits", logits)
    check_array("binary_cross_entropy: labels", labels, logits.shape, like=logits)
    check_probabilities("binary_cross_entropy: labels", labels)
    xp, size = namespace(logits), math.prod(logits.shape)
    small = xp.exp(-xp.abs(logits))  # of −|z|, so that exp cannot overflow
    positive = xp.maximum(logits, xp.zeros_like(logits))
    loss = xp.sum(positive - logits * labels + xp.log1p(small)) / size
    sigmoid = xp.where(logits >= 0, xp.ones_like(logits), small) / (1 + small)
    return loss, (sigmoid - labels) / size


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
    size = math.prod(difference.shape)
    loss = namespace(difference).sum(difference * difference) / size
    return loss, difference * (2 / size)
