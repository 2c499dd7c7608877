# SPDX-License-Identifier: MIT
"""Functions of vectorize: what the generated text computes, beside Python's own run with NumPy's numbers."""

import pathlib
import re

import kernel_functions as functions
import kernel_harness as harness
import numpy as np
import pytest
from kernel_cases import CLOSE, EXACT, F32, F64, G32, I8, I32, J32, J64, B, C

import overtake as ot


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    cases = EXACT + CLOSE
    texts = [harness.translated(function, arguments) for function, arguments in cases]
    return harness.build(texts, tmp_path_factory.mktemp("kernels")), texts


@pytest.mark.parametrize("at", range(len(EXACT) + len(CLOSE)), ids=lambda at: (EXACT + CLOSE)[at][0].__name__)
def test_values(at, compiled):
    function, arguments = (EXACT + CLOSE)[at]
    library, texts = compiled
    got = harness.run(library, at, texts[at], arguments)
    expected = harness.as_python(function, arguments)
    assert len(got) == len(expected)
    for mine, truth in zip(got, expected, strict=True):
        if at < len(EXACT):
            np.testing.assert_array_equal(mine, truth.astype(mine.dtype))
            if mine.dtype.kind == "f" and function is not functions.extremes:  # of -0 and 0 NumPy gives either
                known = ~np.isnan(mine)
                np.testing.assert_array_equal(np.signbit(mine)[known], np.signbit(truth)[known])
        else:
            single = any(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in arguments)
            np.testing.assert_allclose(mine, truth, rtol=3e-7 if single else 1e-15, atol=1e-7 if single else 1e-16)


def test_types_join_as_those_of_arrays():
    from overtake.kernels import _types

    for a in (each for each in ot.arrays._dtypes.ALL if "16" not in each.name or "int" in each.name):
        for b in (each for each in ot.arrays._dtypes.ALL if "16" not in each.name or "int" in each.name):
            try:
                expected = ot.arrays._dtypes.promoted(a, b)
            except ot.UsageError:
                expected = None
            try:
                got = _types.promoted(a, b)
            except _types.NoCommonType:
                got = None
            assert got is expected, (a, b)


@pytest.mark.parametrize(
    ("function", "arguments", "types"),
    [
        (functions.literal_types, (F32,), ["float32"] * 4),
        (functions.literal_types, (F64,), ["float64"] * 4),
        (functions.literal_types, (I8,), None),
        (functions.weak, (F64,), ["float64"]),
        (functions.true_quotient, (J32, J64), ["float32"]),
        (functions.true_quotient, (J32, F64), ["float64"]),
        (functions.sums, (J32, 2), ["int32"] * 3),
        (functions.sums, (F32, 2.5), ["float32"] * 3),
        (functions.sums, (J32, 2.5), ["float32"] * 3),
        (functions.choice, (F32, G32), ["float32", "int64", "float32"]),
        (functions.accumulates, (F32,), ["float32"]),
        (functions.becomes_float, (F32,), ["float32"]),
        (functions.bools, (B, C), ["bool"] * 6),
        (functions.powers, (I8,), ["int8"] * 5),
        (functions.rounds, (F32,), ["int64"] * 3),
        (functions.mandelbrot, (F32, F32, 9), ["int64"]),
    ],
)
def test_types_of_results(function, arguments, types):
    text = harness.translated(function, arguments)
    if types is None:
        types = ["float32", "int8", "int8", "int8"]
    assert [str(each) for each in text.results] == types


def test_source():
    text = functions.price.source(ot.float32, ot.float32, float)
    assert "DEVICE float32 user_price(float32 s, float32 k, float32 t) {" in text
    assert f'"{functions.__file__}"' in text
    line = functions.price.__wrapped__.__code__.co_firstlineno
    assert f"#line {line + 1} " in text
    assert f"#line {line + 5}\n  d = DIVIDE(log(DIVIDE(s, k)), sqrt(t));" in text
    assert "float64 t" in functions.price.source("float64", np.float64, float)
    assert repr(functions.price) == "<overtake.vectorize of price>"
    assert functions.price.__doc__ == "Several returns."
    with pytest.raises(ot.UsageError, match="takes 3 arguments, not 1"):
        functions.price.source(ot.float32)


def test_names_that_mean_something_in_c():
    text = harness.translated(functions.reserved_names, (J64, J64)).source
    for name in ("this_", "kernel_", "LOCAL_", "I_", "i_", "exp_", "float4_", "ot_1_", "v_x", "new_"):
        assert f" {name} = " in text or f" {name})" in text or f" {name}," in text, name


def test_examples_of_the_page(tmp_path):
    """Those of docs/python-kernels.md are translated as they stand there."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python-kernels.md"
    blocks = [
        each
        for each in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        if "def " in each
    ]
    assert len(blocks) == 2
    text = "\n".join(blocks)
    names = {name: harness.define(text, name) for name in ("price", "mandelbrot", "histogram", "product")}
    texts = [harness.translated(names[each], (F32, F32, F32)) for each in ("price", "mandelbrot")]
    texts.append(harness.translated_groups(names["histogram"], (I32, I32)))
    texts.append(harness.translated_groups(names["product"], (F32.reshape(20, 20),) * 3))
    harness.build(texts, tmp_path)
