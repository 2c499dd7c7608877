# SPDX-License-Identifier: MIT
"""vectorize and jit through the library, on every device that works: the cases of the other tests of kernels."""

import pathlib
import re

import kernel_cases as elements
import kernel_functions
import kernel_harness as harness
import numpy as np
import pytest
import test_kernel_groups as groups
import test_kernel_programs as programs
from networks import DEVICES

import overtake as ot
from overtake._library import library

pytestmark = pytest.mark.skipif(
    not hasattr(library().raw, "overtake_kernel_call"), reason="this build of the library has no kernels"
)
CASES = elements.EXACT + elements.CLOSE
# What vendors' functions may be off (docs/element-functions.md): relative float32 and float64.
BOUNDS = {"cpu": (4e-7, 2e-15)}
PROGRAMS = 60


def _on(device, value):
    return ot.asarray(value, device=device) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("at", range(len(CASES)), ids=lambda at: CASES[at][0].__name__)
def test_values(at, device):
    function, arguments = CASES[at]
    kernel = function if isinstance(function, ot.kernels.Vectorized) else ot.vectorize(function)
    got = kernel(*(_on(device, each) for each in arguments))
    expected = harness.as_python(function, arguments)
    for mine, truth in zip(got if isinstance(got, tuple) else (got,), expected, strict=True):
        assert mine.device.startswith(device)
        values = np.asarray(mine)
        if at < len(elements.EXACT):
            np.testing.assert_array_equal(values, truth.astype(values.dtype))
        else:
            single = any(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in arguments)
            bound = BOUNDS.get(device, (2e-6, 1e-14))[not single]
            np.testing.assert_allclose(values, truth, rtol=bound, atol=1e-6 if single else 1e-15)


@pytest.mark.parametrize("device", DEVICES)
def test_programs(device):
    for seed in range(PROGRAMS):
        made = programs.Generator(seed)
        source = made.text()
        function = harness.define(source, "program", programs.TYPES)
        arguments = programs.arguments_for(made.parameters.values(), np.random.default_rng(seed))
        got = ot.vectorize(function)(*(_on(device, each) for each in arguments))
        expected = harness.as_python(function, arguments, **programs.PYTHONS)
        for mine, truth in zip(got, expected, strict=True):
            np.testing.assert_array_equal(np.asarray(mine), truth, err_msg=f"seed {seed}\n{source}")


def _launched(device, name):
    """A case of groups on a device: the arrays after and before, and the text."""
    function, count, size, arguments = groups.CASES[name]
    given = [_on(device, each) for each in arguments]
    function[count, size](*given)
    after = [np.asarray(each) if isinstance(each, ot.Array) else each for each in given]
    for mine, before in zip(after, arguments, strict=True):
        assert getattr(mine, "dtype", None) == getattr(before, "dtype", None)
    return after, arguments, harness.translated_groups(function, arguments)


class _Ran:
    """What the tests of groups take: a case is launched when they ask for it."""

    def __init__(self, device):
        self._device = device

    def __getitem__(self, name):
        return _launched(self._device, name)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("test", [name for name in dir(groups) if name.startswith("test_")])
def test_groups(test, device):
    ran = _Ran(device)
    function = getattr(groups, test)
    if "name" in function.__code__.co_varnames[: function.__code__.co_argcount]:
        for name in ("collected", "collected_by_function"):
            function(ran, name)
    else:
        function(ran)


@pytest.mark.parametrize("device", DEVICES)
def test_handles_of_others_keep_their_values(device):
    @ot.jit
    def doubled(x):
        i = ot.global_id()
        if i < x.size:
            x[i] *= 2

    x = ot.arange(5, device=device)
    other, later = x + 0, x[1:3]
    doubled[1, 8](x)
    assert x.tolist() == [0, 2, 4, 6, 8]
    assert other.tolist() == [0, 1, 2, 3, 4]
    assert later.tolist() == [1, 2]
    doubled[1, 8](x)
    assert x.tolist() == [0, 4, 8, 12, 16]


@pytest.mark.parametrize("device", DEVICES)
def test_broadcasting_and_numbers(device):
    @ot.vectorize
    def both(x, y, k=2):
        return x * k + y

    x, y = np.arange(4.0, dtype="float32").reshape(4, 1), np.arange(3.0, dtype="float32")
    np.testing.assert_array_equal(np.asarray(both(_on(device, x), _on(device, y))), x * 2 + y)
    np.testing.assert_array_equal(np.asarray(both(_on(device, x).T, _on(device, x), 3)), x.T * 3 + x)
    np.testing.assert_array_equal(np.asarray(both(_on(device, x), y)), x * 2 + y)  # NumPy's arrays go where ours are
    assert both(_on(device, x), 1).dtype is ot.float32
    assert both(2, 3).item() == 7  # where arrays are made
    assert both(2.5, True).dtype is ot.float32
    with pytest.raises(ot.UsageError, match="shape"):
        both(ot.ones((2,), device=device), ot.ones((3,), device=device))


@pytest.mark.parametrize("device", DEVICES)
def test_faults_name_the_line(device):
    @ot.jit(debug=True)
    def outside(x):
        x[ot.global_id() + 7] = 1

    @ot.vectorize(time_limit=0.2)
    def endless(x):
        while x < 5:
            x = x * 1
        return x

    with pytest.raises(ot.UsageError, match=rf"line {outside.__wrapped__.__code__.co_firstlineno + 2}\b"):
        outside[1, 1](ot.ones((3,), device=device))
    with pytest.raises(ot.UsageError, match="did not end"):
        ot.eval(endless(ot.ones((3,), device=device)))


@pytest.mark.parametrize("device", DEVICES)
def test_page(device):
    """The Python of docs/python-kernels.md runs as it stands there."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python-kernels.md"
    text = "\n".join(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))
    names = {"price": None}
    default = ot.get_default_device()
    ot.set_default_device(device)
    try:
        harness.define(text + "\nnames.update(globals())\n", "price", {"names": names})
    finally:
        ot.set_default_device(default)
    assert names["y"].shape == (2,) and names["y"].device.startswith(device)
    assert names["n"].shape == (200, 300)
    assert int(ot.sum(names["out"])) == 100_000
    np.testing.assert_array_equal(np.asarray(names["c"]), np.full((100, 70), 50.0))


def test_whole_source():
    assert "user_price" in kernel_functions.price.source(ot.float32, ot.float32, float, device="cpu")
