# SPDX-License-Identifier: MIT
"""The library's layers: names, arguments and parameters are PyTorch's, the mathematics is in C++ (overtake/nn)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._errors import UsageError
from .._library import library
from ..arrays._array import Array
from ._module import Module, layer_value, make_layer, native


class Layer(Module):
    """A layer of the library. One of one's own may derive from it and call ``super().forward(x)``."""

    def __init__(self) -> None:
        make_layer(self, self._kind(), {})

    def _kind(self) -> str:
        """The name of the library's layer that this class is, or is derived from."""
        return next(each.__name__ for each in type(self).__mro__ if each.__module__.startswith(__package__))

    @native
    def forward(self, x: Array) -> Array:
        """The layer's value for an array."""
        return layer_value(self, x)

    def extra_repr(self) -> str:
        """The layer's attributes, as the library writes them."""
        text = library().text_of("overtake_module_text", self._handle.value)
        return text[text.index("(") + 1 : -1]


_INITIAL = ("uniform", "kaiming_normal", "small_normal")


def initial_of(kind: str, initial: str) -> dict[str, Any]:
    """How a layer draws its weights, as its attribute."""
    if initial not in _INITIAL:
        raise UsageError(f"[{kind}] initial is {initial!r}", f"Expected one of: {', '.join(_INITIAL)}.")
    return {} if initial == "uniform" else {"initial": _INITIAL.index(initial)}


class Linear(Layer):
    """``y = x W^T + b``: (..., in_features) float32 -> (..., out_features).

    `weight` is (out_features, in_features), `bias` (out_features,); both begin uniform in +-1/sqrt(in_features).
    `initial` "kaiming_normal" or "small_normal" (deviation 0.01): normal, and zeros in `bias`.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, initial: str = "uniform") -> None:
        attributes = {"in_features": in_features, "out_features": out_features, "bias": bool(bias)}
        make_layer(self, "Linear", attributes | initial_of("Linear", initial))
        self.in_features, self.out_features = in_features, out_features


class Embedding(Layer):
    """Rows of a table: whole numbers of any shape -> that shape with an axis of embedding_dim at its end.

    `weight` is (num_embeddings, embedding_dim), normally distributed at first. The row `padding_idx` begins as zeros and is
    not learnt. A number outside of the table is an IndexError on the cpu, elsewhere
    its row is NaN. Floating numbers that are whole count as such, so that a Trainer,
    whose inputs are float32, can begin with an Embedding.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        attributes: dict[str, Any] = {"num_embeddings": num_embeddings, "embedding_dim": embedding_dim}
        if padding_idx is not None:
            attributes["padding_idx"] = padding_idx
        make_layer(self, "Embedding", attributes)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx


class ReLU(Layer):
    """``max(x, 0)``."""


class LeakyReLU(Layer):
    """x where x > 0, else ``negative_slope * x``."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        make_layer(self, "LeakyReLU", {"negative_slope": negative_slope})
        self.negative_slope = negative_slope


class Tanh(Layer):
    """``tanh(x)``."""


class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``."""


class GELU(Layer):
    """``x/2 (1 + erf(x / sqrt(2)))``."""


class SiLU(Layer):
    """``x / (1 + exp(-x))``."""


class Softmax(Layer):
    """Softmax over the last axis. CrossEntropyLoss takes logits: put no Softmax before it."""

    def __init__(self, dim: int = -1) -> None:
        if dim != -1:
            raise UsageError(f"[Softmax] dim is {dim}: the layer works over the last axis", "Leave dim out.")
        make_layer(self, "Softmax", {})


class Dropout(Layer):
    """In training mode zeros each element with probability p and divides the others by 1 - p; else the identity."""

    def __init__(self, p: float = 0.5) -> None:
        make_layer(self, "Dropout", {"p": p})
        self.p = p


class LayerNorm(Layer):
    """Normalises the last axes, which must be `normalized_shape`: ``(x - mean) / sqrt(variance + eps) * weight + bias``."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        attributes: dict[str, Any] = {f"normalized_shape_{i}": extent for i, extent in enumerate(shape)}
        attributes |= {"eps": eps, "elementwise_affine": bool(elementwise_affine), "bias": bool(bias)}
        make_layer(self, "LayerNorm", attributes)
        self.normalized_shape, self.eps = shape, eps


class BatchNorm(Layer):
    """What the layers below share."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        attributes: dict[str, Any] = {"num_features": num_features, "eps": eps, "affine": bool(affine)}
        attributes["track_running_stats"] = bool(track_running_stats)
        attributes |= {"cumulative_average": True} if momentum is None else {"momentum": momentum}
        make_layer(self, self._kind(), attributes)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum


class BatchNorm1d(BatchNorm):
    """Normalises each feature of (rows, features) or (rows, features, length) over rows and positions.

    In evaluation mode by the running statistics, which training moves by `momentum` (None: plain averages).
    """
