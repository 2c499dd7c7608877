#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Copies between host and a GPU: ordinary and page-locked memory beside the link; and how much of them work hides.

Usage: bench/transfers.py DEVICE [MEBIBYTES] [OUTPUT.json]
    DEVICE   cuda:0, opencl:0, cpu; the package must be importable (PYTHONPATH, OVERTAKE_LIBRARY)

The link is page-locked copies that follow each other without a gap, by the device's events. Rates are 1e9 bytes a second.
"""
import json
import math
import sys
import time

import numpy

import overtake as ot


def best_time(run, least=5, seconds=1.0):
    run()
    best, began, times = math.inf, time.perf_counter(), 0
    while times < least or (time.perf_counter() - began < seconds and times < 1000):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        times += 1
    return best


def link_time(copy, stream, copies=8):
    best = math.inf
    for _ in range(4):
        before = stream.record()
        kept = [copy() for _ in range(copies)]
        after = stream.record()
        best = min(best, after.seconds_since(before) / copies)
        ot.synchronize(stream.device)
        del kept
    return best


def overlap(device, pinned, back):
    """Seconds of eight rounds of upload, work and download: one after the other, and side by side."""
    work = lambda x: ot.sqrt(ot.exp(-x) * ot.sin(x) + x * x)

    def in_turn():
        for _ in range(8):
            x = ot.upload_async(pinned)
            ot.synchronize(device)
            y = work(x)
            ot.eval(y)
            ot.synchronize(device)
            ot.download_async(y, back).synchronize()

    def side_by_side():
        events = [ot.download_async(work(ot.upload_async(pinned)), back) for _ in range(8)]
        events[-1].synchronize()

    return best_time(in_turn, 3), best_time(side_by_side, 3)


def main():
    device = sys.argv[1]
    mebibytes = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    count = mebibytes * 2**20 // 4
    plain = numpy.random.default_rng(3).random(count, dtype=numpy.float32)
    pinned, back = ot.pinned_empty(count, "float32", device), ot.pinned_empty(count, "float32", device)
    pinned[:] = plain
    array = ot.asarray(plain, device=device)
    ot.synchronize(device)
    wait = lambda: ot.synchronize(device)
    up, down = ot.Stream(device, "upload"), ot.Stream(device, "download")
    result = {"device": device, "bytes": plain.nbytes}
    seconds = {
        "link up": link_time(lambda: ot.upload_async(pinned), up),
        "link down": link_time(lambda: ot.download_async(array, back), down),
        "upload, pageable": best_time(lambda: (ot.asarray(plain, device=device), wait())),
        "upload, pinned": best_time(lambda: (ot.asarray(pinned, device=device), wait())),
        "upload, pinned, not waited for": best_time(lambda: (ot.upload_async(pinned), wait())),
        "download, pageable, new memory": best_time(lambda: numpy.asarray(array)),
        "download, pinned": best_time(lambda: ot.download_async(array, back).synchronize()),
    }
    if not (back == plain).all():
        raise SystemExit("what came back is not what was sent")
    for name, best in seconds.items():
        rate = plain.nbytes / best / 1e9
        link = plain.nbytes / seconds["link down" if "down" in name else "link up"] / 1e9
        result[name] = {"seconds": best, "gbs": rate, "of_link": rate / link}
        print(f"{name:32} {rate:8.2f} GB/s   {100 * rate / link:5.1f} % of the link")
    in_turn, beside = overlap(device, pinned, back)
    result["eight rounds, in turn"], result["eight rounds, side by side"] = in_turn, beside
    print(f"eight rounds of upload, work, download: {in_turn * 1e3:.1f} ms in turn, {beside * 1e3:.1f} ms side by side")
    print(f"counted: {ot.transfer_stats().devices[device]}")
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
