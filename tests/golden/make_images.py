# SPDX-License-Identifier: MIT
"""Writes images/: small JPEG and PNG files of each kind, and expected.safetensors: what Pillow makes of them.

    python make_images.py            # needs Pillow and numpy

"FILE rgb" and "FILE grey" are Image.open(FILE).convert("RGB") and convert("L"). "resize N" is an image of bytes,
"resize N to" the same cut to "resize N box" (top, left, height, width) and resized by Image.resize(BILINEAR), a channel at a
time in mode "F": float32, not rounded in between, as torchvision resizes float images with antialias.
"""
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).with_name("images")
HEIGHT, WIDTH = 19, 27


def picture(height, width, seed):
    """Waves of colour with some noise: neither flat nor white noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 90 * np.sin(x / (3 + c) + seed) * np.cos(y / (4 - c / 2)) + random.normal(0, 12, (height, width)) for c in range(3)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels, colour_type, extra=b"", interlaced=False):
    """A PNG file of 8 or 16 bits a channel, for the kinds that Pillow does not write."""
    height, width = pixels.shape[:2]
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)] if interlaced else [(0, 0, 1, 1)]
    data = b""
    for top, left, down, across in passes:
        part = pixels[top::down, left::across]
        if part.size:
            data += b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in part)
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, colour_type, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def files():
    rgb = Image.fromarray(picture(HEIGHT, WIDTH, 1))
    grey = rgb.convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    palette = rgb.quantize(16)
    alpha = rgb.copy()
    alpha.putalpha(Image.fromarray(picture(HEIGHT, WIDTH, 2)[..., 0]))
    wide = np.random.default_rng(3).integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16)
    return {
        "full.jpg": saved(rgb, "JPEG", quality=92, subsampling=0),
        "half.jpg": saved(rgb, "JPEG", quality=85, subsampling=1),
        "quarter.jpg": saved(rgb, "JPEG", quality=80, subsampling=2),
        "progressive.jpg": saved(rgb, "JPEG", quality=80, progressive=True),
        "grey.jpg": saved(grey, "JPEG", quality=90),
        "cmyk.jpg": saved(rgb.convert("CMYK"), "JPEG", quality=90),
        "turned.jpg": saved(rgb, "JPEG", quality=90, exif=exif),
        "rgb.png": saved(rgb, "PNG"),
        "grey.png": saved(grey, "PNG"),
        "bits.png": saved(grey.convert("1"), "PNG"),
        "palette.png": saved(palette, "PNG"),
        "palette_clear.png": saved(palette, "PNG", transparency=3),
        "rgba.png": saved(alpha, "PNG"),
        "grey_alpha.png": saved(alpha.convert("LA"), "PNG"),
        "grey16.png": png(wide[..., 0], 0),
        "rgb16.png": png(wide, 2),
        "grey_clear.png": png(np.asarray(grey), 0, chunk(b"tRNS", struct.pack(">H", 100))),
        "interlaced.png": png(np.asarray(rgb), 2, interlaced=True),
    }


def resizes():
    """(height, width), box, (output height, output width): to less, to more, to the same, far to less, one side each."""
    return [((37, 53), (4, 6, 30, 41), (16, 20)), ((11, 9), (0, 0, 11, 9), (24, 31)), ((20, 20), (2, 3, 16, 16), (16, 16)),
            ((120, 90), (1, 0, 119, 90), (8, 8)), ((40, 12), (5, 1, 33, 7), (9, 21)), ((7, 5), (3, 2, 1, 1), (4, 4))]


def write_safetensors(path, tensors):
    names = {np.dtype(np.uint8): "U8", np.dtype(np.int32): "I32", np.dtype(np.float32): "F32"}
    header, data = {}, b""
    # The wider types first, so that each begins where its size allows.
    for name, array in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):
        header[name] = {"dtype": names[array.dtype], "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    FOLDER.mkdir(exist_ok=True)
    tensors = {}
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
        image = Image.open(io.BytesIO(content))
        if image.mode == "I;16":  # Pillow cuts what is above 255 to white; of colours, and here, the upper byte counts
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        tensors[f"{name} rgb"] = np.asarray(image.convert("RGB"))
        tensors[f"{name} grey"] = np.asarray(image.convert("L"))
    for number, ((height, width), box, (out_height, out_width)) in enumerate(resizes()):
        pixels = picture(height, width, 10 + number)
        top, left, rows, columns = box
        part = pixels[top:top + rows, left:left + columns].astype(np.float32)
        planes = [Image.fromarray(part[..., c]).resize((out_width, out_height), Image.Resampling.BILINEAR) for c in range(3)]
        tensors[f"resize {number}"] = pixels
        tensors[f"resize {number} box"] = np.asarray(box, np.int32)
        tensors[f"resize {number} to"] = np.stack([np.asarray(plane) for plane in planes], -1)
    write_safetensors(FOLDER / "expected.safetensors", tensors)


if __name__ == "__main__":
    main()
