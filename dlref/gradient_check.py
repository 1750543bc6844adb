"""The gradient check: every backward pass against finite differences of its forward pass."""

import copy
import math
from collections.abc import Callable

import numpy as np

from dlref.backend import Array, dtype_name, is_integer, namespace
from dlref.devices import asarray_like
from dlref.layer import Cache, Layer
from dlref.weight_initialization import generator

STEP = 1e-5
"""Each element is moved by ±STEP: near the cube root of float64's precision, where the error of
rounding (precision / STEP) and that of curvature (STEP²) are both near 1e-10."""


def gradcheck(
    function: Layer | Callable[[Array], tuple[Array, Array]],
    x: Array,
    *,
    seed: int | np.random.Generator = 0,
    training: bool = False,
) -> dict[str, float]:
    """Compare the gradients that code computes with those that finite differences measure.

    Each element a of the input and of every parameter is moved up and down by h.

    A layer's output y has many elements, so it is reduced to one number f with a random upstream
    gradient dy. (Ones as upstream gradient hide errors: for softmax, both sides are then 0.) A
    loss is one number already.

    Formula:
        f = Σ dy · y
        measured = (f(a + h) − f(a − h)) / (2 h),  h = 10⁻⁵
        error = max |computed − measured| / max(max |computed|, max |measured|)

    Args:
        function: a layer or network, or a function that returns ``(loss, gradient)``, the
            gradient in the shape and dtype of ``x``.
        x: its input, in the shape that it takes, float64; a layer's parameters must be float64
            too. Keep away from points without a derivative, such as 0 for ``ReLU``. Of integers,
            as ``Embedding`` takes them, no gradient is measured.
        seed: a whole number, or a ``numpy.random.Generator``, for the random upstream gradient and
            for what random layers draw.
        training: check the layer as it is in training; each time it draws the same.

    Returns:
        The relative error for ``"x"`` and for every parameter by its name: below 1e-6 where the
        gradient is right, unless it is so small that the differences lose it (a sigmoid at 30).
        Infinite where a gradient is not finite.

    Raises:
        ValueError: a gradient is missing, or has another shape than its array.
        TypeError: ``x`` or a parameter is not float64; in float32, differences are too coarse to
            tell.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 11.5,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> net = dlref.mlp([4, 3, 2], seed=0).to(dtype="float64")
    >>> errors = dlref.gradcheck(net, np.random.default_rng(0).normal(size=(5, 4)))
    >>> print(max(errors.values()) < 1e-6)
    True
    """
    xp = namespace(x)
    if dtype_name(x) != "float64" and not is_integer(x):
        raise TypeError(f'gradcheck: x must be float64, got {dtype_name(x)}: use dtype="float64"')
    x = xp.asarray(x, copy=True)
    arrays = {} if is_integer(x) else {"x": x}

    if isinstance(function, Layer):
        for name, p in function.params.items():
            if dtype_name(p) != "float64":
                raise TypeError(
                    f"gradcheck: params[{name!r}] must be float64, got {dtype_name(p)}: use "
                    'net.to(dtype="float64")'
                )
        rng = generator("gradcheck", seed)
        drawn = copy.deepcopy(rng)  # from here random layers draw, each time the same
        # The layer's own parameters are not touched: a copy is moved up and down.
        copies = {name: xp.asarray(p, copy=True) for name, p in function.params.items()}
        arrays |= copies
        layer = function.with_params(copies)

        def forward() -> tuple[Array, Cache]:
            return layer.forward(x, training=copy.deepcopy(drawn) if training else None)

        y, cache = forward()
        dy = asarray_like(rng.normal(size=tuple(y.shape)), y)
        dx, grads = layer.backward(dy, cache, input_grad=True)
        computed = {"x": dx, **grads}

        def value() -> float:
            return float(namespace(y).sum(forward()[0] * dy))
    else:
        loss = function
        computed = {"x": loss(x)[1]}

        def value() -> float:
            return float(loss(x)[0])

    for name, array in arrays.items():
        shape = getattr(computed.get(name), "shape", None)
        if shape != array.shape:
            raise ValueError(
                f"gradcheck: the gradient for {name!r} must have shape {tuple(array.shape)}, "
                f"got {shape}: return one for the input and for every parameter"
            )
    return {
        name: _relative_error(computed[name], finite_differences(value, array))
        for name, array in arrays.items()
    }


def finite_differences(value: Callable[[], float], array: Array) -> Array:
    """The gradient of ``value()`` with respect to ``array``, element by element.

    (f(a + STEP) − f(a − STEP)) / (2 STEP), the central difference. Each element of ``array``
    is written, and put back as it was.
    """
    xp = namespace(array)
    gradient = xp.zeros_like(array)
    for index in np.ndindex(*array.shape):
        original = float(array[index])
        array[index] = original + STEP
        above = value()
        array[index] = original - STEP
        below = value()
        array[index] = original
        gradient[index] = (above - below) / (2 * STEP)
    return gradient


def _relative_error(computed: Array, measured: Array) -> float:
    xp = namespace(measured)
    if not bool(xp.all(xp.isfinite(computed))) or not bool(xp.all(xp.isfinite(measured))):
        return math.inf  # NaN would be lost in max(errors)
    difference = float(xp.max(xp.abs(computed - measured)))
    scale = max(float(xp.max(xp.abs(computed))), float(xp.max(xp.abs(measured))))
    return difference / scale if scale > 0 else 0.0
