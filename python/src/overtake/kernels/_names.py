# SPDX-License-Identifier: MIT
"""Names of C for names of Python: what is reserved in C, C++, OpenCL C or CUDA, or a macro somewhere, is written otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ._webs import as_written

_C = """auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof fortran
linux unix i386 near far huge cdecl pascal interrupt complex imaginary errno assert offsetof alloca stdin stdout stderr
signal index time main thread_local static_assert alignas alignof noreturn atomic generic constexpr nullptr true false"""
_CPP = """and and_eq bitand bitor bool catch class compl const_cast decltype delete dynamic_cast explicit export friend
mutable namespace new noexcept not not_eq operator or or_eq private protected public reinterpret_cast requires concept
static_cast template this throw try typeid typename using virtual wchar_t xor xor_eq char8_t char16_t char32_t co_await
co_return co_yield consteval constinit final override import module std"""
_OPENCL = """global local constant kernel uniform pipe half quad image1d_t image2d_t image3d_t sampler_t event_t queue_t
read_only write_only read_write uchar ushort uint ulong size_t ptrdiff_t intptr_t uintptr_t vec_type_hint work_group_size_hint
select mix step dot cross distance length normalize clamp degrees radians barrier mem_fence vload vstore all any shuffle
popcount clz rotate hadd mad mad24 mul24 bitselect prefetch printf async work_dim reqd_work_group_size"""
_CUDA = """threadIdx blockIdx blockDim gridDim warpSize dim3 texture surface host device shared managed launch_bounds atomicAdd
atomicMin atomicMax cudaStream min max rsqrt rcbrt norm sinpi cospi"""
# What the generated text says itself, and functions of C that it calls.
_OWN = """int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 i result as_int as_float exp exp2 expm1 log log2 log10
log1p sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh atan2 erf erfc pow fabs abs labs floor ceil trunc
rint round nearbyint fmod fmin fmax fma hypot copysign nextafter signbit isnan isinf isfinite fpclassify isnormal isgreater
isless isunordered ldexp frexp modf remainder lgamma tgamma gamma y0 y1 yn j0 j1 jn philox_word philox_block"""
_VECTORS = re.compile(r"(char|uchar|short|ushort|int|uint|long|ulong|float|double|half)(2|3|4|8|16)$")
RESERVED = frozenset(f"{_C} {_CPP} {_OPENCL} {_CUDA} {_OWN}".split())


def plain(name: str) -> str:
    """`name` as an identifier of C in ASCII that means nothing there yet."""
    text = "".join(each if each.isascii() else f"u{ord(each):04x}" for each in as_written(name))
    if text.startswith("_"):  # those are the compilers'
        text = f"v{text}"
    if text.startswith(("overtake_", "dialect_", "user_")):  # the library's, and functions of the author's
        text = f"v_{text}"
    # Names in capitals are macros somewhere; those with our prefix are temporaries and helpers.
    if text in RESERVED or text.upper() == text or text.startswith("ot_") or _VECTORS.match(text):
        text += "_"
    return text


class Names:
    """The names of one scope, no two the same."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._of: dict[str, str] = {}
        self._temporaries = 0

    def of(self, name: str) -> str:
        """The C name of a variable of Python."""
        if name not in self._of:
            self._of[name] = self.fresh(plain(name))
        return self._of[name]

    def fresh(self, wanted: str) -> str:
        """`wanted`, or something like it that is free."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}{'' if wanted.endswith('_') else '_'}{number}"
        self._taken.add(name)
        return name

    def temporary(self) -> str:
        """A name for a value between."""
        self._temporaries += 1
        return f"ot_{self._temporaries}"
