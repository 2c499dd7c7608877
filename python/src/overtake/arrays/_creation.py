# SPDX-License-Identifier: MIT
"""Arrays from numbers, lists and other libraries' arrays; arrays from nothing."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from .._library import library
from . import _dtypes
from ._array import Array
from ._call import call, members_of, optional, whole
from ._dtypes import DType, as_dtype
from ._scalars import WHOLE, converted, fits, scalar, type_of_whole

Shape = int | Sequence[int]

_default_device = "cpu"


def set_default_device(device: Any) -> None:
    """Where arrays are made that are asked for without a device: ``"cpu"`` at first. Holds for the process; arrays that are
    there stay where they are.

    Raises
    ------
    DeviceError
        Where the device is missing or does not work: the default stays then.
    """
    global _default_device  # noqa: PLW0603
    _from_bytes(b"\0", _dtypes.bool_, (), str(device))
    _default_device = str(device)


def get_default_device() -> str:
    """The device of arrays that are asked for without one."""
    return _default_device


def _extents(shape: Shape, function: str) -> tuple[int, ...]:
    extents = members_of(shape, function, "shape")
    if any(each < 0 for each in extents):
        raise ValueError(f"[{function}] shape is {shape}: an extent is negative")
    return extents


def _anchor(device: Any) -> Array | None:
    """An array without axes that says where others are to be; None for the cpu."""
    if device is None:
        device = _default_device
    if str(device) == "cpu":
        return None
    return _from_bytes(b"\0", _dtypes.bool_, (), device)


def _from_bytes(values: Any, dtype: DType, shape: tuple[int, ...], device: Any) -> Array:
    made = ctypes.c_void_p()
    address = values if isinstance(values, int) else ctypes.cast(ctypes.c_char_p(values), ctypes.c_void_p)
    where = (_default_device if device is None else str(device)).encode()
    lib = library()
    lib.check(
        lib.raw.overtake_array_from(
            address, dtype.number, (ctypes.c_int64 * len(shape))(*shape), len(shape), where, ctypes.byref(made)
        )
    )
    return Array(made.value or 0)


def _from_numpy(given: Any, device: Any) -> Array:
    import numpy

    values = numpy.asarray(given)
    if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise TypeError(f"arrays of {values.dtype} are not supported; there are bool, whole and floating numbers")
    values = numpy.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False)).reshape(values.shape)
    return _from_bytes(values.ctypes.data, as_dtype(values.dtype), values.shape, device)


def _of_python(obj: Any, device: Any) -> Array:
    import numpy

    values = numpy.asarray(obj)
    if values.dtype.kind == "f" and not hasattr(obj, "dtype"):
        return _from_numpy(values.astype("float32"), device)  # the default floating type
    if values.size == 0 and not hasattr(obj, "dtype"):
        return _from_numpy(values.astype("float32"), device)
    return _from_numpy(values, device)


def _of_gpu(obj: Any) -> Array | None:
    """Another library's array on a CUDA device, where it lies; None for everything else."""
    if hasattr(obj, "__dlpack_device__") and not hasattr(obj, "__array_interface__"):
        if int(obj.__dlpack_device__()[0]) in (2, 13):
            return from_dlpack(obj)
    elif hasattr(obj, "__cuda_array_interface__"):
        from ._share import adopt_cuda

        return adopt_cuda(obj)
    return None


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Array:
    """`obj` (a number, lists of lists, any array) as an array; Python's floats become float32, its whole numbers int64."""
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(obj, Array):
        result = obj if device is None or str(device) == obj.device else obj.to_device(device)
        if wanted is not None and wanted is not result.dtype:
            if copy is False:
                raise ValueError("another type needs a copy")
            return result.astype(wanted)
        if copy:
            return result._shared()
        return result
    foreign = _of_gpu(obj)
    if foreign is not None:
        return asarray(foreign, dtype=dtype, device=device, copy=copy)
    if copy is False:
        raise ValueError("the values cannot be had without a copy")
    if isinstance(obj, (bool, int, float)):
        kind = wanted or (
            _dtypes.bool_ if isinstance(obj, bool) else type_of_whole(obj) if isinstance(obj, int) else _dtypes.float32
        )
        return full((), obj, dtype=kind, device=device)
    if isinstance(obj, complex):
        raise TypeError("complex numbers are not supported")
    if isinstance(obj, (list, tuple)) and any(isinstance(each, Array) for each in obj):
        parts = [each if isinstance(each, Array) else asarray(each) for each in obj]
        made = Array(call("stack", [each for each in parts], [0])[0])
    elif wanted is not None and not hasattr(obj, "dtype"):
        import numpy

        exact = "float32" if wanted is _dtypes.bfloat16 else wanted.name
        made = _from_numpy(numpy.asarray(obj, dtype=exact), device)
    else:
        made = _of_python(obj, device)
    return made if wanted is None or wanted is made.dtype else made.astype(wanted)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """The array of another library that has ``__dlpack__``, without a copy where it is on the CPU or a CUDA device.

    Its owner should not write to it from then on: what is computed here may show the old values or the new ones.
    """
    if isinstance(x, Array):
        return asarray(x, device=device, copy=copy)
    from ._share import borrow

    made = borrow(x, copy)
    if device is None or str(device) == made.device:
        return made
    if copy is False:
        raise ValueError(f"the values are on {made.device}: another device needs a copy")
    return made.to_device(str(device))


def full(shape: Shape, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """`fill_value` everywhere; its type unless `dtype` says otherwise."""
    return _full("full", shape, fill_value, dtype, device)


def _full(function: str, shape: Shape, fill_value: Any, dtype: Any, device: Any) -> Array:
    extents = _extents(shape, function)
    value = fill_value
    if not isinstance(value, Array):
        if not isinstance(value, (bool, int, float)):
            raise TypeError(f"[{function}] fill_value is {value!r}, expected a number")
        value = scalar(value if dtype is None else converted(function, value, as_dtype(dtype)))
    kind = value.dtype if dtype is None else as_dtype(dtype)
    return Array(call("full", [_anchor(device), value], [len(extents), *extents, kind.number])[0])


def zeros(shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
    return _full("zeros", shape, 0, _dtypes.float32 if dtype is None else dtype, device)


def ones(shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
    return _full("ones", shape, 1, _dtypes.float32 if dtype is None else dtype, device)


def empty(shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
    return _full("empty", shape, 0, _dtypes.float32 if dtype is None else dtype, device)


def full_like(x: Array, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    x = x if isinstance(x, Array) else asarray(x)
    return _full("full_like", x.shape, fill_value, dtype or x.dtype, device or x.device)


def zeros_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    return full_like(x, 0, dtype=dtype, device=device)


_EXACT = 2**53  # whole numbers up to it are doubles


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Array:
    """Numbers from `start` (0 unless both are given) to before `stop`; whole ones are exact."""
    if stop is None:
        start, stop = 0, start
    if all(hasattr(each, "__index__") for each in (start, stop, step)):
        start, stop, step = (whole(each, "arange", "an argument") for each in (start, stop, step))
        return _whole_numbers(start, stop, step, dtype, device)
    kind = as_dtype(dtype) if dtype is not None else _dtypes.float32
    numbers = [float(start), float(stop), float(step)]
    return Array(call("arange", [_anchor(device)], [kind.number], numbers)[0])


def _whole_numbers(start: int, stop: int, step: int, dtype: Any, device: Any) -> Array:
    if step == 0:
        raise ValueError("[arange] the step is 0")
    values = range(start, stop, step)
    ends = (values[0], values[-1]) if values else (0, 0)
    exact = type_of_whole(max(ends)) if min(ends) >= 0 else _dtypes.int64
    kind = exact if dtype is None else as_dtype(dtype)
    if kind.kind in WHOLE and not all(fits(each, kind) for each in ends):
        raise OverflowError(f"[arange] {ends[0]} to {ends[1]} is out of bounds for {kind}")
    if kind.kind not in WHOLE or all(abs(each) <= _EXACT for each in (start, stop, step)):
        return Array(call("arange", [_anchor(device)], [kind.number], [float(start), float(stop), float(step)])[0])
    count = (max(ends) - min(ends)) // abs(step) + 1 if values else 0
    places = Array(call("arange", [_anchor(device)], [exact.number], [0.0, float(count), 1.0])[0])
    if step < 0 and exact is _dtypes.uint64:
        return (ends[0] - places * -step).astype(kind) if count > 1 else full((1,), ends[0], dtype=kind, device=device)
    return (places * (step if count > 1 else 1) + (ends[0] if values else 0)).astype(kind)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Array:
    kind = _dtypes.float32 if dtype is None else as_dtype(dtype)
    integers = [whole(num, "linspace", "num"), int(endpoint), kind.number]
    return Array(call("linspace", [_anchor(device)], integers, [float(start), float(stop)])[0])


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Array:
    kind = _dtypes.float32 if dtype is None else as_dtype(dtype)
    sizes = [whole(n_rows, "eye", "n_rows"), *optional(n_cols, "eye", "n_cols"), whole(k, "eye", "k")]
    return Array(call("eye", [_anchor(device)], [*sizes, kind.number])[0])
