# SPDX-License-Identifier: MIT
"""overtake.vectorize and overtake.jit."""

from __future__ import annotations

import ctypes
import functools
import math
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any, overload

from .._errors import UsageError
from ..arrays import _dtypes
from ..arrays._array import Array
from ..arrays._creation import asarray, get_default_device
from ..arrays._dtypes import DType
from ..arrays._handle import ArrayHandle
from ._errors import KernelError
from ._given import Method, check_limit, kept, number, placed, plain, seconds_of, sizes_of
from ._native import Kernel
from ._program import Facts, Kind, Program, Text
from ._source import Source, source_of
from ._types import WEAK_FLOAT, WEAK_INT, ArrayType

_PLAIN: dict[Any, DType] = {bool: _dtypes.bool_, int: WEAK_INT, float: WEAK_FLOAT}
_LARGEST_KNOWN = 4
_SHORT = 2**31  # places, and sizes of arrays, below it are held in 32 bits
_MOST_SECONDS = 1e9  # of a time limit: check_time_limit() of body_rules.cpp
_MOST_LAUNCHES = 64  # of different sizes that a function remembers


class _Made:
    """One kernel of a function, for one list of types."""

    __slots__ = ("arguments", "has_arrays", "has_numbers", "kernel", "limits", "outputs", "text", "written")

    def __init__(self, text: Text, key: tuple[Any, ...], debug: bool, time_limit: float) -> None:
        self.text = text
        lists = (text.parameters, text.outputs) if text.outputs else (text.parameters,)
        make = "overtake_kernel_elementwise" if text.outputs else "overtake_kernel_raw"
        texts = (*lists, text.body, text.name, text.preamble)
        self.kernel = Kernel(make, texts, len(text.results), debug, time_limit)
        self.arguments, self.written = text.arguments, text.written
        self.outputs = len(text.results)
        self.limits = list(dict.fromkeys(text.limits))
        self.has_arrays = any(isinstance(each, int) for each in key)  # of an array the key has its type's number
        self.has_numbers = not all(isinstance(each, int) for each in key)


class KernelFunction:
    """A function of the author's that becomes a kernel at its first call with arguments of some types."""

    def __init__(self, function: Callable[..., Any], debug: bool, time_limit: float | None, fma: bool) -> None:
        by = type(self)._decorator
        if not isinstance(function, types.FunctionType):
            raise KernelError(f"{by} takes a function, not {function!r}", f"Write @overtake.{by} above a def.")
        seconds = seconds_of(time_limit)
        if time_limit is not None and not 0 < seconds <= _MOST_SECONDS:
            raise UsageError(
                f"time_limit: {time_limit} is not between 0 and {_MOST_SECONDS:g}",
                "Give seconds, or None for no limit.",
            )
        functools.update_wrapper(self, function)  # type: ignore[arg-type]
        self._kernel_function = function
        self._debug, self._time_limit, self._fma = debug, seconds, fma
        self._made: dict[tuple[Any, ...], _Made] = {}
        self._lock = threading.Lock()
        self._count = function.__code__.co_argcount

    _decorator = ""

    @property
    def _source(self) -> Source:
        return source_of(self._kernel_function)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """Of an object: what says that methods are no kernels. A function of a class without `self` is one as any other."""
        names = self._kernel_function.__code__.co_varnames[: self._count]
        return Method(self, type(owner).__name__) if owner is not None and names[:1] in (("self",), ("cls",)) else self

    def __repr__(self) -> str:
        return f"<overtake.{self._decorator} of {self.__name__}>"  # type: ignore[attr-defined]

    def __reduce__(self) -> str:
        """By its name, as functions are pickled: another process imports it."""
        name: str = self.__qualname__  # type: ignore[attr-defined]
        return name

    def source(self, *types: Any, device: str | None = None) -> str:
        """The generated text for arguments of some types; without any, that of every kernel made so far.

        Parameters
        ----------
        types :
            overtake.float32, ... of elements; ``int``, ``float``, ``bool`` of plain numbers; for jit a type is that of an
            array with one axis, ``(overtake.float32, 2)`` of one with two; or arrays and numbers as in a call.
        device :
            Where it is given: the whole text as that device's compiler gets it.
        """
        if not types and self._source.parameters:
            if not self._made:
                raise KernelError(
                    f"no kernel of {self._source.name}() has been made yet",
                    "Say the types: f.source(overtake.float32).",
                )
            made = list(self._made.values())
        else:
            types = tuple(self._source.with_defaults(types))
            if device is None:
                return self._translated(types, True).source
            made = [_Made(self._translated(types, True), (), self._debug, self._time_limit)]
        return "\n".join(each.text.source if device is None else each.kernel.source(device) for each in made)

    def print_source(self, *types: Any, device: str | None = None) -> None:
        """Prints :meth:`source`."""
        print(self.source(*types, device=device))

    def _kind_of(self, given: Any) -> Kind:
        raise NotImplementedError

    def _translated(self, arguments: Sequence[Any], short: bool) -> Text:
        """The text for arguments, or types of such; `short`: int32 holds the places of all work-items."""
        raise NotImplementedError

    def _make(self, key: tuple[Any, ...], arguments: Sequence[Any], short: bool = True) -> _Made:
        with self._lock:
            if key not in self._made:
                self._made[key] = _Made(self._translated(arguments, short), key, self._debug, self._time_limit)
            return self._made[key]

    def _check_type(self, dtype: DType, name: str) -> DType:
        if dtype.name in ("float16", "bfloat16"):
            source = self._source
            raise KernelError(
                f"{source.name}(): {name} is {dtype}, in which kernels do not compute",
                f"Convert it: {name}.astype(overtake.float32).",
                source.place(source.tree),
            )
        return dtype


class Vectorized(KernelFunction):
    """What :func:`overtake.vectorize` gives: a function of arrays."""

    _decorator = "vectorize"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The function of each element; the arguments broadcast.

        Returns
        -------
        overtake.Array, or a tuple of them where the function returns several values. Lazy, as all arrays.
        """
        if named or len(arguments) != self._count:
            arguments = self._source.with_defaults(arguments, named)
        # Known types are read without a call: small kernels take little longer than this function.
        made = self._made.get(
            tuple(
                [
                    (each._handle.described or each._describe())[0].number if type(each) is Array else _number_key(each)
                    for each in arguments
                ]
            )
        )
        if made is None:
            made, arguments = self._prepared(arguments)
        device = None
        if made.has_numbers:
            device = None if made.has_arrays else get_default_device().encode()
            for place, dtype in made.limits:
                check_limit(self._source, place, arguments[place], dtype)
            arguments = tuple([each if type(each) is Array else number(each) for each in arguments])
        try:
            results = made.kernel.call(arguments, device)
        except UsageError as error:
            raise placed(error, self._source, made.text.name) from None
        return results if made.outputs == 1 else tuple(results)

    def _prepared(self, arguments: tuple[Any, ...]) -> tuple[_Made, tuple[Any, ...]]:
        beside = next((each.device for each in arguments if type(each) is Array), None)
        names = self._source.parameters
        given = tuple(self._operand(name, each, beside) for name, each in zip(names, arguments, strict=True))
        for name, each in zip(names, given, strict=True):
            self._check_type(self._kind_of(each), name)
        key = tuple(each.dtype.number if type(each) is Array else _number_key(each) for each in given)
        return self._make(key, given), given

    def _operand(self, name: str, given: Any, device: str | None) -> Any:
        """An argument as an array or one of Python's own numbers."""
        if type(given) is Array or type(given) in _PLAIN:
            return given
        for kind in (bool, int, float):
            if isinstance(given, kind):
                return kind(given)
        try:
            return asarray(given, device=device)
        except TypeError:
            shown = "None" if given is None else f"of type {type(given).__name__}"
            raise KernelError(
                f"{self._source.name}(): {name} is {shown}, and no array or number",
                f"Give numbers: {name}=overtake.nan, say, where there is none.",
            ) from None

    def _kind_of(self, given: Any) -> DType:
        if isinstance(given, Array):
            return given.dtype
        if type(given) in _PLAIN:
            return _PLAIN[type(given)]
        return _PLAIN[given] if given in _PLAIN else _dtypes.as_dtype(given)

    def _translated(self, arguments: Sequence[Any], short: bool) -> Text:
        program = Program(in_groups=False, debug=self._debug, fma=self._fma)
        return program.elementwise(self._source, [self._kind_of(each) for each in arguments], _facts(arguments))


class Jit(KernelFunction):
    """What :func:`overtake.jit` gives: a function to be launched as ``function[groups, size](...)``."""

    _decorator = "jit"

    def __init__(self, function: Callable[..., Any], debug: bool, time_limit: float | None, fma: bool) -> None:
        super().__init__(function, debug, time_limit, fma)
        self._launches: dict[Any, Launch] = {}

    def __call__(self, *arguments: Any) -> Any:
        name = self._source.name
        raise KernelError(
            f"{name}() runs in groups",
            f"Say how many there are, and how many work-items each has: {name}[groups, 256](...).",
        )

    def __getitem__(self, sizes: Any) -> Launch:
        found = self._launches.get(sizes) if isinstance(sizes, tuple) else None
        if found is None:
            if not isinstance(sizes, tuple) or len(sizes) != 2:
                raise KernelError(
                    f"{self._source.name}[{sizes}]: there are two sizes",
                    "Write function[groups, size](...): each a number or a tuple of up to three.",
                )
            if len(self._launches) >= _MOST_LAUNCHES:
                self._launches.clear()
            found = self._launches[sizes] = Launch(self, *sizes)
        return found

    def _kind_of(self, given: Any) -> Kind:
        if isinstance(given, Array):
            dtype, shape = given._describe()
            return ArrayType(dtype, len(shape), last=_last_of(shape) or None)
        if type(given) in _PLAIN:
            return _PLAIN[type(given)]
        if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], int):
            return ArrayType(_dtypes.as_dtype(given[0]), given[1])
        return _PLAIN[given] if given in _PLAIN else ArrayType(_dtypes.as_dtype(given), 1)

    def _translated(self, arguments: Sequence[Any], short: bool) -> Text:
        whole = not self._debug and not self._time_limit  # those look at work-items one by one
        # Debug tells places that no array has.
        short = short and not self._debug and all(map(_is_short, arguments))
        program = Program(in_groups=True, debug=self._debug, whole=whole, short=short, fma=self._fma)
        return program.groups(self._source, [self._kind_of(each) for each in arguments], _facts(arguments))

    def _prepared(self, arguments: tuple[Any, ...], short: bool) -> _Made:
        names = self._source.parameters
        for name, each in zip(names, arguments, strict=True):
            if type(each) is Array:
                self._check_type(each.dtype, name)
                if not each.ndim:
                    raise KernelError(
                        f"{name} has no axes", f"Give it as a number, float({name}), or {name}.reshape((1,))."
                    )
            elif type(each) not in _PLAIN:
                raise KernelError(
                    f"{name} is of type {type(each).__name__}",
                    "Functions of jit take arrays of overtake and Python's numbers: overtake.asarray(x), float(x).",
                )
        return self._make(_key(arguments, short), arguments, short)


class Launch:
    """A function of jit with its sizes."""

    __slots__ = ("_function", "_groups", "_short", "_size")

    def __init__(self, function: Jit, groups: Any, size: Any) -> None:
        self._function = function
        self._groups = (ctypes.c_int64 * 3)(*sizes_of(groups, "groups", least=0))
        self._size = (ctypes.c_int32 * 3)(*sizes_of(size, "size"))
        self._short = all(a * b < _SHORT for a, b in zip(self._groups, self._size, strict=True))

    def __call__(self, *arguments: Any, **named: Any) -> None:
        """Runs it; arrays that it writes to get their new values."""
        function = self._function
        if named or len(arguments) != function._count:
            arguments = function._source.with_defaults(arguments, named)
        made = function._made.get(_key(arguments, self._short))
        if made is None:
            arguments = tuple([plain(each) for each in arguments])
            made = function._prepared(arguments, self._short)
        for place, dtype in made.limits:
            check_limit(function._source, place, arguments[place], dtype)
        handles = []
        for place, axis in made.arguments:
            each = arguments[place]
            if type(each) is not Array:
                handles.append(number(each)._handle)
            elif axis is None:
                handles.append(each._handle)
            else:
                handles.append((each._handle.kernel_extents or _extents_of(each))[axis])
        if len(set(map(id, arguments))) < len(arguments):
            _check_written(function, made, arguments)
        device = None if made.has_arrays else get_default_device().encode()
        try:
            made.kernel.launch(self._groups, self._size, handles, device)
        except UsageError as error:
            raise placed(error, function._source, made.text.name) from None


def _check_written(function: Jit, made: _Made, arguments: tuple[Any, ...]) -> None:
    for place in made.written:
        if sum(each is arguments[place] for each in arguments) > 1:
            name = function._source.parameters[place]
            raise KernelError(f"{name} is written to, and given twice", f"Give a copy of it: {name} + 0.")


def _key(arguments: Sequence[Any], short: bool) -> tuple[Any, ...]:
    """What a kernel is made for: types, axes, known extents, and whether 32 bits are enough for places."""
    key = [
        (each._handle.kernel_key or _key_of_array(each)) if type(each) is Array else _number_key(each)
        for each in arguments
    ]
    return tuple(key) if short else (*key, None)


def _key_of_array(array: Array) -> int:
    dtype, shape = array._describe()
    array._handle.kernel_key = key = _array_key(dtype, shape)
    return key


def _extents_of(array: Array) -> list[ArrayHandle]:
    array._handle.kernel_extents = extents = [kept(each)._handle for each in array._describe()[1]]
    return extents


@functools.lru_cache(maxsize=4096)
def _array_key(dtype: DType, shape: tuple[int, ...]) -> int:
    key = (dtype.number * 16 + len(shape)) * (_LARGEST_KNOWN + 1) + _last_of(shape)
    return key if _is_short_shape(shape) else -1 - key


class _ShortInt:
    """The type of ints that an int32 holds, in keys."""


def _number_key(value: Any) -> type:
    kind = type(value)
    return _ShortInt if kind is int and -_SHORT < value < _SHORT else kind


def _facts(arguments: Sequence[Any]) -> Facts:
    """What is known of plain numbers; `int` itself stands for a small one."""
    return tuple((False, each is int or _number_key(each) is _ShortInt) for each in arguments)


def _last_of(shape: tuple[int, ...]) -> int:
    """The last extent of rows of few numbers, such as the places of atoms, which are constants; 0 of all else."""
    return shape[-1] if len(shape) > 1 and shape[-1] <= _LARGEST_KNOWN else 0


def _is_short_shape(shape: tuple[int, ...]) -> bool:
    size = math.prod(shape)
    return size < _SHORT and (size > 0 or math.prod([each or 1 for each in shape]) < _SHORT)


def _is_short(argument: Any) -> bool:
    return not isinstance(argument, Array) or _is_short_shape(argument.shape)


@overload
def vectorize(function: Callable[..., Any]) -> Vectorized: ...
@overload
def vectorize(
    *, debug: bool = False, time_limit: float | None = None, fma: bool = False
) -> Callable[[Callable[..., Any]], Vectorized]: ...


def vectorize(function: Any = None, *, debug: bool = False, time_limit: float | None = None, fma: bool = False) -> Any:
    """Makes a function of numbers one of arrays, on any device: ``@overtake.vectorize``.

    The function's own Python is translated for each list of argument types (docs/python-kernels.md says which Python)
    and compiled for the device of its arguments.

    Parameters
    ----------
    function : callable
        It takes numbers and returns one or several, by position.
    debug : bool
        Checks while it runs, where the device can.
    time_limit : float, optional
        Seconds after which a run is an error.
    fma : bool
        Rounds ``a * b + c`` of floats once, in functions that it calls, too. Faster where the device has an
        instruction for it, and the same on every device, but not the numbers of NumPy.
    """
    if function is None:
        return lambda given: Vectorized(given, debug, time_limit, fma)
    return Vectorized(function, debug, time_limit, fma)


@overload
def jit(function: Callable[..., Any]) -> Jit: ...
@overload
def jit(
    *, debug: bool = False, time_limit: float | None = None, fma: bool = False
) -> Callable[[Callable[..., Any]], Jit]: ...


def jit(function: Any = None, *, debug: bool = False, time_limit: float | None = None, fma: bool = False) -> Any:
    """Makes a function a kernel that is launched in groups of work-items: ``@overtake.jit``, ``f[groups, size](x, out)``.

    Arrays that it assigns to get new values, as after ``x[1:3] = 0``. The arguments are those of :func:`vectorize`.
    """
    if function is None:
        return lambda given: Jit(given, debug, time_limit, fma)
    return Jit(function, debug, time_limit, fma)
