# SPDX-License-Identifier: MIT
"""The array: a handle to values that the library computes when they are needed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._library import library
from . import _dtypes
from ._call import call, listed, unary
from ._dtypes import DType
from ._handle import ArrayHandle
from ._methods import Methods

_MOST_AXES = 8


class Array(Methods):
    """An n-dimensional array on a device, with NumPy's operators and the Python array API standard's functions.

    Made by :func:`overtake.asarray`, :func:`overtake.zeros`, ... Functions only build a graph; reading values (printing,
    ``float(x)``, ``numpy.asarray(x)``) or :func:`overtake.eval` computes it, a chain of element-wise work in one pass.
    Assignment (``x[1:] = 0``) gives this array a new value; arrays made from it before keep the old one.
    """

    __slots__ = ("__weakref__", "_handle", "_lent")
    __array_priority__ = 1000.0  # NumPy's arrays leave operators to us

    def __init__(self, handle: int | ArrayHandle) -> None:
        self._handle = handle if isinstance(handle, ArrayHandle) else ArrayHandle(handle)
        self._lent: list[Array] | None = None

    def _replace(self, value: Array) -> Array:
        self._handle = value._handle
        return self

    def _shared(self) -> Array:
        """Another array with the value that this one has now."""
        shared = ctypes.c_void_p()
        library().check(library().raw.overtake_array_share(self._handle, ctypes.byref(shared)))
        return Array(shared.value or 0)

    # -- copies: values never change, so that a copy may share them ----------------------------------------------------
    def copy(self) -> Array:
        """The same value; neither assignments nor requires_grad_() of one count for the other. Gradients flow through it."""
        return self._shared() if self.requires_grad else self.detach()

    def clone(self) -> Array:
        """As :meth:`copy`, by PyTorch's name."""
        return self.copy()

    def __copy__(self) -> Array:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        """With a gradient of its own."""
        copy = self.detach()
        return copy.requires_grad_() if self.requires_grad else copy

    def __reduce__(self) -> Any:
        """The values, type and whether it requires a gradient: an array that is unpickled is on the cpu."""
        return _from_pickle, (self._numpy(), self.dtype.name, self.requires_grad)

    # -- what it is ----------------------------------------------------------------------------------------------------
    def _describe(self) -> tuple[DType, tuple[int, ...]]:
        handle = self._handle
        if handle.described is None:
            dtype, rank, extents = ctypes.c_int32(), ctypes.c_int32(), (ctypes.c_int64 * _MOST_AXES)()
            lib = library()
            lib.check(lib.raw.overtake_array_describe(handle, ctypes.byref(dtype), ctypes.byref(rank), extents))
            handle.described = (_dtypes.ALL[dtype.value], tuple(extents[: rank.value]))
        described: tuple[DType, tuple[int, ...]] = handle.described
        return described

    @property
    def dtype(self) -> DType:
        return self._describe()[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return self._describe()[1]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        total = 1
        for extent in self.shape:
            total *= extent
        return total

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def device(self) -> str:
        name = ctypes.c_char_p()
        library().check(library().raw.overtake_array_device(self._handle, ctypes.byref(name)))
        return (name.value or b"").decode()

    @property
    def T(self) -> Array:
        return Array(call("permute_dims", [self], [self.ndim, *reversed(range(self.ndim))])[0])

    @property
    def mT(self) -> Array:
        return Array(unary("matrix_transpose", self))

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
            raise ValueError(f"the array API standard {api_version} is not supported; 2024.12 is")
        import overtake

        return overtake

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        if not self.shape:
            raise TypeError("an array without axes cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        begin = "overtake.Array("
        return f"{begin}{self._text(len(begin))}, dtype={self.dtype}, device='{self.device}')"

    def __str__(self) -> str:
        return self._text(0)

    def _text(self, indent: int) -> str:
        return library().text_of("overtake_array_text", self._handle, indent)

    # -- to the host ---------------------------------------------------------------------------------------------------
    def _numpy(self) -> Any:
        """A copy as NumPy's; bfloat16 becomes float32."""
        import numpy

        source = self.astype(_dtypes.float32) if self.dtype is _dtypes.bfloat16 else self
        result = numpy.empty(source.shape, dtype=source.dtype.name)
        lib = library()
        lib.check(lib.raw.overtake_array_read(source._handle, result.ctypes.data, result.nbytes))
        return result

    def numpy(self) -> Any:
        """A copy of the values as NumPy's array; bfloat16 becomes float32."""
        return self._numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError("the values cannot be had without a copy")
        result = self._numpy()
        return result if dtype is None else result.astype(dtype, copy=False)

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule over the values where they lie, read-only; the standard's arguments.

        On a GPU it waits until the values are there, whatever `stream`, unless that is -1.
        """
        from ._share import lend

        source = self
        if dl_device is not None and tuple(map(int, dl_device)) != self.__dlpack_device__():
            if int(dl_device[0]) != 1 or copy is False:
                raise BufferError(f"the array is on {self.device}: move it with to_device() first")
            source = self.to_device("cpu")
        elif copy:
            source = self._copied()
        if not source.device.startswith(("cpu", "cuda")):
            raise BufferError(f"the array is on {source.device}: move it with to_device('cpu') first")
        return lend(source, max_version is not None and max_version[0] >= 1, stream != -1)

    def _copied(self) -> Array:
        """The values in memory of their own."""
        return self.reshape((1, self.size) if self.ndim == 1 else (self.size,)).reshape(self.shape).eval()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if not self.device.startswith("cuda"):
            raise AttributeError(f"the array is on {self.device}, not on a CUDA device")
        from ._share import describe_for_cuda

        described = describe_for_cuda(self)
        self._lent = [*(self._lent or []), self._shared()]  # valid even when this one gets a new value
        return described

    def _view(self) -> Any:
        """The values of an array of the cpu as NumPy's, without a copy: not to be written to."""
        import numpy

        return numpy.asarray(_Memory(self))

    def __dlpack_device__(self) -> tuple[int, int]:
        kind, _, index = self.device.partition(":")
        return {"cpu": 1, "cuda": 2}.get(kind, 4), int(index or 0)

    def tolist(self) -> Any:
        """The values as nested lists of Python's numbers."""
        return self._numpy().tolist()

    def item(self) -> Any:
        """The value of a one-element array as Python's number."""
        if self.size != 1:
            raise ValueError(f"item() needs one element, the shape is {self.shape}")
        return self._numpy().reshape(()).item()

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(f"the truth of an array of shape {self.shape} is ambiguous: use any() or all()")
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in ("signed integer", "unsigned integer"):
            raise TypeError(f"an array of {self.dtype} is no index")
        return int(self.item())

    # -- to other arrays -----------------------------------------------------------------------------------------------
    def to_device(self, device: str, /, *, stream: Any = None) -> Array:
        """The same values on another device: data crosses only when asked."""
        moved = ctypes.c_void_p()
        library().check(library().raw.overtake_array_to(self._handle, str(device).encode(), ctypes.byref(moved)))
        return Array(moved.value or 0)

    def to(self, device: str) -> Array:
        """As :meth:`to_device`, by PyTorch's name."""
        return self.to_device(device)

    def astype(self, dtype: Any, *, copy: bool = True) -> Array:
        """Converted: floats truncate toward zero and clip, whole numbers wrap round."""
        return Array(call("astype", [self], [_dtypes.as_dtype(dtype).number])[0])

    def reshape(self, *shape: Any) -> Array:
        """The same values in another shape, of which one extent may be -1."""
        wanted = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
        return Array(call("reshape", [self], listed(wanted, "reshape"))[0])

    def eval(self) -> Array:
        """Computes it now, without waiting for a GPU; returns itself."""
        lib = library()
        handle = self._handle
        status = lib.raw.overtake_array_eval(ctypes.byref(handle), 1)
        if status:
            lib.check(status)
        return self

    # -- gradients -----------------------------------------------------------------------------------------------------
    @property
    def requires_grad(self) -> bool:
        required = ctypes.c_int32()
        library().check(library().raw.overtake_array_requires_grad(self._handle, ctypes.byref(required)))
        return bool(required.value)

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        self.requires_grad_(required)

    def requires_grad_(self, required: bool = True) -> Array:
        """Marks it as a leaf to differentiate by; returns itself."""
        library().check(library().raw.overtake_array_set_requires_grad(self._handle, int(required)))
        return self

    def backward(self) -> None:
        """Differentiates this one-element array by every leaf that requires a gradient."""
        library().check(library().raw.overtake_array_backward(self._handle))

    @property
    def grad(self) -> Array | None:
        found = ctypes.c_void_p()
        library().check(library().raw.overtake_array_grad(self._handle, ctypes.byref(found)))
        return Array(found.value) if found.value else None

    @grad.setter
    def grad(self, gradient: Array | None) -> None:
        library().check(
            library().raw.overtake_array_set_grad(self._handle, None if gradient is None else gradient._handle)
        )

    def detach(self) -> Array:
        """The same values, cut off from the graph."""
        return Array(call("detach", [self])[0])

    # -- parts ---------------------------------------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Array:
        from ._indexing import get

        part: Array = get(self, key)
        return part

    def __setitem__(self, key: Any, value: Any) -> None:
        from ._indexing import put

        self._replace(put(self, key, value))

    __hash__ = None  # type: ignore[assignment]

    if TYPE_CHECKING:  # _operators.py makes them

        def __add__(self, other: Any) -> Array: ...
        def __radd__(self, other: Any) -> Array: ...
        def __sub__(self, other: Any) -> Array: ...
        def __rsub__(self, other: Any) -> Array: ...
        def __mul__(self, other: Any) -> Array: ...
        def __rmul__(self, other: Any) -> Array: ...
        def __truediv__(self, other: Any) -> Array: ...
        def __rtruediv__(self, other: Any) -> Array: ...
        def __floordiv__(self, other: Any) -> Array: ...
        def __rfloordiv__(self, other: Any) -> Array: ...
        def __mod__(self, other: Any) -> Array: ...
        def __rmod__(self, other: Any) -> Array: ...
        def __pow__(self, other: Any) -> Array: ...
        def __rpow__(self, other: Any) -> Array: ...
        def __matmul__(self, other: Any) -> Array: ...
        def __rmatmul__(self, other: Any) -> Array: ...
        def __and__(self, other: Any) -> Array: ...
        def __rand__(self, other: Any) -> Array: ...
        def __or__(self, other: Any) -> Array: ...
        def __ror__(self, other: Any) -> Array: ...
        def __xor__(self, other: Any) -> Array: ...
        def __rxor__(self, other: Any) -> Array: ...
        def __lshift__(self, other: Any) -> Array: ...
        def __rlshift__(self, other: Any) -> Array: ...
        def __rshift__(self, other: Any) -> Array: ...
        def __rrshift__(self, other: Any) -> Array: ...
        def __lt__(self, other: Any) -> Array: ...
        def __le__(self, other: Any) -> Array: ...
        def __gt__(self, other: Any) -> Array: ...
        def __ge__(self, other: Any) -> Array: ...
        def __neg__(self) -> Array: ...
        def __pos__(self) -> Array: ...
        def __abs__(self) -> Array: ...
        def __invert__(self) -> Array: ...


def _from_pickle(values: Any, dtype: str, requires_grad: bool) -> Array:
    from ._creation import asarray

    made: Array = asarray(values, dtype=dtype, device="cpu")
    return made.requires_grad_() if requires_grad else made


class _Memory:
    """What NumPy needs to look at an array's memory; keeps it alive."""

    def __init__(self, array: Array) -> None:
        address = ctypes.c_void_p()
        self._array = array._shared()
        lib = library()
        lib.check(lib.raw.overtake_array_memory(self._array._handle, ctypes.byref(address)))
        kinds = {"bool": "b", "signed integer": "i", "unsigned integer": "u", "real floating": "f"}
        if array.dtype is _dtypes.bfloat16:
            raise BufferError("bfloat16 is no type of NumPy's: convert it with astype()")
        self.__array_interface__ = {
            "version": 3,
            "shape": array.shape,
            "typestr": f"<{kinds[array.dtype.kind]}{array.dtype.itemsize}".replace("<b", "|b"),
            "data": (address.value or 0, False),
        }
