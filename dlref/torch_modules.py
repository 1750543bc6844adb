"""The equivalents of dlref's layers in PyTorch, for ``to_torch``. Importing this imports torch."""

import torch
from torch import Tensor, nn

from dlref.backend import device_of
from dlref.devices import asarray
from dlref.layer import Layer
from dlref.layers.activations import ReLU, Sigmoid, Tanh
from dlref.layers.attention import MultiHeadAttention
from dlref.layers.batch_norm import BatchNorm
from dlref.layers.convolution import Conv2d
from dlref.layers.dropout import Dropout
from dlref.layers.embedding import Embedding
from dlref.layers.flatten import Flatten
from dlref.layers.gelu import GELU
from dlref.layers.layer_norm import LayerNorm
from dlref.layers.linear import Linear
from dlref.layers.local_response_norm import LocalResponseNorm
from dlref.layers.pooling import MaxPool2d
from dlref.layers.residual import Residual
from dlref.models.gpt import GPT
from dlref.neural_network import Sequential


class ResidualModule(nn.Sequential):
    """x + f(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)  # type: ignore[no-untyped-call, no-any-return]


class BatchNormModule(nn.BatchNorm2d):
    """For rows (N, C) as well as for images (N, C, H, W)."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


class EmbeddingModule(nn.Module):
    """A row for each token, and one for its position."""

    def __init__(self, tokens: int, context: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(tokens, features))
        self.position = nn.Parameter(torch.empty(context, features))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight[x] + self.position[: x.shape[1]]


class SelfAttentionModule(nn.MultiheadAttention):
    """PyTorch's attention, of an input with itself."""

    def __init__(self, features: int, heads: int, causal: bool) -> None:
        super().__init__(features, heads, batch_first=True)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        length, mask = x.shape[1], None
        if self.causal:
            mask = nn.Transformer.generate_square_subsequent_mask(length, x.device, x.dtype)
        y, _ = super().forward(x, x, x, need_weights=False, attn_mask=mask, is_causal=self.causal)
        return y


class GPTModule(nn.Sequential):
    """Logits by the weights of the embedding."""

    def forward(self, x: Tensor) -> Tensor:
        h = super().forward(x)  # type: ignore[no-untyped-call]
        return h @ self[0].weight.T  # type: ignore[no-any-return]


# PyTorch keeps a weight as (out, in), so that each row belongs to an output.
TRANSPOSED: dict[type[Layer], tuple[str, ...]] = {
    Linear: ("weight",),
    MultiHeadAttention: ("in_proj_weight", "out_proj.weight"),
}


def module_of(layer: Layer) -> nn.Module:
    """The module that computes what a layer computes, with copies of its arrays.

    Raises:
        TypeError: the layer has no equivalent.
    """
    if type(layer) in CONTAINERS:
        assert isinstance(layer, Sequential)
        return CONTAINERS[type(layer)](*map(module_of, layer.layers))
    if not type(layer).__module__.startswith("dlref."):  # a subclass may compute something else
        raise TypeError(f"to_torch: {layer!r:.80} is not dlref's own: write its torch.nn.Module")
    module = _new_module(layer)
    state, transposed = module.state_dict(), TRANSPOSED.get(type(layer), ())
    for name, array in [*layer.params.items(), *layer.buffers.items()]:
        tensor = asarray(array, "cpu" if device_of(array) == "numpy" else device_of(array))
        module.to(tensor.device, tensor.dtype)
        state[name] = tensor.T if name in transposed else tensor
    module.load_state_dict(state)
    return module


CONTAINERS: dict[type[Layer], type[nn.Sequential]] = {
    Sequential: nn.Sequential,
    Residual: ResidualModule,
    GPT: GPTModule,
}


def _new_module(layer: Layer) -> nn.Module:  # noqa: PLR0911, a line for each layer
    shapes = {name: p.shape for name, p in layer.params.items()}
    match layer:
        case Linear():
            return nn.Linear(*shapes["weight"])
        case Conv2d(stride=stride, padding=padding, groups=groups):
            outputs, channels, size, _ = shapes["weight"]
            return nn.Conv2d(channels * groups, outputs, size, stride, padding, groups=groups)
        case Embedding():
            return EmbeddingModule(shapes["weight"][0], *shapes["position"])
        case MultiHeadAttention(heads=heads, causal=causal):
            return SelfAttentionModule(shapes["out_proj.bias"][0], heads, causal)
        case LayerNorm(eps=eps):
            return nn.LayerNorm(shapes["weight"], eps)
        case BatchNorm(eps=eps, momentum=momentum):
            return BatchNormModule(shapes["weight"][0], eps, momentum)
        case LocalResponseNorm(size=size, alpha=alpha, beta=beta, k=k):
            return nn.LocalResponseNorm(size, alpha * size, beta, k)  # PyTorch divides by size
        case MaxPool2d(kernel_size=size, stride=stride):
            return nn.MaxPool2d(size, stride)
        case Dropout(p=p):
            return nn.Dropout(p)
        case GELU():
            return nn.GELU(approximate="tanh")
    plain: dict[type[Layer], type[nn.Module]] = {
        ReLU: nn.ReLU,
        Sigmoid: nn.Sigmoid,
        Tanh: nn.Tanh,
        Flatten: nn.Flatten,
    }
    return plain[type(layer)]()
