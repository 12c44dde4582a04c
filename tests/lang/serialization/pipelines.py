"""Pipelines that together use what a document may hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import halopy as hl
from halopy.compile import compile_pipeline
from halopy.target import host_target

x, y, xo, xi, yo, yi, t = (hl.Var(n) for n in ("x", "y", "xo", "xi", "yo", "yi", "t"))
PICTURE = np.arange(7 * 5, dtype=np.uint8).reshape(5, 7)


def stencil() -> hl.Pipeline:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 5 - y * y
    f[x, y] = g[x - 1, y] + 2 * g[x + 1, y + 1]
    f.tile(x, y, xo, yo, xi, yi, 8, 4, hl.TailStrategy.GuardWithIf).vectorize(xi).parallel(yo)
    g.compute_at(f, xo).store_at(f, yo).store_in(hl.MemoryType.Stack).align_bounds(x, 8).unroll(y, 2)
    return hl.Pipeline(f)


def picture() -> hl.Pipeline:
    edge = hl.BoundaryConditions.repeat_edge(hl.Buffer(PICTURE))
    f = hl.Func("f")
    f[x, y] = hl.cast(hl.UInt(16), edge[x - 1, y]) + edge[x + 2, y]
    return hl.Pipeline(f)


def reduction() -> hl.Pipeline:
    f, h = hl.Func("f"), hl.Func("h")
    r = hl.RDom([(0, 5), (-2, 4)], "r")
    r.where(r.x + r.y > 0)
    h[x] = hl.Tuple(x, hl.f64(0.25) * x)
    h[x] = hl.Tuple(h[x][0] + r.x * r.y, h[x][1] * 2.0)
    f[x, y] = hl.sum(h[x + hl.RDom([(0, 3)]).x][0]) + hl.select(y > 2, y, h[y][0])
    h.compute_root().update(0).reorder(r.y, r.x, x).unroll(r.x)
    return hl.Pipeline(f)


def versions() -> hl.Pipeline:
    n, f, g = hl.Param(hl.Int(32), "n", 3), hl.Func("f"), hl.Func("g")
    n.set_range(1, 9)
    g[x, y] = x * n
    f[x, y] = g[x, y] + g[x + 1, y]
    narrow = f.specialize(n < 4)
    narrow.vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    narrow.specialize(n == 2).unroll(y, 2, hl.TailStrategy.GuardWithIf)
    f.specialize(n > 8).parallel(y)
    f.specialize_fail("nothing between")
    g.in_(f).compute_at(f, y).vectorize(x, 4)
    g.compute_root().trace_stores().add_trace_tag("a tag")
    p = hl.Pipeline(f)
    p.add_requirement(n > 0, "n is", n)
    return p


def inputs() -> hl.Pipeline:
    image, gain = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Param(hl.Float(32), "gain", 1.5)
    image.dim(0).set_bounds(0, 7).dim(1).set_stride(7).set_estimate(0, 5)
    image.set_host_alignment(1)
    image.set(hl.Buffer(PICTURE))
    f, other = hl.Func("f"), hl.Func("other")
    other[x, y] = hl.f32(image[x, y]) * gain
    f[x, y] = hl.cast(hl.Int(32), hl.print_when(x == 100, other[x, y], "at", x)) + image.dim(1).extent()
    f.output_buffer().dim(0).set_bounds(0, 6)
    f.bound(x, 0, 6).set_estimates([(0, 6), (0, 5)])
    other.clone_in(f).compute_root().prefetch(image, y, y, 2)
    return hl.Pipeline(f)


def factored() -> hl.Pipeline:
    """What an update was factored into is written; what made it so is not, so the C text has other comments."""
    f, u, rxo, rxi = hl.Func("f"), hl.Var("u"), hl.RVar("rxo"), hl.RVar("rxi")
    r = hl.RDom([(0, 19)], "r")
    f[x] = 0
    f[x] += x * r.x
    f[hl.scatter(1, 2)] = hl.gather(f[2], f[1])
    f.update(0).split(r.x, rxo, rxi, 8)
    intermediate = f.update(0).rfactor(rxo, u)
    intermediate.compute_root().vectorize(x, 4).update(0).reorder(u, rxi, x).unroll(u)
    f.update(0).unscheduled()
    f.update(1).unscheduled()
    return hl.Pipeline(f)


FAMILY: dict[str, Callable[[], hl.Pipeline]] = {f.__name__: f for f in (stencil, picture, reduction, versions, inputs)}


def sizes_of(pipeline: hl.Pipeline) -> list[int]:
    return [6, 5][: pipeline.outputs()[0].dimensions()]


def text_of(pipeline: hl.Pipeline) -> str:
    """The kernel's C text, which is not compiled."""
    now = pipeline.snapshot()
    return str(compile_pipeline(now.program, now.schedules, host_target()).text)
