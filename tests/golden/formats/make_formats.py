#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes one small file of each format with the real tool, and what it predicts. Files that are there already stay: they
stand for what people have on their disks. A new version of a format gets a new name here.

Usage: OVERTAKE_BINARY=build/release/cli/overtake tests/golden/formats/make_formats.py
"""
import os
import pathlib
import random
import subprocess

FOLDER = pathlib.Path(__file__).parent
DATA, NUMBERS = FOLDER / "data.csv", FOLDER / "numbers.csv"
TRAIN = ["--device", "cpu", "--threads", "1", "--seed", "3"]
NETWORK = ["--target", "kind", "--hidden", "6", "--dropout", "0.1", "--epochs", "5", "--batch-size", "8", *TRAIN]
FOREST = ["--estimator", "random-forest", "--set", "n_estimators=4", "--set", "max_depth=3", *TRAIN]
MODELS = {  # file: (data, flags)
    "forest_1.overtake": (DATA, ["--target", "kind", *FOREST]),
    "forest_numbers_1.overtake": (NUMBERS, ["--target", "y", *FOREST]),
    "network_1.safetensors": (DATA, NETWORK),
    "network_2.safetensors": (DATA, NETWORK),
}


def overtake(*arguments):
    subprocess.run([os.environ["OVERTAKE_BINARY"], *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def make_data():
    draw = random.Random(11)
    rows, numbers = ["size,colour,kind"], ["size,weight,y"]
    for i in range(48):
        size, colour = round(draw.uniform(0, 10), 2), draw.choice(["red", "green", "blue"])
        kind = "small" if size < 4 else "large" if colour == "red" else "other"
        rows.append(f"{'' if i == 7 else size},{colour},{kind}")
        numbers.append(f"{size},{round(draw.gauss(0, 1), 3)},{round(3 * size + draw.gauss(0, 1), 2)}")
    DATA.write_text("\n".join(rows) + "\n")
    NUMBERS.write_text("\n".join(numbers) + "\n")


def main():
    if not DATA.exists():
        make_data()
    for name, (data, flags) in MODELS.items():
        path = FOLDER / name
        if path.exists():
            continue
        overtake("train", data, *flags, "--save", path)
        shares = [] if data == NUMBERS else ["--proba"]
        overtake("predict", path, data, "--out", path.with_suffix(".csv"), *shares)
    checkpoint = FOLDER / "checkpoint_2.safetensors"
    if not checkpoint.exists():
        overtake("train", DATA, *NETWORK, "--checkpoint", checkpoint)


if __name__ == "__main__":
    main()
