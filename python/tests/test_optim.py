# SPDX-License-Identifier: MIT
"""Optimisers, schedules and schedulers: against NumPy in float64, on every device."""

import math

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot
from overtake import nn, optim

TARGET = np.array([1.0, -2.0, 0.5])


def gradient(p):
    return 2 * (p - TARGET) * np.array([1.0, 3.0, 0.5])


def run(make, steps=6, device="cpu"):
    """Parameters after each of some steps on a quadratic."""
    p = nn.Parameter(ot.asarray([0.3, 0.2, -0.1], device=device))
    factors = ot.asarray([1.0, 3.0, 0.5], device=device)
    optimizer, seen = make([p]), []
    for _ in range(steps):
        ot.sum((p - ot.asarray(TARGET, dtype="float32", device=device)) ** 2 * factors).backward()
        optimizer.step()
        optimizer.zero_grad()
        assert p.grad is None
        seen.append(p.numpy().astype("float64"))
    return seen


def sgd(lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    p, v, seen = np.array([0.3, 0.2, -0.1]), None, []
    for _ in range(6):
        g = gradient(p) + weight_decay * p
        if momentum:
            v = g if v is None else momentum * v + (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        p = p - lr * g
        seen.append(p)
    return seen


def adam(lr=0.1, betas=(0.9, 0.999), eps=1e-8, decay=0.0, decoupled=False, amsgrad=False):
    p, m, v, top, seen = np.array([0.3, 0.2, -0.1]), 0.0, 0.0, np.zeros(3), []
    for t in range(1, 7):
        g = gradient(p)
        if decoupled:
            p = p * (1 - lr * decay)
        else:
            g = g + decay * p
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        top = np.maximum(top, v)
        root = np.sqrt((top if amsgrad else v) / (1 - betas[1] ** t)) + eps
        p = p - lr * m / (1 - betas[0] ** t) / root
        seen.append(p)
    return seen


def rmsprop(lr=0.01, alpha=0.99, eps=1e-8, momentum=0.0, centered=False):
    p, v, a, b, seen = np.array([0.3, 0.2, -0.1]), 0.0, 0.0, 0.0, []
    for _ in range(6):
        g = gradient(p)
        v, a = alpha * v + (1 - alpha) * g * g, alpha * a + (1 - alpha) * g
        d = g / (np.sqrt(v - a * a if centered else v) + eps)
        b = momentum * b + d
        p = p - lr * (b if momentum else d)
        seen.append(p)
    return seen


CASES = {
    "sgd": (lambda p: optim.SGD(p, lr=0.1), sgd()),
    "momentum": (lambda p: optim.SGD(p, 0.1, 0.9, 0.1, 0.01), sgd(momentum=0.9, dampening=0.1, weight_decay=0.01)),
    "nesterov": (lambda p: optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True), sgd(momentum=0.8, nesterov=True)),
    "adam": (lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1), adam(decay=0.1)),
    "amsgrad": (lambda p: optim.Adam(p, 0.1, (0.5, 0.6), amsgrad=True), adam(betas=(0.5, 0.6), amsgrad=True)),
    "adamw": (lambda p: optim.AdamW(p, lr=0.1), adam(decay=0.01, decoupled=True)),
    "rmsprop": (optim.RMSprop, rmsprop()),
    "centered": (lambda p: optim.RMSprop(p, momentum=0.9, centered=True), rmsprop(momentum=0.9, centered=True)),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_steps_are_those_of_the_formulas(name, device):
    make, expected = CASES[name]
    np.testing.assert_allclose(run(make, device=device), expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_finds_the_minimum(search, device):
    p = nn.Parameter(ot.asarray([-1.2, 1.0], device=device))  # Rosenbrock's
    optimizer = optim.LBFGS([p], lr=1.0 if search else 0.1, max_iter=100, line_search_fn=search)

    def closure():
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    first = optimizer.step(closure)
    assert first == pytest.approx(24.2, rel=1e-4)
    for _ in range(5):
        optimizer.step(closure)
    assert float(closure()) < (1e-8 if search else 1.0)
    with pytest.raises(ot.UsageError, match="needs a closure"):
        optimizer.step()

    def failing():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        optimizer.step(failing)
    with pytest.raises(ot.UsageError, match="the closure returned float"):
        optimizer.step(lambda: 1.0)


def test_rates_are_read_and_set():
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.1)
    assert optimizer.lr == 0.1
    optimizer.lr = 0.03
    assert optimizer.lr == 0.03
    assert repr(optimizer) == "SGD(lr=0.03, momentum=0, nesterov=False, weight_decay=0)"
    with pytest.raises(ot.UsageError):
        optimizer.lr = math.nan


def test_states_continue_a_training():
    def trained(steps, optimizer, p):
        for _ in range(steps):
            ot.sum((p - 3.0) ** 2).backward()
            optimizer.step()
            optimizer.zero_grad()
        return p.numpy()

    p, q = nn.Parameter([1.0, 2.0]), nn.Parameter([1.0, 2.0])
    whole = trained(10, optim.Adam([p], lr=0.1), p)
    first = optim.Adam([q], lr=0.1)
    trained(5, first, q)
    second = optim.Adam([q], lr=0.7)
    second.load_state_dict(first.state_dict())
    assert second.lr == 0.1
    np.testing.assert_array_equal(trained(5, second, q), whole)
    with pytest.raises(ot.UsageError, match="the state holds"):
        optim.SGD([q], lr=0.1).load_state_dict(first.state_dict())


SCHEDULES = {
    "StepLR": ((2, 0.5), lambda e: 0.5 ** (e // 2)),
    "MultiStepLR": (([2, 5], 0.1), lambda e: 0.1 ** sum(e >= m for m in (2, 5))),
    "CosineAnnealingLR": ((8,), lambda e: (1 + math.cos(math.pi * e / 8)) / 2),
    "ExponentialLR": ((0.9,), lambda e: 0.9**e),
    "LinearLR": ((0.25, 1.0, 4), lambda e: 0.25 + 0.75 * min(e, 4) / 4),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedulers_follow_their_formulas(name):
    arguments, formula = SCHEDULES[name]
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.2)
    scheduler = getattr(optim.lr_scheduler, name)(optimizer, *arguments)
    for epoch in range(8):
        assert scheduler.last_epoch == epoch
        assert scheduler.last_lr == pytest.approx(0.2 * formula(epoch), rel=1e-5)
        assert scheduler.schedule.at(0.2, epoch) == pytest.approx(0.2 * formula(epoch), rel=1e-5)
        scheduler.step()
    assert optim.Schedule.step_lr(3).after_warmup(4, 0.5).at(1.0, 2) == pytest.approx(0.75)


def test_plateaus_lower_the_rate():
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=1.0)
    scheduler = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    for metric in (3.0, 2.0, 2.0, 2.0, 2.0):
        scheduler.step(metric)
    assert optimizer.lr == 0.5 and scheduler.best == 2.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: optim.SGD(p, lr=-1.0), "learning rate -1"),
        (lambda p: optim.SGD(p, lr=math.inf), "lr is inf"),
        (lambda p: optim.SGD(p, nesterov=True), "momentum"),
        (lambda p: optim.SGD(p[0]), "got one array"),
        (lambda p: optim.SGD([]), "parameter"),
        (lambda p: optim.SGD([ot.ones((2,))]), "expects overtake.nn.Parameter, got Array"),
        (lambda p: optim.Adam(p, betas=(1.0, 0.9)), "beta"),
        (lambda p: optim.LBFGS(p, line_search_fn="fast"), "line_search_fn is 'fast'"),
        (lambda p: optim.LBFGS(p).state_dict(), "LBFGS"),
        (lambda p: optim.Schedule.step_lr(0), "step"),
        (lambda p: optim.ReduceLROnPlateau(optim.SGD(p), mode="up"), "mode is 'up'"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(ot.UsageError, match=message):
        call([nn.Parameter([1.0])])
