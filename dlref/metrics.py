"""How good a network is, in a unit that people use: it has no gradient, and trains nothing."""

import math

from dlref.backend import Array, namespace
from dlref.checks import check_finite
from dlref.integers import check_labels, check_range


def accuracy(logits: Array, labels: Array) -> float:
    """The fraction of examples whose largest logit is that of the right class.

    A bracket counts 1 where it holds, else 0.

    Formula:
        accuracy = 1/N Σₙ [argmaxⱼ logits[n, j] = labels[n]]

    Args:
        logits: scores (N, C), or (..., C), float32 or float64. On a tie, the first of
            the largest counts.
        labels: right classes (N,), or (...), integers in [0, C).

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: a shape, a device, a label or a value that does not fit.
        TypeError: a dtype that does not fit.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 5.1.2,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> print(dlref.accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1])))
    0.5
    """
    check_finite("accuracy: logits", logits)
    labels = check_labels("accuracy: labels", labels, like=logits)
    check_range("accuracy: labels", labels, logits.shape[-1])
    xp = namespace(logits)
    right = int(xp.count_nonzero(xp.argmax(logits, axis=-1) == labels))
    return right / int(math.prod(labels.shape))
