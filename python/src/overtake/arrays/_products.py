# SPDX-License-Identifier: MIT
"""Products of arrays, with the names and arguments of the Python array API standard (2024.12) and NumPy."""

from __future__ import annotations

import string
from typing import Any

from ._arguments import array_of, arrays_of, one
from ._array import Array
from ._call import listed, members_of, whole


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    return one("vecdot", [array_of(x1, "vecdot", "x1"), array_of(x2, "vecdot", "x2")], [whole(axis, "vecdot", "axis")])


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Array:
    a, b = array_of(x1, "tensordot", "x1"), array_of(x2, "tensordot", "x2")
    if hasattr(axes, "__index__"):
        count = whole(axes, "tensordot", "axes")
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ValueError(f"[tensordot] {count} axes of arrays of shapes {a.shape} and {b.shape}")
        left, right = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    else:
        left, right = (members_of(each, "tensordot", "axes") for each in axes)
    for chosen, array in ((left, a), (right, b)):
        if len({each % max(array.ndim, 1) for each in chosen}) < len(chosen):
            raise ValueError(f"[tensordot] axes {chosen} of shape {array.shape} name an axis twice")
    return one("tensordot", [a, b], [*listed(left, "tensordot"), *listed(right, "tensordot")])


def einsum(subscripts: str, /, *arrays: Any) -> Array:
    """Einstein's sums, as NumPy's: ``einsum("ij,jk->ik", a, b)``, ``einsum("ii", a)``, ``einsum("...ij->...ji", a)``."""
    given = arrays_of(arrays, "einsum")
    text = subscripts.replace(" ", "")
    terms = text.split("->")[0].split(",")
    if len(terms) == len(given) and ("..." in text or any(len(set(term)) < len(term) for term in terms)):
        text, given = _plain(text, given)
    return one("einsum", given, listed([ord(each) for each in text], "einsum"))


def _plain(text: str, arrays: list[Array]) -> tuple[str, list[Array]]:
    """The same without ellipses, and without a label twice in one array."""
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    spare = [each for each in string.ascii_letters if each not in text]
    extra = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, arrays, strict=True) if "..." in term]
    most = max(extra, default=0)
    if min(extra, default=0) < 0 or most > len(spare):
        raise ValueError(f"[einsum] {text!r} names more axes than the arrays have")
    common = "".join(spare[:most])
    if not arrow:
        letters = sorted({each for each in left if each.isalpha() and left.count(each) == 1})
        right = ("..." if extra else "") + "".join(letters)
    shapes = [
        x.shape[term.index("...") :][: x.ndim - len(term) + 3]
        for term, x in zip(terms, arrays, strict=True)
        if "..." in term
    ]
    wide = [max((shape[i - most] for shape in shapes if len(shape) >= most - i), default=1) for i in range(most)]
    plain = []
    for term, x in zip(terms, arrays, strict=True):
        new, array = term, x
        if "..." in term:
            count, at = x.ndim - len(term) + 3, term.index("...")
            shape = (*x.shape[:at], *wide[most - count :], *x.shape[at + count :])
            array = x if shape == x.shape else one("broadcast_to", [x], listed(shape, "einsum"))
            new = term.replace("...", common[most - count :])
        plain.append(_without_repeats(text, new, array))
    return ",".join(term for term, _ in plain) + "->" + right.replace("...", common), [x for _, x in plain]


def _without_repeats(text: str, term: str, x: Array) -> tuple[str, Array]:
    """Diagonals where a label is there twice."""
    if len(term) != x.ndim:
        raise ValueError(f"[einsum] {text!r} has {len(term)} labels for an array of shape {x.shape}")
    while repeated := next((each for each in term if term.count(each) > 1), None):
        first = term.index(repeated)
        second = term.index(repeated, first + 1)
        extent = x.shape[first]
        if extent != x.shape[second]:
            raise ValueError(f"[einsum] the label {repeated!r} is {extent} and {x.shape[second]} in shape {x.shape}")
        x = one("moveaxis", [x], [2, first, second, 2, -2, -1])
        x = x.reshape((*x.shape[:-2], extent * extent))[..., :: extent + 1]
        term = "".join(each for i, each in enumerate(term) if i not in (first, second)) + repeated
    return term, x
