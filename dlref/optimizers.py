"""Optimizers: how far each parameter moves, given its gradient."""

from dlref.backend import Array, namespace
from dlref.checks import check_number
from dlref.optimizer import Optimizer

SMALLEST_EPS = 1e-38  # less is 0 in float32, and a gradient of 0 would give 0 / 0


class SGD(Optimizer):
    """Stochastic gradient descent, plain or with momentum.

    v starts as the first gradient g. Without momentum, v is g.

    Formula:
        v ← μ v + g
        p ← p − lr · v

    Args:
        lr: the learning rate, 0 or more. A schedule sets ``optimizer.lr``.
        momentum: μ in [0, 1); 0 is plain gradient descent.

    Raises:
        ValueError: ``lr`` is negative or not finite, or ``momentum`` is outside [0, 1).
        TypeError: one of them is not a number.

    Source: Robbins & Monro, A Stochastic Approximation Method (1951),
    https://doi.org/10.1214/aoms/1177729586; Polyak, Some methods of speeding up the convergence
    of iteration methods (1964). The formula is as PyTorch writes it.

    >>> import numpy as np
    >>> import dlref
    >>> params = {"w": np.array([3.0])}
    >>> optimizer = dlref.SGD(lr=0.25)
    >>> optimizer.step(params, {"w": 2 * params["w"]})  # the gradient of w²
    >>> print(params["w"])
    [1.5]
    """

    def __init__(self, lr: float, momentum: float = 0.0) -> None:
        super().__init__()
        self.lr, self.momentum = lr, momentum
        self.check_settings()

    def update(self, name: str, p: Array, grad: Array) -> Array:
        """lr · g, or lr · v with momentum."""
        if self.momentum == 0:
            return self.lr * grad
        velocity = self.remembered("velocity", name, p)
        velocity *= self.momentum
        velocity += grad
        return self.lr * velocity

    def check_settings(self) -> None:
        """Raise unless lr ≥ 0 and 0 ≤ momentum < 1."""
        self.lr = check_number("SGD: lr", self.lr, 0.0)
        self.momentum = check_number("SGD: momentum", self.momentum, 0.0, 1.0)


class Adam(Optimizer):
    """Steps of about the same length for every parameter, whatever the scale of its gradients.

    m and v are running means of the gradient and of its square, both starting at 0. After t steps
    they are too small by the factors 1 − β₁ᵗ and 1 − β₂ᵗ, which are divided out.

    Formula:
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
        p ← p − lr · m̂ / (√v̂ + ε)

    Args:
        lr: the learning rate, 0 or more: about how far a parameter moves in a step.
        betas: β₁ and β₂, each in [0, 1).
        eps: ε, at least 1e-38, so that a gradient of 0 does not give 0 / 0.
        weight_decay: λ, 0 or more; λ p is added to the gradient, as an L2 penalty would.
        amsgrad: divide by the root of the largest v so far instead of the present one.

    Raises:
        ValueError: a setting is outside its range.
        TypeError: a setting is not a number, ``betas`` is not two of them, or ``amsgrad`` is not
            True or False.

    Source: Kingma & Ba, Adam: A Method for Stochastic Optimization (ICLR 2015), algorithm 1,
    https://arxiv.org/abs/1412.6980; amsgrad: Reddi, Kale & Kumar, On the Convergence of Adam and
    Beyond (ICLR 2018), algorithm 2, https://arxiv.org/abs/1904.09237, with the factors divided
    out as PyTorch does.

    >>> import numpy as np
    >>> import dlref
    >>> params = {"w": np.array([3.0, 3.0])}
    >>> dlref.Adam(lr=0.5).step(params, {"w": np.array([100.0, 0.01])})
    >>> print(params["w"].round(3))
    [2.5 2.5]
    """

    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__()
        self.lr, self.betas, self.eps = lr, betas, eps
        self.weight_decay, self.amsgrad = weight_decay, amsgrad
        self.check_settings()

    def update(self, name: str, p: Array, grad: Array) -> Array:
        """lr · m̂ / (√v̂ + ε), of the gradient plus λ p."""
        if self.weight_decay > 0:
            grad = grad + self.weight_decay * p
        return self.lr * self._direction(name, p, grad)

    def _direction(self, name: str, p: Array, grad: Array) -> Array:
        """m̂ / (√v̂ + ε): between about −1 and 1 where gradients keep their size. It never fails.

        Args:
            name: the parameter's name.
            p: the parameter, of any shape, float32 or float64.
            grad: its gradient, of the same shape and dtype.

        Returns:
            An array of the same shape and dtype.
        """
        xp = namespace(p)
        beta1, beta2 = self.betas
        m = self.remembered("mean", name, p)
        m *= beta1
        m += (1 - beta1) * grad
        v = self.remembered("mean_square", name, p)
        v *= beta2
        v += (1 - beta2) * grad * grad  # in this order: grad * grad alone overflows sooner
        if self.amsgrad:
            largest = self.remembered("largest_mean_square", name, p)
            largest[...] = xp.maximum(largest, v)
            v = largest
        steps = self.steps
        return (m / (1 - beta1**steps)) / (xp.sqrt(v) / (1 - beta2**steps) ** 0.5 + self.eps)

    def check_settings(self) -> None:
        """Raise unless every setting is in its range."""
        who = type(self).__name__
        self.lr = check_number(f"{who}: lr", self.lr, 0.0)
        if not isinstance(self.betas, (tuple, list)) or len(self.betas) != 2:
            raise TypeError(f"{who}: betas must be two numbers (β₁, β₂), got {self.betas!r}")
        beta1, beta2 = self.betas
        self.betas = (
            check_number(f"{who}: betas[0]", beta1, 0.0, 1.0),
            check_number(f"{who}: betas[1]", beta2, 0.0, 1.0),
        )
        self.eps = check_number(f"{who}: eps", self.eps, SMALLEST_EPS)
        self.weight_decay = check_number(f"{who}: weight_decay", self.weight_decay, 0.0)
        if not isinstance(self.amsgrad, bool):
            raise TypeError(f"{who}: amsgrad must be True or False, got {self.amsgrad!r}")


class AdamW(Adam):
    """Adam whose weight decay stands beside the gradient, not in it.

    m̂ and v̂ are those of ``Adam``. There the decay passes through the division by √v̂, so that
    parameters with large gradients decay less. Here all decay at the same rate.

    Formula:
        p ← p − lr · (m̂ / (√v̂ + ε) + λ p)

    Args:
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, each in [0, 1).
        eps: ε, at least 1e-38.
        weight_decay: λ, 0 or more.
        amsgrad: divide by the root of the largest v so far instead of the present one.

    Raises:
        ValueError: a setting is outside its range.
        TypeError: a setting is of a wrong type.

    Source: Loshchilov & Hutter, Decoupled Weight Decay Regularization (ICLR 2019), algorithm 2,
    https://arxiv.org/abs/1711.05101, with λ times lr as PyTorch has it.

    >>> import numpy as np
    >>> import dlref
    >>> params = {"w": np.array([3.0])}
    >>> dlref.AdamW(lr=0.5, weight_decay=0.1).step(params, {"w": np.array([0.0])})
    >>> print(params["w"].round(3))  # no gradient: it only decays, to 3 · (1 − 0.05)
    [2.85]
    """

    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay, amsgrad)

    def update(self, name: str, p: Array, grad: Array) -> Array:
        """lr · (m̂ / (√v̂ + ε) + λ p)."""
        return self.lr * (self._direction(name, p, grad) + self.weight_decay * p)
