# SPDX-License-Identifier: MIT
"""What kernels do not have is told once, with the place in the user's file and what to write instead."""

import kernel_harness as harness
import numpy as np
import pytest

import overtake as ot
from overtake.kernels import KernelError, KernelSyntaxError

X = np.ones(3, "float32")
N = np.ones(3, "int32")
TABLE = [1, 2, 3]
WORD = "text"
ARRAY = np.ones(2)
NAMES = {"TABLE": TABLE, "WORD": WORD, "ARRAY": ARRAY, "HALF": np.float16(1)}

# (body of f(x, n), the line in it, what stands under the caret, words of the message, words of the hint)
SYNTAX = [
    ("y = [x, x]\nreturn x", 1, "[x, x]", "no lists", "several variables"),
    ("y = {1: x}\nreturn x", 1, "{1", "no dicts", "array"),
    ("y = {1, 2}\nreturn x", 1, "{1", "no sets", "comparisons"),
    ("return sum(x for i in range(3))", 1, "sum", "do not know sum()", "There are the element-wise"),
    ("y = [i for i in range(3)]\nreturn x", 1, "[i for", "comprehensions", "for i in range"),
    ("return x if 'a' else n", 1, "'a'", "no texts", "numbers"),
    ("return f'{x}'", 1, "f'", "no texts", "numbers"),
    ("y = None\nreturn x", 1, "None", "no None", "overtake.nan"),
    ("try:\n    return x\nexcept ValueError:\n    return n", 1, "try", "no try", "Check with if"),
    ("with open('x'):\n    return x", 1, "with", "no with", "outside"),
    ("f = lambda y: y\nreturn x", 1, "lambda", "no lambda", "with def"),
    ("yield x", 1, "yield", "no yield", "Return"),
    ("import math\nreturn x", 1, "import", "no import", "top of the module"),
    ("from math import pi\nreturn x", 1, "from", "no import", "top of the module"),
    ("print(x)\nreturn x", 1, "print", "no print()", "array"),
    ("class A:\n    pass\nreturn x", 1, "class", "no classes", "variables"),
    ("def g():\n    return 1\nreturn x", 1, "def", "no functions inside", "in the module"),
    ("return max(*n)", 1, "*n", "no * before arguments", "each argument"),
    ("return ot.sum(x, axis=0)", 1, "0)", "no keywords", "in order"),
    ("return ot.log(x=x)", 1, "x)", "no keywords", "in order"),
    ("return ot.mean(x)", 1, "ot.mean", "do not know ot.mean()", "element-wise"),
    ("return np.linalg.norm(x)", 1, "np.linalg", "do not know np.linalg.norm()", "functions of your own"),
    ("return x.real", 1, "x.real", "no attribute .real", "Numbers have none"),
    ("return x.astype(n)", 1, "x.astype", "no method .astype()", "overtake.exp(x)"),
    ("return x[0]", 1, "x[0]", "x is a number", "overtake.jit"),
    ("x[0] = 1\nreturn x", 1, "x[0]", "x is a number", "overtake.jit"),
    ("x.y = 1\nreturn x", 1, "x.y", "assign to attributes", "x[i] = y"),
    ("return x @ n", 1, "x @ n", "no @", "loop"),
    ("return x is n", 1, "x is n", "no 'is'", "=="),
    ("return x in (1, 2)", 1, "x in", "no 'in'", "x == 1 or x == 2"),
    ("if (y := x) > 0:\n    return y\nreturn x", 1, "y :=", "no :=", "line of its own"),
    ("for i in x:\n    pass\nreturn x", 1, "x:", "over range()", "x[i]"),
    ("for i in range(3):\n    pass\nelse:\n    pass\nreturn x", 4, "pass", "no else", "variable"),
    ("for i, j in range(3):\n    pass\nreturn x", 1, "i, j", "one variable", "for i in range(n)"),
    ("global z\nz = x\nreturn x", 1, "global", "no variables of the module", "Return"),
    ("raise ValueError", 1, "raise", "raise no errors", "overtake.nan"),
    ("assert x > 0\nreturn x", 1, "assert", "no assert", "outside"),
    ("del x\nreturn n", 1, "del", "no del", "Leave it out"),
    ("return (x, n)[0]", 1, "(x, n)[0]", "no array of the kernel", "jit"),
    ("a, *b = x, n\nreturn a", 1, "*b", "names with *", "variable"),
    ("y = x, n\nreturn x", 1, "x, n", "tuple is no number", "a, b = x, y"),
    ("return ot.round(x, 2)", 1, "ot.round", "takes 1 number here, not 2", "round(x * 100) / 100"),
    ("return min(x)", 1, "min", "takes two numbers or more", "m = min"),
    ("match x:\n    case 1:\n        return x\nreturn n", 1, "match", "no match", "elif"),
    ("return 1j * x", 1, "1j", "of type complex", "Numbers and bools"),
    ("return x.imag if n else x", 1, "x.imag", "no attribute", ""),
]
TYPES = [
    ("return missing + x", 1, "missing", "missing is not defined", "Define it"),
    ("return wherre(x, n, n)", 1, "wherre", "wherre() is not defined", "Did you mean where?"),
    ("return ot.sqroot(x)", 1, "ot.sqroot", "overtake has no sqroot", "Did you mean"),
    ("if x > 0:\n    y = 1\nreturn y", 3, "y", "not assigned on every way", "Give y a value before"),
    ("for i in range(n):\n    y = i\nreturn y", 3, "y", "not assigned on every way", "before"),
    ("y += x\nreturn y", 1, "y", "not assigned", "before"),
    ("while x > 0:\n    break\nelse_ = 1\nreturn z\nz = 1", 4, "z", "not assigned", ""),
    ("y = True\ny = x\nreturn y", 2, "y", "y changes its type from bool to float32", "Use another name"),
    ("y = n\ny = x > 1\nreturn y", 2, "y", "from int32 to bool", "Use another name"),
    ("if x > 0:\n    return x", 1, "if", "returns nothing on a way to its end", "every way"),
    ("if x > 0:\n    return x\nreturn x, n", 3, "return", "returns 1 value before and 2 values here", "as many"),
    ("y = x", 0, "def", "f() returns nothing", "returns a number"),
    ("return x & n", 1, "x & n", "& needs whole numbers or bool, not float32", "overtake.int32(x)"),
    ("return ~x", 1, "~x", "~ needs whole numbers", "int32"),
    ("return x << 2", 1, "x << 2", "<< needs whole numbers", "int32"),
    ("return n ** -1", 1, "n ** -1", "negative power", "float32(x) ** n"),
    ("return ot.uint64(n) + n", 1, "ot.uint64", "uint64 and int32 have no common type", "overtake.int64(x)"),
    ("return n + 3000000000", 1, "n + 3", "3000000000 does not fit int32", "overtake.int64(x)"),
    ("return 1 / 0 + x", 1, "1 / 0", "division by zero", ""),
    ("return 10 ** 99999 + n", 1, "10", "too large", ""),
    ("for i in range(x):\n    pass\nreturn x", 1, "x", "range() takes whole numbers, not float32", "int(x)"),
    ("for i in range(0, 3, 0):\n    pass\nreturn x", 1, "range", "step of range() is 0", ""),
    ("return TABLE + x", 1, "TABLE", "TABLE is of type list", "as arguments"),
    ("return ARRAY + x", 1, "ARRAY", "ARRAY is an array of the module", "as an argument"),
    ("return HALF + x", 1, "HALF", "float16", "float32"),
    ("return ot.float16(x)", 1, "ot.float16", "do not compute in float16", "float32"),
    ("return ot.exp", 1, "ot.exp", "ot.exp is a function", "Call it"),
    ("return x(1)", 1, "x(1)", "x is a variable of the kernel", "Rename"),
    ("return ot.global_id() + x", 1, "ot.global_id", "belongs in a function of overtake.jit", "one element"),
    ("ot.sync()\nreturn x", 1, "ot.sync", "belongs in a function of overtake.jit", ""),
    ("s = ot.shared(ot.int32, 4)\nreturn x", 1, "ot.shared", "belongs in a function of overtake.jit", ""),
    ("a, b = x\nreturn a", 1, "a, b", "2 names for 1 values", ""),
    ("return math.sqrt(-1) + x", 1, "math", "math", ""),
]
GROUPS = [
    ("if n[0] > 0:\n    ot.sync()", 2, "ot.sync", "sync() stands in a branch", "Close the branch"),
    ("if n[0] > 0:\n    return\not.sync()", 3, "ot.sync", "after an early return", "'if'"),
    ("for i in range(3):\n    if n[i]:\n        continue\n    ot.sync()", 4, "ot.sync", "after a continue", "'if'"),
    (
        "for i in range(3):\n    ot.sync()\n    if n[i]:\n        return",
        4,
        "return",
        "loop that has a sync()",
        "variable",
    ),
    (
        "for i in range(3):\n    s = ot.shared(ot.int32, 4)",
        2,
        "ot.shared",
        "shared() stands in a branch, a loop",
        "top",
    ),
    ("s = ot.shared(ot.int32, n[0])", 1, "n[0]", "not known while compiling", "Write numbers"),
    ("s = ot.shared(WORD, 4)", 1, "WORD", "no type of elements", "float32"),
    ("s = ot.shared(ot.int32, 4)\ns[4] = 1", 2, "4] = 1", "index 4 is outside", ""),
    ("return n[0]", 1, "return", "returns nothing", "out[i] = value"),
    ("n[x[0]] = 1", 1, "x[0]", "an index is a whole number, not float32", "int(x)"),
    ("n[0, 1] = 1", 1, "n[0, 1]", "2 indices for an array of int32 with 1 axis", "x[i]"),
    ("y = n + 1", 1, "n + 1", "n is an array of int32", "n[i]"),
    ("y = n", 1, "n", "n is an array", "n[i]"),
    ("n = 1", 1, "n", "n changes its type from an array of int32 with 1 axis to int", "another name"),
    ("y = x.T", 1, "x.T", "no .T in kernels", "x.size"),
    ("y = x.shape", 1, "x.shape", "a shape is no number", "x.shape[0]"),
    ("y = x.shape[2]", 1, "x.shape[2]", "an axis of an array", "shape[0]"),
    ("y = x[1:2]", 1, "1:2", "no slices", "loop"),
    ("ot.atomic_add(x, 0, 1)\not.atomic_min(x, 0, 1)", 2, "x, 0", "atomic_min() works on int32", "int32"),
    ("ot.atomic_add(n, 0)", 1, "ot.atomic_add", "takes an array, an index and a value", "counts"),
    ("y = ot.local_id(3)", 1, "ot.local_id", "0, 1 or 2", ""),
    ("y = ot.local_id(axis=n[0])", 1, "ot.local_id", "0, 1 or 2", ""),
    ("y = ot.sync()", 1, "ot.sync", "sync() is no number", "line of its own"),
    ("y = len(3)", 1, "len", "len() is no number", "array"),
    ("for i in range(ot.local_id(), 9, 8):\n    ot.sync()", 1, "range", "leave at different times", "range(0, n"),
    (
        "m = n[ot.global_id()]\nwhile m > 0:\n    ot.sync()\n    m -= 1",
        2,
        "m > 0",
        "leave at different times",
        "range(0, n",
    ),
    ("m = 3\nif ot.local_id():\n    m = 4\nfor i in range(m):\n    ot.sync()", 4, "range(m)", "at different times", ""),
    ("uses_sync(n)", -1, "ot.sync", "in a function that a kernel calls", "launched"),
]


def _function(body, globals_=None):
    text = "import math\ndef f(x, n):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    return harness.define(text, "f", {**NAMES, "uses_sync": uses_sync, **(globals_ or {})}), text.splitlines()


def uses_sync(n):
    ot.sync()


def _check(caught, lines, line, under, words, hint):
    error = caught.value
    assert words in error.message
    assert hint in error.hint
    assert error.filename
    if line >= 0:
        assert error.lineno == line + 2
        assert lines[error.lineno - 1][error.offset - 1 :].startswith(under)
        assert f"{error.filename}:{error.lineno}:{error.offset}: " in str(error)
        assert str(error).splitlines()[2] == " " * (error.offset - 1) + "^"


@pytest.mark.parametrize(("body", "line", "under", "words", "hint"), SYNTAX, ids=[each[0] for each in SYNTAX])
def test_forms(body, line, under, words, hint):
    function, lines = _function(body)
    with pytest.raises(KernelError) as caught:
        harness.translated(function, (X, N))
    _check(caught, lines, line, under, words, hint)
    assert isinstance(caught.value, (ot.UsageError, SyntaxError))


@pytest.mark.parametrize(("body", "line", "under", "words", "hint"), TYPES, ids=[each[0] for each in TYPES])
def test_types(body, line, under, words, hint):
    function, lines = _function(body)
    with pytest.raises(KernelError) as caught:
        harness.translated(function, (X, N))
    _check(caught, lines, line, under, words, hint)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(("body", "line", "under", "words", "hint"), GROUPS, ids=[each[0] for each in GROUPS])
def test_groups(body, line, under, words, hint):
    function, lines = _function(body)
    with pytest.raises(KernelError) as caught:
        harness.translated_groups(function, (X, N))
    _check(caught, lines, line, under, words, hint)


def recursive(x):
    return recursive(x - 1) if x > 0 else x


def even(x):
    return odd(x - 1) if x > 0 else True


def odd(x):
    return even(x - 1) if x > 0 else False


@pytest.mark.parametrize(("function", "name"), [(recursive, "recursive"), (even, "even")])
def test_recursion(function, name):
    with pytest.raises(KernelError, match=rf"{name}\(\) calls itself"):
        harness.translated(function, (X,))


def test_functions_that_cannot_be_kernels():
    names = {}
    exec("def typed(x):\n    return x\n", names)
    with pytest.raises(KernelError, match=r"(?s)source of typed\(\) cannot be found.*a file or a notebook"):
        harness.translated(names["typed"], (X,))
    with pytest.raises(KernelSyntaxError, match="a lambda cannot be a kernel"):
        harness.translated(lambda x: x, (X,))
    for text, words in (("*xs", r"no \*xs"), ("**xs", r"no \*\*xs"), ("*, x", "by keyword only")):
        function = harness.define(f"def f({text}):\n    return 1\n", "f")
        with pytest.raises(KernelSyntaxError, match=words):
            harness.translated(function, ())
    with pytest.raises(KernelError, match="vectorize takes a function"):
        ot.vectorize(np.sin)
    with pytest.raises(ot.UsageError, match="time_limit: -1"):
        ot.vectorize(time_limit=-1)(recursive)


def test_error_is_a_syntax_error_with_its_place():
    function, _ = _function("return [x]")
    with pytest.raises(SyntaxError) as caught:
        harness.translated(function, (X, N))
    assert isinstance(caught.value, ot.UsageError)
    assert (caught.value.lineno, caught.value.offset) == (3, 12)
    assert caught.value.msg == "there are no lists in kernels"


@pytest.mark.parametrize(
    "name", ["local_id", "group_id", "local_size", "num_groups", "global_id", "global_size", "sync"]
)
def test_outside_of_kernels(name):
    with pytest.raises(ot.UsageError, match=rf"(?s){name}\(\) was called outside of a kernel.*overtake.jit"):
        getattr(ot, name)()
    with pytest.raises(ot.UsageError, match="outside of a kernel"):
        ot.shared(ot.int32, 4)


def test_calls():
    @ot.jit
    def kernel(x, n):
        x[0] = n

    @ot.vectorize
    def half(x):
        return x

    with pytest.raises(KernelError, match=r"Say how many there are"):
        kernel(1, 2)
    for sizes in ((-1, 1), (1, 0), (1, (1, 1, 1, 1)), (1.5, 1)):
        with pytest.raises(KernelError, match="is no size"):
            kernel[sizes]
    with pytest.raises(KernelError, match="there are two sizes"):
        kernel[1]
    with pytest.raises(KernelError, match="takes 2 arguments, not 1"):
        kernel[1, 1](ot.ones(3))
    with pytest.raises(KernelError, match=r"(?s)x is float16.*x\.astype\(overtake\.float32\)"):
        half(ot.ones((2,), dtype=ot.float16))
    with pytest.raises(KernelError, match="x has no axes"):
        kernel[1, 1](ot.asarray(1.0), 2)
    with pytest.raises(KernelError, match="x is of type list"):
        kernel[1, 1]([1.0], 2)
    with pytest.raises(KernelError, match="no kernel of half"):
        half.source()


def test_a_time_limit_is_a_number_of_seconds():
    makers = [
        lambda limit: ot.ElementwiseKernel("float32 x", "float32 y", "y = x;", time_limit=limit),
        lambda limit: ot.ReductionKernel("float32 x", "float32 y", "x", "a + b", "y = a", "0", time_limit=limit),
        lambda limit: ot.RawKernel("float32* x", "x[0] = 1;", time_limit=limit),
        lambda limit: ot.vectorize(time_limit=limit)(recursive),
        lambda limit: ot.jit(time_limit=limit)(recursive),
    ]
    for make in makers:
        for limit in ("a", [1], 1j, b"2"):
            with pytest.raises(ot.UsageError, match=r"time_limit: .* is no number"):
                make(limit)
        for limit in (-1.0, float("nan"), float("inf"), 10**400):
            with pytest.raises(ot.UsageError, match=r"time.limit"):
                make(limit)
        make(np.float32(2))
        make(None)
