# SPDX-License-Identifier: MIT
"""Functions as methods, for those who know them from NumPy and PyTorch. What they do is in the functions of the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ._array import Array

    Axis = int | Sequence[int] | None


def _ot() -> Any:
    import overtake

    return overtake


class Methods:
    """The methods of :class:`Array` that are functions of ``overtake``; none changes the array."""

    __slots__ = ()

    def sum(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().sum(self, axis=axis, dtype=dtype, keepdims=keepdims))

    def prod(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().prod(self, axis=axis, dtype=dtype, keepdims=keepdims))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().mean(self, axis=axis, keepdims=keepdims))

    def std(self, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        return cast("Array", _ot().std(self, axis=axis, correction=correction, keepdims=keepdims))

    def var(self, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        return cast("Array", _ot().var(self, axis=axis, correction=correction, keepdims=keepdims))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().max(self, axis=axis, keepdims=keepdims))

    def min(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().min(self, axis=axis, keepdims=keepdims))

    def any(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().any(self, axis=axis, keepdims=keepdims))

    def all(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().all(self, axis=axis, keepdims=keepdims))

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().argmax(self, axis=axis, keepdims=keepdims))

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Array:
        return cast("Array", _ot().argmin(self, axis=axis, keepdims=keepdims))

    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Array:
        """cumulative_sum(); of all elements in order without `axis`, as NumPy's."""
        given = self if axis is not None else self.flatten()
        return cast("Array", _ot().cumulative_sum(given, axis=axis, dtype=dtype))

    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Array:
        """cumulative_prod(); of all elements in order without `axis`, as NumPy's."""
        given = self if axis is not None else self.flatten()
        return cast("Array", _ot().cumulative_prod(given, axis=axis, dtype=dtype))

    def sort(self, axis: int = -1, descending: bool = False) -> Array:
        """Sorted: a new array, this one stays as it is."""
        return cast("Array", _ot().sort(self, axis=axis, descending=descending))

    def argsort(self, axis: int = -1, descending: bool = False) -> Array:
        return cast("Array", _ot().argsort(self, axis=axis, descending=descending))

    def clip(self, min: Any = None, max: Any = None) -> Array:
        return cast("Array", _ot().clip(self, min, max))

    def round(self, decimals: int = 0) -> Array:
        return cast("Array", _ot().round(self, decimals))

    def dot(self, other: Any) -> Array:
        return cast("Array", _ot().dot(self, other))

    def squeeze(self, axis: Axis = None) -> Array:
        return cast("Array", _ot().squeeze(self, axis))

    def flatten(self) -> Array:
        """The elements in order, along one axis."""
        return cast("Array", _ot().reshape(self, (-1 if self.size else 0,)))  # type: ignore[attr-defined]

    def ravel(self) -> Array:
        """As :meth:`flatten`."""
        return self.flatten()

    def transpose(self, *axes: Any) -> Array:
        """Axes in another order, as NumPy's: the opposite one unless `axes` says which."""
        chosen = axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes
        rank = self.ndim  # type: ignore[attr-defined]
        return cast("Array", _ot().permute_dims(self, tuple(chosen or reversed(range(rank)))))
