# SPDX-License-Identifier: MIT
"""What a model does with one batch, layer by layer."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from dataclasses import dataclass

from .._errors import UsageError
from .._handles import check
from .._library import library
from ._module import Module


@dataclass(frozen=True)
class LayerSummary:
    """One call of a layer. Of `flops`, convolutions and products alone are counted, a multiply-add as 2, forward."""

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    flops: float
    output_bytes: int


@dataclass(frozen=True)
class Summary:
    """The layers in the order in which they run; printed, a table.

    `parameters` are those of the whole model, each once. `convolutions` says what computes them on `device`: cuDNN, oneDNN, or
    the library's own kernels.
    """

    layers: list[LayerSummary]
    parameters: int
    device: str
    convolutions: str
    text: str

    @property
    def flops(self) -> float:
        """Of all layers."""
        return sum(layer.flops for layer in self.layers)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def summary(model: Module, input_shape: Sequence[int]) -> Summary:
    """What `model` does with an input of `input_shape`, rows first: ``print(nn.summary(net, (1, 3, 224, 224)))``.

    forward() is called once, in evaluation mode, with zeros that hold no memory; nothing is computed. Layers of the library
    and parts of a :class:`Sequential` are seen; what forward() computes by functions of arrays is not, and parameters that it
    uses so count in the sum alone.
    """
    if not isinstance(model, Module):
        raise UsageError(f"[summary] the model is {type(model).__name__}, expected an overtake.nn.Module")
    shape = tuple(int(extent) for extent in input_shape)
    text = ctypes.c_void_p()
    extents = (ctypes.c_int64 * len(shape))(*shape)
    check(library().raw.overtake_module_summary(model._handle.value, extents, len(shape), ctypes.byref(text)))
    found = json.loads(library().take_text(text))
    layers = [LayerSummary(**each | {"output_shape": tuple(each["output_shape"])}) for each in found.pop("layers")]
    return Summary(layers, **found)
