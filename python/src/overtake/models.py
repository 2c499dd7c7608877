# SPDX-License-Identifier: MIT
"""Networks for images, with torchvision's modules and names: its state_dict files load as they are."""

from __future__ import annotations

from collections.abc import Callable

from . import nn
from ._errors import UsageError
from .arrays._array import Array

_BLOCKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


class VGG(nn.Module):
    """VGG of Simonyan and Zisserman (2014): `features`, `avgpool`, `classifier`.

    Takes (n, 3, height, width) of at least 32 x 32; 224 x 224 by habit. Weights begin as torchvision draws them.
    """

    def __init__(
        self, depth: int = 16, batch_norm: bool = False, num_classes: int = 1000, dropout: float = 0.5
    ) -> None:
        if depth not in _BLOCKS:
            raise UsageError(f"[VGG] depth is {depth}", "Expected 11, 13, 16 or 19.")
        layers: list[nn.Module] = []
        channels = 3
        for width, length in zip((64, 128, 256, 512, 512), _BLOCKS[depth], strict=True):
            for _ in range(length):
                layers.append(nn.Conv2d(channels, width, 3, padding=1, initial="kaiming_normal"))
                layers += [nn.BatchNorm2d(width), nn.ReLU()] if batch_norm else [nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096, initial="small_normal"),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096, initial="small_normal"),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes, initial="small_normal"),
        )

    def forward(self, x: Array) -> Array:
        """(n, 3, height, width) -> (n, num_classes)."""
        pooled = self.avgpool(self.features(x))
        return self.classifier(pooled.reshape((pooled.shape[0], -1)))  # type: ignore[no-any-return]


def _vgg(depth: int, batch_norm: bool) -> Callable[..., VGG]:
    def make(num_classes: int = 1000, dropout: float = 0.5) -> VGG:
        return VGG(depth, batch_norm, num_classes, dropout)

    make.__name__ = make.__qualname__ = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"
    make.__doc__ = f"VGG with {depth} layers of weights" + (" and batch norms." if batch_norm else ".")
    return make


vgg11, vgg13, vgg16, vgg19 = _vgg(11, False), _vgg(13, False), _vgg(16, False), _vgg(19, False)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = _vgg(11, True), _vgg(13, True), _vgg(16, True), _vgg(19, True)


def lenet(num_classes: int = 10, channels: int = 1) -> nn.Sequential:
    """LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for images (n, channels, 28, 28)."""
    return nn.Sequential(
        *(nn.Conv2d(channels, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, num_classes)),
    )
