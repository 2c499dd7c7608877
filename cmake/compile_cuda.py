#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles dialect sources for NVIDIA GPUs with NVRTC, the vendor's compiler library: no toolkit and no host compiler is needed.

Usage: cmake/compile_cuda.py --find [FOLDER...]
           prints path and version of the first NVRTC that works: in the folders, in toolkits, where the loader looks, in the
           packages of this Python (PyTorch and JAX bring it); exit 1 and the reasons when there is none
       cmake/compile_cuda.py LIBRARY OUTPUT [-DNAME=VALUE...] SOURCE...
           joins the sources and writes their machine code: a line of "ARCHITECTURE BYTES" pairs, then the pieces in that
           order as one zlib stream (src/backend/cuda/code/code_pack.cpp reads it). The first piece is PTX, which drivers translate
           for every newer architecture; the others are for one generation each.
"""
import ctypes
import os
import pathlib
import sys
import zlib

PORTABLE = 75  # Turing, the oldest that is supported
DIRECT = (80, 90)
# Contracted multiply-adds would give other bits than the other backends.
OPTIONS = ["--fmad=false", "--std=c++17", "--disable-warnings"]
MAJORS = (13, 12)


class Failure(Exception):
    pass


class Nvrtc:
    def __init__(self, path):
        try:
            self.library = ctypes.CDLL(path)
            self.library.nvrtcGetErrorString.restype = ctypes.c_char_p
        except (OSError, AttributeError) as error:
            raise Failure(f"{path}: {error}") from error
        self.path = path

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status != 0:
            raise Failure(f"{self.path}: {name}: {self.library.nvrtcGetErrorString(status).decode()}")

    def version(self):
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        return f"{major.value}.{minor.value}"

    def text(self, program, what):
        """What nvrtcGetWHATSize and nvrtcGetWHAT give, as bytes."""
        size = ctypes.c_size_t()
        self.call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self.call(f"nvrtcGet{what}", program, buffer)
        return buffer.raw

    def compile(self, source, options, what):
        program = ctypes.c_void_p()
        self.call("nvrtcCreateProgram", ctypes.byref(program), source, b"overtake.cu", 0, None, None)
        try:
            raw = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
            try:
                self.call("nvrtcCompileProgram", program, len(options), raw)
            except Failure as failure:
                raise Failure(f"{failure}\n{self.text(program, 'ProgramLog').decode(errors='replace')}") from failure
            return self.text(program, what)
        finally:
            self.library.nvrtcDestroyProgram(ctypes.byref(program))

    def compile_all(self, source, defines):
        """[(architecture, code)], the portable one first."""
        pieces = []
        for architecture in (PORTABLE, *DIRECT):
            kind, what = ("compute", "PTX") if architecture == PORTABLE else ("sm", "CUBIN")
            options = [f"--gpu-architecture={kind}_{architecture}", *OPTIONS, *defines]
            pieces.append((architecture, self.compile(source, options, what)))
        return pieces


def candidates(folders):
    """Paths and names to try, in order."""
    toolkits = [os.environ.get("CUDA_PATH"), os.environ.get("CUDA_HOME"), "/usr/local/cuda", "/opt/cuda"]
    wheels = ("cu13", "cuda_nvrtc")
    places = [pathlib.Path(folder) for folder in folders]
    places += [pathlib.Path(toolkit) / "lib64" for toolkit in toolkits if toolkit]
    packages = [pathlib.Path(path) / "nvidia" / wheel / "lib" for path in sys.path if path for wheel in wheels]
    names = [f"libnvrtc.so.{major}" for major in MAJORS]
    found = [str(place / name) for place in places for name in names if (place / name).exists()]
    return found + names + [str(place / name) for place in packages for name in names if (place / name).exists()]


def find(folders):
    trial = b'extern "C" __global__ void trial(double* a) { a[threadIdx.x] = sqrt(a[blockIdx.x]); }'
    reasons = []
    for path in candidates(folders):
        try:
            nvrtc = Nvrtc(path)
            nvrtc.compile_all(trial, [])
            print(path, nvrtc.version())
            return 0
        except Failure as failure:
            reasons.append(str(failure).strip().splitlines()[0])
    print("; ".join(reasons))
    return 1


def write(library, output, arguments):
    defines = [argument for argument in arguments if argument.startswith("-D")]
    sources = [argument for argument in arguments if not argument.startswith("-D")]
    source = b"\n".join(pathlib.Path(path).read_bytes() for path in sources)
    pieces = Nvrtc(library).compile_all(source, defines)
    header = " ".join(f"{architecture} {len(code)}" for architecture, code in pieces) + "\n"
    pathlib.Path(output).write_bytes(header.encode() + zlib.compress(b"".join(code for _, code in pieces), 9))
    return 0


def main(arguments):
    if arguments[:1] == ["--find"]:
        return find(arguments[1:])
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return write(arguments[0], arguments[1], arguments[2:])
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
