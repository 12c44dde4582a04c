"""What is printed is compared with the loops that were built: right ones are proved, wrong ones are not."""

from __future__ import annotations

import pytest

import halopy as hl
from halopy.lang.snapshot import snapshot
from halopy.lower import pipeline
from halopy.lower.check_printed import Texts, obligations_of
from halopy.lower.place_functions import Placement
from halopy.polyhedral.translation import validate
from halopy.proof import PROVED, Obligation

from .faulty_pipelines import PIPELINES


def printed(output: hl.Func) -> list[Obligation]:
    """What is found about the statements printed for it."""
    found: list[Obligation] = []

    def judge(texts: Texts, placement: Placement, strided: object) -> None:
        found.extend(obligations_of(texts, placement, ()))

    taken = snapshot([output._contents])
    pipeline.lower(taken.program, taken.schedules, judge=judge)
    return found


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_printed_is_proved(name: str) -> None:
    found = printed(PIPELINES[name]())
    assert found
    assert [str(o) for o in found if o.status != PROVED] == []


def test_what_is_read_where_memory_says_is_proved() -> None:
    """Its index is computed alike, with the operands of sums and products in another order."""
    x, y, t = hl.vars("x y t")
    picture = hl.ImageParam(hl.UInt(8), 2, "picture")
    table, looked_up = hl.Func("table"), hl.Func("looked_up")
    table[x] = x * x
    grey = 0.25 * hl.f32(picture[x, y]) + 0.5 * hl.f32(picture[x + 1, y])
    looked_up[x, y] = table[hl.i32(hl.u8(hl.clamp(grey, 0.0, 255.0)))]
    table.compute_root()
    looked_up.split(y, y, t, 8, hl.TailStrategy.ShiftInwards).vectorize(x, 8, hl.TailStrategy.GuardWithIf)
    assert [str(o) for o in printed(looked_up) if o.status != PROVED] == []


def test_lanes_that_are_iterations_of_two_loops_are_proved() -> None:
    x, xi, xo, c = hl.vars("x xi xo c")
    g, f = hl.Func("g"), hl.Func("f")
    g[c, x] = 7
    f[c, x] = g[c, x] + g[c, x + 1]
    g.compute_root().bound(c, 0, 2).split(x, xo, xi, 4, hl.TailStrategy.RoundUp).vectorize(c, 2).vectorize(xi)
    assert [str(o) for o in printed(f) if o.status != PROVED] == []


def test_sums_of_loop_variables_that_have_a_name_are_no_obstacle() -> None:
    x, y, z, yi = hl.vars("x y z yi")
    start, u, last = hl.ImageParam(hl.Float(32), 2, "start"), hl.Func("u"), hl.Func("last")
    r = hl.RDom([(0, start.dim(0).extent()), (0, start.dim(1).extent()), (1, 4)])
    u[x, y, z] = hl.undef(hl.Float(32))
    u[x, y, 0] = start[x, y]
    u[r.x, r.y, r.z] = u[r.x, r.y, r.z - 1] * 0.5
    last[x, y] = u[x, y, 4]
    u.compute_root().update(0).split(y, y, yi, 128, hl.TailStrategy.GuardWithIf).parallel(y)
    u.update(0).vectorize(x, 16, hl.TailStrategy.GuardWithIf)
    assert [str(o) for o in printed(last) if o.status != PROVED] == []


def test_an_expression_that_is_too_deep_for_a_proof_is_not_proved_and_compiled(monkeypatch):
    def recurse(*of: object) -> None:
        raise RecursionError

    monkeypatch.setattr(validate, "validate_printed", recurse)
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = x + 1
    assert any("too deep" in o.reason for o in f.verify().obligations)
    f.compile_jit()
