"""Pipelines that tests tune, and some that cannot be."""

from __future__ import annotations

import halopy as hl

x, y, c = hl.vars("x y c")


def chain():
    """Stencils one after the other; the middle one is read by two, and edges are clamped."""
    photo = hl.ImageParam(hl.UInt(8), 2, "photo")
    wide, across, down, sharp = hl.Func("wide"), hl.Func("across"), hl.Func("down"), hl.Func("sharp")
    wide[x, y] = hl.i16(hl.BoundaryConditions.repeat_edge(photo)[x, y])
    across[x, y] = wide[x - 1, y] + 2 * wide[x, y] + wide[x + 1, y]
    down[x, y] = across[x, y - 1] + 2 * across[x, y] + across[x, y + 1]
    sharp[x, y] = hl.u8_sat(2 * wide[x, y] - down[x, y] / 16)
    return sharp


def counted():
    """A histogram of rows, and a sum over a window: updates."""
    photo = hl.ImageParam(hl.UInt(8), 2, "photo")
    across, window = hl.RDom([(0, 40)], "across"), hl.RDom([(-1, 3)], "window")
    counts, sums = hl.Func("counts"), hl.Func("sums")
    counts[x, y] = hl.i32(0)
    counts[hl.i32(photo[across, y]), y] += 1
    sums[x, y] = hl.i32(0)
    sums[x, y] += counts[hl.clamp(x + window, 0, 255), y]
    return sums


def scheduled():
    """A pipeline that comes with a schedule."""
    f = chain()
    f.parallel(y)
    return hl.Pipeline(f)


def number():
    return 3


def on_device():
    """Every element is a thread's."""
    f, xi, yi = hl.Func("f"), hl.Var("xi"), hl.Var("yi")
    f[x, y] = x + y
    f.gpu_tile(x, y, xi, yi, 8, 8)
    return f
