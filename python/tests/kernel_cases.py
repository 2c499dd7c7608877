# SPDX-License-Identifier: MIT
"""The functions of kernel_functions.py with numbers to call them with."""

import kernel_functions as functions
import numpy as np

RNG = np.random.default_rng(5)
N = 400
F32 = (RNG.normal(size=N) * 3).astype("float32")
G32 = RNG.uniform(0.1, 4, N).astype("float32")
F64 = RNG.normal(size=N) * 3
G64 = RNG.uniform(0.1, 4, N)
I8, I16 = (RNG.integers(-(2 ** (b - 1)), 2 ** (b - 1), N).astype(f"int{b}") for b in (8, 16))
I32 = RNG.integers(-(2**31), 2**31, N).astype("int32")
I64 = RNG.integers(-(2**63), 2**63 - 1, N)
J32 = RNG.integers(-9, 10, N).astype("int32")
J64 = RNG.integers(-9, 10, N)
U8 = RNG.integers(0, 256, N).astype("uint8")
U16 = RNG.integers(0, 2**16, N).astype("uint16")
U32 = RNG.integers(0, 2**32, N).astype("uint32")
U64 = RNG.integers(0, 2**64, N, dtype="uint64")
B, C = RNG.integers(0, 2, N).astype(bool), RNG.integers(0, 2, N).astype(bool)
EDGES = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e30, -1e30, np.inf, -np.inf, np.nan, 3.0, -7.25], "float32"
)
E1, E2 = (each.ravel() for each in np.meshgrid(EDGES, EDGES))

EXACT = [
    (functions.mandelbrot, (np.linspace(-2, 1, N), np.linspace(-1, 1, N), 50)),
    (functions.mandelbrot, (np.linspace(-2, 1, N, dtype="float32"), np.linspace(-1, 1, N, dtype="float32"), 50)),
    *((functions.weak, (each,)) for each in (F32, F64)),
    *((functions.literal_types, (each,)) for each in (F32, F64)),
    *(
        (functions.sums, pair)
        for pair in ((F32, G32), (F64, G64), (F32, G64), (I32, J32), (I64, J64), (I32, I32[::-1].copy()))
    ),
    *(
        (functions.sums, pair)
        for pair in ((I64, I64[::-1].copy()), (I8, I16), (U8, U16), (I8, U8), (U32, J32), (J32, F32), (J64, F64))
    ),
    *(
        (functions.quotients, pair)
        for pair in ((J32, J32[::-1].copy()), (J64, J64[::-1].copy()), (I32, J32), (I64, J64))
    ),
    *(
        (functions.quotients, pair)
        for pair in ((I8, I8[::-1].copy()), (U8, U8[::-1].copy()), (U64, U64 % np.uint64(5)), (I16, J32))
    ),
    *((functions.true_quotient, pair) for pair in ((F32, G32), (F64, G64), (F32, F64), (E1, E2))),
    *(
        (functions.comparisons, pair)
        for pair in ((F32, G32), (J32, J64), (I8, U8), (B, C), (U32, J32), (E1, E2), (J64, F64))
    ),
    *((functions.chains, (x, y)) for x, y in ((J32, J64), (F32, G32))),
    *((functions.logic, (x, y)) for x, y in ((J32, J64), (F32, G32), (B, C))),
    *((functions.values_of_logic, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F32, G32))),
    (functions.bools, (B, C)),
    (functions.counted_bools, (B, C)),
    *(
        (functions.bits, pair)
        for pair in ((I32, J32), (I64, J64), (U8, U16), (I8, I8[::-1].copy()), (U64, U64[::-1].copy()))
    ),
    *((functions.shifts, (each,)) for each in (I32, I64, U32, U64)),
    *((functions.choice, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F64, G64))),
    *((functions.nested_branches, (x, y)) for x, y in ((J32, J64), (F32, G32))),
    (functions.ranges, (J64,)),
    (functions.step_of_variable, (J64, J64[::-1].copy())),
    (functions.breaks, (J64 * 2,)),
    (functions.loop_variable_stays, (J64,)),
    (functions.ends_of_range, (J64,)),
    *((functions.swap, (x, y)) for x, y in ((J64, J32), (F32, G32))),
    *((functions.augmented, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F64, G64))),
    (functions.shared_target, (J32,)),
    *((functions.powers, (each,)) for each in (I32, I64, J32)),
    (functions.whole_power, (I64,)),
    (functions.power_of_two, (J64,)),
    *((functions.pythons, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F32, G32), (F64, G64))),
    *((functions.rounds, (each,)) for each in (F32, F64, np.arange(-9, 9) / 2)),
    (functions.truncated, (F64,)),
    *((functions.rounds_of_floats, (each,)) for each in (F32, F64, EDGES)),
    *((functions.conversions, (each,)) for each in (F32, F64, J32, I64, U64, B)),
    *((functions.to_whole, (each,)) for each in (F32, F64, J32, U8, B)),
    *((functions.narrow, (each,)) for each in (J32 + 9, I32, I64, U16)),
    *((functions.roots, (each,)) for each in (F32, F64)),
    *((functions.extremes, pair) for pair in ((F32, G32), (E1, E2), (J32, J64))),
    (functions.kinds_of_floats, (EDGES,)),
    *((functions.where, (x, y)) for x, y in ((F32, G32), (J64, J64[::-1].copy()))),
    (functions.constants, (F32,)),
    (functions.typed_constant, (I8,)),
    *((functions.calls, (x, y)) for x, y in ((F32, G32), (J64, J64[::-1].copy()))),
    (functions.calls_defaults, (F32,)),
    (functions.reserved_names, (J64, J64[::-1].copy())),
    (functions.not_ascii, (F32,)),
    *((functions.changed_parameter, (x, y)) for x, y in ((F32, J32), (F64, J64), (F32, 9))),
    (functions.becomes_float, (F32,)),
    *((functions.accumulates, (each,)) for each in (F32, F64)),
    (functions.annotated, (F32,)),
    (functions.dead_code, (F32,)),
    (functions.loops_that_run, (F32,)),
    *((functions.condition_of_number, (x, y)) for x, y in ((J32, J64), (F32, G32), (B, C))),
    (functions.literal_beside_narrow, (I8,)),
    *(
        (functions.whole_of_floats, pair)
        for pair in ((F32, G32), (F64, -G64), (E1, E2), (E1.astype("float64"), E2.astype("float64")))
    ),
    *((functions.overflow, (each,)) for each in (I32, I64, I8, I16)),
    (functions.inner_call_in_condition, (J64,)),
    *(
        (functions.unsigned, (x, y))
        for x, y in ((U8, U8[::-1].copy()), (U32, U32[::-1].copy()), (U64, U64[::-1].copy()))
    ),
    (functions.big_literals, (I64,)),
    (functions.sums, (F32, 2)),
    (functions.sums, (J32, 3)),
    (functions.sums, (F64, 0.1)),
]
CLOSE = [
    *((functions.price, (x, y, 0.5)) for x, y in ((F32, G32), (F64, G64), (F32, F64))),
    *((functions.powers, (each,)) for each in (F32, F64)),
    *((functions.negative_powers, (each,)) for each in (F32, F64)),
    *((functions.power_of_variables, pair) for pair in ((G32, F32), (G64, F64), (G32, J32))),
    *((functions.functions_of_one, (each,)) for each in (F32, F64)),
    *((functions.more_functions, (each,)) for each in (F32 / 3, F64 / 3)),
    *((functions.functions_of_math, (each,)) for each in (F32, F64)),
    *((functions.functions_of_two, pair) for pair in ((F32, G32), (F64, G64), (E1, E2))),
]
