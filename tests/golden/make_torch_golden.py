# SPDX-License-Identifier: MIT
"""Writes torch_losses.json: what PyTorch (CPU, float32, one thread) gives for the disc networks.

    python make_torch_golden.py            # needs torch and numpy

Weights and data are not stored: this script and the test draw them from the same definition (Philox4x32-10, see
src/core/philox.hpp, src/nn/layers/layers.cpp and src/data/set/disc.cpp). A few of them are recorded, so that a disagreement on the
definition shows as such.
"""
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn

ROWS, BATCH, EPOCHS, SEED, FIRST_STEPS = 1000, 100, 100, 0, 20
DISC_STREAM = 0x44495343


def philox(seed, stream, counter, count):
    """The first `count` uniform float32 numbers in [0, 1) of a stream."""
    blocks = (count + 3) // 4
    c = [np.arange(blocks, dtype=np.uint64), np.full(blocks, stream, np.uint64), np.full(blocks, counter, np.uint64),
         np.zeros(blocks, np.uint64)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ np.uint64(key[0]), p1 & mask, (p0 >> shift) ^ c[3] ^ np.uint64(key[1]), p0 & mask]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    bits = np.stack(c, axis=1).reshape(-1)[:count]
    return (bits >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)


def disc():
    points = philox(SEED, DISC_STREAM, 0, 2 * ROWS)
    x, y = points[0::2], points[1::2]
    labels = np.where(x * x + y * y - np.float32(0.5 / math.pi) > 0, 0, 1)
    values = points.astype(np.float64)
    mean = np.cumsum(values)[-1] / values.size  # in order, as the library adds
    deviation = math.sqrt(np.cumsum((values - mean) ** 2)[-1] / (values.size - 1))
    inputs = ((values - mean) / deviation).astype(np.float32).reshape(ROWS, 2)
    return torch.from_numpy(inputs), torch.from_numpy(labels.astype(np.int64))


ACTIVATIONS = {"ReLU": nn.ReLU, "LeakyReLU": nn.LeakyReLU, "Tanh": nn.Tanh, "Sigmoid": nn.Sigmoid, "GELU": nn.GELU,
               "SiLU": nn.SiLU}


def model(layers, activation, outputs):
    parts, width = [], 2
    for _ in range(layers - 1):
        parts += [nn.Linear(width, 2 * width), ACTIVATIONS[activation]()]
        width *= 2
    result = nn.Sequential(*parts, nn.Linear(width, outputs))
    for stream, linear in enumerate(m for m in result if isinstance(m, nn.Linear)):
        bound = np.float32(1 / math.sqrt(linear.in_features))
        for counter, parameter in enumerate((linear.weight, linear.bias)):
            values = (np.float32(2) * philox(SEED, stream, counter, parameter.numel()) - np.float32(1)) * bound
            parameter.data = torch.from_numpy(values.reshape(tuple(parameter.shape)))
    return result


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "SGD_nesterov": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.005, weight_decay=1e-4),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.005),
}
LOSSES = {"cross_entropy": nn.CrossEntropyLoss, "mse": nn.MSELoss,
          "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss}


def error(output, labels, loss):
    if loss == "cross_entropy":
        wrong = output.argmax(1) != labels
    else:
        wrong = (output[:, 0] > (0.5 if loss == "mse" else 0.0)) != (labels == 1)
    return wrong.float().mean().item()


def run(x, labels, layers, activation, loss, optimizer):
    net = model(layers, activation, 2 if loss == "cross_entropy" else 1)
    opt, criterion = OPTIMIZERS[optimizer](net.parameters()), LOSSES[loss]()
    target = labels if loss == "cross_entropy" else labels.float().unsqueeze(1)
    losses = []
    for _ in range(EPOCHS):
        for begin in range(0, ROWS, BATCH):
            value = criterion(net(x[begin:begin + BATCH]), target[begin:begin + BATCH])
            opt.zero_grad()
            value.backward()
            opt.step()
            if len(losses) < FIRST_STEPS:
                losses.append(value.item())
    with torch.no_grad():
        final = error(net(x), labels, loss)
    return {"layers": layers, "activation": activation, "loss": loss, "optimizer": optimizer, "losses": losses,
            "final_error": final}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, labels = disc()
    cases = [(n, "ReLU", "cross_entropy", o) for n in (2, 3, 5, 8) for o in OPTIMIZERS]
    cases += [(3, a, "cross_entropy", "SGD") for a in ACTIVATIONS if a != "ReLU"]
    cases += [(3, "ReLU", loss, "SGD") for loss in ("mse", "binary_cross_entropy_with_logits")]
    golden = {"made_with": "torch " + torch.__version__, "rows": ROWS, "batch": BATCH, "epochs": EPOCHS, "seed": SEED,
              "first_inputs": x.reshape(-1)[:4].tolist(), "ones": int(labels.sum()),
              "first_weights": model(3, "ReLU", 2)[2].weight.reshape(-1)[:4].tolist(),
              "cases": [run(x, labels, *case) for case in cases]}
    path = pathlib.Path(__file__).with_name("torch_losses.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")
    for case in golden["cases"]:
        print(case["layers"], case["activation"], case["loss"], case["optimizer"], case["losses"][0],
              case["losses"][-1], case["final_error"])


if __name__ == "__main__":
    main()
