"""`Pipeline.check`: schedules beside the oracle."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, xo, xi = hl.vars("x y xo xi")


def blurred() -> tuple[hl.ImageParam, hl.Func, hl.Func]:
    image, f, g = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Func("f"), hl.Func("g")
    f[x, y] = hl.u16(image[x - 1, y]) + image[x + 1, y]
    g[x, y] = (f[x, y - 1] + f[x, y + 1], hl.f32(f[x, y]) / 3)
    return image, f, g


def test_a_schedule_that_keeps_the_answer_gives_nothing() -> None:
    image, f, g = blurred()
    f.compute_at(g, y).vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    assert hl.Pipeline(g).check() == ()
    assert not image.get().defined()


def test_another_schedule_is_tried_and_taken_back() -> None:
    _, f, g = blurred()
    pipeline = hl.Pipeline(g)
    plain = pipeline.schedule
    f.compute_root()
    rooted = pipeline.schedule
    pipeline.apply_schedule(plain)
    assert pipeline.check(rooted, [[6, 5]]) == ()
    assert pipeline.schedule == plain


def test_a_wrong_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, g = blurred()
    run = hl.Pipeline.realize

    def realize(pipeline: hl.Pipeline, outputs: list[hl.Buffer]) -> None:
        run(pipeline, outputs)
        np.asarray(outputs[1])[1:, 2] = 7

    monkeypatch.setattr(hl.Pipeline, "realize", realize)
    (wrong,) = hl.Pipeline(g).check(sizes=[[5, 4]])
    assert (wrong.func, wrong.element, wrong.cell, wrong.found, wrong.count) == ("g", 1, (2, 1), 7, 3)
    assert str(wrong).startswith("g(2, 1)[1] is 7.0, should be ")
    assert str(wrong).endswith(", at sizes [5, 4] (and 2 more are wrong)")


def test_regrouped_sums_may_differ_within_the_tolerance() -> None:
    image, f, r, u = hl.ImageParam(hl.Float(32), 2, "image"), hl.Func("f"), hl.RDom([(0, 40)]), hl.Var("u")
    f[x] = 0.0
    f[x] += image[x, r]
    f.update().split(r, hl.RVar("ro"), hl.RVar("ri"), 8)
    f.update().rfactor(hl.RVar("ri"), u).compute_root()
    assert hl.Pipeline(f).check() == ()


def test_a_bound_input_is_used_as_it_is() -> None:
    image, _, g = blurred()
    image.set(hl.Buffer(np.full((4, 4), 3, np.uint8)))
    with pytest.raises(hl.BufferError, match="input `image` is too small"):
        hl.Pipeline(g).check(sizes=[[9, 9]])
