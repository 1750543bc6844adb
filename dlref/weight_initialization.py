"""Where the weights start: random, at a scale that keeps the signal's size from layer to layer."""

import math
from typing import Any

import numpy as np

from dlref.checks import check_generator, check_size


def he_normal(in_features: int, out_features: int, rng: np.random.Generator) -> np.ndarray:
    """Weights for layers followed by ReLU: normal, with mean 0 and standard deviation σ.

    ReLU sets half of a symmetric signal to 0; the 2 makes up for it.

    Formula:
        weight ∼ Normal(0, σ²),  σ = √(2/D)

    Args:
        in_features: inputs of each unit, D.
        out_features: number of units, M.
        rng: the generator to draw from.

    Returns:
        float64 array of shape (D, M).

    Raises:
        ValueError: a size is below 1.
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: He et al., Delving Deep into Rectifiers (2015), section 2.2,
    the sentence after equation 10, https://arxiv.org/abs/1502.01852

    >>> import numpy as np
    >>> import dlref
    >>> weight = dlref.he_normal(512, 256, np.random.default_rng(0))
    >>> print(weight.shape, f"{weight.std():.4f} is near {np.sqrt(2 / 512):.4f}")
    (512, 256) 0.0626 is near 0.0625
    """
    in_features, out_features = check_arguments("he_normal", in_features, out_features, rng)
    return rng.normal(0.0, math.sqrt(2 / in_features), (in_features, out_features))


def glorot_uniform(in_features: int, out_features: int, rng: np.random.Generator) -> np.ndarray:
    """Weights for layers followed by tanh: uniform between −a and a.

    A compromise between keeping the size of the signal forward (1/D) and of the gradient
    backward (1/M).

    Formula:
        weight ∼ Uniform(−a, a),  a = √(6 / (D + M))

    Args:
        in_features: inputs of each unit, D.
        out_features: number of units, M.
        rng: the generator to draw from.

    Returns:
        float64 array of shape (D, M).

    Raises:
        ValueError: a size is below 1.
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: Glorot & Bengio, Understanding the difficulty of training deep feedforward neural
    networks (2010), equation 16, https://proceedings.mlr.press/v9/glorot10a.html

    >>> import numpy as np
    >>> import dlref
    >>> for size in (6, 300):
    ...     weight = dlref.glorot_uniform(size, size, np.random.default_rng(0))
    ...     print(f"{size} inputs and outputs: at most {abs(weight).max():.3f}")
    6 inputs and outputs: at most 0.703
    300 inputs and outputs: at most 0.100
    """
    in_features, out_features = check_arguments("glorot_uniform", in_features, out_features, rng)
    limit = math.sqrt(6 / (in_features + out_features))
    return rng.uniform(-limit, limit, (in_features, out_features))


def check_arguments(who: str, in_features: int, out_features: int, rng: Any) -> tuple[int, int]:
    """Return the sizes, of at least 1; raise unless ``rng`` is a ``numpy.random.Generator``."""
    in_features = check_size(f"{who}: in_features", in_features)
    out_features = check_size(f"{who}: out_features", out_features)
    check_generator(who, rng)
    return in_features, out_features


def generator(who: str, seed: int | np.random.Generator) -> np.random.Generator:
    """The generator of a seed; a generator is given back as it is."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"{who}: seed must be a whole number or a Generator, got {seed!r}")
    if seed < 0:
        raise ValueError(f"{who}: seed must be at least 0, got {seed}")
    return np.random.default_rng(seed)
