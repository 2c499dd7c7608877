# SPDX-License-Identifier: MIT
"""Kernels written in the dialect, from Python, on every device that works."""

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot


@pytest.mark.parametrize("device", DEVICES)
def test_elements_broadcast_and_numbers_are_weak(device):
    kernel = ot.ElementwiseKernel("T x, T y", "T z, bool larger", "z = x * 2 - y; larger = x > y;", "double_less")
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    y = np.array([[1], [5], [9]], dtype=np.float32)
    z, larger = kernel(ot.asarray(x, device=device), ot.asarray(y, device=device))
    np.testing.assert_array_equal(np.asarray(z), x * 2 - y)
    np.testing.assert_array_equal(np.asarray(larger), x > y)
    z, _ = kernel(ot.asarray(x, device=device), 3)
    np.testing.assert_array_equal(np.asarray(z), x * 2 - 3)
    assert "double_less" in kernel.source(device)


@pytest.mark.parametrize("device", DEVICES)
def test_reductions_over_axes(device):
    norm = ot.ReductionKernel("float32 x", "float32 y", "x * x", "a + b", "y = sqrt(a)", "0", "l2")
    x = np.random.default_rng().random((30, 40), dtype=np.float32)
    given = ot.asarray(x, device=device)
    assert float(norm(given)) == pytest.approx(np.linalg.norm(x), rel=1e-5)
    np.testing.assert_allclose(np.asarray(norm(given, axis=1)), np.linalg.norm(x, axis=1), rtol=1e-5)
    assert norm(given, axis=(0,), keepdims=True).shape == (1, 40)


@pytest.mark.parametrize("device", DEVICES)
def test_raw_kernels_write_new_values(device):
    kernel = ot.RawKernel(
        "const int32* x, int64 n, int32* out",
        """
        LOCAL int part[64];
        int k = LOCAL_ID(0);
        part[k] = GLOBAL_ID(0) < n ? x[GLOBAL_ID(0)] : 0;
        SYNC;
        for (int w = 32; w > 0; w /= 2) {
          if (k < w) part[k] += part[k + w];
          SYNC;
        }
        if (k == 0) ATOMIC_ADD(&out[0], part[0]);
        """,
        "total",
    )
    x = np.arange(1000, dtype=np.int32)
    out = ot.zeros(1, dtype=ot.int32, device=device)
    before = out + 0
    kernel[16, 64](ot.asarray(x, device=device), 1000, out)
    assert int(out[0]) == x.sum()
    assert int(before[0]) == 0


@pytest.mark.parametrize("device", DEVICES)
def test_declarations_may_have_comments(device):
    x = ot.ones(3, device=device)
    one = ot.ElementwiseKernel("float32 x /* p, q */", "float32 y /* a, b */", "y = x + 1;", "one")
    np.testing.assert_array_equal(np.asarray(one(x)), [2, 2, 2])
    two = ot.ElementwiseKernel(
        "float32 x", "float32 y, // first, of two\n float32 z /*, float32 w", "y = x; z = -x;", "two"
    )
    np.testing.assert_array_equal([np.asarray(each) for each in two(x)], [[1, 1, 1], [-1, -1, -1]])
    out = ot.zeros(3, device=device)
    raw = ot.RawKernel(
        "/* const, in */ const float32* x, float32* y // not const\n", "y[LOCAL_ID(0)] = x[0] * 5;", "raw"
    )
    raw[1, 3](x, out)
    np.testing.assert_array_equal(np.asarray(out), [5, 5, 5])
    with pytest.raises(ot.UsageError, match="writes argument 1"):
        raw[1, 3](x, np.ones(3, np.float32))


def test_errors_name_kernel_and_line():
    with pytest.raises(ot.UsageError, match=r"\[k\] line 2: SYNC"):
        ot.ElementwiseKernel("float32 x", "float32 y", "y = x;\nSYNC;", "k")
    kernel = ot.ElementwiseKernel("float32 x", "float32 y", "y = x\n + missing;", "k")
    with pytest.raises(ot.UsageError, match=r"\[k\] does not compile for cpu(.|\n)*missing"):
        kernel(ot.ones(3))
    table = ot.ElementwiseKernel("raw float32 t, int32 k", "float32 y", "y = t[k];", "look_up", debug=True)
    with pytest.raises(ot.UsageError, match=r"t\[7\] is outside"):
        table(ot.ones(5), ot.asarray([1, 7], dtype=ot.int32))
    with pytest.raises(TypeError, match=r"\[look_up\] argument 0"):
        table("text", 1)
