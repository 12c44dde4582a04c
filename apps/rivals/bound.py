"""The lower bound on this machine: as many bytes as the case must move, copied in the fastest way known."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter

import numpy as np

from apps.cases import Array, Case, Size, Value
from apps.rivals import Prepared, arrays

SOURCE = Path(__file__).with_name("bound.c")
TRIALS = 5
ROUNDS = 3_000_000


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:
    """A copy that reads half and writes half of the bytes of inputs and output: the fastest of several ways."""
    share = (sum(array.nbytes for array in arrays(inputs)) + output.nbytes) // 2
    source, target = _aligned(share), _aligned(share)
    ways = [
        partial(_copy, target, source, workers, past_the_cache) for workers in {1, threads} for past_the_cache in (0, 1)
    ]
    return Prepared(min(ways, key=_fastest), output)


def seconds_for_operations(case: Case, size: Size, elements: int, threads: int) -> float:
    """The time of the case's arithmetic, in full vectors, if nothing else were done."""
    instructions = library().multiply_add if case.fused else library().add
    instructions(ROUNDS, threads)
    seconds = min(_seconds(partial(instructions, ROUNDS, threads)) for _ in range(TRIALS))
    bytes_per_second = ROUNDS * 8 * 64 * threads / seconds
    operations = case.operations(size) if callable(case.operations) else case.operations
    return operations * elements * (case.lane_bits / 8) / bytes_per_second


@cache
def library() -> ctypes.CDLL:
    found = shutil.which("clang") or shutil.which("gcc") or shutil.which("cc")
    compiler = [found] if found else [sys.executable, "-m", "ziglang", "cc"]
    target = Path(mkdtemp(prefix="halopy-bound-")) / "bound.so"
    command = [*compiler, "-O3", "-march=native", "-shared", "-fPIC", str(SOURCE), "-o", str(target)]
    if subprocess.run([*command, "-fopenmp"], check=False, capture_output=True).returncode != 0:
        subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(target))
    loaded.copy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int]
    loaded.add.argtypes = loaded.multiply_add.argtypes = [ctypes.c_long, ctypes.c_int]
    loaded.copy.restype = loaded.add.restype = loaded.multiply_add.restype = None
    shutil.rmtree(target.parent)
    return loaded


def _aligned(size: int) -> Array:
    room = np.ones(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size]


def _copy(target: Array, source: Array, threads: int, past_the_cache: int) -> None:
    library().copy(target.ctypes.data, source.ctypes.data, source.nbytes, threads, past_the_cache)


def _fastest(way: partial[None]) -> float:
    return min(_seconds(way) for _ in range(TRIALS))


def _seconds(way: partial[None]) -> float:
    start = perf_counter()
    way()
    return perf_counter() - start
