"""Optimizers: the only code that changes parameters, and it does so in place."""

from collections.abc import Mapping

from dlref.backend import Array, is_like, is_plainly_finite, is_writable, namespace
from dlref.checks import check_array, check_finite, check_number


class SGD:
    """Stochastic gradient descent, plain or with momentum.

    plain: p ← p − lr · g

    momentum: v ← μ v + g (v starts as the first g), then p ← p − lr · v, as PyTorch writes it.

    Args:
        lr: the learning rate, 0 or more. A schedule sets ``optimizer.lr``.
        momentum: μ in [0, 1); 0 is plain gradient descent.

    Raises:
        ValueError: ``lr`` is negative or not finite, or ``momentum`` is outside [0, 1).

    Source: Robbins & Monro, A Stochastic Approximation Method (1951); Polyak, Some methods of
    speeding up the convergence of iteration methods (1964).

    >>> import numpy as np
    >>> params = {"w": np.array([3.0])}
    >>> optimizer = SGD(lr=0.25)
    >>> optimizer.step(params, {"w": 2 * params["w"]})  # the gradient of w²
    >>> params["w"]
    array([1.5])
    """

    def __init__(self, lr: float, momentum: float = 0.0) -> None:
        self.lr = check_number("SGD: lr", lr, 0.0)
        self.momentum = check_number("SGD: momentum", momentum, 0.0, 1.0)
        self._velocities: dict[str, Array] = {}
        self._moved: dict[str, Array] = {}  # the parameter that each velocity belongs to

    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every parameter in place, by its gradient.

        Every name, shape, dtype and value is checked before the first parameter changes.

        Args:
            params: name → array, as ``net.params``.
            grads: the same names → arrays of the same shapes, as ``net.backward`` gives.

        Raises:
            ValueError: there is no parameter; names, shapes or devices differ; a gradient is
                not finite; or a parameter cannot be written.
            TypeError: a dtype differs, or is not float32 or float64.
        """
        lr = check_number("SGD: lr", self.lr, 0.0)  # both may have been set since
        momentum = check_number("SGD: momentum", self.momentum, 0.0, 1.0)
        check_step("SGD", params, grads)
        velocities = self._next_velocities(params, grads) if momentum > 0 else grads
        if momentum > 0:
            self._velocities, self._moved = dict(velocities), dict(params)
        for name, p in params.items():
            p -= lr * velocities[name]

    def _next_velocities(
        self, params: Mapping[str, Array], grads: Mapping[str, Array]
    ) -> Mapping[str, Array]:
        for name, p in params.items():
            if name in self._velocities and self._moved[name] is not p:
                raise ValueError(
                    f"SGD: params[{name!r}] is another array than the one this optimizer has "
                    "moved before: make a new SGD for a new network"
                )
        return {
            name: self.momentum * self._velocities.get(name, namespace(p).zeros_like(p))
            + grads[name]
            for name, p in params.items()
        }


def check_step(who: str, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
    """Raise unless every parameter can be changed by its gradient."""
    if params.keys() != grads.keys() or not params:
        raise ValueError(
            f"{who}: params and grads must have the same names, at least one, "
            f"got {list(params)} and {list(grads)}"
        )
    for name, p in params.items():
        if not is_writable(p):
            raise ValueError(f"{who}: params[{name!r}] cannot be written in place: pass a copy")
        grad = grads[name]
        if not (is_like(grad, p) and grad.shape == p.shape and is_plainly_finite(grad)):
            check_array(f"{who}: grads[{name!r}]", grad, p.shape, like=p)
            check_finite(f"{who}: grads[{name!r}]", grad)
