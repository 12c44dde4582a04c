"""Wrappers and clones: who reads what, under which name, with the same answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.ir.program import reads as reads_of

x, y, xi, yi, _0, _1 = hl.vars("x y xi yi _0 _1")
SIZES = [(1, 1), (7, 5), (16, 9), (33, 3)]
PICTURE = np.random.default_rng(2).integers(0, 1000, (40, 60)).astype(np.int32)


def pipeline() -> tuple[hl.Func, hl.Func, hl.Func]:
    """f read by g and h, h reads g too."""
    f, g, h = hl.funcs("f g h")
    f[x, y] = x * 3 + y * y
    f[x, y] += x
    g[x, y] = f[x, y] + f[x + 1, y]
    h[x, y] = f[x, y] * 2 - g[x, y + 1]
    f.compute_root()
    return f, g, h


def reads(h: hl.Func) -> dict[str, set[str]]:
    """Which Funcs and inputs each Func of the pipeline reads."""
    functions = h.pipeline().snapshot().program.functions.values()
    return {
        f.name: {r.name for d in f.definitions for e in d.values for r in reads_of(e)} - {f.name} for f in functions
    }


def agrees(h: hl.Func) -> None:
    for size in SIZES:
        np.testing.assert_array_equal(np.asarray(h.realize(list(size))), np.asarray(h.reference(list(size))))


def test_wrappers_are_named_as_in_halide() -> None:
    f, g, h = pipeline()
    assert (f.in_(g).name(), f.in_().name(), f.in_(h).name()) == ("f_in_g$0", "f_global_wrapper$1", "f_in_h$2")
    assert f.in_(g).in_(g).name() == "f_in_g_in_g$0"
    k = hl.Func("k")
    k[x, y] = f[x, y] + g[x, y]
    assert g.in_([h, k]).name() == "g_wrapper$0" and h.in_([k]).name() == "h_in_k$0"
    assert k.clone_in(hl.Func("m")).name() == "k_clone_in_m$0"
    image = hl.ImageParam(hl.Int(32), 2, "im")
    assert (image.in_(g).name(), image.in_().name()) == ("im_im_in_g$0", "im_im_global_wrapper$1")


def test_asking_again_gives_the_same_wrapper() -> None:
    f, g, h = pipeline()
    assert f.in_(g)._contents is f.in_([g])._contents
    assert g.in_([h])._contents is g.in_(h)._contents
    assert f.in_()._contents is f.in_()._contents


def test_a_wrapper_is_read_only_where_it_was_asked_for() -> None:
    f, g, h = pipeline()
    g.compute_root()
    f.in_(g).compute_root()
    assert reads(h) == {"f": set(), "f_in_g": {"f"}, "g": {"f_in_g"}, "h": {"f", "g"}}
    agrees(h)
    f.in_().compute_root()
    assert reads(h)["h"] == {"f_global_wrapper", "g"} and reads(h)["g"] == {"f_in_g"}
    agrees(h)


def test_a_wrapper_of_several_is_computed_once_for_all() -> None:
    f, g, h = pipeline()
    g.compute_root()
    f.in_([g, h]).compute_root().vectorize(x, 4)
    assert reads(h) == {"f": set(), "f_wrapper": {"f"}, "g": {"f_wrapper"}, "h": {"f_wrapper", "g"}}
    agrees(h)


def test_wrappers_of_wrappers_stand_in_line() -> None:
    f, g, h = pipeline()
    g.compute_root()
    first = f.in_(g)
    second = first.in_(g)
    first.compute_root()
    second.compute_at(g, y)
    assert reads(h)["g"] == {"f_in_g_in_g"} and reads(h)["f_in_g_in_g"] == {"f_in_g"}
    agrees(h)
    f.in_(first).compute_root()
    assert reads(h)["f_in_g"] == {"f_in_f_in_g"}
    agrees(h)


def test_a_wrapper_of_a_global_wrapper_is_read_in_its_place() -> None:
    f, g, h = pipeline()
    g.compute_root()
    f.in_().compute_root()
    f.in_().in_(g).compute_at(g, y)
    assert reads(h)["g"] == {"f_global_wrapper_in_g"} and reads(h)["h"] == {"f_global_wrapper", "g"}
    agrees(h)


def test_inputs_have_wrappers_too() -> None:
    image = hl.ImageParam(hl.Int(32), 2, "im")
    image.set(hl.Buffer(PICTURE))
    g, h = hl.funcs("g h")
    g[x, y] = image[x, y] + image[x + 1, y]
    h[x, y] = g[x, y] - image[x + 2, y + 1]
    g.compute_root()
    image.in_(g).compute_at(g, y).vectorize(_0, 8)
    assert reads(h)["g"] == {"im_im_in_g"} and reads(h)["h"] == {"im", "g"}
    agrees(h)
    image.in_().compute_root()
    assert reads(h)["h"] == {"im_im_global_wrapper", "g"}
    agrees(h)
    image.in_(g).in_(g).compute_at(g, x)
    agrees(h)


def test_a_clone_computes_for_its_consumer_what_the_func_computes() -> None:
    f, g, h = pipeline()
    f.vectorize(x, 4)
    clone = f.clone_in(g)
    g.compute_root()
    clone.compute_at(g, y).update(0).unroll(x, 2)
    assert reads(h) == {"f": set(), "f_clone_in_g": set(), "g": {"f_clone_in_g"}, "h": {"f", "g"}}
    assert [d.kind.value for d in clone._contents.nests[0].dims] == ["vectorized", "for", "for"]
    assert not f._contents.nests[1].directives, "the schedules are apart from here on"
    agrees(h)


def test_tuples_are_wrapped_and_cloned_whole() -> None:
    f, h = hl.funcs("f h")
    f[x, y] = (x + y, hl.cast(hl.Float(32), x) / 2)
    f[x, y] = (f[x, y][0] + f[x, y][0], f[x, y][1] + 1)
    h[x, y] = hl.cast(hl.Float(32), f[x, y][0]) + f[x + 1, y][1]
    f.compute_root()
    f.in_(h).compute_at(h, y).vectorize(x, 4)
    agrees(h)
    g = hl.Func("g")
    g[x, y] = h[x, y] + f[x, y][1]
    h.compute_root()
    f.clone_in(g).compute_root()
    agrees(g)


PLACES: dict[str, Callable[[hl.Func, hl.Func], object]] = {
    "inline": lambda w, h: None,
    "root": lambda w, h: w.compute_root().vectorize(x, 8).unroll(y, 2),
    "rows": lambda w, h: w.compute_at(h, y).unroll(x, 3, hl.TailStrategy.GuardWithIf),
    "points": lambda w, h: w.compute_at(h, x),
    "sliding": lambda w, h: w.store_root().compute_at(h, y).vectorize(x, 4, hl.TailStrategy.RoundUp),
}


@pytest.mark.parametrize("inner", PLACES)
@pytest.mark.parametrize("outer", PLACES)
def test_a_wrapper_anywhere_keeps_the_answer(outer: str, inner: str) -> None:
    f, h = hl.funcs("f h")
    f[x, y] = x * 3 + y * y
    h[x, y] = f[x, y - 1] + f[x + 1, y + 1]
    PLACES[outer](f, f.in_(h))
    PLACES[inner](f.in_(h), h)
    if outer != "inline" and inner == "inline":
        f.compute_root()
    agrees(h)


def test_an_unused_wrapper_is_refused_where_its_func_is_part_of_the_pipeline() -> None:
    f, g, h = hl.funcs("f g h")
    f[x, y] = x
    g[x, y] = y
    h[x, y] = f[x, y] + g[x, y]
    f.in_(g)
    with pytest.raises(hl.ScheduleError, match=r"f\.in_\(g\)\n  g does not read f, so the wrapper would never be used"):
        h.realize([4, 4])
    assert np.asarray(f.realize([2, 1])).tolist() == [[0, 1]], "g is no part of this pipeline"


def test_a_wrapper_gets_no_further_definitions() -> None:
    f, g, _ = pipeline()
    wrapper = f.in_(g)
    with pytest.raises(hl.DefinitionError, match="cannot be given another definition"):
        wrapper[x, y] += 1


def test_consumers_that_share_a_wrapper_are_named_together() -> None:
    f, g, h = pipeline()
    f.in_([g, h])
    f.in_([h, g])
    with pytest.raises(hl.ScheduleError, match="`h` shares the wrapper"):
        f.in_(g)
    k = hl.Func("k")
    with pytest.raises(hl.ScheduleError, match="`k` does not share the wrapper that `g` has"):
        f.in_([g, h, k])
    with pytest.raises(hl.ScheduleError, match="`g` already has a wrapper of `f`, `k` has none"):
        f.in_([k, g])


def test_what_cannot_be_wrapped_is_refused() -> None:
    f, g, h = pipeline()
    with pytest.raises(hl.ScheduleError, match="cannot wrap itself"):
        f.in_(f)
    with pytest.raises(hl.ScheduleError, match="list of consumers is empty"):
        f.in_([])
    with pytest.raises(hl.ScheduleError, match="not defined yet"):
        hl.Func("u").in_(g)
    with pytest.raises(hl.ScheduleError, match="is not a Func"):
        f.in_(x)  # type: ignore[arg-type]
    assert f.in_(h).defined()
