"""Small pipelines, each with a schedule that some pass has work with; faults of passes are seeded for them."""

from __future__ import annotations

from collections.abc import Callable

import halopy as hl

x, y, xo, xi, yo, yi, t = hl.vars("x y xo xi yo yi t")
T = hl.TailStrategy


def sliding() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * y + x
    f[x, y] = g[x, y - 1] + g[x, y] + g[x, y + 1]
    g.store_root().compute_at(f, y)
    return f


def falling() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y
    f[x, y] = g[x, -y] + g[x, 2 - y]
    g.store_root().compute_at(f, y)
    return f


def strips() -> hl.Func:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    h[x, y] = x + y
    g[x, y] = h[x, y] + h[x, y + 2]
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    f.split(y, yo, yi, 8, T.GuardWithIf).parallel(yo)
    g.store_at(f, yo).compute_at(f, yi)
    h.store_at(f, yo).compute_at(f, yi).vectorize(x, 4)
    return f


def tiles() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * y
    f[x, y] = g[x - 1, y] + g[x + 1, y + 1]
    f.tile(x, y, xo, yo, xi, yi, 8, 4, T.GuardWithIf)
    g.compute_at(f, xo).vectorize(x, 4, T.ShiftInwards)
    return f


def root() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x - y
    f[x, y] = g[x, y] + g[x + 2, y]
    g.compute_root().split(x, xo, xi, 8, T.ShiftInwards).split(y, yo, yi, 4, T.GuardWithIf)
    f.split(x, xo, xi, 8, T.ShiftInwards)
    return f


def rounded() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x - y
    f[x, y] = g[x, y] + g[x + 2, y]
    g.compute_root().split(x, xo, xi, 8, T.RoundUp)
    return f


def blended() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x
    g[x] = g[x] * 2 + 1
    f[x] = g[x]
    g.compute_root().update().split(x, xo, xi, 4, T.ShiftInwardsAndBlend)
    return f


def fused() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * y
    f[x, y] = g[x, y] + g[x + 3, y - 2]
    g.compute_root().bound(x, 0, 22).fuse(x, y, t).parallel(t)
    f.bound(x, 0, 19)
    return f


def skewed() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(1, 9), (1, 7)], "r")
    g[x, y] = x + y
    g[r.x, r.y] = g[r.x - 1, r.y] + g[r.x, r.y - 1]
    f[x, y] = g[x, y]
    g.compute_root().update().skew(r.x, r.y, 1)
    return f


def consumers() -> hl.Func:
    f, g, h, p = hl.Func("f"), hl.Func("g"), hl.Func("h"), hl.Func("p")
    p[x, y] = x * 7 + y
    g[x, y] = p[x - 2, y] + 1
    h[x, y] = p[x, y + 3] * 2
    f[x, y] = g[x, y] + h[x, y]
    for func in (p, g, h):
        func.compute_root()
    return f


def updates() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(1, 20)], "r")
    g[x, y] = hl.select(x == 0, y, 0)
    g[r.x, y] = g[r.x - 1, y] * 3 + 1
    f[x, y] = g[x, y] + g[x + 1, y]
    g.compute_at(f, y)
    f.bound(x, 0, 19)
    return f


def halves() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y
    f[x, y] = g[x // 2, y * 2] + g[x // 2 + 1, y * 2 + 1]
    g.compute_at(f, y)
    return f


def together() -> hl.Func:
    f, g, p = hl.Func("f"), hl.Func("g"), hl.Func("p")
    p[x, y] = x + y
    g[x, y] = x * y
    f[x, y] = p[x, y] + g[x + 1, y + 1]
    p.compute_root()
    g.compute_root().compute_with(p, y)
    return f


def aligned() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y
    f[x, y] = g[x, y] + g[x + 1, y]
    g.compute_root().align_bounds(x, 8).vectorize(x, 8, T.RoundUp)
    return f


def folded() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y
    f[x, y] = g[x, y] + g[x, y + 2]
    g.store_root().compute_at(f, y).fold_storage(y, 3)
    return f


def once() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x, y] = g[x] + y
    g.store_root().compute_at(f, y)
    return f


def summed() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 20)], "r")
    g[x] = 0
    g[x] += r * x
    f[x] = g[x] + g[x + 1]
    g.compute_root().update().split(r, hl.RVar("ro"), hl.RVar("ri"), 6, T.GuardWithIf)
    return f


def unrolled() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y * 2
    f[x, y] = g[x, y] - g[x + 1, y]
    g.compute_at(f, y).unroll(x, 3)
    f.unroll(x, 4, T.GuardWithIf)
    return f


def clamped() -> hl.Func:
    source, f = hl.Func("source"), hl.Func("f")
    source[x, y] = x * 5 + y * y
    source.compute_root()
    f[x, y] = source[hl.clamp(x - 1, 0, 15), y] + source[hl.clamp(x + 1, 0, 15), y]
    f.vectorize(x, 4, T.GuardWithIf)
    return f


def colours() -> hl.Func:
    f, g, h, c = hl.Func("f"), hl.Func("g"), hl.Func("h"), hl.Var("c")
    h[x, c] = x * 3 + c
    g[x, c] = h[x, c] + c
    f[x, y] = g[x, y % 3]
    h.compute_root()
    g.compute_root().reorder_storage(c, x).reorder(c, x).bound(c, 0, 3).unroll(c).vectorize(x, 4, T.RoundUp)
    return f


def doubled() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x] = g[2 * x] + g[2 * x + 1] * 2
    g.compute_root()
    f.vectorize(x, 8, T.GuardWithIf)
    return f


def halved() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x] = g[x // 2] + g[x // 2 + 1]
    g.compute_root()
    f.vectorize(x, 8, T.GuardWithIf)
    return f


def masked() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 13)], "r")
    g[x] = x * x
    f[x, y] = 0
    r.where(x % 3 == 0)
    f[x, r] = g[x] + r
    g.compute_root()
    f.bound(y, 0, 13).update().vectorize(x, 8, T.GuardWithIf)
    return f


def chosen() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 1)], "r")
    g[x] = x * x
    f[x] = 0
    r.where(x % 3 == 0)
    f[x] += g[x + r]
    g.compute_root()
    f.update().vectorize(x, 8, T.GuardWithIf)
    return f


def scanned() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 6)], "r")
    g[x, y] = x * 3 + y
    g[r + 1, y] = g[r + 1, y] * 2 + g[r, y]
    f[x, y] = g[x, y]
    g.compute_root().update().unroll(r)
    return f


def rows() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y
    f[x, y] = g[x + 1, y] + g[x, y + 1]
    g.compute_root()
    f.tile(x, y, xo, yo, xi, yi, 4, 2, T.GuardWithIf).vectorize(xi).vectorize(yi)
    return f


def lanes() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 2 + y
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    f.vectorize(x, 4, T.ShiftInwards)
    g.compute_at(f, x).vectorize(x, 4)
    return f


def summed_by_lanes() -> hl.Func:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 16)], "r")
    g[x] = x * 5
    f[x] = 0
    f[x] += g[x + r]
    g.compute_root()
    f.update().atomic().vectorize(r, 8)
    return f


PIPELINES: dict[str, Callable[[], hl.Func]] = {
    make.__name__: make
    for make in (
        sliding,
        falling,
        strips,
        tiles,
        root,
        rounded,
        blended,
        fused,
        skewed,
        consumers,
        updates,
        halves,
        together,
        aligned,
        folded,
        once,
        summed,
        unrolled,
        clamped,
        colours,
        doubled,
        halved,
        masked,
        chosen,
        scanned,
        rows,
        lanes,
        summed_by_lanes,
    )
}
