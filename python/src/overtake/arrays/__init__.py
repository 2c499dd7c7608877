# SPDX-License-Identifier: MIT
"""Arrays and the functions on them."""

from . import _operators as _operators
