#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of the fuzzers: small inputs that get through the readers (good*), and some that nearly do. Crashes
(crash_*) are kept by hand. Run it again when a format changes.

Usage: OVERTAKE_BINARY=build/release/cli/overtake tests/fuzz/make_seeds.py
"""
import gzip
import io
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import tempfile
import zipfile

FOLDER = pathlib.Path(__file__).parent
FORMATS = FOLDER.parent / "golden" / "formats"
TYPES = {"F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64", "U8": "uint8", "BOOL": "bool"}


def put(target, name, content):
    folder = FOLDER / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def tensors_of(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return header.pop("__metadata__", {}), header, data[8 + size:]


def parts_of(path):
    """A safetensors file as fuzz.hpp's tensor_file() takes it."""
    metadata, header, data = tensors_of(path)
    text = b""
    for key, value in metadata.items():
        if key != "overtake.xxh3":
            text += f"{key}\n{value}\n".encode()
    text += b"\n"
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        text += " ".join([name, TYPES[entry["dtype"]], *map(str, entry["shape"])]).encode() + b"\n" + data[begin:end]
    return text


def tables():
    put("csv", "good_mixed", "\nname,x,y\n\"a,b\",1.5,cat\nb,NA,dog\n\"c\"\"d\",-2e3,\"two\nlines\"\n\xc3\xa4,4,cat\n")
    put("csv", "good_german", ";,.d\na;b;day\n1,5;1.000;31.12.2024\n2,5;2.000;01.01.2025\n")
    put("csv", "good_money", "$\nprice,share\n$5,5 %\n$6.50,7 %\n")
    put("csv", "good_months", "f\nday,y\n12 Mar 2024,1\n13 Apr 2024,0\n")
    put("csv", "good_headless", "n\n1,2,3\n4,5,6\n7,8,9\n")
    put("csv", "good_tabs", "th\nx\ty\n1\tp\n2\tq\n")
    put("csv", "good_utf16", b"6h\n" + "x,y\n1,\u00e4\n2,b\n".encode("utf-16"))
    put("csv", "good_latin", b"1h\nx,y\n1,\xe4\n2,b\n")
    put("csv", "good_missing", "mh\nx,y\n-,a\n2,b\nnone,a\n")
    put("csv", "good_sep", "\nsep=|\nx|y\n1|2\n3|4\n5|7\n")
    put("csv", "unclosed", "\nx,y\n\"1,2\n3,4\n")
    plain = b"x,y\n" + b"1,a\n2,b\n" * 20
    packed = gzip.compress(plain, mtime=0)
    put("csv_gz", "good_one", packed)
    put("csv_gz", "good_two", gzip.compress(plain, mtime=0) + gzip.compress(b"3,c\n", mtime=0) + b"\0" * 8)
    put("csv_gz", "good_stored", gzip.compress(plain, compresslevel=0, mtime=0))
    put("csv_gz", "cut", packed[:-9])
    put("csv_gz", "crash_bomb", gzip.compress(b"x,y\n" + b"0,0\n" * 150_000, mtime=0))


def images():
    for name in ("quarter.jpg", "progressive.jpg", "cmyk.jpg", "palette.png", "interlaced.png", "rgb16.png"):
        put("image", "good_" + name.replace(".", "_"), (FOLDER.parent / "golden" / "images" / name).read_bytes())


def arrays():
    def npy(head, body, version=1):
        head = head.encode() + b"\n"
        size = struct.pack("<H" if version == 1 else "<I", len(head))
        return b"\x93NUMPY" + bytes([version, 0]) + size + head + body
    numbers = struct.pack("<6f", *range(6))
    put("npy", "good_floats", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", numbers))
    put("npy", "good_fortran", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", numbers))
    put("npy", "good_version2", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", b"abcd", 2))
    put("npy", "good_scalar", npy("{'descr': '<i8', 'fortran_order': False, 'shape': (), }", b"\1" * 8))
    put("npy", "large", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999, 999999999), }", numbers))
    def npz(method, *members):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as file:
            for name, content in members:
                file.writestr(zipfile.ZipInfo(name), content, method)
        return packed.getvalue()
    floats = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", numbers)
    big = npy("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 4), }", bytes(24))
    put("npz", "good_stored", npz(zipfile.ZIP_STORED, ("a.npy", floats), ("b.npy", big)))
    put("npz", "good_deflated", npz(zipfile.ZIP_DEFLATED, ("a.npy", floats), ("b.npy", big)))
    put("npz", "cut", npz(zipfile.ZIP_DEFLATED, ("a.npy", floats))[:-9])
    put("npz", "no_array", npz(zipfile.ZIP_STORED, ("readme.txt", b"hello")))
    put("idx", "good_bytes", b"\0\0\x08\x02" + struct.pack(">2I", 2, 3) + b"abcdef")
    put("idx", "good_floats", b"\0\0\x0d\x01" + struct.pack(">I2f", 2, 1.5, -2))
    put("idx", "good_shorts", b"\0\0\x0b\x01" + struct.pack(">I2h", 2, 5, -2))
    put("idx", "good_gz", gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 3) + b"abc", mtime=0))
    put("idx", "large", b"\0\0\x08\x04" + struct.pack(">4I", *[4_000_000_000] * 4))

    def safetensors(header, data=b""):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data
    tensor = {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}
    put("safetensors", "good_torch", safetensors({"__metadata__": {"format": "pt"}, "0.weight": tensor}, numbers[:8]))
    put("safetensors", "good_two", safetensors({"a": tensor, "b": {"dtype": "BOOL", "shape": [], "data_offsets": [8, 9]}},
                                               numbers[:8] + b"\1"))
    put("safetensors", "good_empty", safetensors({}))
    put("safetensors", "good_network", (FORMATS / "network_2.safetensors").read_bytes())
    put("safetensors", "hole", safetensors({"a": {**tensor, "data_offsets": [8, 16]}}, numbers[:16]))
    put("safetensors", "deep", safetensors(b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"))


def models():
    put("forest", "good_classes", parts_of(FORMATS / "forest_1.overtake"))
    put("forest", "good_numbers", parts_of(FORMATS / "forest_numbers_1.overtake"))
    put("network", "good_earlier", parts_of(FORMATS / "network_1.safetensors"))
    put("network", "good_network", parts_of(FORMATS / "network_2.safetensors"))
    layers = [{"type": name} for name in ["ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "Softmax"]]
    layers += [{"type": "LeakyReLU", "negative_slope": 0.1}, {"type": "Sequential", "layers": [{"type": "Dropout"}]}]

    def network(list_of_layers, counters=None):
        model = json.dumps({"format": "overtake.model/2", "layers": list_of_layers, "counters": counters or {}})
        return f"overtake.model\n{model}\n\n"
    put("network", "good_layers", network(layers, {"7.0.counter": 5}))
    put("network", "crash_many_layers", network([{"type": "ReLU"}] * 260))
    put("network", "crash_deep", "overtake.model\n" + "[" * 87_000 + "]" * 87_000 + "\n\n")
    put("forest", "crash_deep", "overtake.forest\n" + "{\"a\":" * 20_000 + "1" + "}" * 20_000 + "\n\n")
    for name in ("forest_1.overtake", "network_2.safetensors"):
        metadata, _, _ = tensors_of(FORMATS / name)
        put("preprocessing", f"good_{name.split('_')[0]}", metadata["preprocessing"])
    put("preprocessing", "crash_deep", "{\"reading\":" + "[" * 20_000 + "]" * 20_000 + "}")
    put("checkpoint", "good_unchanged", "\n")
    base = {"format": "overtake.checkpoint/2", "epoch": 2, "best_epoch": 1, "previous_epoch": 0, "ended": None,
            "divergence": None, "settings": {"seed": "0"}}

    def checkpoint(**changes):
        return "overtake.checkpoint\n" + json.dumps({**base, **changes}) + "\n\n"
    put("checkpoint", "good_ended", checkpoint(ended="interrupted", previous_epoch=2))
    put("checkpoint", "good_diverged", checkpoint(
        ended="diverged", epoch=3, divergence={"first_bad_step": 9, "message": "NaN", "weights_epoch": 1}))
    put("checkpoint", "crash_epoch", checkpoint(epoch=1 << 40))
    put("checkpoint", "crash_negative", checkpoint(best_epoch=-1))
    put("checkpoint", "crash_history", checkpoint().encode() + b"history float64 1 6\n" +
        struct.pack("<6d", float("nan"), 1e300, 0, 0, 0, 0))
    put("checkpoint", "crash_deep", "overtake.checkpoint\n" + "[" * 20_000 + "]" * 20_000 + "\n\n")


def texts():
    for name, text in {
        "good_grid": "gmax_depth=none,3,5", "good_list": "gcriterion=[\"gini\", null, 2.5, true]",
        "good_weights": "gclass_weight=balanced,{\"a\": 1, \"b\": 2}", "good_uniform": "dmax_features=uniform(0.1,0.9)",
        "good_integers": "dmin_samples_leaf=int(1,20)", "good_choice": "dcriterion=choice(gini,entropy)",
        "good_linear": "lLinear in_features=2 out_features=3 bias=1", "good_slope": "lLeakyReLU negative_slope=0.1",
        "good_dropout": "lDropout p=0.25", "good_metric": "mf1_macro", "good_set": "smax_samples=0.5",
        "good_count": "sn_estimators=10", "good_class_weight": "sclass_weight=a:1,b:2",
        "good_json": "j{\"max_depth\": null, \"max_features\": 0.5, \"class_weight\": {\"a\": 1, \"b\": 2.5}, \"bootstrap\": true}",
        "json_twice": "j{\"max_depth\": 3, \"max_depth\": 4}", "json_list": "j{\"max_depth\": [3]}",
        "crash_deep": "ga=[" + "[" * 20_000 + "]" * 20_000 + "]", "quotes": "ga=\"x,'y\",'z\"'",
    }.items():
        put("parameters", name, text)


def journal():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "journal"
        subprocess.run([os.path.abspath(os.environ["OVERTAKE_BINARY"]), "search", "data.csv", "--target", "kind", "--grid",
                        "max_depth=1,2", "--set", "n_estimators=2", "--cv", "2", "--device", "cpu", "--threads", "1",
                        "--no-refit", "--journal", path], check=True, stdout=subprocess.DEVNULL,
                       cwd=FORMATS)  # a journal names its data
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode=DELETE")
        database.execute("PRAGMA page_size=512")
        database.execute("VACUUM")
        database.close()
        put("journal", "good_search", path.read_bytes())
        put("journal", "cut", path.read_bytes()[:-600])
    put("journal", "empty", "")


def main():
    tables()
    arrays()
    images()
    models()
    texts()
    journal()


if __name__ == "__main__":
    main()
