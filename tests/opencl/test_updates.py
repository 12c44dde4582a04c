"""Reductions, scans and atomic updates on a device."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, bx, by, tx, ty = (hl.Var(n) for n in ("x", "y", "bx", "by", "tx", "ty"))
ro, ri = hl.RVar("ro"), hl.RVar("ri")
T = hl.TailStrategy
TYPES = [hl.UInt(8), hl.Int(16), hl.Int(32), hl.UInt(32), hl.Int(64), hl.Float(32), hl.Float(64)]


def test_each_thread_adds_up_its_own(opencl):
    rows = np.arange(21 * 37, dtype=np.int32).reshape(21, 37)
    image, r, f = hl.Buffer(rows), hl.RDom([(0, 37)]), hl.Func("f")
    f[y] = 0
    f[y] += image[r, y]
    f.gpu_tile(y, by, ty, 8, T.GuardWithIf)
    f.update().gpu_tile(y, by, ty, 8, T.GuardWithIf)
    np.testing.assert_array_equal(np.asarray(f.realize([21], opencl)), rows.sum(axis=1))


def test_rows_are_scanned_beside_each_other(opencl):
    f, r = hl.Func("f"), hl.RDom([(1, 30)])
    f[x, y] = x + y
    f[r, y] += f[r - 1, y]
    f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf)
    f.update().gpu_tile(y, by, ty, 4, T.GuardWithIf)
    columns, rows = np.meshgrid(np.arange(31), np.arange(9))
    np.testing.assert_array_equal(np.asarray(f.realize([31, 9], opencl)), np.cumsum(columns + rows, axis=1))


def values(kind: hl.Type, size: int) -> np.ndarray:
    dtype = np.asarray(hl.Buffer(kind, [1])).dtype
    return (np.random.default_rng(3).integers(0, 60, size)).astype(dtype)


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_threads_take_turns(kind, opencl):
    places = hl.Buffer(np.random.default_rng(4).integers(0, 5, 700).astype(np.int32))
    numbers = values(kind, 700)
    r = hl.RDom([(0, 700)])
    image = hl.Buffer(numbers)
    place = hl.clamp(places[r], 0, 4)
    total, greatest = hl.Func("total"), hl.Func("greatest")
    total[x] = hl.cast(kind, 0)
    total[place] += image[r]
    greatest[x] = hl.cast(kind, 3)
    greatest[place] = hl.max(greatest[place], image[r])
    for f in (total, greatest):
        f.gpu_tile(x, bx, tx, 4, T.GuardWithIf)
        f.update().atomic().split(r.x, ro, ri, 16, T.GuardWithIf).gpu_blocks(ro).gpu_threads(ri)
    found = [np.asarray(part) for part in hl.Pipeline([total, greatest]).realize([5], opencl)]
    at = np.asarray(places)
    sums = np.zeros(5, numbers.dtype)
    np.add.at(sums, at, numbers)
    np.testing.assert_array_equal(found[0], sums)
    np.testing.assert_array_equal(found[1], [max(3, numbers[at == k].max()) for k in range(5)])


def test_threads_of_a_block_take_turns_in_memory_that_they_share(opencl):
    image = hl.Buffer(np.random.default_rng(5).integers(0, 8, (6, 64)).astype(np.int32))
    counts, f, r = hl.Func("counts"), hl.Func("f"), hl.RDom([(0, 64)])
    counts[x, y] = 0
    counts[hl.clamp(image[r, y], 0, 7), y] += 1
    f[x, y] = counts[x, y]
    f.bound(x, 0, 8).gpu_blocks(y).gpu_threads(x)
    counts.compute_at(f, y).gpu_threads(x)
    counts.update().atomic().split(r.x, ro, ri, 8).gpu_threads(ri)
    expected = [np.bincount(row, minlength=8) for row in np.asarray(image)]
    np.testing.assert_array_equal(np.asarray(f.realize([8, 6], opencl)), expected)


def test_a_whole_stage_is_one_thread(opencl):
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * 3
    f[x] = g[x] + g[x + 1]
    g.compute_root().gpu_single_thread()
    f.gpu_single_thread()
    np.testing.assert_array_equal(np.asarray(f.realize([9], opencl)), np.arange(9) * 6 + 3)
    assert f.realize([9], opencl).has_device_allocation()


def test_a_device_runs_a_loop_of_one_block(opencl):
    f = hl.Func("f")
    f[x] = x
    f.bound(x, 0, 8).gpu_tile(x, bx, tx, 8)
    assert f.realize([8], opencl).has_device_allocation()


def test_one_element_that_a_kernel_writes_is_no_variable_of_the_host(opencl):
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = hl.i16(x)
    f[x, y] += hl.i16(1)
    g[x, y] = hl.u8(f[x, y])  # f is computed at each element of g
    f.gpu_tile(x, bx, tx, 2)
    np.testing.assert_array_equal(np.asarray(g.realize([3, 2], opencl)), [[1, 2, 3]] * 2)
