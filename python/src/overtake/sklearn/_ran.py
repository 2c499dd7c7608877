# SPDX-License-Identifier: MIT
"""What ran where: for logs, and the last line of ``python -m overtake``."""

from __future__ import annotations

import collections
import logging

logger = logging.getLogger("overtake")

# (class, reason): how often; "" is the reason of what Overtake ran itself.
counts: collections.Counter[tuple[str, str]] = collections.Counter()


def note(what: object, reason: str = "") -> None:
    """Count a fit of `what` that Overtake ran, or that scikit-learn ran for a reason."""
    name = type(what).__name__
    counts[name, reason] += 1
    if reason:
        logger.info("%s: scikit-learn's own runs: %s", name, reason)


def summary() -> str:
    """One line."""
    ours = [f"{count} x {name}" for (name, reason), count in counts.items() if not reason]
    theirs = [f"{count} x {name} ({reason})" for (name, reason), count in counts.items() if reason]
    parts = [f"ran {', '.join(ours)}" if ours else "ran nothing of this script"]
    if theirs:
        parts.append(f"scikit-learn ran {', '.join(theirs)}")
    return "overtake: " + "; ".join(parts)
