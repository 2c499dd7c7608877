# SPDX-License-Identifier: MIT
"""A picture of Mandelbrot's set: a loop of its own length for each point. Usage: mandelbrot.py [device] [size] [file.png]."""

import pathlib
import struct
import sys
import zlib

import numpy as np
from timing import arguments, show_times, verdict

import overtake as ot


@ot.vectorize
def escape(re, im):
    """After how many turns a point has left, 256 where it has not."""
    x = y = 0.0
    n = 0
    while n < 256 and x * x + y * y <= 4:
        x, y = x * x - y * y + re, 2 * x * y + im
        n += 1
    return n


def write_png(path, gray):
    """Writes a picture of uint8."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = np.pad(gray, ((0, 0), (1, 0)))  # a 0 before each row: not filtered
    head = struct.pack(">IIBBBBB", gray.shape[1], gray.shape[0], 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows.tobytes())), chunk(b"IEND", b"")]
    pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


device, width = arguments(1200)
width = max(width, 60)
height = width * 2 // 3
re = ot.linspace(-2.25, 0.75, width, endpoint=False)  # a row
im = ot.linspace(-1, 1, height, endpoint=False).reshape((height, 1))  # a column: they broadcast

turns = np.asarray(escape(re.to_device(device), im.to_device(device)))

if len(sys.argv) > 3:
    write_png(sys.argv[3], (255 - np.minimum(turns, 255)).astype(np.uint8))
area = 6 * np.mean(turns == 256)
print(f"by {device}: the set's area is {area:.3f} (1.507 without end)")
show_times(device, [re, im], escape)
verdict(abs(area - 1.52) < 0.06)
