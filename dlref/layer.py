"""What every layer is: parameters, a forward pass, and a backward pass next to it."""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from dlref.backend import Array, device_of, dtype_name
from dlref.checks import FLOATS, PARAMS, check_array, check_device, check_float, check_named
from dlref.devices import asarray, asarray_like, resolve_device

Cache = Any
"""What ``forward`` keeps for ``backward``. Valid until the input or a parameter changes."""

Training = np.random.Generator | None
"""The generator that random layers draw from in training; ``None`` when a network is used."""

Gradients = dict[str, Array]
"""The loss's gradient for every parameter, by the parameter's name."""


class Layer:
    """The base of all layers: ``forward`` and ``backward`` are written by each.

    ``params`` maps names to arrays and is read-only: an optimizer changes the arrays in place. A
    layer without parameters has an empty one. ``buffers`` is the same for arrays that a layer
    itself changes in training, such as the running means of ``BatchNorm``. A layer that holds
    others with parameters is a ``Sequential``, or writes ``with_params`` too.

    Formula:
        dx = dy · ∂y/∂x

    Raises:
        TypeError: another array is put under a name of ``params``.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.5.6,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> class Double(dlref.Layer):
    ...     def forward(self, x, *, training=None):
    ...         return 2 * x, None
    ...
    ...     def backward(self, dy, cache, *, input_grad=True):
    ...         return 2 * dy, {}
    ...
    >>> print(dlref.gradcheck(Double(), np.ones(3))["x"] < 1e-6)
    True
    """

    params: Mapping[str, Array] = MappingProxyType({})
    buffers: Mapping[str, Array] = MappingProxyType({})

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map the input to the output, and keep what ``backward`` needs.

        Args:
            x: the input, in the shape that the layer takes; float32 or float64, as its parameters.
            training: in training, the generator that random layers draw from; otherwise ``None``.
                ``Dropout`` and ``BatchNorm`` do something else in training, the others do not.

        Returns:
            ``(y, cache)``: the output, in the shape that the layer gives and the dtype of x, and
            what ``backward`` needs.

        Raises:
            NotImplementedError: the layer does not write it.
        """
        raise NotImplementedError

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the loss's gradient at the output to its gradients at the input and parameters.

        Args:
            dy: gradient of the loss at the output, in the output's shape and dtype.
            cache: what ``forward`` returned beside that output.
            input_grad: where False, ``dx`` may be left out (``None``).

        Returns:
            ``(dx, grads)``: ``dx`` has the input's shape, ``grads`` the names and shapes of
            ``params``; all have the dtype of dy.

        Raises:
            NotImplementedError: the layer does not write it.
        """
        raise NotImplementedError

    def with_params(self, params: Mapping[str, Array]) -> Self:
        """A new layer like this one that holds the given arrays, which it does not copy.

        Args:
            params: name → array, with the names and shapes of this layer's own; all float32 or
                all float64, on one device. Its buffers may be among them; those that are not are
                copied from this layer.

        Returns:
            A layer of the same class.

        Raises:
            ValueError: a name is missing or unknown, a shape differs, or the arrays are not all
                on one device.
            TypeError: an array is not float32 or float64, or they are not all of one dtype; or the
                layer holds another, and does not write ``with_params``.
        """
        arrays = complete(self, params)
        if type(self).with_params is Layer.with_params:  # one of its own sees to what it holds
            _check_holds_no_layer(self)
        layer = copy.copy(self)
        layer.params = MappingProxyType({name: arrays[name] for name in self.params})
        layer.buffers = MappingProxyType({name: arrays[name] for name in self.buffers})
        return layer

    def to(self, device: str | None = None, *, dtype: str | None = None) -> Self:
        """A new layer with copies of the parameters on another device or of another dtype.

        Args:
            device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``; where it is left
                out, each parameter stays on its own.
            dtype: ``"float32"`` or ``"float64"``; where it is left out, as it is.

        Returns:
            A layer of the same class that shares no memory with this one.

        Raises:
            ValueError: the device or the dtype is unknown, or the device is not there.
            TypeError: the device has no such dtype.

        >>> import dlref
        >>> net = dlref.mlp([2, 3], seed=0).to(dtype="float64")
        >>> print(net.params["0.weight"].dtype)
        float64
        """
        if dtype not in (None, "float32", "float64"):
            raise ValueError(f'dtype must be "float32" or "float64", got {dtype!r}')
        if device is not None:
            device = resolve_device(device)  # a layer without parameters says so too

        def copied(array: Array) -> Array:
            where, kind = device_of(array) if device is None else device, dtype_name(array)
            return asarray(array, where, dtype=(dtype or kind) if kind in FLOATS else None)

        arrays = self.params or self.buffers  # buffers follow the parameters, where there are any
        return self.with_params({name: copied(array) for name, array in arrays.items()})

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.to()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def complete(layer: Layer, params: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays, and beside them copies of those of the layer's buffers that are not among them.

    Raise unless they have the names, shapes and dtypes of a layer's own, and are on one device.
    Buffers may be of any dtype; those of floats have that of the parameters.
    """
    check_named("params", params, PARAMS)
    if params.keys() - layer.buffers.keys() != layer.params.keys():
        raise ValueError(f"params must be named {list(layer.params)}, got {list(params)}")
    own = {**layer.params, **layer.buffers}
    first = next((params[name] for name in layer.params), None)
    for name, array in params.items():
        what = f"params[{name!r}]"
        if name in layer.params:
            check_float(what, array)
        like = array if first is None else first
        check_device(what, array, like)
        floats = dtype_name(own[name]) in FLOATS
        check_array(what, array, own[name].shape, like=like if floats else array)
    arrays = dict(params)
    for name, buffer in layer.buffers.items():
        if name not in params:
            like = buffer if first is None else first
            floats = dtype_name(buffer) in FLOATS
            arrays[name] = (
                asarray_like(buffer, like) if floats else asarray(buffer, device_of(like))
            )
    return arrays


def _check_holds_no_layer(layer: Layer) -> None:
    """Raise where a copy would share the parameters of a layer inside."""
    for name, value in vars(layer).items():
        parts = value.values() if isinstance(value, Mapping) else value
        for part in parts if isinstance(value, (Mapping, tuple, list)) else [value]:
            if isinstance(part, Layer) and (part.params or part.buffers):
                raise TypeError(
                    f"{type(layer).__name__}: a copy would share the layer in {name}: put layers "
                    "together in a Sequential, or write with_params"
                )
