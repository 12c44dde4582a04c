"""Stages that have versions are computed with each other: version by version they give what they give alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import halopy as hl

from .test_compute_with import agrees, everywhere, funcs, two_producers

x, y, xo, xi = (hl.Var(n) for n in ("x", "y", "xo", "xi"))
T, A = hl.TailStrategy, hl.LoopAlignStrategy

VERSIONS: dict[str, Callable[[hl.Func, hl.Func, hl.Param], object]] = {
    "of the parent": lambda f, g, n: f.specialize(n > 0).split(x, xo, xi, 7),
    "of the child": lambda f, g, n: g.specialize(n > 0).vectorize(x, 4),
    "of both": lambda f, g, n: [f.specialize(n > 1).vectorize(x, 8), g.specialize(n > 0).unroll(x, 2)],
    "of both, by the same condition": lambda f, g, n: [s.specialize(n == 1).vectorize(x, 4) for s in (f, g)],
    "of versions": lambda f, g, n: [f.specialize(n > 0).specialize(n > 1).vectorize(x, 4), f.specialize(n == 0)],
    "in parallel": lambda f, g, n: [s.specialize(n == 1).parallel(y) for s in (f, g)],
}


@pytest.mark.parametrize("versions", VERSIONS)
@pytest.mark.parametrize("align", [A.AlignEnd, A.NoAlign], ids=lambda a: a.name)
def test_versions_share_loops_with_what_runs_beside_them(versions: str, align: hl.LoopAlignStrategy) -> None:
    n = hl.Param(hl.Int(32), "n", 0)
    f, g, h = two_producers()
    g.compute_with(f, y, align)
    VERSIONS[versions](f, g, n)
    for value in (0, 1, 2):
        n.set(value)
        everywhere(h)


@pytest.mark.filterwarnings("ignore:.*has no schedule")
def test_versions_of_updates_share_loops_and_what_is_computed_in_them() -> None:
    n = hl.Param(hl.Int(32), "n", 0)
    p, f, g = funcs("p f g")
    p[x, y] = x * 3 - y
    for func, k in ((f, 2), (g, 5)):
        func[x, y] = x + k * y
        func[x, y] += p[x, y + k] * k
        func[x, y] += 7
    f.update(0).specialize(n == 1).vectorize(x, 4, T.GuardWithIf)
    f.update(1).specialize(n == 2).unroll(x, 2, T.GuardWithIf)
    g.update(0).compute_with(f.update(0), y)
    g.update(1).compute_with(f.update(1), x)
    p.compute_at(f, y)
    for value in (0, 1, 2):
        n.set(value)
        agrees([f, g], ([9, 5], []), ([4, 7], []))


def test_where_no_version_runs_the_pipeline_stops() -> None:
    n = hl.Param(hl.Int(32), "n", 0)
    f, g, h = two_producers()
    g.compute_with(f, y)
    f.specialize(n > 0).vectorize(x, 4)
    f.specialize_fail("n is positive")
    n.set(1)
    everywhere(h)
    n.set(0)
    with pytest.raises(hl.HalideError, match="n is positive"):
        h.realize([4, 4])
