# SPDX-License-Identifier: MIT
"""NumPy's files: what NumPy writes is read, what is written NumPy reads, and what is damaged is one clear error."""

from __future__ import annotations

import io
import pathlib
import random
import zipfile

import numpy as np
import pytest

import overtake as ot

NAMES = [
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
    "bool",
]


def values(name: str) -> np.ndarray:
    made: np.ndarray = (np.arange(24).reshape(2, 3, 4) % 7 - (0 if name[0] in "ub" else 3)).astype(name)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_numpy_reads_what_is_written(name: str, tmp_path: pathlib.Path) -> None:
    a = values(name)
    ot.save(tmp_path / "a", ot.asarray(a))
    back = np.load(tmp_path / "a.npy")
    assert back.dtype == a.dtype
    np.testing.assert_array_equal(back, a)
    for write in (ot.savez, ot.savez_compressed):
        write(tmp_path / "a.npz", a, other=ot.asarray(a).T)
        with np.load(tmp_path / "a.npz") as file:
            assert sorted(file) == ["arr_0", "other"]
            np.testing.assert_array_equal(file["arr_0"], a)
            np.testing.assert_array_equal(file["other"], a.T)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ["C", "F", ">"])
def test_what_numpy_writes_is_read(name: str, order: str, tmp_path: pathlib.Path) -> None:
    a = values(name)
    given = a.astype(a.dtype.newbyteorder(">")) if order == ">" else np.array(a, order=order)  # type: ignore[call-overload]
    for version in ((1, 0), (2, 0), (3, 0)):
        with (tmp_path / "a.npy").open("wb") as file:
            np.lib.format.write_array(file, given, version=version)
        back = ot.load(tmp_path / "a.npy")
        assert back.dtype.name == a.dtype.name
        np.testing.assert_array_equal(back.numpy(), a)
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", x=given, empty=given[:0], scalar=given[0, 0, 0])
        loaded = ot.load(tmp_path / "a.npz")
        assert list(loaded) == ["x", "empty", "scalar"]
        np.testing.assert_array_equal(loaded["x"].numpy(), a)
        assert loaded["empty"].shape == (0, 3, 4)
        assert loaded["scalar"].shape == ()


def test_bfloat16_is_two_bytes_without_a_meaning(tmp_path: pathlib.Path) -> None:
    x = ot.asarray([1.5, -2.0], dtype=ot.bfloat16)
    ot.save(tmp_path / "b.npy", x)
    assert np.load(tmp_path / "b.npy").dtype == np.dtype("V2")
    back = ot.load(tmp_path / "b.npy")
    assert back.dtype == ot.bfloat16
    assert back.tolist() == [1.5, -2.0]


def test_sizes_in_zip64(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    np.savez(tmp_path / "a.npz", x=np.arange(50), y=np.arange(60.0))
    loaded = ot.load(tmp_path / "a.npz")
    assert int(loaded["x"][-1]) == 49
    assert loaded["y"].shape == (60,)


def refused(path: pathlib.Path) -> str:
    with pytest.raises((ot.DataError, ot.UsageError)) as caught:
        ot.load(path)
    return str(caught.value)


def test_pickles_are_never_read(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "pickled" in refused(tmp_path / "o.npy")
    np.savez(tmp_path / "o.npz", o=np.array([{}], dtype=object))
    assert "pickled" in refused(tmp_path / "o.npz")
    np.save(tmp_path / "c.npy", np.array([1j]))
    assert "c16" in refused(tmp_path / "c.npy")


def test_hostile_headers(tmp_path: pathlib.Path) -> None:
    def header(shape: str) -> pathlib.Path:
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        (tmp_path / "h.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"12345678")
        return tmp_path / "h.npy"

    for shape in ("(9223372036854775807, 9)", "(99999999999,)", "(-1,)", "(2,)", "('a',)", "(" + "1," * 40 + ")"):
        assert "h.npy" in refused(header(shape)), shape
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("x.npy", "12345678")
    (tmp_path / "m.npz").write_bytes(packed.getvalue())
    assert "method 12" in refused(tmp_path / "m.npz")


def test_a_failed_write_leaves_what_was_there(tmp_path: pathlib.Path) -> None:
    ot.save(tmp_path / "a.npy", ot.arange(3))
    with pytest.raises(ValueError, match="arr_0"):
        ot.savez(tmp_path / "a.npz", ot.arange(3), arr_0=ot.arange(3))
    with pytest.raises(ot.DataError, match="nowhere"):
        ot.savez(tmp_path / "nowhere" / "a.npz", ot.arange(3))
    assert [each.name for each in tmp_path.iterdir()] == ["a.npy"]


def test_damage_is_one_clear_error(tmp_path: pathlib.Path) -> None:
    x = ot.arange(500)
    ot.save(tmp_path / "a.npy", x)
    ot.savez(tmp_path / "s.npz", x=x, y=x)
    ot.savez_compressed(tmp_path / "d.npz", x=x, y=x)
    chance = random.Random(5)
    for name in ("a.npy", "s.npz", "d.npz"):
        good = (tmp_path / name).read_bytes()
        for _ in range(400):
            bad = bytearray(good)
            bad[chance.randrange(len(bad))] = chance.randrange(256)
            (tmp_path / ("bad" + name[1:])).write_bytes(
                bad[: chance.randrange(len(bad))] if chance.random() < 0.2 else bad
            )
            try:
                ot.load(tmp_path / ("bad" + name[1:]))
            except (ot.DataError, ot.UsageError) as error:
                assert str(error)
