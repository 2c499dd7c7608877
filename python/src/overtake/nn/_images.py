# SPDX-License-Identifier: MIT
"""Layers and functions over images (n, channels, height, width): PyTorch's names and arguments, the library's mathematics."""

from __future__ import annotations

from typing import Any

from .._errors import UsageError
from ..arrays._arguments import array_of, one
from ..arrays._array import Array
from ..arrays._call import members_of
from ._layers import BatchNorm, Layer, initial_of
from ._module import make_layer


def _pair(value: Any, function: str, what: str) -> tuple[int, int]:
    """Two whole numbers; one is both."""
    members = members_of(value, function, what)
    if len(members) == 1 and hasattr(value, "__index__"):
        return members[0], members[0]
    if len(members) != 2:
        raise UsageError(f"[{function}] {what} is {value!r}, expected one number or a pair", "The height comes first.")
    return members[0], members[1]


def _attributes(function: str, **pairs: Any) -> dict[str, Any]:
    """Pairs by the names the library's layers have for them."""
    return {
        f"{name}_{i}": number for name, value in pairs.items() for i, number in enumerate(_pair(value, function, name))
    }


def _refuse(function: str, **given: tuple[Any, Any]) -> None:
    """PyTorch's arguments that have one value here."""
    for name, (value, only) in given.items():
        if value != only:
            raise UsageError(f"[{function}] {name} is {value!r}: only {only!r} is there", f"Leave {name} out.")


def _named_padding(name: str, kernel_size: Any, stride: Any, dilation: Any) -> tuple[int, int]:
    """PyTorch's "valid", which is none, and "same", with which images keep their size."""
    if name not in ("valid", "same"):
        raise UsageError(f"[Conv2d] padding is {name!r}, expected numbers, 'valid' or 'same'")
    if name == "valid":
        return 0, 0
    size, steps, spread = (
        _pair(value, "Conv2d", what)
        for value, what in ((kernel_size, "kernel_size"), (stride, "stride"), (dilation, "dilation"))
    )
    if steps != (1, 1):
        raise UsageError(f"[Conv2d] padding is 'same' with stride {stride!r}, expected a stride of 1")
    more = [d * (k - 1) for d, k in zip(spread, size, strict=True)]
    if any(each % 2 for each in more):
        raise UsageError(
            f"[Conv2d] padding is 'same' with kernel_size {kernel_size!r}: one side would have more than the other",
            "Use an odd kernel_size, or pad the images.",
        )
    return more[0] // 2, more[1] // 2


class Conv2d(Layer):
    """Convolution: (n, in_channels, height, width) -> (n, out_channels, p, q).

    `weight` is (out_channels, in_channels / groups, height, width), `bias` (out_channels,); both begin uniform in
    +-1/sqrt(fan_in), with `initial` "kaiming_normal" or "small_normal" as in torchvision's VGG. Sizes are one number, or
    a pair of height and width. `padding` may be "valid" (none) or "same" (with a stride of 1).
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- PyTorch's arguments
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        initial: str = "uniform",
    ) -> None:
        _refuse("Conv2d", padding_mode=(padding_mode, "zeros"))
        if isinstance(padding, str):
            padding = _named_padding(padding, kernel_size, stride, dilation)
        attributes = {"in_channels": in_channels, "out_channels": out_channels, "groups": groups, "bias": bool(bias)}
        attributes |= _attributes("Conv2d", kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        make_layer(self, "Conv2d", attributes | initial_of("Conv2d", initial))
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = _pair(kernel_size, "Conv2d", "kernel_size"), _pair(stride, "Conv2d", "stride")
        self.padding, self.dilation = _pair(padding, "Conv2d", "padding"), _pair(dilation, "Conv2d", "dilation")


class MaxPool2d(Layer):
    """The largest of each window; the gradient goes to the first of equal ones. Without a stride: the window's size."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        _refuse("MaxPool2d", dilation=(dilation, 1), return_indices=(return_indices, False))
        stride = kernel_size if stride is None else stride
        attributes = _attributes("MaxPool2d", kernel_size=kernel_size, stride=stride, padding=padding)
        make_layer(self, "MaxPool2d", attributes | {"ceil_mode": bool(ceil_mode)})
        self.kernel_size, self.stride, self.padding, self.ceil_mode = kernel_size, stride, padding, ceil_mode

    def extra_repr(self) -> str:
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{sizes}, dilation=1, ceil_mode={self.ceil_mode}"


class AvgPool2d(Layer):
    """The mean of each window; `count_include_pad`: places of the padding count as zeros."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: None = None,
    ) -> None:
        _refuse("AvgPool2d", divisor_override=(divisor_override, None))
        stride = kernel_size if stride is None else stride
        attributes = _attributes("AvgPool2d", kernel_size=kernel_size, stride=stride, padding=padding)
        attributes |= {"ceil_mode": bool(ceil_mode), "count_include_pad": bool(count_include_pad)}
        make_layer(self, "AvgPool2d", attributes)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Layer):
    """Means of the windows that cut images of any size into `output_size`."""

    def __init__(self, output_size: Any) -> None:
        make_layer(self, "AdaptiveAvgPool2d", _attributes("AdaptiveAvgPool2d", output_size=output_size))
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class RandomHorizontalFlip(Layer):
    """In training mode turns each image over, left for right, with probability p; else the identity. As torchvision's."""

    def __init__(self, p: float = 0.5) -> None:
        make_layer(self, "RandomHorizontalFlip", {"p": p})
        self.p = p


class RandomCrop(Layer):
    """In training mode a part of `size` of each image with `padding` zeros on all sides, at a place drawn for each.

    In evaluation mode the middle of the same size: the image itself where it has that size.
    """

    def __init__(self, size: Any, padding: int = 0) -> None:
        make_layer(self, "RandomCrop", _attributes("RandomCrop", size=size) | {"padding": padding})
        self.size, self.padding = _pair(size, "RandomCrop", "size"), padding

    def extra_repr(self) -> str:
        return f"size={self.size}, padding={self.padding}"


class Flatten(Layer):
    """All axes from `start_dim` to `end_dim` become one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        make_layer(self, "Flatten", {"start_dim": start_dim, "end_dim": end_dim})
        self.start_dim, self.end_dim = start_dim, end_dim

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class BatchNorm2d(BatchNorm):
    """Normalises each channel of (n, channels, height, width) over images and pixels; otherwise as BatchNorm1d."""

    def extra_repr(self) -> str:
        attributes = self.__dict__["_layer"][1]
        flags = ", ".join(f"{name}={attributes[name]}" for name in ("affine", "track_running_stats"))
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, {flags}"


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Array:
    """Convolution of images with filters (out_channels, channels / groups, height, width): (n, out_channels, p, q)."""
    sizes = _attributes("conv2d", stride=stride, padding=padding, dilation=dilation)
    images = array_of(input, "conv2d", "input")
    filters = array_of(weight, "conv2d", "weight", images)
    result = one("conv2d", [images, filters], [*sizes.values(), groups])
    return result if bias is None else result + array_of(bias, "conv2d", "bias", images).reshape((1, -1, 1, 1))


def _pool(name: str, input: Any, kernel_size: Any, stride: Any, padding: Any, *flags: bool) -> Array:
    stride = kernel_size if stride is None else stride
    sizes = _attributes(name, kernel_size=kernel_size, stride=stride, padding=padding)
    return one(name, [array_of(input, name, "input")], [*sizes.values(), *(int(each) for each in flags)])


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Array:
    """The largest of each window of images."""
    _refuse("max_pool2d", dilation=(dilation, 1))
    return _pool("max_pool2d", input, kernel_size, stride, padding, ceil_mode)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The mean of each window of images."""
    return _pool("avg_pool2d", input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Array:
    """Means of the windows that cut images into `output_size`."""
    sizes = _attributes("adaptive_avg_pool2d", output_size=output_size)
    return one("adaptive_avg_pool2d", [array_of(input, "adaptive_avg_pool2d", "input")], [*sizes.values()])
