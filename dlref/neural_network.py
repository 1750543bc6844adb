"""A neural network: layers one after another, and the chain rule back through them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Self

import numpy as np

from dlref.backend import Array, is_integer
from dlref.checks import check_finite, check_training
from dlref.devices import resolve_device
from dlref.layer import Cache, Gradients, Layer, Training, complete
from dlref.layers.activations import ReLU
from dlref.layers.linear import Initializer, Linear
from dlref.weight_initialization import generator, he_normal


class Sequential(Layer):
    """A network in which each layer's output is the next one's input.

    The input x is h₀, the output is that of the last layer.

    ``params`` holds every parameter under the name that ``torch.nn.Sequential`` would give it:
    ``"0.weight"``, ``"0.bias"``, ``"2.weight"``. The arrays are the layers' own. ``layers``
    holds the layers, in order.

    Formula:
        hᵢ = layerᵢ(hᵢ₋₁)

    Args:
        layers: at least one, first to last.

    Raises:
        ValueError: there is no layer, or a layer or an array stands in the network twice.
        TypeError: something is not a layer.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.5.4,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> rng = np.random.default_rng(0)
    >>> net = dlref.Sequential(dlref.Linear(4, 3, rng), dlref.ReLU(), dlref.Linear(3, 2, rng))
    >>> print(list(net.params))
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *layers: Layer) -> None:
        who = type(self).__name__
        if not layers:
            raise ValueError(f"{who}: needs at least one layer")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"{who}: layer {i} must be a dlref.Layer, got {layer!r}")
            if any(layer is earlier for earlier in layers[:i]):
                raise ValueError(f"{who}: layer {i}, {layer!r}, stands twice: make a second")
        self.layers = layers
        self._names = [
            {name: f"{i}.{name}" for name in layer.params} for i, layer in enumerate(layers)
        ]
        self.params, self.buffers = (
            MappingProxyType(
                {
                    f"{i}.{name}": array
                    for i, part in enumerate(parts)
                    for name, array in part.items()
                }
            )
            for parts in ([layer.params for layer in layers], [layer.buffers for layer in layers])
        )
        names: dict[int, str] = {}
        for name, array in [*self.params.items(), *self.buffers.items()]:
            other = names.setdefault(id(array), name)
            if other != name:
                raise ValueError(f"{who}: {other} and {name} are the same array: make a second")

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map the input through every layer, first to last.

        Args:
            x: the input, in the shape, the dtype and on the device that the first layer takes.
            training: the generator that random layers draw from, in training only.

        Returns:
            ``(y, caches)``: the output, in the shape that the last layer gives and the dtype of x,
            and every layer's cache.

        Raises:
            ValueError: x holds NaN or infinity, or a shape or a device does not fit.
            TypeError: x is not an array, or a dtype does not fit.
        """
        check_training("Sequential", training)
        if not is_integer(x):  # as labels and the numbers of tokens are
            check_finite("Sequential: x", x)
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, training=training)
            caches.append(cache)
        return x, caches

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = False
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient back through every layer, last to first.

        Formula:
            dhᵢ₋₁ = dhᵢ · ∂hᵢ/∂hᵢ₋₁

        Args:
            dy: gradient of the loss at the output, in the output's shape and dtype.
            cache: the caches that ``forward`` gave.
            input_grad: whether to compute the gradient at the input, which training never needs.

        Returns:
            ``(dx, grads)``: dx in the shape of x, or ``None``; the gradients by the names of
            ``params``, in their shapes. All have the dtype of dy.

        Raises:
            ValueError: the shape or the device of dy does not fit.
            TypeError: the dtype of dy does not fit.
        """
        grads: Gradients = {}
        for i in reversed(range(len(self.layers))):
            wanted = input_grad or i > 0
            dy, layer_grads = self.layers[i].backward(dy, cache[i], input_grad=wanted)
            for name, grad in layer_grads.items():
                grads[self._names[i][name]] = grad
        return dy if input_grad else None, grads

    def with_params(self, params: Mapping[str, Array]) -> Self:
        """A new network like this one that holds the given arrays, which it does not copy.

        Args:
            params: name → array, with the names and shapes of this network's own; all float32 or
                all float64, on one device. Its buffers may be among them; those that are not are
                copied from this network.

        Returns:
            A network with new layers of the same classes.

        Raises:
            ValueError: a name is missing or unknown, a shape differs, or an array stands under two
                names.
            TypeError: an array is not float32 or float64, or they are not all of one dtype.
        """
        inside: list[dict[str, Array]] = [{} for _ in self.layers]
        for name, array in complete(self, params).items():
            i, _, rest = name.partition(".")
            inside[int(i)][rest] = array
        pairs = zip(self.layers, inside, strict=True)
        return type(self)(*(layer.with_params(arrays) for layer, arrays in pairs))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.layers))})"


def mlp(
    sizes: Sequence[int],
    activation: type[Layer] = ReLU,
    init: Initializer = he_normal,
    seed: int | np.random.Generator = 0,
    device: str = "numpy",
) -> Sequential:
    """A multilayer perceptron: linear layers, with an activation between each two.

    The input x is h₀. The last layer has no activation.

    Formula:
        hᵢ = activation(hᵢ₋₁ Wᵢ + bᵢ)

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

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), chapter 6,
    https://www.deeplearningbook.org

    >>> import dlref
    >>> print(dlref.mlp([64, 32, 10], seed=0))
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
