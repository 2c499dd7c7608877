# SPDX-License-Identifier: MIT
"""Networks: modules, layers and losses with PyTorch's names, computed by the library's own (overtake/nn.hpp)."""

from ._clip import clip_grad_norm, clip_grad_value
from ._containers import ModuleList, Sequential
from ._layers import (
    GELU,
    BatchNorm1d,
    Dropout,
    Embedding,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from ._loss import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    Loss,
    MSELoss,
    SmoothL1Loss,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from ._module import Module, manual_seed, predict
from ._parameter import Buffer, Parameter
from ._state import IncompatibleKeys, load_state, read_state_dict, save_state, write_state_dict

__all__ = [
    "GELU",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "Buffer",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "HuberLoss",
    "IncompatibleKeys",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Tanh",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "clip_grad_value",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "load_state",
    "manual_seed",
    "mse_loss",
    "predict",
    "read_state_dict",
    "save_state",
    "smooth_l1_loss",
    "write_state_dict",
]
