"""Sizes beyond all memory are refused: what is needed is computed without wrapping."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, z = hl.vars("x y z")


def table(step: int) -> hl.Func:
    """Its output needs (3 * step) ** 2 elements of scratch memory for two of its own."""
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = hl.u32(x + y)
    g[x] = f[x * step, x * step]
    f.compute_root()
    return g


@pytest.mark.parametrize("step", [(1 << 31) - 1, 1 << 30, 1 << 20])
def test_scratch_memory_whose_size_passes_all_numbers_is_refused(step: int) -> None:
    with pytest.raises(hl.HalideError, match=r"out of memory: [0-9]+ bytes for `f` could not be allocated"):
        table(step).realize([4])


def test_scratch_memory_that_there_is_serves() -> None:
    assert list(np.asarray(table(100).realize([4]))) == [0, 200, 400, 600]


@pytest.mark.parametrize("size", [1 << 31, 1 << 62, 1 << 63, 1 << 70])
def test_sizes_to_realize_over_have_32_bits(size: int) -> None:
    f = hl.Func("f")
    f[x] = hl.u8(x)
    with pytest.raises(hl.BufferError, match="too large to realize over"):
        f.realize([size])


def test_inputs_of_more_than_two_to_the_32_elements_are_addressed() -> None:
    cells = np.zeros(1, np.uint8)
    wide = np.lib.stride_tricks.as_strided(cells, (70_000, 70_000), (0, 0))
    f, image = hl.Func("f"), hl.Buffer(wide)
    f[x, y] = image[69_999 - x, 69_999 - y] + 1
    assert (np.asarray(f.realize([3, 2])) == 1).all()
