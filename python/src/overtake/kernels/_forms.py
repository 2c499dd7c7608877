# SPDX-License-Identifier: MIT
"""The forms of Python: operators that kernels have, and what to write instead of what they have not."""

from __future__ import annotations

import ast

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip

_LOOP = "Write a loop: for i in range(n)."
_OUTSIDE = "Do it outside of the kernel."

# A node that is no number here: what it is, what to write instead.
EXPRESSIONS: dict[type[ast.AST], tuple[str, str]] = {
    ast.JoinedStr: ("there are no texts in kernels", "Use numbers."),
    ast.List: ("there are no lists in kernels", "Use several variables, or overtake.shared() in a function of jit."),
    ast.Tuple: ("a tuple is no number", "Assign to several names: a, b = x, y."),
    ast.Dict: ("there are no dicts in kernels", "Use an array and whole numbers as its indices."),
    ast.Set: ("there are no sets in kernels", "Use comparisons: x == 1 or x == 2."),
    ast.ListComp: ("there are no comprehensions in kernels", _LOOP),
    ast.SetComp: ("there are no comprehensions in kernels", _LOOP),
    ast.DictComp: ("there are no comprehensions in kernels", _LOOP),
    ast.GeneratorExp: ("there are no generators in kernels", _LOOP),
    ast.Lambda: ("there is no lambda in kernels", "Write a function of the module with def, and call it."),
    ast.Yield: ("there is no yield in kernels", "Return the value."),
    ast.YieldFrom: ("there is no yield in kernels", "Return the value."),
    ast.Await: ("there is no await in kernels", _OUTSIDE),
    ast.NamedExpr: ("there is no := in kernels", "Assign on a line of its own."),
    ast.Starred: ("there is no * before arguments in kernels", "Write each argument."),
    ast.Slice: ("there are no slices in kernels", _LOOP),
}

STATEMENTS: dict[type[ast.AST], tuple[str, str]] = {
    ast.FunctionDef: ("there are no functions inside of kernels", "Define it in the module, and call it."),
    ast.AsyncFunctionDef: ("there are no functions inside of kernels", "Define it in the module, and call it."),
    ast.ClassDef: ("there are no classes in kernels", "Use several variables."),
    ast.Delete: ("there is no del in kernels", "Leave it out."),
    ast.AsyncFor: ("there is no async in kernels", "Write for."),
    ast.With: ("there is no with in kernels", _OUTSIDE),
    ast.AsyncWith: ("there is no with in kernels", _OUTSIDE),
    ast.Raise: ("kernels raise no errors", "Return a number that says so, such as overtake.nan."),
    ast.Try: ("there is no try in kernels: nothing in them raises", "Check with if."),
    ast.Assert: ("there is no assert in kernels", "Check the result outside."),
    ast.Import: ("there is no import in kernels", "Import at the top of the module."),
    ast.ImportFrom: ("there is no import in kernels", "Import at the top of the module."),
    ast.Global: ("kernels change no variables of the module", "Return the value, or write it to an array."),
    ast.Nonlocal: ("kernels change no variables of another function", "Return the value, or write it to an array."),
    ast.Match: ("there is no match in kernels", "Write if and elif."),
}
