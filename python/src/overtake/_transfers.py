# SPDX-License-Identifier: MIT
"""What was copied between host and devices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ._library import library


@dataclass(frozen=True)
class Transfers:
    """Copies to (uploads) and from (downloads) a device: how many, their bytes and seconds, without the wait for earlier work."""

    uploads: int = 0
    upload_bytes: int = 0
    upload_seconds: float = 0.0
    downloads: int = 0
    download_bytes: int = 0
    download_seconds: float = 0.0


@dataclass(frozen=True)
class TransferStats(Transfers):
    """The sums of all devices but the cpu, whose arrays are in the program's memory; ``devices`` has each by its name."""

    devices: dict[str, Transfers] | None = None


def _of(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in Transfers.__dataclass_fields__}


def transfer_stats() -> TransferStats:
    """What this process copied since it began, or since :func:`reset_transfer_stats`. Waits for copies that are under way."""
    figures = json.loads(library().text_of("overtake_transfer_stats"))
    devices = {each["device"]: Transfers(**_of(each)) for each in figures["devices"]}
    return TransferStats(**_of(figures["total"]), devices=devices)


def reset_transfer_stats() -> None:
    """Count from now on."""
    library().check(library().raw.overtake_transfer_stats_reset())
