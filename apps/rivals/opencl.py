"""The OpenCL device that halopy chooses, made known to what else runs in this process: Halide, and plain pyopencl."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pyopencl as cl

import halopy


def open_device() -> None:
    """Halide looks for OpenCL's functions among those of all libraries that are loaded, so pyopencl's will do. PoCL
    is told which processor this is, where it does not know (that is what halopy does on opening a device)."""
    halopy.Buffer(np.zeros(1, np.uint8)).copy_to_device(halopy.Target("host-opencl"))
    for library in (Path(cl.__file__).parent / ".libs").glob("libOpenCL*"):
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
