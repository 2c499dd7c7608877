# SPDX-License-Identifier: MIT
"""The shared library through its C interface, as other languages load it: models for the tool, and processes that fork."""
import ctypes
import json
import os
import pathlib
import signal
import unittest

from support import BINARY, IRIS, CliTest, main

LIBRARY = pathlib.Path(BINARY).parent.parent / "src" / "libovertake.so"


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int32), ("rows", ctypes.c_int64), ("columns", ctypes.c_int64),
                ("row_stride", ctypes.c_int64), ("column_stride", ctypes.c_int64)]


def loaded():
    library = ctypes.CDLL(str(LIBRARY))
    for name in ("message", "hint"):
        getattr(library, f"overtake_error_{name}").restype = ctypes.c_char_p
    library.overtake_text_data.restype = ctypes.c_char_p
    library.overtake_text_data.argtypes = [ctypes.c_void_p]
    return library


class CApiError(Exception):
    pass


@unittest.skipIf(os.environ.get("OVERTAKE_SANITIZED"), "a sanitizer must be loaded before Python")
class CApiTest(CliTest):
    def setUp(self):
        super().setUp()
        self.library = loaded()
        rows = [line.split(",") for line in pathlib.Path(IRIS).read_text().split()[1:]]
        self.names = sorted({row[4] for row in rows})
        self.inputs = (ctypes.c_double * (4 * len(rows)))(*[float(cell) for row in rows for cell in row[:4]])
        labels = (ctypes.c_int32 * len(rows))(*[self.names.index(row[4]) for row in rows])
        self.rows = len(rows)
        self.matrix = Matrix(ctypes.addressof(self.inputs), 1, self.rows, 4, 32, 8)
        self.data = ctypes.c_void_p()
        self.call("data_new", ctypes.byref(self.matrix), ctypes.byref(self.data))
        self.call("data_set_labels", self.data, labels, ctypes.c_int64(self.rows), 3)
        self.call("data_set_class_names", self.data, json.dumps(self.names).encode())
        header = pathlib.Path(IRIS).read_text().split()[0].split(",")
        self.call("data_set_feature_names", self.data, json.dumps(header[:4]).encode())

    def call(self, name, *arguments):
        status = getattr(self.library, "overtake_" + name)(*arguments)
        if status != 0:
            raise CApiError(f"{status} {self.library.overtake_error_message().decode()} {self.library.overtake_error_hint().decode()}")

    def trained(self, device):
        model = ctypes.c_void_p()
        self.call("forest_train", b"random-forest", b'{"n_estimators": 20}', self.data,
                  json.dumps({"device": device}).encode(), None, None, ctypes.byref(model), None)
        return model

    def answers(self, model):
        shares = (ctypes.c_double * (3 * self.rows))()
        self.call("model_predict", model, ctypes.byref(self.matrix), shares, ctypes.c_int64(3 * self.rows))
        return list(shares)

    def devices(self):
        text = ctypes.c_void_p()
        self.call("devices", ctypes.byref(text))
        return {device["id"]: device for device in json.loads(self.library.overtake_text_data(text))}

    def in_child(self, work):
        """What `work` returns, as JSON, or says where it fails, in a child that was forked."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(240)  # instead of for ever
            try:
                answer = work()
            except CApiError as error:
                answer = str(error)
            os.write(write, json.dumps(answer).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        self.assertEqual(os.waitpid(child, 0)[1], 0, "the child hung or died")
        return json.loads(text)

    def test_the_tool_predicts_with_a_model_of_arrays(self):
        model = self.trained("cpu")
        self.call("model_save", model, str(self.folder / "m.overtake").encode())
        self.overtake("predict", "m.overtake", IRIS, "--out", "p.csv", "--proba")
        rows = [row.split(",") for row in (self.folder / "p.csv").read_text().split()]
        self.assertEqual(rows[0], ["target", *(f"probability_{name}" for name in self.names)])
        self.assertEqual([float(cell) for row in rows[1:] for cell in row[1:]], self.answers(model))

    def test_a_child_computes_on_the_cpu_as_its_parent_did(self):
        expected = self.answers(self.trained("cpu"))
        self.assertEqual(self.in_child(lambda: self.answers(self.trained("cpu"))), expected)
        self.assertEqual(self.in_child(lambda: self.in_child(lambda: self.answers(self.trained("auto")))), expected)

    def test_a_driver_that_was_used_is_refused_in_a_child(self):
        if not any(name.startswith("opencl:") and device["usable"] for name, device in self.devices().items()):
            self.skipTest("no usable OpenCL device")
        expected = self.answers(self.trained("opencl"))
        refusal = self.in_child(lambda: self.answers(self.trained("opencl")))
        self.assertRegex(refusal, "^4 opencl: this process was forked .*spawn")
        self.assertEqual(self.in_child(lambda: self.answers(self.trained("auto"))), expected)
        seen = self.in_child(self.devices)
        self.assertTrue(seen["cpu"]["usable"])
        self.assertFalse(seen["opencl"]["usable"])
        self.assertEqual(self.answers(self.trained("opencl")), expected)


if __name__ == "__main__":
    main()
