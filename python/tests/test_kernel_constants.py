# SPDX-License-Identifier: MIT
"""Constants that have a type of arrays keep its width before every operator: each against whole numbers of Python."""

import random

import kernel_harness as harness
import numpy as np
import pytest
from networks import DEVICES

import overtake as ot

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
# {t} is the type, {a} and {b} are two of its numbers, {k} a small one. x is 1, and not known while compiling.
EXPRESSIONS = """~{t}({a})
-{t}({a})
~-{t}({a})
{t}({a}) + {t}({b})
{t}({a}) - {t}({b})
{t}({a}) * {t}({b})
{t}({a}) & ~{t}({b})
~{t}({a}) | {t}({b})
~{t}({a}) ^ {t}({b})
{t}({a}) << {t}({k})
~{t}({a}) >> {t}({k})
~{t}({a}) // {t}(3)
~{t}({a}) % {t}(7)
{t}({a}) ** 2
{t}({a}) + {t}(x)
~{t}({a}) & -{t}(x)
~({t}({a}) if x > 0 else {t}({b}))
-({t}({a}) if x > 0 else {t}({b})) >> {t}({k})
(({t}({a}) if x > 0 else {t}({b})) << {t}({k}))
~{t}({a}) < {t}({b})
{t}({a}) + {t}({b}) == -{t}({a})
uint64(~{t}({a})) >> uint64({k})
int64({t}({a}) - {t}({b})) // int64(2)
uint16(~{t}({a})) * uint16(1)
int8(~{t}({a}))
min(~{t}({a}), {t}({b}))
abs({t}({a}) - {t}({b}))""".splitlines()


class Number:
    """A whole number of a type that wraps round: the truth."""

    def __init__(self, value, dtype):
        info = np.iinfo(dtype)
        self.dtype, self.bits, self.signed = dtype, info.bits, info.min < 0
        value = int(value) % 2**self.bits
        self.value = value - 2**self.bits if self.signed and value > info.max else value

    def _of(self, value):
        return Number(value, self.dtype)

    def __int__(self):
        return self.value

    def __lshift__(self, other):
        return self._of(self.value << other.value if 0 <= other.value < self.bits else 0)

    def __rshift__(self, other):
        return self._of(self.value >> min(other.value, self.bits))

    def __pow__(self, n):
        return self._of(self.value**n)


def _binary(name):
    return lambda self, other: self._of(getattr(int, name)(self.value, int(other)))


for each in ("add", "sub", "mul", "and", "or", "xor", "floordiv", "mod"):
    setattr(Number, f"__{each}__", _binary(f"__{each}__"))
for each in ("invert", "neg", "abs"):
    setattr(Number, f"__{each}__", lambda self, name=f"__{each}__": self._of(getattr(int, name)(self.value)))
for each in ("lt", "eq", "gt"):
    setattr(Number, f"__{each}__", lambda self, other, name=f"__{each}__": getattr(int, name)(self.value, int(other)))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", TYPES)
def test_typed_constants_keep_their_width(device, dtype):
    info, seed = np.iinfo(dtype), random.randrange(2**32)
    numbers = random.Random(seed)
    numbers_of = [
        0,
        1,
        5,
        info.max,
        info.min,
        info.max // 2 + 1,
        *(numbers.randint(info.min, info.max) for _ in range(4)),
    ]
    texts = [
        each.format(t=dtype, a=numbers.choice(numbers_of), b=numbers.choice(numbers_of), k=numbers.randrange(info.bits))
        for each in EXPRESSIONS
        for _ in range(2)
    ]
    types = {each: (lambda value, name=each: Number(value, name)) for each in TYPES}
    lines = "".join(f"    out[{at}] = int64({text})\n" for at, text in enumerate(texts))
    source = f"def constants(out):\n    x = uint8(out.size > 0)\n{lines}"
    function = harness.define(source, "constants", {each: getattr(ot, each) for each in TYPES})
    got = ot.zeros(len(texts), dtype=ot.int64, device=device)
    ot.jit(function)[1, 1](got)
    for text, mine in zip(texts, np.asarray(got), strict=True):
        truth = eval(text, dict(types), {"x": Number(1, "uint8")})
        assert mine == int(Number(truth, "int64")), f"seed {seed}: {text}"


@ot.vectorize
def compared(x):
    return ot.float32(0.1) == 0.1, x == 0.1, ot.float32(0.1) * 10 < 1, ot.uint64(2**63) > ot.int64(-1)


@pytest.mark.parametrize("device", DEVICES)
def test_comparisons_of_typed_constants_are_those_of_arrays(device):
    x = ot.asarray(np.array([0.1], np.float32), device=device)
    assert [bool(np.asarray(each)[0]) for each in compared(x)] == [True, True, False, True]


@ot.jit
def far(x, out):
    out[0] = x[2_000_000_000, 2]


def test_places_that_are_known_are_computed_in_64_bits():
    text = far._translated((ot.ones((4, 3)), ot.ones(1)), False).source
    assert "(int64)2000000000) * 3" in text
