# SPDX-License-Identifier: MIT
"""What the library made, and what frees it."""

from __future__ import annotations

from typing import NoReturn


class Uncopied:
    """The root of classes that free what the library made: a copy would free it twice."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled: it owns something of the library's")
