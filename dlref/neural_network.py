"""A neural network: layers one after another, and the chain rule back through them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Self

import numpy as np

from dlref.activations import ReLU
from dlref.backend import Array, resolve_device
from dlref.checks import check_finite
from dlref.layer import Cache, Gradients, Layer
from dlref.linear import Initializer, Linear
from dlref.weight_initialization import generator, he_normal


class Sequential(Layer):
    """A network in which each layer's output is the next one's input.

    ``params`` holds every parameter under the name that ``torch.nn.Sequential`` would give it:
    ``"0.weight"``, ``"0.bias"``, ``"2.weight"``. The arrays are the layers' own.

    Raises:
        ValueError: there is no layer, or one stands in the network twice.
        TypeError: something is not a layer.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> net = Sequential(Linear(4, 3, rng), ReLU(), Linear(3, 2, rng))
    >>> list(net.params)
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ValueError("Sequential: needs at least one layer")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: layer {i} must be a dlref.Layer, got {layer!r}")
            if any(layer is earlier for earlier in layers[:i]):
                raise ValueError(f"Sequential: layer {i}, {layer!r}, stands twice: make a second")
        self.layers = layers
        self._names = [
            {name: f"{i}.{name}" for name in layer.params} for i, layer in enumerate(layers)
        ]
        self.params = MappingProxyType(
            {
                names[name]: array
                for layer, names in zip(layers, self._names, strict=True)
                for name, array in layer.params.items()
            }
        )

    def forward(self, x: Array) -> tuple[Array, list[Cache]]:
        """Map the input through every layer, first to last; the caches come back as a list."""
        check_finite("Sequential: x", x)
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x)
            caches.append(cache)
        return x, caches

    def backward(
        self, dy: Array, cache: list[Cache], *, input_grad: bool = False
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient back through every layer, last to first.

        Training never needs the gradient at the network's own input, so it is computed only
        where ``input_grad`` is True; else ``dx`` is ``None``.
        """
        grads: Gradients = {}
        for i in reversed(range(len(self.layers))):
            wanted = input_grad or i > 0
            dy, layer_grads = self.layers[i].backward(dy, cache[i], input_grad=wanted)
            for name, grad in layer_grads.items():
                grads[self._names[i][name]] = grad
        return dy if input_grad else None, grads

    def with_params(self, params: Mapping[str, Array]) -> Self:
        """A new network like this one that holds the given arrays, which it does not copy."""
        if params.keys() != self.params.keys():
            raise ValueError(f"params must be named {list(self.params)}, got {list(params)}")
        return type(self)(
            *(
                layer.with_params({name: params[f"{i}.{name}"] for name in layer.params})
                for i, layer in enumerate(self.layers)
            )
        )

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def mlp(
    sizes: Sequence[int],
    activation: type[Layer] = ReLU,
    init: Initializer = he_normal,
    seed: int | np.random.Generator = 0,
    device: str = "numpy",
) -> Sequential:
    """A multilayer perceptron: linear layers, with an activation between each two.

    Args:
        sizes: the width of the input, of each hidden layer, and of the output.
        activation: a layer class without arguments: ``ReLU``, ``Sigmoid``, ``Tanh``.
        init: how weights are drawn; equal seeds give equal weights on every device.
        seed: a whole number, or a ``numpy.random.Generator``.
        device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``.

    Returns:
        A ``Sequential`` with float32 parameters, that ends with a linear layer.

    Raises:
        ValueError: fewer than two sizes, a size below 1, a negative seed, or a device that is
            not there.
        TypeError: a size or the seed is not a whole number, or ``activation`` is not a class.

    >>> mlp([64, 32, 10], seed=0)
    Sequential(Linear(64, 32), ReLU(), Linear(32, 10))
    """
    device = resolve_device(device)
    if not isinstance(sizes, (list, tuple)) or len(sizes) < 2:
        raise ValueError(f"mlp: sizes must be a list [inputs, ..., outputs], got {sizes!r}")
    if not (isinstance(activation, type) and issubclass(activation, Layer)):
        raise TypeError(f"mlp: activation must be a layer class such as ReLU, got {activation!r}")
    rng = generator("mlp", seed)
    layers: list[Layer] = []
    for in_features, out_features in pairwise(sizes):
        layers += [Linear(in_features, out_features, rng, init), activation()]
    return Sequential(*layers[:-1]).to(device)
