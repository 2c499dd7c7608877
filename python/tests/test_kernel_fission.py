# SPDX-License-Identifier: MIT
"""Kernels with barriers, cut at them, give what work-items give that wait for each other."""

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot
from overtake.kernels import _functions
from overtake.kernels._program import Program

GROUP, GROUPS = 32, 5


def pair(x, i):
    return x[i] * 2, i + 1


def halves(x, out):
    part = ot.shared(ot.float32, GROUP)
    k = ot.local_id()
    part[k] = x[ot.global_id()]
    ot.sync()
    w = GROUP // 2
    while w > 0:
        if k < w:
            part[k] += part[k + w]
        ot.sync()
        w //= 2
    if k == 0:
        out[ot.group_id()] = part[0]


def scanned(x, out):
    tile = ot.shared(ot.float32, (2, GROUP))
    i, k = ot.global_id(), ot.local_id()
    side, step = 0, 1
    tile[side, k] = x[i]
    mine = x[i]
    ot.sync()
    while step < ot.local_size() and step < x.size:
        if k >= step:
            mine = mine + tile[side, k - step]
        side = 1 - side
        tile[side, k] = mine
        step *= 2
        ot.sync()
    out[i] = mine


def nested(x, out):
    tile = ot.shared(ot.float32, GROUP)
    total, last = 0.0, x[ot.global_id()]
    for turn in range(3):
        for shift in range(turn, 7, 2):
            tile[ot.local_id()] = last
            ot.sync()
            now = tile[(ot.local_id() + shift) % GROUP]
            ot.sync()
            total += now - last * 0.5
            last = now
        doubled, place = pair(tile, (ot.local_id() + turn) % GROUP)
        ot.sync()
        total = total + doubled + place
    out[ot.global_id()] = total


def counted(x, out):
    bins = ot.shared(ot.int32, GROUP)
    bins[ot.local_id()] = 0
    ot.sync()
    for i in range(ot.global_id(), x.size, ot.global_size()):
        ot.atomic_add(bins, int(x[i]) % GROUP, 1)
        if x[i] > 90:
            continue
    ot.sync()
    if ot.group_id() == 0:
        out[ot.local_id()] = bins[ot.local_id()] + x[0] * 0


def changed(x, out, n):
    tile = ot.shared(ot.float32, GROUP)
    n = n + ot.group_id()
    n = n * 0.5
    tile[ot.local_id()] = n
    ot.sync()
    n = tile[GROUP - 1 - ot.local_id()] + n
    out[ot.global_id()] = n + x[ot.global_id()]


def returns(x, out):
    tile = ot.shared(ot.float32, GROUP)
    tile[ot.local_id()] = x[ot.global_id()]
    ot.sync()
    if ot.local_id() > 3:
        return
    out[ot.global_id()] = tile[GROUP - 1 - ot.local_id()]


def breaks(x, out):
    tile = ot.shared(ot.float32, GROUP)
    mine = x[ot.global_id()]
    for turn in range(9):
        tile[ot.local_id()] = mine
        ot.sync()
        mine = tile[(ot.local_id() + 1) % GROUP] + turn
        ot.sync()
        if turn == 4:
            break
    out[ot.global_id()] = mine


def conditions(x, out):
    tile = ot.shared(ot.float32, GROUP)
    turn = 0
    mine = x[ot.global_id()]
    while turn < 5 and 0 <= turn < x.size // 2 < 10**6:
        tile[ot.local_id()] = mine
        ot.sync()
        mine = tile[(ot.local_id() + turn) % GROUP]
        ot.sync()
        turn += 1
    out[ot.global_id()] = mine


CUT = [halves, scanned, nested, counted, changed, conditions]
WHOLE = [returns, breaks]


def run(function, whole, device, monkeypatch, size=(GROUP,)):
    texts = []

    def program(in_groups, debug=False, **_):
        made = Program(in_groups, debug, whole)
        texts.append(made)
        return made

    monkeypatch.setattr(_functions, "Program", program)
    kernel = ot.jit(function)
    x = np.random.default_rng(3).random(GROUP * GROUPS, dtype=np.float32) * 100
    out = ot.zeros(GROUP * GROUPS, device=device)
    more = (3,) if function is changed else ()
    kernel[GROUPS, size](ot.asarray(x, device=device), out, *more)
    return np.asarray(out), kernel.source()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("function", CUT + WHOLE)
def test_cut_and_whole_are_the_same(function, device, monkeypatch):
    waiting, text = run(function, False, device, monkeypatch)
    assert "WORK_ITEMS" not in text
    cut, text = run(function, True, device, monkeypatch)
    assert ("WORK_ITEMS" in text) == (function in CUT)
    np.testing.assert_array_equal(cut, waiting)
    assert waiting.any()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [(8, 4), (4, 2, 4), (1, 32), (7, 3, 1)])
def test_axes_of_groups(device, size):
    @ot.jit
    def turned(out):
        tile = ot.shared(ot.int32, 64)
        place = (ot.local_id(2) * ot.local_size(1) + ot.local_id(1)) * ot.local_size(0) + ot.local_id()
        tile[place] = 100 * ot.local_id(2) + 10 * ot.local_id(1) + ot.local_id() + 1000 * ot.group_id(1)
        ot.sync()
        count = ot.local_size(0) * ot.local_size(1) * ot.local_size(2)
        group = ot.group_id(1) * ot.num_groups(0) + ot.group_id(0)
        out[group * count + place] = tile[count - 1 - place]

    x, y, z = (*size, 1)[:3]
    out = ot.zeros(6 * x * y * z, dtype=ot.int32, device=device)
    turned[(2, 3), size](out)
    one = (100 * np.arange(z)[:, None, None] + 10 * np.arange(y)[:, None] + np.arange(x)).ravel()[::-1]
    np.testing.assert_array_equal(np.asarray(out), np.concatenate([one + 1000 * (g // 2) for g in range(6)]))
    assert "WORK_ITEMS" in turned.source()


@pytest.mark.parametrize("device", DEVICES)
def test_work_items_of_a_text(device):
    kernel = ot.RawKernel(
        "const float32* x, float32* y",
        """
        LOCAL float tile[64];
        PRIVATE(float, mine);
        WORK_ITEMS { MINE(mine) = 2.0f * x[GLOBAL_ID(0)]; tile[LOCAL_ID(0)] = MINE(mine); }
        SYNC;
        WORK_ITEMS { y[GLOBAL_ID(0)] = MINE(mine) + tile[63 - LOCAL_ID(0)]; }
        """,
        "texts",
    )
    x = np.arange(256, dtype=np.float32)
    y = ot.zeros(256, device=device)
    kernel[4, 64](ot.asarray(x, device=device), y)
    np.testing.assert_array_equal(np.asarray(y), 2 * x + 2 * x.reshape(4, 64)[:, ::-1].ravel())


def test_too_much_memory_of_a_group_is_told():
    kernel = ot.RawKernel(
        "float32* y", "LOCAL float tile[70000]; WORK_ITEMS { tile[LOCAL_ID(0)] = y[0]; } SYNC; y[1] = tile[0];", "much"
    )
    with pytest.raises(ot.UsageError, match=r"\[much\] its LOCAL declarations take 280000 bytes, 262144 are the most"):
        kernel[1, 64](ot.zeros(2))
