"""Compile lowered kernels with every C compiler here, warnings as errors, and call them on NumPy arrays."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from halopy.codegen.c import print_c
from halopy.codegen.kernel import Kernel
from halopy.dtypes import DType
from halopy.ir.expr import Expr, Load, Mul, Ramp, Var, const
from halopy.ir.kernel import BufferArg, LoweredKernel
from halopy.ir.stmt import For, LoopKind, Store, block
from halopy.target import Target, TargetArch, TargetFeature, TargetOS

COMPILERS = [c for c in ("gcc", "clang") if shutil.which(c)]
FLAGS = (
    "-std=gnu11 -O1 -march=native -fwrapv -fno-math-errno -ffp-contract=off -fno-trapping-math "
    "-Wall -Wextra -Werror -shared -fPIC -pipe"
).split()
WIDTHS = {
    16: Target(TargetArch.X86, 64, TargetOS.Linux),
    32: Target(TargetArch.X86, 64, TargetOS.Linux, frozenset({TargetFeature.AVX2})),
    64: Target(TargetArch.X86, 64, TargetOS.Linux, frozenset({TargetFeature.AVX512_Zen4})),
}


class _Dimension(ctypes.Structure):
    _fields_ = [
        ("min", ctypes.c_int32),
        ("extent", ctypes.c_int32),
        ("stride", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
    ]


class _Buffer(ctypes.Structure):
    _fields_ = [
        ("device", ctypes.c_uint64), ("device_interface", ctypes.c_void_p), ("host", ctypes.c_void_p),
        ("flags", ctypes.c_uint64), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("dimensions", ctypes.c_int32), ("dim", ctypes.POINTER(_Dimension)), ("padding", ctypes.c_void_p),
    ]  # fmt: skip


class Compiled:
    """A kernel in memory. Calling it gives the code it returns and the numbers it reported."""

    def __init__(self, kernel: Kernel, compiler: str = "gcc", flags: Sequence[str] = ()) -> None:
        self.kernel = kernel
        self.code = _library(kernel, compiler, tuple(flags))
        self.entry = self.code[kernel.name]

    def __call__(self, arrays: Mapping[str, np.ndarray], scalars: Mapping[str, object] = {}) -> tuple[int, list[int]]:
        buffers = [_buffer(arrays[b.name]) for b in self.kernel.buffers]
        pointers = (ctypes.POINTER(_Buffer) * max(1, len(buffers)))(*(ctypes.pointer(b) for b in buffers))
        values = [np.array(scalars[s.name], s.dtype.to_numpy()) for s in self.kernel.scalars]
        places = (ctypes.c_void_p * max(1, len(values)))(*(v.ctypes.data for v in values))
        errors = (ctypes.c_int64 * 16)()
        code = self.entry(pointers, places, errors)
        return code, list(errors)


def _buffer(array: np.ndarray) -> _Buffer:
    """Axis 0 of the buffer is the last of the array."""
    dims = (_Dimension * max(1, array.ndim))(
        *(_Dimension(0, n, s // array.itemsize, 0) for n, s in zip(array.shape[::-1], array.strides[::-1], strict=True))
    )
    return _Buffer(host=array.ctypes.data, dimensions=array.ndim, dim=dims, lanes=1)


def _library(kernel: Kernel, compiler: str, flags: tuple[str, ...]) -> ctypes.CDLL:
    folder = Path(tempfile.mkdtemp(prefix="halopy-codegen-"))
    try:
        source, library = folder / "kernel.c", folder / "kernel.so"
        source.write_text(kernel.text)
        flags = tuple(f for f in flags if f != "-fopenmp" or compiler != "clang")  # libomp is a package of its own
        command = [compiler, *FLAGS, *flags, str(source), "-o", str(library), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:3000]
        return ctypes.CDLL(str(library))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def elementwise(results: Mapping[str, Expr], inputs: Mapping[str, DType], lanes: int, total: int) -> LoweredKernel:
    """`out[x] = expression` for each result, `lanes` elements at a time; `argument(...)` reads an input there."""
    stores = [Store(name, position(value.dtype.lanes), value) for name, value in results.items()]
    body = block(*stores)
    loop = For("i", const(0), const(total // lanes), LoopKind.SERIAL, body)
    buffers = [BufferArg(n, d, 1, False) for n, d in inputs.items()]
    outputs = [BufferArg(n, e.dtype.element, 1, True) for n, e in results.items()]
    return LoweredKernel("kernel", loop, (*buffers, *outputs), ())


def position(lanes: int) -> Expr:
    """The index of the elements of this iteration."""
    return Var("i") if lanes == 1 else Ramp(Mul(Var("i"), const(lanes)), const(1), lanes)


def argument(name: str, dtype: DType, lanes: int) -> Expr:
    """The elements of an input at this iteration."""
    return Load(name, position(lanes), dtype.with_lanes(lanes))


_compiled: dict[tuple[str, str, tuple[str, ...]], Compiled] = {}


def run(
    lowered: LoweredKernel,
    arrays: Mapping[str, np.ndarray],
    *,
    compiler: str = "gcc",
    width: int = 64,
    scalars: Mapping[str, object] = {},
    flags: Sequence[str] = (),
) -> tuple[int, list[int]]:
    """Print, compile and call."""
    kernel = print_c(lowered, WIDTHS[width])
    key = (kernel.text, compiler, tuple(flags))
    if key not in _compiled:
        _compiled[key] = Compiled(kernel, compiler, flags)
    return _compiled[key](arrays, scalars)
