# SPDX-License-Identifier: MIT
"""Random programs: expressions, branches, loops and types as they come, beside Python's own run with NumPy's numbers."""

import random

import kernel_harness as harness
import numpy as np

PROGRAMS = 240
ROWS = 10
TYPES = {"i32": np.int32, "i64": np.int64, "u8": np.uint8, "u32": np.uint32, "f32": np.float32, "f64": np.float64}
WHOLE, FLOATS = ("i32", "i64", "u8", "u32"), ("f32", "f64")


def _conversion(kind):
    dtype = np.dtype(kind)

    def convert(x):
        with np.errstate(all="ignore"):
            if dtype.kind in "iu" and isinstance(x, (float, np.floating)):
                ends = np.iinfo(dtype)
                return dtype.type(
                    0 if np.isnan(x) else ends.max if x >= ends.max else ends.min if x <= ends.min else int(x)
                )
            return np.asarray(x).astype(dtype)[()]

    return convert


PYTHONS = {name: _conversion(kind) for name, kind in TYPES.items()}


class Generator:
    """Makes the source of one function."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.parameters = {f"p{k}": self.random.choice([*WHOLE, *FLOATS]) for k in range(3)}
        self.variables = {f"v{k}": self.random.choice([*WHOLE, *FLOATS, "bool"]) for k in range(5)}
        self.loops = 0
        self.lines = []

    def pick(self, *choices):
        return self.random.choice(choices)

    def leaf(self, kind):
        names = [name for name, each in {**self.parameters, **self.variables}.items() if each == kind]
        if names and self.random.random() < 0.75:
            return self.random.choice(names)
        if kind == "bool":
            return self.pick("True", "False")
        if kind in FLOATS:
            return f"{kind}({self.random.choice([0.0, 0.1, -2.5, 3.0, 1e10, -7.75, 0.5])})"
        return f"{kind}({self.random.randrange(0, 100)})"

    def literal(self, kind):
        return str(self.pick(0.5, 0.1, 2.0, 3) if kind in FLOATS else self.random.randrange(1, 50))

    def expression(self, kind, depth):  # noqa: PLR0911
        if depth <= 0:
            return self.leaf(kind)
        if kind == "bool":
            return self.truth(depth)
        a, b = self.expression(kind, depth - 1), self.expression(kind, self.random.randrange(depth))
        ways = ["+", "-", "*", "//", "%", "literal", "choice", "min", "abs", "convert", "leaf", "andor"]
        ways += ["/", "neg"] if kind in FLOATS else ["square", "&", "|", "^", "<<", ">>", "~"]
        way = self.random.choice(ways)
        if way in ("<<", ">>"):
            return f"({a} {way} {self.pick(0, 1, 3, 7, 31, 40, 64)})"
        if way == "literal":
            return f"({a} {self.pick('+', '-', '*', '//', '%')} {self.literal(kind)})"
        if way == "choice":
            return f"({a} if {self.truth(depth - 1)} else {b})"
        if way == "min":
            return f"{self.pick('min', 'max')}({a}, {b})"
        if way == "convert":
            other = self.random.choice([*WHOLE, *FLOATS])
            return f"{kind}({self.expression(other, depth - 1)})"
        simple = {
            "abs": f"abs({a})",
            "square": f"({a})**2",
            "leaf": a,
            "neg": f"(-{a})",
            "~": f"(~{a})",
            "andor": f"({a} {self.pick('and', 'or')} {b})",
        }
        return simple.get(way) or f"({a} {way} {b})"

    def truth(self, depth):
        if depth <= 0:
            return self.leaf("bool")
        way = self.pick("compare", "compare", "chain", "and", "or", "not", "leaf")
        if way in ("and", "or"):
            return f"({self.truth(depth - 1)} {way} {self.truth(depth - 1)})"
        if way == "not":
            return f"(not {self.truth(depth - 1)})"
        if way == "leaf":
            return self.leaf("bool")
        kind = self.random.choice([*WHOLE, *FLOATS])
        parts = [self.expression(kind, depth - 1) for _ in range(3 if way == "chain" else 2)]
        return (
            "("
            + parts[0]
            + "".join(f" {self.pick('<', '<=', '>', '>=', '==', '!=')} {each}" for each in parts[1:])
            + ")"
        )

    def block(self, depth, indent, in_loop):
        for _ in range(self.random.randrange(1, 4)):
            self.statement(depth, indent, in_loop)

    def add(self, indent, text):
        self.lines.append("    " * indent + text)

    def statement(self, depth, indent, in_loop):
        way = self.pick("assign", "assign", "augment", "swap", "if", "for", "while", "jump", "return")
        name = self.random.choice(list(self.variables))
        kind = self.variables[name]
        if way == "augment" and kind != "bool":
            self.add(indent, f"{name} {self.pick('+', '-', '*', '//')}= {self.expression(kind, 2)}")
        elif way == "swap":
            same = [each for each, other in self.variables.items() if other == kind]
            other = self.random.choice(same)
            self.add(indent, f"{name}, {other} = {other}, {self.expression(kind, 1)}" if other != name else "pass")
        elif way == "if" and depth:
            self.add(indent, f"if {self.truth(2)}:")
            self.block(depth - 1, indent + 1, in_loop)
            if self.random.random() < 0.6:
                self.add(indent, f"{self.pick('else', 'elif ' + self.truth(1))}:")
                self.block(depth - 1, indent + 1, in_loop)
        elif way == "for" and depth and self.loops < 3:
            self.loops += 1
            bounds = self.pick("4", "1, 9, 3", "5, -3, -2", "0", "-2, 2")
            self.add(indent, f"for k{self.loops} in range({bounds}):")
            whole = [each for each, other in self.variables.items() if other in WHOLE]
            if whole:
                target = self.random.choice(whole)
                self.add(indent + 1, f"{target} = {target} + {self.variables[target]}(k{self.loops})")
            self.block(depth - 1, indent + 1, True)
            self.loops -= 1
        elif way == "while" and depth and self.loops < 3:
            self.loops += 1
            counter = f"w{len(self.lines)}"
            self.add(indent, f"{counter} = 0")
            self.add(indent, f"while {counter} < 5 and {self.truth(2)}:")
            self.add(indent + 1, f"{counter} += 1")
            self.block(depth - 1, indent + 1, True)
            self.loops -= 1
        elif way == "jump" and in_loop:
            self.add(indent, f"if {self.truth(1)}:")
            self.add(indent + 1, self.pick("break", "continue"))
        elif way == "return" and depth < 3 and self.random.random() < 0.2:
            self.add(indent, f"if {self.truth(1)}:")
            self.add(indent + 1, f"return {', '.join(self.variables)}")
        else:
            self.add(indent, f"{name} = {self.expression(kind, 3)}")

    def text(self):
        own = dict(self.variables)
        self.variables = {}
        for name, kind in own.items():
            self.add(1, f"{name} = {self.leaf(kind)}")
            self.variables[name] = kind
        for _ in range(5):
            self.statement(3, 1, False)
        body = "\n".join([*self.lines, f"    return {', '.join(self.variables)}"])
        return f"def program({', '.join(self.parameters)}):\n{body}\n"


def arguments_for(kinds, rng):
    """Rows of numbers with edges among them."""
    made = []
    for kind in kinds:
        dtype = np.dtype(TYPES[kind])
        if dtype.kind == "f":
            values = rng.normal(size=ROWS).astype(dtype) * 5
            values[:4] = [0.0, -0.0, np.inf, np.nan]
        else:
            ends = np.iinfo(dtype)
            values = rng.integers(-9 if ends.min else 0, 10, ROWS).astype(dtype)
            values[:4] = [ends.min, ends.max, 0, 1]
        rng.shuffle(values)
        made.append(values)
    return made


def check(seeds, folder):
    """Compiles and runs programs; the differences, as text."""
    texts, programs = [], []
    for seed in seeds:
        made = Generator(seed)
        source = made.text()
        function = harness.define(source, "program", TYPES)
        arguments = arguments_for(made.parameters.values(), np.random.default_rng(seed))
        texts.append(harness.translated(function, arguments))
        programs.append((seed, source, function, arguments))
    library = harness.build(texts, folder)
    wrong = []
    for k, (seed, source, function, arguments) in enumerate(programs):
        got = harness.run(library, k, texts[k], arguments)
        expected = harness.as_python(function, arguments, **PYTHONS)
        for place, (mine, truth) in enumerate(zip(got, expected, strict=True)):
            same = (mine == truth) | (np.isnan(mine.astype(float)) & np.isnan(truth.astype(float)))
            if not np.all(same) or (mine.dtype != truth.dtype):
                at = int(np.argmin(same))
                where = f"seed {seed}, v{place}, {[each[at] for each in arguments]}"
                values = f"{mine[at]} {mine.dtype}, expected {truth[at]} {truth.dtype}"
                wrong.append(f"{where}: {values}\n{source}\n{texts[k].source}")
                break
    return wrong


def test_programs(tmp_path):
    wrong = check(range(PROGRAMS), tmp_path)
    assert not wrong, f"{len(wrong)} programs differ\n{wrong[0]}"
