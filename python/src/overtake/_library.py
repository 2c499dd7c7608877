# SPDX-License-Identifier: MIT
"""The shared library and the types of its C interface (include/overtake/c_api.h): the only module that knows ctypes' signatures."""

from __future__ import annotations

import ctypes
import functools
import os
import pathlib
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint64,
    c_void_p,
)

from ._errors import OvertakeError, kind_of
from ._vendor import tell_vendor_libraries

API_VERSION = 1


class Matrix(ctypes.Structure):
    """overtake_matrix"""

    _fields_ = (
        ("data", c_void_p),
        ("dtype", c_int32),
        ("rows", c_int64),
        ("columns", c_int64),
        ("row_stride", c_int64),
        ("column_stride", c_int64),
    )


class Progress(ctypes.Structure):
    """overtake_progress"""

    _fields_ = (
        ("done", c_int64),
        ("total", c_int64),
        ("seconds", c_double),
        ("seconds_left", c_double),
        ("best_score", c_double),
        ("what", c_char_p),
    )


OnProgress = CFUNCTYPE(None, c_void_p, POINTER(Progress))


class Watch(ctypes.Structure):
    """overtake_watch"""

    _fields_ = (("stop", c_void_p), ("on_progress", OnProgress), ("context", c_void_p))


class Tree(ctypes.Structure):
    """overtake_tree"""

    _fields_ = (
        ("nodes", c_int64),
        ("feature", POINTER(c_int32)),
        ("threshold", POINTER(c_double)),
        ("missing_go_left", POINTER(c_uint8)),
        ("left", POINTER(c_int32)),
        ("right", POINTER(c_int32)),
        ("impurity", POINTER(c_double)),
        ("samples", POINTER(c_int32)),
        ("weighted_samples", POINTER(c_double)),
        ("value", POINTER(c_double)),
    )


class Folds(ctypes.Structure):
    """overtake_folds"""

    _fields_ = (
        ("count", c_int64),
        ("train", c_void_p),
        ("train_starts", c_void_p),
        ("test", c_void_p),
        ("test_starts", c_void_p),
    )


# What the library is given of Python, in the order of overtake_python.
_OF_PYTHON = (
    *("PyCapsule_IsValid", "PyCapsule_GetPointer", "PyErr_Fetch", "PyErr_Restore"),
    *("PyErr_CheckSignals", "PyGILState_Ensure", "PyGILState_Release"),
)
_CALLER_ERROR = 6


class Epoch(ctypes.Structure):
    """overtake_epoch"""

    _fields_ = (
        ("epoch", c_int64),
        ("learning_rate", c_double),
        ("train_loss", c_double),
        ("train_error", c_double),
        ("validation_loss", c_double),
        ("validation_error", c_double),
        ("best", c_int32),
    )


_out = POINTER(c_void_p)
# Functions of ours that the library calls; they return 0, or another number where they failed.
Forward = CFUNCTYPE(c_int32, c_void_p, c_void_p, _out)
LossFunction = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, _out)
Closure = CFUNCTYPE(c_int32, c_void_p, _out)
OnEpoch = CFUNCTYPE(c_int32, c_void_p, POINTER(Epoch))


class Training(ctypes.Structure):
    """overtake_training"""

    _fields_ = (
        ("inputs", c_void_p),
        ("targets", c_void_p),
        ("validation_inputs", c_void_p),
        ("validation_targets", c_void_p),
        ("settings", c_char_p),
        ("schedule", c_char_p),
        ("on_epoch", OnEpoch),
        ("context", c_void_p),
    )


_doubles_out = (POINTER(POINTER(c_double)), POINTER(c_int64))
_watch = POINTER(Watch)
_matrix = POINTER(Matrix)

# name -> arguments; these return an overtake_status.
_CALLS: dict[str, tuple[object, ...]] = {
    "overtake_stop_new": (_out,),
    "overtake_devices": (_out,),
    "overtake_doctor": (c_char_p, _watch, _out, _out),
    "overtake_race": (c_char_p, _watch, _out, _out),
    "overtake_set_threads": (c_int,),
    "overtake_set_threads_here": (c_int,),
    "overtake_data_new": (_matrix, _out),
    "overtake_data_set_labels": (c_void_p, c_void_p, c_int64, c_int32),
    "overtake_data_set_targets": (c_void_p, c_void_p, c_int64),
    "overtake_data_set_weights": (c_void_p, c_void_p, c_int64),
    "overtake_data_set_feature_names": (c_void_p, c_char_p),
    "overtake_data_set_categories": (c_void_p, c_int64, c_char_p, c_int32),
    "overtake_data_categories": (c_void_p, _out),
    "overtake_data_set_class_names": (c_void_p, c_char_p),
    "overtake_forest_train": (c_char_p, c_char_p, c_void_p, c_char_p, c_void_p, _watch, _out, _out),
    "overtake_forest_parameters": (c_char_p, c_char_p, c_char_p, _out),
    "overtake_model_describe": (c_void_p, _out),
    "overtake_model_predict": (c_void_p, _matrix, c_void_p, c_int64),
    "overtake_model_predict_classes": (c_void_p, _matrix, c_void_p, c_int64),
    "overtake_model_apply": (c_void_p, _matrix, c_void_p, c_int64),
    "overtake_forest_array": (c_void_p, c_char_p, *_doubles_out),
    "overtake_forest_draws": (c_void_p, c_int64, POINTER(c_int64)),
    "overtake_forest_drawn_rows": (c_void_p, c_int64, c_int64, c_void_p, c_int64),
    "overtake_forest_tree": (c_void_p, c_int64, POINTER(Tree)),
    "overtake_forest_export": (c_void_p, c_int64, c_char_p, _out),
    "overtake_model_save": (c_void_p, c_char_p),
    "overtake_model_load": (c_char_p, c_char_p, _out),
    "overtake_model_to_bytes": (c_void_p, _out),
    "overtake_model_from_bytes": (c_char_p, c_size_t, _out),
    "overtake_search": (c_void_p, c_char_p, POINTER(Folds), c_char_p, _watch, _out),
    "overtake_search_json": (c_void_p, _out),
    "overtake_search_html": (c_void_p, c_char_p, _out),
    "overtake_search_scores": (c_void_p, c_char_p, c_int, *_doubles_out),
    "overtake_search_best": (c_void_p, _out),
    "overtake_search_predictions": (c_void_p, c_int64, c_int64, c_int, *_doubles_out),
    # include/overtake/c_array.h
    "overtake_array_from": (c_void_p, c_int32, c_void_p, c_int32, c_char_p, _out),
    "overtake_array_scalar": (c_int32, c_int64, c_double, _out),
    "overtake_array_share": (c_void_p, _out),
    "overtake_array_describe": (c_void_p, POINTER(c_int32), POINTER(c_int32), c_void_p),
    "overtake_array_device": (c_void_p, POINTER(c_char_p)),
    "overtake_array_to": (c_void_p, c_char_p, _out),
    "overtake_synchronize": (c_char_p,),
    "overtake_array_eval": (c_void_p, c_int64),
    "overtake_array_read": (c_void_p, c_void_p, c_int64),
    "overtake_array_memory": (c_void_p, _out),
    "overtake_array_text": (c_void_p, c_int32, _out),
    "overtake_random_seed": (c_uint64,),
    "overtake_array_save_npy": (c_void_p, c_char_p),
    "overtake_array_load_npy": (c_char_p, c_char_p, _out),
    "overtake_arrays_save_npz": (c_char_p, c_void_p, c_void_p, c_int64, c_int32),
    "overtake_npz_names": (c_char_p, _out),
    "overtake_array_load_npz": (c_char_p, c_char_p, c_char_p, _out),
    "overtake_array_to_dlpack": (c_void_p, c_int32, c_int32, _out),
    "overtake_array_from_dlpack": (c_void_p, c_int32, _out),
    "overtake_array_from_foreign": (
        *(c_uint64, c_int32, c_void_p, c_void_p, c_int32, c_char_p, c_void_p, c_void_p, _out),
    ),
    "overtake_array_address": (c_void_p, POINTER(c_uint64)),
    "overtake_stream_of": (c_char_p, POINTER(c_uint64)),
    "overtake_synchronize_everyone": (c_char_p,),
    "overtake_array_function": (c_char_p, POINTER(c_int32)),
    "overtake_array_call": (
        *(c_int32, c_void_p, c_int64, c_void_p, c_int64, c_void_p, c_int64, c_void_p, c_int64, POINTER(c_int64)),
    ),
    "overtake_array_unary": (c_int32, c_void_p, _out),
    "overtake_array_binary": (c_int32, c_void_p, c_void_p, _out),
    "overtake_array_set_requires_grad": (c_void_p, c_int32),
    "overtake_array_requires_grad": (c_void_p, POINTER(c_int32)),
    "overtake_array_backward": (c_void_p,),
    "overtake_array_grad": (c_void_p, _out),
    "overtake_array_set_grad": (c_void_p, c_void_p),
    "overtake_array_no_grad": (c_int32,),
    "overtake_set_precision": (c_char_p, POINTER(c_char_p)),
    "overtake_result_type": (c_int32, c_int32, POINTER(c_int32)),
    # include/overtake/c_nn.h
    "overtake_parameter_new": (c_void_p, c_int32, _out),
    "overtake_parameter_array": (c_void_p, _out),
    "overtake_parameter_assign": (c_void_p, c_void_p),
    "overtake_module_new": (_out,),
    "overtake_module_set_layer": (c_void_p, c_char_p, c_char_p),
    "overtake_module_set_forward": (c_void_p, Forward, c_void_p),
    "overtake_module_set_child": (c_void_p, c_char_p, c_void_p),
    "overtake_module_set_parameter": (c_void_p, c_char_p, c_void_p),
    "overtake_module_set_buffer": (c_void_p, c_char_p, c_void_p, c_int32),
    "overtake_module_layer_forward": (c_void_p, c_void_p, _out),
    "overtake_module_predict": (c_void_p, c_void_p, c_int64, _out),
    "overtake_module_text": (c_void_p, _out),
    "overtake_module_summary": (c_void_p, c_void_p, c_int32, _out),
    "overtake_module_names": (c_void_p, _out),
    "overtake_module_parameter": (c_void_p, c_char_p, _out),
    "overtake_module_train": (c_void_p, c_int32),
    "overtake_module_training": (c_void_p, POINTER(c_int32)),
    "overtake_module_to": (c_void_p, c_char_p),
    "overtake_module_initialize": (c_void_p, c_uint64),
    "overtake_manual_seed": (c_uint64,),
    "overtake_clip_grad_norm": (c_void_p, c_int64, c_double, c_double, _out),
    "overtake_clip_grad_value": (c_void_p, c_int64, c_double),
    "overtake_state_new": (_out,),
    "overtake_state_add": (c_void_p, c_char_p, c_void_p),
    "overtake_state_names": (c_void_p, _out),
    "overtake_state_array": (c_void_p, c_int64, _out),
    "overtake_module_state": (c_void_p, _out),
    "overtake_module_load_state": (c_void_p, c_void_p, c_int32, _out),
    "overtake_module_load_file": (c_void_p, c_char_p, c_int32, _out),
    "overtake_module_save": (c_void_p, c_char_p, c_char_p),
    "overtake_module_read": (c_char_p, _out, _out),
    "overtake_state_read": (c_char_p, _out),
    "overtake_state_write": (c_void_p, c_char_p, c_char_p),
    "overtake_loss_new": (c_char_p, c_char_p, c_void_p, c_void_p, _out),
    "overtake_loss_of_function": (LossFunction, c_void_p, c_char_p, _out),
    "overtake_loss_call": (c_void_p, c_void_p, c_void_p, c_void_p, _out),
    "overtake_optimizer_new": (c_char_p, c_void_p, c_int64, c_char_p, _out),
    "overtake_lbfgs_new": (c_void_p, c_int64, c_char_p, _out),
    "overtake_optimizer_step": (c_void_p,),
    "overtake_lbfgs_step": (c_void_p, Closure, c_void_p, POINTER(c_double)),
    "overtake_optimizer_zero_grad": (c_void_p,),
    "overtake_optimizer_rate": (c_void_p, POINTER(c_double)),
    "overtake_optimizer_set_rate": (c_void_p, c_double),
    "overtake_optimizer_text": (c_void_p, _out),
    "overtake_optimizer_state": (c_void_p, _out),
    "overtake_optimizer_load_state": (c_void_p, c_void_p),
    "overtake_schedule_text": (c_char_p, _out),
    "overtake_schedule_at": (c_char_p, c_double, c_int32, POINTER(c_double)),
    "overtake_scheduler_new": (c_void_p, c_char_p, _out),
    "overtake_plateau_new": (c_void_p, c_char_p, _out),
    "overtake_scheduler_step": (c_void_p, c_double),
    "overtake_scheduler_now": (c_void_p, POINTER(c_int64), POINTER(c_double)),
    "overtake_train": (c_void_p, c_void_p, c_void_p, POINTER(Training), _watch, _out),
    "overtake_evaluate": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, POINTER(c_double), POINTER(c_double)),
    # include/overtake/c_transfer.h
    "overtake_transfer_stats": (_out,),
    "overtake_transfer_stats_reset": (),
    "overtake_stream_record": (c_char_p, c_int32, _out),
    "overtake_stream_wait": (c_char_p, c_int32, c_void_p),
    "overtake_stream_synchronize": (c_char_p, c_int32),
    "overtake_event_is_done": (c_void_p, POINTER(c_int32)),
    "overtake_event_synchronize": (c_void_p,),
    "overtake_event_seconds": (c_void_p, c_void_p, POINTER(c_double)),
    "overtake_pinned_new": (c_int64, c_char_p, _out),
    "overtake_pinned_data": (c_void_p, _out),
    "overtake_upload_async": (c_void_p, c_int64, c_int32, c_void_p, c_int32, _out),
    "overtake_download_async": (c_void_p, c_void_p, c_int64, _out),
    # include/overtake/c_kernel.h
    "overtake_kernel_elementwise": (*(c_char_p,) * 5, c_int32, c_double, _out),
    "overtake_kernel_reduction": (*(c_char_p,) * 8, c_int32, c_double, _out),
    "overtake_kernel_reduce": (c_void_p, c_void_p, c_int64, c_void_p, c_int32, c_int32, _out),
    "overtake_kernel_raw": (*(c_char_p,) * 4, c_int32, c_double, _out),
    "overtake_kernel_call": (c_void_p, c_void_p, c_int64, c_char_p, c_void_p),
    "overtake_kernel_launch": (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_char_p),
    "overtake_kernel_source": (c_void_p, c_char_p, _out),
    # include/overtake/c_profile.h
    "overtake_profile_new": (_out,),
    "overtake_profile_stop": (c_void_p,),
    "overtake_profile_text": (c_void_p, _out),
    "overtake_profile_trace": (c_void_p, _out),
    "overtake_profile_write_trace": (c_void_p, c_char_p),
}
_FREES = (
    "overtake_array_free",
    "overtake_event_free",
    "overtake_kernel_free",
    "overtake_pinned_free",
    "overtake_profile_free",
    "overtake_text_free",
    "overtake_stop_free",
    "overtake_data_free",
    "overtake_model_free",
    "overtake_search_result_free",
    "overtake_parameter_free",
    "overtake_module_free",
    "overtake_state_free",
    "overtake_loss_free",
    "overtake_optimizer_free",
    "overtake_scheduler_free",
)


class Library:
    """The functions of the C interface, with their types; those of a newer interface than the library's are missing."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.raw = raw = ctypes.CDLL(str(path))
        raw.overtake_version.restype = raw.overtake_error_message.restype = raw.overtake_error_hint.restype = c_char_p
        raw.overtake_text_data.restype, raw.overtake_text_data.argtypes = c_void_p, [c_void_p]
        raw.overtake_text_size.restype, raw.overtake_text_size.argtypes = c_size_t, [c_void_p]
        raw.overtake_stop_request.restype, raw.overtake_stop_request.argtypes = None, [c_void_p]
        for name in _FREES:
            if function := getattr(raw, name, None):
                function.restype, function.argtypes = None, [c_void_p]
        if delete := getattr(raw, "overtake_dlpack_delete", None):
            delete.restype, delete.argtypes = None, [c_void_p, c_int32]
        if set_python := getattr(raw, "overtake_python_set", None):
            set_python.restype, set_python.argtypes = None, [c_void_p]
            raw.overtake_python_error.restype, raw.overtake_python_error.argtypes = None, [_out, _out, _out]
            addresses = (ctypes.cast(getattr(ctypes.pythonapi, name), c_void_p) for name in _OF_PYTHON)
            set_python((c_void_p * len(_OF_PYTHON))(*addresses))
        for name, types in _CALLS.items():
            if function := getattr(raw, name, None):
                function.restype, function.argtypes = c_int, types

    def error(self, status: int) -> OvertakeError:
        """What the calling thread's last call, which returned `status`, has to say.

        Raises what a handler of a signal raised while arrays were computed.
        """
        if status == _CALLER_ERROR:
            raised = (c_void_p(), c_void_p(), c_void_p())
            self.raw.overtake_python_error(*(ctypes.byref(each) for each in raised))
            if raised[0]:
                _raise(*raised)
        message = self.raw.overtake_error_message().decode(errors="replace")
        return kind_of(status, message)(message, self.raw.overtake_error_hint().decode(errors="replace"))

    def check(self, status: int) -> None:
        """Raise what a call reports."""
        if status:
            raise self.error(status)

    def take_bytes(self, text: c_void_p) -> bytes:
        """What an overtake_text holds, which is given back."""
        try:
            return ctypes.string_at(self.raw.overtake_text_data(text), self.raw.overtake_text_size(text))
        finally:
            self.raw.overtake_text_free(text)

    def take_text(self, text: c_void_p) -> str:
        """The same as characters."""
        return self.take_bytes(text).decode()

    def text_of(self, name: str, *arguments: object) -> str:
        """The text that the function `name` makes of `arguments`."""
        text = c_void_p()
        self.check(getattr(self.raw, name)(*arguments, ctypes.byref(text)))
        return self.take_text(text)


_raise = ctypes.PYFUNCTYPE(None, c_void_p, c_void_p, c_void_p)(("PyErr_Restore", ctypes.pythonapi))


def _library_path() -> pathlib.Path:
    if given := os.environ.get("OVERTAKE_LIBRARY"):
        return pathlib.Path(given)
    return pathlib.Path(__file__).parent / "_native" / "lib" / "libovertake.so.0"


@functools.cache
def library() -> Library:
    """The library, loaded at the first call.

    Raises
    ------
    ImportError
        Where it is missing, cannot be loaded, or has another interface.
    """
    path = _library_path()
    hint = "Install the wheel of overtake-ml, or let OVERTAKE_LIBRARY name libovertake.so.0 of a build."
    if not path.exists():
        raise ImportError(f"Overtake's library is missing: {path} does not exist\nhint: {hint}")
    tell_vendor_libraries(os.path.dirname(__file__))
    try:
        loaded = Library(path)
        version = loaded.raw.overtake_api_version()
    except (OSError, AttributeError) as error:
        raise ImportError(f"Overtake's library cannot be used: {error}\nhint: {hint}") from error
    if version != API_VERSION:
        raise ImportError(f"{path} has version {version} of the C interface, expected {API_VERSION}\nhint: {hint}")
    return loaded
