"""Schedules that probably mean something else are warned about, at the user's line."""

from __future__ import annotations

import warnings

import pytest

import halopy as hl

x = hl.Var("x")


def with_update() -> hl.Func:
    f = hl.Func("f")
    f[x] = 0
    f[x] += 5
    return f


def test_an_update_forgotten_beside_a_scheduled_definition_warns():
    f = with_update()
    f.vectorize(x, 8)
    with pytest.warns(UserWarning, match=r"f\.update\(0\) has no schedule"):
        f.realize([16])


def test_an_update_left_alone_on_purpose_is_silent():
    for schedule in (
        lambda f: None,
        lambda f: f.compute_root(),
        lambda f: (f.vectorize(x, 8), f.update(0).unscheduled()),
        lambda f: (f.vectorize(x, 8), f.update(0).vectorize(x, 8)),
    ):
        f = with_update()
        schedule(f)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            f.realize([16])


def test_bounds_of_an_inlined_func_warn_where_they_were_written():
    f, g = hl.funcs("f g")
    f[x] = x
    f.bound(x, 0, 127)
    g[x] = f[x]
    with pytest.warns(UserWarning, match=r"f\.bound\(x, 0, 127\) has no effect") as warned:
        g.realize([16])
    assert warned[0].filename.endswith("test_advice.py")
    f.compute_root()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g.realize([16])


INLINED_LOOPS = {
    "split": lambda f: f.split(x, hl.Var("xo"), hl.Var("xi"), 4),
    "vectorize": lambda f: f.vectorize(x, 8),
    "parallel": lambda f: f.parallel(x),
    "unroll": lambda f: f.unroll(x, 2),
    "rename": lambda f: f.rename(x, hl.Var("z")),
}


@pytest.mark.parametrize(("verb", "schedule"), INLINED_LOOPS.items(), ids=INLINED_LOOPS.keys())
def test_loops_of_an_inlined_func_warn_where_they_were_written(verb, schedule):
    f, g = hl.funcs("f g")
    f[x] = x
    schedule(f)
    g[x] = f[x]
    with pytest.warns(UserWarning, match=rf"f\.{verb}\(.*\) has no effect: f is inlined, and has no loops") as warned:
        assert list(g.realize([3])) == [0, 1, 2]
    assert len(warned) == 1
    assert warned[0].filename.endswith("test_advice.py")
    f.compute_root()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(g.realize([8])) == list(range(8))


def test_files_are_warned_about_as_runs_are(tmp_path):
    f = with_update()
    f.vectorize(x, 8)
    with pytest.warns(UserWarning, match=r"f\.update\(0\) has no schedule"):
        f.compile_to_c(tmp_path / "f.c", [], "f")


def halves() -> hl.Func:
    f = hl.Func("f")
    f[x] = hl.u8_sat(hl.cast(hl.Float(16), x) / hl.cast(hl.Float(16), 2.5))
    return f


def test_float16_that_is_emulated_warns_where_it_is_computed(tmp_path):
    with pytest.warns(UserWarning, match="`f` computes in float16, which the target x86-64-linux emulates") as warned:
        halves().compile_to_c(tmp_path / "f.c", [], "f", hl.Target("x86-64-linux"))
    assert warned[0].filename.endswith("test_advice.py")
    for target, f in (("x86-64-linux-avx-f16c", halves()), ("x86-64-linux", with_update())):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            f.compile_to_c(tmp_path / "f.c", [], "f", hl.Target(target))
