# SPDX-License-Identifier: MIT
"""The root of layers and models."""

from __future__ import annotations

import copy
import ctypes
import itertools
import json
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .._errors import UsageError
from .._handles import Handle, array_from, called, check, given_out, shared
from .._library import Forward, library
from ..arrays._array import Array
from ..arrays._creation import asarray
from ._parameter import Buffer, Held, Parameter, new_buffer
from ._state import IncompatibleKeys, arrays_of, keys_of, state_of

_Self = TypeVar("_Self", bound="Module")
_keys = itertools.count(1)
_callers: weakref.WeakValueDictionary[int, Module] = weakref.WeakValueDictionary()


def _forward(context: int, given: int, output: Any) -> int:
    def work() -> None:
        module = _callers[context]
        output[0] = given_out(module.forward(shared(given)), f"{type(module).__name__}.forward()")

    return called(work)


_forward_of_c = Forward(_forward)


def native(forward: Any) -> Any:
    """Marks the forward() of a layer that the library computes by itself."""
    forward.is_native = True
    return forward


class Module:
    """A function of arrays with parameters: the root of all layers and models, as PyTorch's.

    Derive from it, give it layers and :class:`Parameter` as attributes, and write ``forward(self, x)``. A
    :class:`overtake.Trainer` calls forward() a few times to see what a step is and then runs the step compiled: what forward()
    does beside functions of arrays (branches by values of the host, printing) happens then alone.
    """

    _handle: Handle
    _parameters: dict[str, Parameter]
    _buffers: dict[str, Buffer]
    _modules: dict[str, Module]

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """Makes the library's side, so that __init__() of one's own need not call that of Module."""
        self = super().__new__(cls)
        own = self.__dict__
        own["_handle"] = Handle("module", "overtake_module_new")
        own["_parameters"], own["_buffers"], own["_modules"] = {}, {}, {}
        if not hasattr(cls.forward, "is_native"):
            key = next(_keys)
            _callers[key] = self
            check(library().raw.overtake_module_set_forward(self._handle.value, _forward_of_c, key))
        return self

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """What the module computes. Modules of one's own define it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """The module's value: ``forward(...)``. Lazy, as all functions of arrays."""
        return self.forward(*inputs, **named)

    # -- attributes ----------------------------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        if value is not None and value is self._parameters.get(name, self._buffers.get(name)):
            return  # p *= 2 has changed it in its place
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self.add_module(name, value)
        elif name in self._buffers and value is not None:
            self._buffers[name].copy_(value)
        elif name in self._parameters or name in self._modules or name in self._buffers:
            if value is not None:
                raise UsageError(
                    f"[{type(self).__name__}] '{name}' is a parameter or a module, the value {type(value).__name__}",
                    "Assign an overtake.nn.Parameter or a Module, or give the parameter values with copy_().",
                )
            delattr(self, name)
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        for held in ("_parameters", "_buffers", "_modules"):
            found = self.__dict__.get(held, {}).get(name)
            if found is not None:
                return found
        raise AttributeError(f"{type(self).__name__} has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        raw, own = library().raw, self._handle.value
        if name in self._parameters:
            check(raw.overtake_module_set_parameter(own, name.encode(), None))
            del self._parameters[name]
        elif name in self._buffers:
            check(raw.overtake_module_set_buffer(own, name.encode(), None, 0))
            del self._buffers[name]
        elif name in self._modules:
            check(raw.overtake_module_set_child(own, name.encode(), None))
            del self._modules[name]
        else:
            object.__delattr__(self, name)

    def register_parameter(self, name: str, parameter: Parameter) -> None:
        """``self.name = parameter``. Modules may share one, under one name."""
        if name in self.__dict__.get("_layer_names", ()):
            raise UsageError(
                f"[{type(self).__name__}] '{name}' is the layer's own and cannot be another parameter",
                f"Give it values with {name}.copy_(); to share weights, use the layer itself in both places.",
            )
        raw = library().raw
        check(raw.overtake_module_set_parameter(self._handle.value, name.encode(), parameter._owner.value))
        self.__dict__.pop(name, None)
        self._parameters[name] = parameter

    def register_buffer(self, name: str, value: Any, persistent: bool = True) -> None:
        """State that is not learnt, as an attribute: it moves with the module and, where `persistent`, is in the state.

        Assigning to the attribute gives it another value of the same shape, in compiled steps, too.
        """
        buffer = new_buffer(value if isinstance(value, Array) else asarray(value))
        raw = library().raw
        owner = buffer._owner.value
        check(raw.overtake_module_set_buffer(self._handle.value, name.encode(), owner, int(persistent)))
        self.__dict__.pop(name, None)
        self._buffers[name] = buffer

    def add_module(self, name: str, module: Module) -> None:
        """``self.name = module``. A module may be a part of several."""
        check(library().raw.overtake_module_set_child(self._handle.value, name.encode(), module._handle.value))
        self.__dict__.pop(name, None)
        self._modules[name] = module

    # -- what it is made of --------------------------------------------------------------------------------------------
    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module itself and all of its parts with their full names, each once."""
        yield from _walk(self, prefix, set())

    def modules(self) -> Iterator[Module]:
        """The module itself and all of its parts, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The parts it has itself."""
        return iter(list(self._modules.items()))

    def children(self) -> Iterator[Module]:
        """The parts it has itself."""
        return (module for _, module in self.named_children())

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Everything learnable with PyTorch's names ("0.weight"), each once."""
        seen: set[int] = set()
        for where, module in self.named_modules(prefix):
            for name, parameter in module._parameters.items():
                address = parameter._handle.value or 0
                if address not in seen:
                    seen.add(address)
                    yield f"{where}.{name}" if where else name, parameter

    def parameters(self) -> Iterator[Parameter]:
        """Everything learnable, for optimisers."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Buffer]]:
        """All buffers with their full names."""
        for where, module in self.named_modules(prefix):
            for name, buffer in module._buffers.items():
                yield f"{where}.{name}" if where else name, buffer

    def buffers(self) -> Iterator[Buffer]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers())

    def parameter_count(self) -> int:
        """How many numbers are learnable."""
        return sum(parameter.size for parameter in self.parameters())

    # -- state ---------------------------------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Array]:
        """Copies of parameters and persistent buffers by name; later training does not change them."""
        return arrays_of(Handle("state", "overtake_module_state", self._handle.value))

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Takes values by name, moved to this module's device and converted to its types.

        Nothing is changed where anything is refused: another shape always, missing and unexpected names unless `strict` is
        False, which returns them.
        """
        held = state_of(state)
        return keys_of("overtake_module_load_state", self._handle.value, held.value, int(strict))

    def to(self: _Self, device: str) -> _Self:
        """Moves parameters and buffers to a device ("cpu", "cuda"); returns itself."""
        check(library().raw.overtake_module_to(self._handle.value, str(device).encode()))
        return self

    @property
    def device(self) -> str:
        """Where its first parameter or buffer is; "cpu" without any."""
        held: Iterator[Held] = itertools.chain(self.parameters(), self.buffers())
        return next((each.device for each in held), "cpu")

    @property
    def training(self) -> bool:
        """Whether it is in training mode, in which Dropout drops and BatchNorm1d looks at the batch."""
        on = ctypes.c_int32()
        check(library().raw.overtake_module_training(self._handle.value, ctypes.byref(on)))
        return bool(on.value)

    def train(self: _Self, mode: bool = True) -> _Self:
        """Training mode, or evaluation mode; returns itself."""
        check(library().raw.overtake_module_train(self._handle.value, int(mode)))
        return self

    def eval(self: _Self) -> _Self:
        """Evaluation mode; returns itself."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters; `set_to_none`, of PyTorch, makes no difference."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                parameter.grad = None

    def requires_grad_(self: _Self, required: bool = True) -> _Self:
        """Freezes (False) or frees all parameters; returns itself."""
        for parameter in self.parameters():
            parameter.requires_grad_(required)
        return self

    def apply(self: _Self, function: Callable[[Module], Any]) -> _Self:
        """Calls `function` for all parts, then for itself; returns itself."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def initialize(self: _Self, seed: int) -> _Self:
        """Draws the parameters of all layers anew, the same on every device; returns itself."""
        check(library().raw.overtake_module_initialize(self._handle.value, seed))
        return self

    # -- as text, and elsewhere ----------------------------------------------------------------------------------------
    def extra_repr(self) -> str:
        """What stands in the brackets of its text."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {module!r}".replace("\n", "\n  ") for name, module in self._modules.items()]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        parts = ([extra] if extra else []) + lines
        return f"{type(self).__name__}(\n  " + "\n  ".join(parts) + "\n)"

    def __getstate__(self) -> dict[str, Any]:
        hidden = (*_OF_THE_LIBRARY, "_layer", "_layer_names")
        kept = dict(zip(_names(self)["buffers"], _names(self)["persistent"], strict=True))
        layer_names = self.__dict__.get("_layer_names", ())
        return {
            "own": {key: value for key, value in self.__dict__.items() if key not in hidden},
            "layer": self.__dict__.get("_layer"),
            "values": {name: getattr(self, name).numpy() for name in layer_names},
            "parameters": {name: each for name, each in self._parameters.items() if name not in layer_names},
            "buffers": {
                name: (each.numpy(), each.dtype.name, kept[name])
                for name, each in self._buffers.items()
                if name not in layer_names
            },
            "modules": self._modules,
            "training": self.training,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["layer"]:
            make_layer(self, *state["layer"])
        self.__dict__.update(state["own"])
        for name, value in state["values"].items():
            getattr(self, name).copy_(value)
        for name, parameter in state["parameters"].items():
            self.register_parameter(name, parameter)
        for name, (value, dtype, persistent) in state["buffers"].items():
            self.register_buffer(name, asarray(value, dtype=dtype), persistent)
        for name, module in state["modules"].items():
            self.add_module(name, module)
        check(library().raw.overtake_module_train(self._handle.value, int(state["training"])))

    def __deepcopy__(self: _Self, memo: dict[int, Any]) -> _Self:
        made: _Self = type(self).__new__(type(self))
        memo[id(self)] = made
        made.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return made.to(self.device)


_OF_THE_LIBRARY = ("_handle", "_parameters", "_buffers", "_modules")


def _walk(module: Module, prefix: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield prefix, module
    for name, child in module._modules.items():
        yield from _walk(child, f"{prefix}.{name}" if prefix else name, seen)


def _names(module: Module) -> dict[str, Any]:
    names: dict[str, Any] = json.loads(library().text_of("overtake_module_names", module._handle.value))
    return names


def make_layer(module: Module, kind: str, attributes: dict[str, Any]) -> None:
    """Makes `module` the library's layer `kind`, with that layer's parameters and buffers."""
    from .._handles import settings

    own = module._handle.value
    check(library().raw.overtake_module_set_layer(own, kind.encode(), settings(kind, attributes)))
    names = _names(module)
    module.__dict__["_layer"] = (kind, attributes)
    module.__dict__["_layer_names"] = (*names["parameters"], *names["buffers"])
    for name in names["parameters"]:
        module._parameters[name] = Parameter(Handle("parameter", "overtake_module_parameter", own, name.encode()))
    for name in names["buffers"]:
        module._buffers[name] = Buffer(Handle("parameter", "overtake_module_parameter", own, name.encode()))


def layer_value(module: Module, given: Any) -> Array:
    """What the library's layer, or the parts one after the other, make of `given`."""
    if not isinstance(given, Array):
        raise UsageError(
            f"[{type(module).__name__}] expects an overtake.Array, got {type(given).__name__}",
            "overtake.asarray(x, dtype='float32', device=...) makes one.",
        )
    return array_from("overtake_module_layer_forward", module._handle.value, given._handle)


def manual_seed(seed: int) -> None:
    """Restarts the streams that the layers made next on this thread draw from, so that they get the same values."""
    check(library().raw.overtake_manual_seed(int(seed)))


def predict(module: Module, x: Any, batch: int = 0) -> Array:
    """The module's value in evaluation mode, computed, `batch` rows at a time (0: all at once)."""
    given = x if isinstance(x, Array) else asarray(x, dtype="float32")
    return array_from("overtake_module_predict", module._handle.value, given._handle, int(batch))
