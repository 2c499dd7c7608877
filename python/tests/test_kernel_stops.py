# SPDX-License-Identifier: MIT
"""Ctrl-C while kernels run on the CPU, and whole numbers divided by 0 on every device."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot

LONG = "DEVICE float slow(float x, int n) { for (int k = 0; k < n; ++k) x *= 1.0000001f; return x; }"


@ot.vectorize
def slow(x, turns):
    n = 0
    while n < turns:
        x = x * 1.0000001
        n += 1
    return x


@ot.jit
def slow_groups(x, turns):
    for _ in range(turns):
        x[ot.global_id()] = x[ot.global_id()] * 1.0000001


@ot.jit
def slow_barriers(x, turns):
    tile = ot.shared(ot.float32, 16)
    for _ in range(turns):
        tile[ot.local_id()] = x[ot.global_id()]
        ot.sync()
        x[ot.global_id()] = tile[15 - ot.local_id()]
        ot.sync()


elements = ot.ElementwiseKernel("float32 x", "float32 y", "y = slow(x, 20000);", "elements", preamble=LONG)
raw = ot.RawKernel("float32* x, int32 n", "x[GLOBAL_ID(0)] = slow(x[GLOBAL_ID(0)], n);", "raw", preamble=LONG)
total = ot.ReductionKernel("float32 x", "float32 y", "slow(x, 100)", "a + b", "y = a", "0", "total", preamble=LONG)

CALLS = {
    "vectorize": lambda: slow(ot.ones(4_000_000), 20_000),
    "jit": lambda: slow_groups[100_000, 16](ot.ones(1_600_000), 100_000),
    "barriers": lambda: slow_barriers[100_000, 16](ot.ones(1_600_000), 1000),
    "elements": lambda: elements(ot.ones(4_000_000)),
    "raw": lambda: raw[100_000, 16](ot.ones(1_600_000), 100_000),
    "reduction": lambda: total(ot.broadcast_to(ot.ones(1), (400_000_000,))),
}


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c_ends_a_kernel(name):
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            CALLS[name]()
        assert time.perf_counter() - sent[0] < 3  # tens of milliseconds where nothing else runs
    finally:
        timer.cancel()
        timer.join()
    assert float(slow(ot.ones(2), 1)[0]) > 1  # all goes on


def test_a_handler_that_calls_a_kernel_is_told():
    caught = []

    def handler(*_):
        try:
            slow(ot.ones(2), 1)
        except ot.UsageError as error:
            caught.append(error)
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimeoutError):
            CALLS["vectorize"]()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert "a handler of a signal came while" in caught[0].message


@ot.vectorize
def divided(x, y):
    return x // y, x % y


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64])
def test_division_by_zero_is_defined(device, dtype):
    ends = np.iinfo(dtype)
    x = np.array([0, 1, 7, ends.min, ends.max, ends.min, ends.max], dtype)
    y = np.array([0, 0, 0, 0, 0, ends.max if ends.min == 0 else -1, 3], dtype)
    results = divided(ot.asarray(x, device=device), ot.asarray(y, device=device))
    with np.errstate(all="ignore"):
        for result, true in zip(results, (x // y, x % y), strict=True):
            np.testing.assert_array_equal(np.asarray(result), true)


@ot.vectorize(time_limit=0.1)
def nested(x):
    s = 0
    for i in range(10**9):
        for j in range(10**9):
            s += (i ^ j) * x
    return s


@ot.jit(time_limit=0.1)
def nested_groups(x):
    while True:
        while True:
            x[ot.global_id()] += inner(x[0])


def inner(x):
    s = 0
    while s < 1_000_000_000:
        s += 1 + 0 * x
    return s


@pytest.mark.parametrize("device", DEVICES)
def test_a_time_limit_ends_loops_round_loops(device):
    x = ot.ones(4, dtype=ot.int32, device=device)
    with pytest.raises(ot.UsageError, match=r"\[nested\] line .* did not end within 0.1 s"):
        np.asarray(nested(x))
    with pytest.raises(ot.UsageError, match=r"\[nested_groups\] .* did not end within 0.1 s"):
        nested_groups[2, 2](x)
