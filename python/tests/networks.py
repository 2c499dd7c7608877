# SPDX-License-Identifier: MIT
"""What the tests of networks share: devices, data, slopes."""

import numpy as np

import overtake as ot

DEVICES = sorted(ot.__array_namespace_info__().devices())


def disc(rows, seed=0):
    """Points of a square, and whether they lie inside of a disc."""
    x = np.random.default_rng(seed).uniform(-1, 1, (rows, 2)).astype("float32")
    return x, ((x**2).sum(1) < 2 / np.pi).astype("int32")


def slope(function, at, step=1e-5):
    """The gradient of a function of a float64 array by differences."""
    result = np.empty_like(at)
    for place in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        result[place] = (function(up) - function(down)) / (2 * step)
    return result


def small(device="cpu", seed=1):
    """Two linear layers with a ReLU between."""
    ot.nn.manual_seed(seed)
    return ot.nn.Sequential(ot.nn.Linear(2, 8), ot.nn.ReLU(), ot.nn.Linear(8, 2)).to(device)
