# SPDX-License-Identifier: MIT
"""Times PyTorch and JAX on the disc sweep: one training step of a ReLU network of L linear layers whose widths double, batch
100, cross entropy, SGD 0.1, float32 without TF32. Prints one JSON object: {"torch": {...}, "jax": {...}} with, for each way
of running and each L, microseconds a step (median of the repeats). What is not installed is left out.

    python3 bench/peers/disc_peers.py [--layers 2..12] [--repeat 5] [--seconds 0.5] [--cpu-only]
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
BATCH, SAMPLES, RATE = 100, 1000, 0.1


def widths(layers):
    return [2 << i for i in range(layers)] + [2]


def median_step(run, steps, repeat, seconds):
    """run(steps) must return when the work is done; steps grow until one repeat lasts long enough."""
    run(steps)
    while True:
        start = time.perf_counter()
        run(steps)
        spent = time.perf_counter() - start
        if spent >= seconds / repeat or steps >= 1 << 16:
            break
        steps = max(steps + 1, min(steps * 4, int(steps * seconds / repeat / max(spent, 1e-9)) + 1))
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run(steps)
        times.append((time.perf_counter() - start) / steps * 1e6)
    return statistics.median(times)


def torch_peers(options):
    import torch
    from torch import nn

    def disc():
        x = torch.rand(SAMPLES, 2)
        y = (x.pow(2).sum(1) < 1 / (2 * math.pi)).long()
        return (x - x.mean()) / x.std(), y

    def make(layers, device):
        w = widths(layers)
        modules = []
        for i in range(layers):
            modules += [nn.Linear(w[i], w[i + 1]), nn.ReLU()]
        model = nn.Sequential(*modules[:-1]).to(device)
        x, y = (t.to(device) for t in disc())
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
        loss_of = nn.CrossEntropyLoss()

        def run(steps):
            for i in range(steps):
                at = i % (SAMPLES // BATCH) * BATCH
                loss = loss_of(model(x.narrow(0, at, BATCH)), y.narrow(0, at, BATCH))
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()

        return run

    torch.manual_seed(0)
    threads = torch.get_num_threads()
    result = {"version": torch.__version__, "threads": threads, "cpu_all": {}, "cpu_one": {}, "gpu_eager": {}}
    for layers in options.layers:
        for name, count in (("cpu_all", threads), ("cpu_one", 1)):
            torch.set_num_threads(count)
            result[name][layers] = median_step(make(layers, "cpu"), 2, options.repeat, options.seconds)
        torch.set_num_threads(threads)
        if torch.cuda.is_available() and not options.cpu_only:
            result["gpu_eager"][layers] = median_step(make(layers, "cuda"), 5, options.repeat, options.seconds)
    return result


def jax_peers(options):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_default_matmul_precision", "highest")

    def parameters(key, layers):
        w, result = widths(layers), []
        for i in range(layers):
            key, one = jax.random.split(key)
            bound = 1 / math.sqrt(w[i])
            result.append((jax.random.uniform(one, (w[i], w[i + 1]), minval=-bound, maxval=bound), jnp.zeros(w[i + 1])))
        return result

    def loss(params, x, y):
        for i, (w, b) in enumerate(params):
            x = x @ w + b
            if i + 1 < len(params):
                x = jax.nn.relu(x)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))

    def make(layers, device):
        key = jax.random.key(0)
        x = jax.random.uniform(key, (SAMPLES, 2))
        y = ((x**2).sum(1) < 1 / (2 * math.pi)).astype(int)
        x = (x - x.mean()) / x.std()
        data = x.reshape(-1, BATCH, 2), y.reshape(-1, BATCH)

        def train(params, xs, ys, steps):
            def step(params, i):
                at = i % xs.shape[0]
                value, slope = jax.value_and_grad(loss)(params, xs[at], ys[at])
                return jax.tree.map(lambda a, b: a - RATE * b, params, slope), value

            return jax.lax.scan(step, params, jnp.arange(steps))

        placed = jax.device_put((parameters(key, layers), *data), device)
        compiled = {}

        def run(steps):
            if steps not in compiled:
                compiled[steps] = jax.jit(train, static_argnums=3).lower(*placed, steps).compile()
            jax.block_until_ready(compiled[steps](*placed))

        return run

    result = {"version": jax.__version__, "gpu_scan": {}}
    gpus = [] if options.cpu_only else [d for d in jax.devices() if d.platform == "gpu"]
    for layers in options.layers:
        if gpus:
            steps = 1000 if layers < 10 else 200
            run = make(layers, gpus[0])
            run(steps)
            times = []
            for _ in range(options.repeat):
                start = time.perf_counter()
                run(steps)
                times.append((time.perf_counter() - start) / steps * 1e6)
            result["gpu_scan"][layers] = statistics.median(times)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", default="2..12")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--cpu-only", action="store_true")
    options = parser.parse_args()
    first, last = (int(n) for n in options.layers.split(".."))
    options.layers = range(first, last + 1)
    result = {}
    for name, peer in (("torch", torch_peers), ("jax", jax_peers)):
        try:
            result[name] = peer(options)
        except ImportError as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
