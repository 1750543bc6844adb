"""Spirals in the plane: classes that no straight line parts."""

import math

import numpy as np

from dlref.checks import check_number, check_size
from dlref.weight_initialization import generator


def spirals(
    classes: int = 3,
    points: int = 100,
    noise: float = 0.2,
    seed: int | np.random.Generator = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Points on interleaved spirals around the origin, one spiral a class.

    Each spiral turns by 4 radians on its way out to radius 1. The arms are evenly spaced, and
    every class has as many points as the others.

    Formula:
        x[i] = r[i] (sin θ[i], cos θ[i])
        r[i] = i/points
        θ[i] = 2π label/classes + 4 r[i] + noise · ε[i],  ε[i] ∼ Normal(0, 1)

    Args:
        classes: number of spirals, C.
        points: number of points on each; i runs from 1 to this.
        noise: standard deviation of the angle, in radians, in [0, 2π). Spirals are 2π/C apart.
        seed: a whole number, or a ``numpy.random.Generator``.

    Returns:
        ``(x, y)``: points (N, 2), float32, within the unit circle; labels (N,), int64 in [0, C).
        N is C times ``points``. The classes stand one after another: shuffle before a split.

    Raises:
        ValueError: ``classes`` or ``points`` is below 1, the noise is not in [0, 2π), or the seed
            is negative.
        TypeError: ``classes``, ``points`` or the seed is not a whole number, or the noise is no
            number.

    Source: after the spirals of Stanford's CS231n, which have three classes and spaces of 4 radians
    between their starts, https://cs231n.github.io/neural-networks-case-study/

    >>> import numpy as np
    >>> import dlref
    >>> x, y = dlref.data.spirals(classes=2, points=4, noise=0.0)
    >>> print(x.shape, np.bincount(y), np.hypot(x[:, 0], x[:, 1]).round(2))
    (8, 2) [4 4] [0.25 0.5  0.75 1.   0.25 0.5  0.75 1.  ]
    """
    classes = check_size("spirals: classes", classes)
    points = check_size("spirals: points", points)
    noise = check_number("spirals: noise", noise, 0.0, math.tau)
    rng = generator("spirals", seed)
    radius = np.arange(1, points + 1) / points
    start = math.tau / classes * np.arange(classes)[:, None]
    angle = start + 4 * radius + noise * rng.standard_normal((classes, points))
    x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)
    return x.reshape(-1, 2).astype(np.float32), np.repeat(np.arange(classes), points)
