"""Schedules for steps in time, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl

_GUARD = hl.TailStrategy.GuardWithIf


def all_steps(u: hl.Func, last: hl.Func) -> None:
    """Blocks of 512x64 elements that stay in the second cache for 50 steps, in memory for two planes.

    Step by step, each plane comes from memory and goes there once per step, and nothing else takes long. Skewed by one
    element per step, blocks in time need only what blocks before them in x, y and t have computed, so those on a
    diagonal of x and y are apart, and run in parallel. What block and step leave behind is overwritten two steps later
    in place, after it was read for the last time: so says `fold_storage`, and isl proves it.
    """
    x, y, t = u.args()
    steps = u.update(1)
    rx, ry, rt = u.rvars(1)
    across, down, sweep, xi, yi, ti = (hl.RVar(n) for n in ("across", "down", "sweep", "xi", "yi", "ti"))
    steps.skew(rx, rt, 1).skew(ry, rt, 1)
    steps.split(rt, sweep, ti, 50).split(ry, down, yi, 64).split(rx, across, xi, 512)
    steps.reorder(xi, yi, ti, across, down, sweep)
    steps.skew(down, across, 1).reorder(across, down).parallel(across).vectorize(xi, 16)
    u.compute_root().fold_storage(t, 2)
    u.update(0).vectorize(x, 16, _GUARD).parallel(y, 64, _GUARD)
    last.vectorize(last.args()[0], 16, _GUARD).parallel(last.args()[1], 64, _GUARD)


def one_step(following: hl.Func) -> None:
    """Strips of 64 rows in parallel, which is as fast as memory: the fastest found for halopy and for Halide 21."""
    x, y = following.args()
    following.vectorize(x, 16, _GUARD).parallel(y, 64, _GUARD)


def all_steps_opencl(u: hl.Func, last: hl.Func) -> None:
    """A kernel for each step, from one plane in the device's memory to the other."""
    x, y, t = u.args()
    steps = u.update(1)
    rx, ry, _ = u.rvars(1)
    tx, ty, rxi, ryi = hl.Var("tx"), hl.Var("ty"), hl.RVar("rxi"), hl.RVar("ryi")
    u.compute_root().fold_storage(t, 2)
    u.update(0).gpu_tile(x, y, tx, ty, 64, 1, _GUARD)
    steps.split(rx, rx, rxi, 64, _GUARD).split(ry, ry, ryi, 4, _GUARD).reorder(rxi, ryi, rx, ry)
    steps.gpu_blocks(rx, ry).gpu_threads(rxi, ryi)
    x, y = last.args()
    last.gpu_tile(x, y, tx, ty, 64, 4, _GUARD)
