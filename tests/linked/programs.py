"""C and C++ programs around functions that halopy compiled: built with the compilers here, run, their output read."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
needs_clang = pytest.mark.skipif(
    shutil.which("clang") is None and importlib.util.find_spec("ziglang") is None, reason="no clang"
)

# A buffer over an array, in C.
SUPPORT = """
#include <stdio.h>
#include <string.h>
static halide_buffer_t buffer(halide_dimension_t *dim, int rank, void *host, int code, int bits) {
    halide_buffer_t b;
    memset(&b, 0, sizeof b);
    b.host = (uint8_t *)host;
    b.dimensions = rank;
    b.dim = dim;
    b.type.code = (__typeof__(b.type.code))code;
    b.type.bits = (uint8_t)bits;
    b.type.lanes = 1;
    return b;
}
static void dimension(halide_dimension_t *d, int min, int extent, int stride) {
    d->min = min;
    d->extent = extent;
    d->stride = stride;
    d->flags = 0;
}
"""


def run(folder: Path, source: str, objects: Sequence[str], compiler: str = "gcc", flags: Sequence[str] = ()) -> str:
    """Compile a program, warnings as errors, link it with the objects, run it: what it prints."""
    text = folder / ("main.cpp" if compiler == "g++" else "main.c")
    text.write_text(source)
    standard = "-std=c++17" if compiler == "g++" else "-std=gnu11"
    command = [compiler, standard, "-Wall", "-Wextra", "-Werror", *flags, str(text), "-I", str(folder)]
    command += ["-o", str(folder / "main"), *(str(folder / name) for name in objects)]
    built = subprocess.run([*command, "-lm", "-lpthread"], check=False, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([str(folder / "main")], check=False, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, (ran.returncode, ran.stdout, ran.stderr)
    return ran.stdout
