# SPDX-License-Identifier: MIT
"""Writes torch_images.json: what PyTorch (CPU, one thread) gives for small networks over images, in float32 and in bf16.

    python make_torch_images.py            # needs torch, torchvision and numpy

Weights and data are not stored: this script and nn_torch_images_test.cpp draw them from the same definition, see
make_torch_golden.py. Of torchvision's VGGs, which are large, the names and shapes of all values are recorded.
"""
import contextlib
import json
import math
import pathlib

import numpy as np
import torch
import torchvision
from make_torch_golden import philox
from torch import nn

STEPS, BATCHES, CLASSES, LEARNING_RATE, MOMENTUM = 50, 4, 10, 1e-3, 0.9
IMAGE_STREAM, LABEL_STREAM = 0x494D4147, 0x4C41424C
# A maximum or a ReLU that tips over in one rounding makes the losses after it those of another run. So the seeds are such
# that float32 stays within MOST_APART of float64 here, and LEAST_LEARNT, beyond all tolerances, is what there is to miss.
MOST_APART, LEAST_LEARNT = 1e-6, 0.06


def lenet(_batch_norm):
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, CLASSES))


def small_vgg(batch_norm):
    layers, channels = [], 3
    for width in (8, 16, 16):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), *([nn.BatchNorm2d(width)] if batch_norm else []), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(0), nn.Linear(64, CLASSES))


def normal(seed, stream, count):
    radius, angle = (philox(seed, stream, counter, count).astype(np.float64) for counter in (0, 1))
    return (np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)).astype(np.float32)


def initialize(net, seed, kaiming):
    for stream, layer in enumerate(m for m in net if isinstance(m, (nn.Conv2d, nn.Linear))):
        weight, bias = layer.weight, layer.bias
        if kaiming and isinstance(layer, nn.Conv2d):
            deviation = math.sqrt(2 / weight[:, 0].numel())
            drawn = [normal(seed, stream, weight.numel()).astype(np.float64) * deviation, np.zeros(bias.numel())]
        else:
            bound = np.float32(1 / math.sqrt(weight[0].numel()))
            drawn = [(np.float32(2) * philox(seed, stream, counter, each.numel()) - np.float32(1)) * bound
                     for counter, each in enumerate((weight, bias))]
        for parameter, values in zip((weight, bias), drawn, strict=True):
            parameter.data = torch.from_numpy(values.astype(np.float32).reshape(tuple(parameter.shape)))
    return net


def data(seed, batch, extents, scale):
    """Images of a pattern of their class and as much noise."""
    rows, pixels = BATCHES * batch, math.prod(extents)
    labels = np.floor(philox(seed, LABEL_STREAM, 0, rows) * np.float32(CLASSES)).astype(np.int64)
    noise, patterns = (np.float32(2) * philox(seed, IMAGE_STREAM, counter, count * pixels).reshape(count, pixels)
                       - np.float32(1) for counter, count in enumerate((rows, CLASSES)))
    images = (patterns[labels] + noise) * np.float32(scale)
    return torch.from_numpy(images.reshape(rows, *extents)), torch.from_numpy(labels)


def losses(net, images, labels, batch, scope):
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    for step in range(STEPS):
        begin = step % BATCHES * batch
        with scope():
            loss = nn.functional.cross_entropy(net(images[begin:begin + batch]), labels[begin:begin + batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def run(model, batch, extents, batch_norm, seed, scale):
    images, labels = data(seed, batch, extents, scale)
    made = [initialize(model(batch_norm), seed, model is small_vgg) for _ in range(3)]
    fp32 = list(losses(made[0], images, labels, batch, contextlib.nullcontext))
    fp64 = list(losses(made[1].double(), images.double(), labels, batch, contextlib.nullcontext))
    bf16 = list(losses(made[2], images, labels, batch, lambda: torch.autocast("cpu", torch.bfloat16)))
    apart, learnt = max(abs(a / b - 1) for a, b in zip(fp32, fp64, strict=True)), 1 - fp32[-1] / fp32[0]
    print(model.__name__, batch_norm, "float64 within", apart, "learnt", learnt, "bf16 within",
          max(abs(a / b - 1) for a, b in zip(bf16, fp32, strict=True)))
    assert apart < MOST_APART and learnt > LEAST_LEARNT, "choose another seed"
    return {"model": model.__name__, "batch": batch, "image": list(extents), "batch_norm": batch_norm, "seed": seed,
            "scale": scale, "fp32": fp32, "bf16": bf16}


def shapes(name):
    with torch.device("meta"):
        return [[key, list(value.shape)] for key, value in getattr(torchvision.models, name)().state_dict().items()]


def main():
    torch.set_num_threads(1)
    cases = [run(lenet, 32, (1, 28, 28), False, 0, 8), run(small_vgg, 16, (3, 32, 32), False, 0, 2),
             run(small_vgg, 16, (3, 32, 32), True, 2, 2)]
    images, labels = data(0, 32, (1, 28, 28), 8)
    first = {name: initialize(model(False), 0, model is small_vgg)[0].weight.reshape(-1)[:8].tolist()
             for name, model in (("lenet", lenet), ("small_vgg", small_vgg))}
    golden = {"made_with": f"torch {torch.__version__}, torchvision {torchvision.__version__}", "steps": STEPS,
              "batches": BATCHES, "classes": CLASSES, "learning_rate": LEARNING_RATE, "momentum": MOMENTUM,
              "first_pixels": images.reshape(-1)[:8].tolist(), "first_labels": labels[:8].tolist(),
              "first_weights": first, "cases": cases,
              "shapes": {f"vgg{n}{end}": shapes(f"vgg{n}{end}") for n in (11, 13, 16, 19) for end in ("", "_bn")}}
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
    pathlib.Path(__file__).with_name("torch_images.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
