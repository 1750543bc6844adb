"""Learning-rate schedules, and the clipping of gradients: what keeps a long training steady."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlref.backend import Array, namespace
from dlref.checks import GRADS, check_array, check_finite, check_named, check_number, check_size
from dlref.layer import Gradients

Schedule = Callable[[int], float]
"""A function of the step, counted from 0, that returns its learning rate."""


@dataclass(frozen=True)
class WarmupCosine:
    """A learning rate that climbs from near 0 along a line, then falls along half a cosine.

    ``schedule(t)`` is the rate of step t, the first of which is 0. In the formula, w is ``warmup``
    and T is ``steps``; from step T on it stays at ``last``.

    Formula:
        schedule(t) = lr (t + 1)/w if t < w
        schedule(t) = last + 1/2 (lr − last) (1 + cos(π (t − w)/(T − w))) if t ≥ w

    Args:
        lr: the highest learning rate, 0 or more.
        steps: all steps, T.
        warmup: steps of the climb, w, below T; 0 for none.
        last: the rate at the end, from 0 to ``lr``.

    Raises:
        ValueError: a number is outside its range.
        TypeError: a number is not of its kind.

    Source: Loshchilov & Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (ICLR 2017),
    equation 5, without the restarts, https://arxiv.org/abs/1608.03983; warm-up: Goyal et al.,
    Accurate, Large Minibatch SGD (2017), section 2.2.

    >>> import dlref
    >>> schedule = dlref.WarmupCosine(lr=1.0, steps=12, warmup=4)
    >>> print([round(schedule(t), 2) for t in (0, 1, 3, 4, 8, 12)])
    [0.25, 0.5, 1.0, 1.0, 0.5, 0.0]
    """

    lr: float
    steps: int
    warmup: int = 0
    last: float = 0.0

    def __post_init__(self) -> None:
        checked = {
            "lr": check_number("WarmupCosine: lr", self.lr, 0.0),
            "last": check_number("WarmupCosine: last", self.last, 0.0),
            "steps": check_size("WarmupCosine: steps", self.steps),
            "warmup": check_size("WarmupCosine: warmup", self.warmup, low=0),
        }
        vars(self).update(checked)  # as Python's own numbers, since NumPy's small ones overflow
        if self.warmup >= self.steps or self.last > self.lr:
            raise ValueError(
                "WarmupCosine: warmup must be below steps, and last at most lr, "
                f"got {self.warmup} of {self.steps} and {self.last} of {self.lr}"
            )

    def __call__(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        step = check_size("WarmupCosine: step", step, low=0)
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        done = min(1.0, (step - self.warmup) / (self.steps - self.warmup))
        return self.last + (self.lr - self.last) * (1 + math.cos(math.pi * done)) / 2


NORMS = 1e-38, 1e38  # what a limit may be: float32 ends there


def clip_gradients(grads: Mapping[str, Array], max_norm: float) -> tuple[Gradients, Array]:
    """Scale all gradients down together where, as one long vector, they are longer than a limit.

    Their direction stays. One step on an unusual batch then cannot throw the parameters far away.

    Formula:
        norm = √(Σ g²)
        g ← g · min(1, max_norm / norm)

    Args:
        grads: name → array of any shape, float32 or float64, as ``net.backward`` gives.
        max_norm: the limit, at least 1e-38 and below 1e38, so that float32 can hold it.

    Returns:
        ``(clipped, norm)``: new arrays in the shapes and dtypes of the gradients, and the norm
        before, a number of their dtype. Where its square overflows, above 10¹⁹ in float32, the
        norm is infinite, and the clipped gradients are 0.

    Raises:
        ValueError: there is no gradient, one is not finite (on a GPU nothing looks), a device
            differs, or the limit is out of its range.
        TypeError: a dtype differs, or is not float32 or float64; or ``grads`` has no names.

    Source: Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks
    (ICML 2013), algorithm 1, https://arxiv.org/abs/1211.5063

    >>> import numpy as np
    >>> import dlref
    >>> clipped, norm = dlref.clip_gradients({"a": np.array([3.0]), "b": np.array([4.0])}, 1.0)
    >>> print(norm, clipped["a"], clipped["b"])
    5.0 [0.6] [0.8]
    """
    max_norm = check_number("clip_gradients: max_norm", max_norm, *NORMS)
    check_named("clip_gradients: grads", grads, GRADS)
    if not grads:
        raise ValueError("clip_gradients: there is no gradient to clip")
    first = next(iter(grads.values()))
    for name, grad in grads.items():
        check_finite(f"clip_gradients: grads[{name!r}]", grad)  # else all would be NaN
        check_array(f"clip_gradients: grads[{name!r}]", grad, grad.shape, like=first)
    xp = namespace(first)
    norm = xp.sqrt(sum(xp.sum(grad * grad) for grad in grads.values()))
    scale = max_norm / xp.maximum(norm, max_norm * xp.ones_like(norm))
    return {name: grad * scale for name, grad in grads.items()}, norm
