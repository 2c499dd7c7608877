# SPDX-License-Identifier: MIT
"""Optimisers with the settings and rules of torch.optim; the mathematics is in C++ (overtake/optim)."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._errors import UsageError
from .._handles import Handle, called, check, given_out, handles_of, settings
from .._library import Closure, library
from ..arrays._array import Array
from ..nn._parameter import Parameter
from ..nn._state import arrays_of, state_of


def _parameters(given: Iterable[Parameter], name: str) -> list[Parameter]:
    if isinstance(given, Array):
        raise UsageError(f"[{name}] expects a list of parameters, got one array", "Write [parameter].")
    parameters = list(given)
    for each in parameters:
        if not isinstance(each, Parameter):
            raise UsageError(
                f"[{name}] expects overtake.nn.Parameter, got {type(each).__name__}",
                "Pass module.parameters(), or make parameters with overtake.nn.Parameter(array).",
            )
    return parameters


def _shortest(rate: float) -> float:
    """The rate of float32 as the shortest number that means it: 0.1, not 0.10000000149."""
    for digits in range(6, 10):
        short = float(f"{rate:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", rate):
            return short
    return rate


class Optimizer:
    """The root of all optimisers: changes parameters by their gradients."""

    def __init__(self, name: str, parameters: Iterable[Parameter], **values: Any) -> None:
        self.parameters = _parameters(parameters, name)
        owners = [each._owner for each in self.parameters]
        told = settings(name, values)
        arguments = (handles_of(owners), len(owners), told)
        if name == "LBFGS":
            self._handle = Handle("optimizer", "overtake_lbfgs_new", *arguments)
        else:
            self._handle = Handle("optimizer", "overtake_optimizer_new", name.encode(), *arguments)

    @property
    def lr(self) -> float:
        """The learning rate; a new one counts from the next step on, in compiled steps, too."""
        rate = ctypes.c_double()
        check(library().raw.overtake_optimizer_rate(self._handle.value, ctypes.byref(rate)))
        return _shortest(rate.value)

    @lr.setter
    def lr(self, rate: float) -> None:
        check(library().raw.overtake_optimizer_set_rate(self._handle.value, float(rate)))

    def step(self) -> Any:
        """Changes every parameter that has a gradient, in one plan."""
        check(library().raw.overtake_optimizer_step(self._handle.value))

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients; `set_to_none`, of PyTorch, makes no difference."""
        check(library().raw.overtake_optimizer_zero_grad(self._handle.value))

    def state_dict(self) -> dict[str, Array]:
        """Copies of what it keeps beside the parameters ("0.momentum", ...), and the rate as "lr"."""
        return arrays_of(Handle("state", "overtake_optimizer_state", self._handle.value))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues with the state of an optimiser of the same kind, settings and parameters."""
        held = state_of(state)
        check(library().raw.overtake_optimizer_load_state(self._handle.value, held.value))

    def __repr__(self) -> str:
        text = library().text_of("overtake_optimizer_text", self._handle.value)
        name, _, rest = text.partition("(")
        return f"{name}(lr={self.lr:g}{', ' if rest != ')' else ''}{rest}"


class SGD(Optimizer):
    """Stochastic gradient descent: g += weight_decay p; v = momentum v + (1 - dampening) g; p -= lr v."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        values = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__("SGD", parameters, **values, nesterov=bool(nesterov), maximize=bool(maximize))


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015); with amsgrad Reddi, Kale and Kumar's (2018)."""

    _name, _decay = "Adam", 0.0

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float | None = None,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        values = {"lr": lr, "beta1": betas[0], "beta2": betas[1], "epsilon": eps}
        values["weight_decay"] = self._decay if weight_decay is None else weight_decay
        super().__init__(self._name, parameters, **values, amsgrad=bool(amsgrad), maximize=bool(maximize))


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), 0.01 unless given."""

    _name, _decay = "AdamW", 0.01


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012); centered: Graves (2013)."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        *,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        values = {"lr": lr, "alpha": alpha, "epsilon": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__("RMSprop", parameters, **values, centered=bool(centered), maximize=bool(maximize))


class LBFGS(Optimizer):
    """Limited-memory BFGS with torch.optim.LBFGS's settings: for full batches and small models, in a loop by hand."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        *,
        line_search_fn: str | None = None,
    ) -> None:
        values = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval, "tolerance_grad": tolerance_grad}
        values |= {"tolerance_change": tolerance_change, "history_size": history_size}
        super().__init__("LBFGS", parameters, **values, line_search_fn=line_search_fn)

    def step(self, closure: Callable[[], Array] | None = None) -> float:
        """Up to max_iter iterations; returns the loss before them.

        `closure` forgets the gradients, computes the loss, calls its backward() and returns it.
        """
        if closure is None:
            raise UsageError(
                "[LBFGS] step() needs a closure",
                "Pass a function that computes the loss, calls backward(), returns it.",
            )

        def called_back(_context: Any, result: Any) -> int:
            def work() -> None:
                result[0] = given_out(closure(), "the closure")

            return called(work)

        loss = ctypes.c_double()
        function = Closure(called_back)
        check(library().raw.overtake_lbfgs_step(self._handle.value, function, None, ctypes.byref(loss)))
        return loss.value
