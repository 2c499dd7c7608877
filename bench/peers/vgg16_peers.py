#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""VGG16 and LeNet in PyTorch, as `overtake bench vgg16` and `overtake bench lenet` measure them: random images on the
device, stochastic gradient descent with momentum; the best of PyTorch's settings for each.

Usage: bench/peers/vgg16_peers.py OUTPUT.json [WORK...]
    WORK  fp32-64 tf32-64 bf16-256 bf16-256-compiled infer-256 infer-256-compiled infer-1 infer-1-compiled lenet
          lenet-graph lenet-cpu; all of them by default. Each is written as soon as it is measured. lenet-cpu needs no GPU
          and no torchvision; on as many threads as PyTorch takes.
"""
import json
import sys
import time

import torch
from torch import nn

torch.backends.cudnn.benchmark = True
LAST = torch.channels_last


def wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds_of(step, times):
    for _ in range(3):
        step()
    wait()
    start = time.perf_counter()
    for _ in range(times):
        step()
    wait()
    return (time.perf_counter() - start) / times


def trainer(net, images, labels, *, bf16=False):
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, fused=True)
    loss_of = nn.CrossEntropyLoss()

    def step():
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            loss = loss_of(net(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def vgg16():
    import torchvision

    return torchvision.models.vgg16()


def vgg_training(batch, precision, *, compiled=False, last=True):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    net = vgg16().cuda()
    images = torch.rand(batch, 3, 224, 224, device="cuda")
    if last:
        net, images = net.to(memory_format=LAST), images.to(memory_format=LAST)
    labels = torch.randint(1000, (batch,), device="cuda")
    step = trainer(torch.compile(net) if compiled else net, images, labels, bf16=precision == "bf16")
    start = time.perf_counter()
    step()
    torch.cuda.synchronize()
    return batch, time.perf_counter() - start, seconds_of(step, 10)


def vgg_inference(batch, *, compiled=False):
    net = vgg16().cuda().eval().to(memory_format=LAST).bfloat16()
    images = torch.rand(batch, 3, 224, 224, device="cuda", dtype=torch.bfloat16).to(memory_format=LAST)
    mode = "reduce-overhead" if batch == 1 else "default"
    run = torch.compile(net, mode=mode) if compiled else net
    start = time.perf_counter()
    with torch.inference_mode():
        run(images)
        torch.cuda.synchronize()
        first = time.perf_counter() - start
        return batch, first, seconds_of(lambda: run(images), 30)


def lenet_net():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))  # fmt: skip


def lenet(*, graph=False, place="cuda"):
    net = lenet_net().to(place)
    images, labels = torch.rand(64, 1, 28, 28, device=place), torch.randint(10, (64,), device=place)
    if not graph:
        return 64, 0.0, seconds_of(trainer(net, images, labels), 300)
    step = trainer(net, images, labels)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        step()
    return 64, 0.0, seconds_of(captured.replay, 500)


WORKS = {
    "fp32-64": lambda: vgg_training(64, "fp32"),
    "fp32-64-first": lambda: vgg_training(64, "fp32", last=False),
    "tf32-64": lambda: vgg_training(64, "tf32"),
    "bf16-256": lambda: vgg_training(256, "bf16"),
    "bf16-256-compiled": lambda: vgg_training(256, "bf16", compiled=True),
    "infer-256": lambda: vgg_inference(256),
    "infer-256-compiled": lambda: vgg_inference(256, compiled=True),
    "infer-1": lambda: vgg_inference(1),
    "infer-1-compiled": lambda: vgg_inference(1, compiled=True),
    "lenet": lenet,
    "lenet-cpu": lambda: lenet(place="cpu"),
    "lenet-graph": lambda: lenet(graph=True),
}


def main():
    output, works = sys.argv[1], sys.argv[2:] or list(WORKS)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    result = {"torch": torch.__version__, "device": device, "threads": torch.get_num_threads(), "rows": []}
    for work in works:
        row = {"work": work}
        try:
            batch, first, seconds = WORKS[work]()
            row |= {"batch": batch, "step_seconds": seconds, "images_per_second": batch / seconds, "first_seconds": first}
        except Exception as error:  # noqa: BLE001: a peer that fails is a row, too
            row["failure"] = repr(error)[:300]
        torch.cuda.empty_cache()
        result["rows"].append(row)
        print(row, flush=True)
        with open(output, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
