#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One training step of the disc's network by hand, and the mean of 1,000 elements, from Python: the twin of disc_step_bench.cpp.

Usage: bench/disc_step.py [DEVICE]
"""
import json
import sys
import time

import overtake as ot


def by_hand(device, epochs):
    rows, batch = 1000, 100
    points = ot.random.uniform((rows, 2), low=-1, high=1, device=device, seed=1)
    labels = ot.astype(ot.sum(points * points, axis=1) < 0.5, ot.int32).eval()
    net = ot.nn.Sequential(ot.nn.Linear(2, 64), ot.nn.ReLU(), ot.nn.Linear(64, 64), ot.nn.ReLU(), ot.nn.Linear(64, 2)).to(device)
    criterion, optimizer = ot.nn.CrossEntropyLoss(), ot.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(-20, epochs):
        if epoch == 0:
            ot.synchronize(device)
            start = time.perf_counter()
        for begin in range(0, rows, batch):
            criterion(net(points[begin : begin + batch]), labels[begin : begin + batch]).backward()
            optimizer.step()
            optimizer.zero_grad()
    ot.synchronize(device)
    return (time.perf_counter() - start) / (epochs * (rows // batch))


def mean_of_thousand(device, times):
    x = ot.random.uniform((1000,), device=device).eval()
    for _ in range(100):
        ot.mean(x).eval()
    ot.synchronize(device)
    start = time.perf_counter()
    for _ in range(times):
        ot.mean(x).eval()
    ot.synchronize(device)
    queued = (time.perf_counter() - start) / times
    start = time.perf_counter()
    for _ in range(times):
        float(ot.mean(x))
    return queued, (time.perf_counter() - start) / times


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    print(json.dumps({"work": "disc step", "by_hand_us": 1e6 * by_hand(device, 200)}))
    queued, read_back = mean_of_thousand(device, 20000)
    print(json.dumps({"work": "mean of 1,000", "queued_us": 1e6 * queued, "read_back_us": 1e6 * read_back}))


if __name__ == "__main__":
    main()
