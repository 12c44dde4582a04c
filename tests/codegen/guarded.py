"""Arrays that end, or start, at a page nobody may touch, and statements run on them twice: interpreted and compiled."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Mapping

import numpy as np

from halopy.dtypes import INT32, DType
from halopy.ir.kernel import BufferArg, LoweredKernel, ScalarArg
from halopy.ir.stmt import Stmt
from tests.lower.interpreter import execute

from .compiled import COMPILERS, run

_PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None)
_alive: list[mmap.mmap] = []  # a protected page must not be unmapped while an array points beside it


def guarded(values: np.ndarray, at_end: bool) -> np.ndarray:
    """A copy whose last (or first) byte lies beside a page without access."""
    pages = -(-max(1, values.nbytes) // _PAGE)
    memory = mmap.mmap(-1, (pages + 2) * _PAGE)
    _alive.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + (pages + 1) * _PAGE):
        assert _libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(_PAGE), 0) == 0
    offset = (pages + 1) * _PAGE - values.nbytes if at_end else _PAGE
    array = np.frombuffer(memory, values.dtype, values.size, offset)
    array[:] = values
    return array


def fill(dtype: DType, size: int, seed: int) -> np.ndarray:
    """Any values of the type; small ones, so that floats stay exact."""
    rng = np.random.default_rng(seed)
    if dtype.is_bool:
        return rng.integers(0, 2, size).astype(bool)
    low = -100 if not dtype.is_uint else 0
    return rng.integers(low, 120, size).astype(dtype.to_numpy())


def assert_agrees(
    body: Stmt,
    inputs: Mapping[str, tuple[DType, int]],
    outputs: Mapping[str, tuple[DType, int]],
    scalars: Mapping[str, int] = {},
    width: int = 64,
    flags: tuple[str, ...] = (),
) -> None:
    """The compiled statement leaves in the outputs what the interpreter leaves, and touches nothing beside them."""
    arrays = {n: fill(d, size, k) for k, (n, (d, size)) in enumerate({**inputs, **outputs}.items())}
    expected = {n: a.copy() for n, a in arrays.items()}
    execute(body, expected, scalars)
    buffers = [BufferArg(n, d, 1, n in outputs) for n, (d, _) in {**inputs, **outputs}.items()]
    lowered = LoweredKernel("kernel", body, tuple(buffers), tuple(ScalarArg(n, INT32) for n in scalars))
    for compiler in COMPILERS:
        for at_end in (True, False):
            got = {n: guarded(a, at_end) for n, a in arrays.items()}
            code, _ = run(lowered, got, compiler=compiler, width=width, scalars=scalars, flags=flags)
            assert code == 0
            for name in outputs:
                np.testing.assert_array_equal(got[name], expected[name], err_msg=f"{name} by {compiler}")
