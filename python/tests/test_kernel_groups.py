# SPDX-License-Identifier: MIT
"""Functions of jit: groups, shared memory, barriers and atomics, beside NumPy."""

import kernel_harness as harness
import numpy as np
import pytest

import overtake as ot

RNG = np.random.default_rng(11)
TILE = 4


@ot.jit
def histogram(x, out):
    bins = ot.shared(ot.int32, 16)
    if ot.local_id() < 16:
        bins[ot.local_id()] = 0
    ot.sync()
    for i in range(ot.global_id(), x.size, ot.global_size()):
        ot.atomic_add(bins, x[i], 1)
    ot.sync()
    if ot.local_id() < 16:
        ot.atomic_add(out, ot.local_id(), bins[ot.local_id()])


@ot.jit
def product(a, b, c):
    """Tiles in shared memory."""
    left = ot.shared(ot.float32, (TILE, TILE))
    right = ot.shared(ot.float32, (TILE, TILE))
    row, column = ot.global_id(1), ot.global_id(0)
    y, x = ot.local_id(1), ot.local_id(0)
    rows, inner = a.shape
    columns = b.shape[1]
    total = 0.0
    for at in range(0, inner, TILE):
        left[y, x] = a[row, at + x] if row < rows and at + x < inner else 0.0
        right[y, x] = b[at + y, column] if at + y < inner and column < columns else 0.0
        ot.sync()
        for k in range(TILE):
            total += left[y, k] * right[k, x]
        ot.sync()
    if row < rows and column < columns:
        c[row, column] = total


@ot.jit
def total(x, out, scale):
    parts = ot.shared(ot.float64, 8)
    own = 0.0
    for i in range(ot.global_id(), len(x), ot.global_size()):
        own += x[i]
    me = ot.local_id()
    parts[me] = own
    ot.sync()
    half = ot.local_size() // 2
    while half > 0:
        if me < half:
            parts[me] += parts[me + half]
        ot.sync()
        half //= 2
    if me == 0:
        out[ot.group_id()] = parts[0] * scale


@ot.jit
def mirrored(x, out):
    i = ot.global_id()
    if i >= x.size:
        return
    out[i] = x[-1 - i] + x[-1] * 100
    out[i - x.size] += 1


def _next_place(counter):
    return ot.atomic_add(counter, 0, 1)


def _clear(x, i, value):
    x[i] = value


@ot.jit
def collected(x, out, counter):
    i = ot.global_id()
    if i < x.size and x[i] > 0:
        out[ot.atomic_add(counter, 0, 1)] = x[i]


@ot.jit
def collected_by_function(x, out, counter):
    i = ot.global_id()
    if i < x.size and x[i] > 0:
        out[_next_place(counter)] = x[i]
    elif i < x.size:
        _clear(x, i, -7)


@ot.jit
def order(counter, out):
    """What is read before a call is read before it."""
    out[0] = counter[0] + _next_place(counter) * 10 + counter[0] * 100
    out[1] = counter[0] or _next_place(counter)
    out[2] = 0 < counter[0] < _next_place(counter) * 0 + 5
    out[3] += counter[0]
    counter[0], counter[1] = counter[1], counter[0]


@ot.jit
def extremes(x, out, total):
    for i in range(ot.global_id(), x.size, ot.global_size()):
        ot.atomic_min(out, 0, x[i])
        ot.atomic_max(out, 1, x[i])
        ot.atomic_add(total, 0, x[i])


def _sum_of(x, start, stop):
    result = x[0] * 0
    for i in range(start, stop):
        result += x[i]
    return result, stop - start


@ot.jit
def rows(x, out, means):
    shared = ot.shared(ot.int64, 4)
    i = ot.global_id()
    shared[ot.local_id()] = i * i
    ot.sync()
    total, count = _sum_of(shared, 0, 4)
    whole, _ = _sum_of(out, 0, 1)
    if i < x.shape[0]:
        means[i] = 0
        for j in range(x.shape[1]):
            means[i] += x[i, j] / x.shape[1]
        out[i] = total * count + x.ndim + whole * 0


@ot.jit
def many_axes(x, out):
    a, b, c = ot.global_id(0), ot.global_id(1), ot.global_id(2)
    out[c, b, a] = x[c, b, a] * 1000 + c * 100 + b * 10 + a
    out[c, b, a] += ot.num_groups(0) + ot.local_size(1)


@ot.jit
def narrow(x, flags, out):
    i = ot.global_id()
    flags[i] = x[i] > 100
    out[i] = x[i] + x[i]
    out[i] += 200


@ot.jit
def floats(x, total):
    for i in range(ot.global_id(), x.size, ot.global_size()):
        ot.atomic_add(total, 0, x[i])


@ot.jit
def drawn(out, seed):
    i = ot.global_id()
    out[i] = ot.kernels.uniform(seed, i)


def _any_of(flags, start, stop):
    found = False
    for i in range(start, stop):
        found = found or flags[i]
    return found


@ot.jit
def flags_of(x, given, out):
    own = ot.shared(ot.bool, 8)
    me = ot.local_id()
    own[me] = given[me] and x[me] > 0
    ot.sync()
    out[me] = 1 if _any_of(own, 0, me + 1) and not _any_of(given, me, me + 1) else 0
    given[me] ^= own[me]


CASES = {
    "histogram": (histogram, 3, 20, (RNG.integers(0, 16, 500).astype("int32"), np.zeros(16, "int32"))),
    "product": (
        product,
        (2, 3),
        (TILE, TILE),
        (
            RNG.integers(-4, 5, (10, 9)).astype("float32"),
            RNG.integers(-4, 5, (9, 7)).astype("float32"),
            np.zeros((10, 7), "float32"),
        ),
    ),
    "total": (total, 3, 8, (RNG.integers(-9, 9, 100).astype("float64"), np.zeros(3), 0.5)),
    "mirrored": (mirrored, 3, 4, (np.arange(10), np.zeros(10, "int64"))),
    "collected": (
        collected,
        2,
        8,
        (RNG.integers(-9, 9, 13).astype("int32"), np.zeros(13, "int32"), np.zeros(1, "int32")),
    ),
    "collected_by_function": (
        collected_by_function,
        2,
        8,
        (RNG.integers(-9, 9, 13).astype("int32"), np.zeros(13, "int32"), np.zeros(1, "int32")),
    ),
    "order": (order, 1, 1, (np.array([3, 50], "int32"), np.zeros(4, "int32"))),
    "extremes": (
        extremes,
        2,
        4,
        (RNG.integers(-900, 900, 50).astype("int32"), np.array([999, -999], "int32"), np.zeros(1, "int32")),
    ),
    "floats": (floats, 2, 4, (RNG.integers(-9, 9, 50).astype("float32"), np.zeros(1, "float32"))),
    "drawn": (drawn, 1, 16, (np.zeros(16, "float32"), 7)),
    "rows": (rows, 2, 4, (RNG.integers(-9, 9, (6, 5)).astype("float32"), np.zeros(6, "int64"), np.zeros(6, "float32"))),
    "many_axes": (many_axes, (2, 1, 2), (2, 3, 1), (RNG.integers(0, 9, (2, 3, 4)), np.zeros((2, 3, 4), "int64"))),
    "flags": (
        flags_of,
        1,
        8,
        (np.arange(-3, 5), np.array([1, 0, 1, 1, 0, 1, 0, 1], bool), np.zeros(8, "int32")),
    ),
    "narrow": (narrow, 1, 8, (np.arange(96, 104).astype("uint8"), np.zeros(8, bool), np.zeros(8, "uint8"))),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Each case's arrays after its kernel, and before."""
    texts = {
        name: harness.translated_groups(function, arguments) for name, (function, _, _, arguments) in CASES.items()
    }
    library = harness.build(list(texts.values()), tmp_path_factory.mktemp("groups"))
    results = {}
    for k, (name, (_, groups, size, arguments)) in enumerate(CASES.items()):
        after = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
        harness.launch(library, k, texts[name], groups, size, after)
        results[name] = after, arguments, texts[name]
    return results


def test_histogram(ran):
    (x, counts), _, text = ran["histogram"]
    np.testing.assert_array_equal(counts, np.bincount(x, minlength=16))
    assert text.parameters == "const int32* x, int32 x_size, int32* out"
    assert text.written == [1]


def test_product(ran):
    (a, b, c), _, _ = ran["product"]
    np.testing.assert_array_equal(c, a @ b)


def test_total(ran):
    (x, sums, scale), _, _ = ran["total"]
    assert sums.sum() == x.sum() * scale


def test_negative_places(ran):
    (x, out), _, text = ran["mirrored"]
    np.testing.assert_array_equal(out, x[::-1] + 901)
    assert "return;" in text.body


@pytest.mark.parametrize("name", ["collected", "collected_by_function"])
def test_places_from_atomics(ran, name):
    (x, out, counter), before, text = ran[name]
    wanted = before[0][before[0] > 0]
    assert counter[0] == len(wanted)
    assert sorted(out[: len(wanted)]) == sorted(wanted)
    if name == "collected_by_function":
        np.testing.assert_array_equal(x, np.where(before[0] > 0, before[0], -7))
        assert text.written == [0, 1, 2]


def test_order(ran):
    (counter, out), _, _ = ran["order"]
    assert out.tolist() == [3 + 30 + 400, 4, 1, 5]
    assert counter.tolist() == [50, 5]


def test_extremes(ran):
    (x, out, total_), _, _ = ran["extremes"]
    assert out.tolist() == [x.min(), x.max()]
    assert total_[0] == x.sum()


def test_sum_of_floats(ran):
    (x, total_), _, _ = ran["floats"]
    assert total_[0] == x.sum()


def test_random_numbers_are_those_of_arrays(ran):
    (out, seed), _, _ = ran["drawn"]
    np.testing.assert_array_equal(out, np.asarray(ot.random.uniform(out.shape, seed=seed)))


def test_functions_of_arrays(ran):
    (x, out, means), _, _ = ran["rows"]
    np.testing.assert_allclose(means, x.mean(1), rtol=1e-6, atol=1e-6)
    squares = [sum(i * i for i in group) * 4 + 2 for group in (range(4), range(4, 8))]
    assert out.tolist() == [squares[0]] * 4 + [squares[1]] * 2


def test_axes(ran):
    (x, out), _, _ = ran["many_axes"]
    c, b, a = np.indices(x.shape)
    np.testing.assert_array_equal(out, x * 1000 + c * 100 + b * 10 + a + 2 + 3)


def test_narrow_types_wrap(ran):
    (x, flags, out), _, _ = ran["narrow"]
    np.testing.assert_array_equal(flags, x > 100)
    np.testing.assert_array_equal(out, x + x + np.uint8(200))


def test_bools_in_memory(ran):
    (x, given, out), before, _ = ran["flags"]
    own = before[1] & (x > 0)
    np.testing.assert_array_equal(out, np.logical_or.accumulate(own) & ~before[1])
    np.testing.assert_array_equal(given, before[1] ^ own)
