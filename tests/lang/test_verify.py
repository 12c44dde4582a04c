"""`verify` says for each thing that must hold whether and why it does."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, xi, yi = hl.vars("x y xi yi")


def blur() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x * 3 + y
    g[x, y] = f[x, y - 1] + f[x, y] + f[x, y + 1]
    return f, g


def test_a_schedule_of_pure_definitions_is_proved() -> None:
    f, g = blur()
    g.tile(x, y, xi, yi, 8, 4).vectorize(xi, 4).parallel(y)
    f.compute_at(g, y)
    proof = hl.Pipeline(g).verify()
    assert proof.status == "proved"
    assert {o.kind for o in proof.obligations} >= {"order", "tails"}
    assert str(proof).startswith(f"proved ({len(proof.obligations)} proved)\n")
    assert g.verify().status == "proved"


def test_updates_are_proved_from_their_dependences() -> None:
    f, r = hl.Func("f"), hl.RDom([(1, 9), (1, 9)], "r")
    f[x, y] = x + y
    f[r.x, r.y] = f[r.x - 1, r.y] + f[r.x, r.y]
    f.update(0).parallel(r.y)
    proof = f.verify()
    assert proof.status == "proved"
    assert [(o.kind, o.stages) for o in proof.obligations if o.stages == ("f.update(0)",)] == [
        ("order", ("f.update(0)",)),
        ("concurrency", ("f.update(0)",)),
        ("printed", ("f.update(0)",)),
    ]
    assert all(o.seconds >= 0 for o in proof.obligations)


def test_a_race_that_is_allowed_is_not_proved_and_shown() -> None:
    f, r = hl.Func("f"), hl.RDom([(1, 9)], "r")
    f[x] = x
    f[r.x] = f[r.x - 1] + 1
    f.update(0).allow_race_conditions().parallel(r.x)
    proof = f.verify()
    (race,) = proof.of_kind("concurrency")
    assert race.status == "not proved"
    assert proof.status != "proved"
    assert race.witness is not None
    assert race.witness.source.variables == {"r.x": 1}
    assert "allow_race_conditions() was given" in str(proof)


def test_what_lowering_refuses_is_refuted() -> None:
    f, g = blur()
    f.store_root().compute_at(g, y).fold_storage(y, 2)
    proof = g.verify()
    assert proof.status == "refuted"
    assert "3 values of f in y are in use at once, but only 2 are kept" in str(proof)
    f, g = blur()
    f.store_root().compute_at(g, y).fold_storage(y, 3)
    assert g.verify().status == "proved"


def test_sizes_make_numbers_of_what_is_unknown() -> None:
    f, r, q, qo, qi = hl.Func("f"), hl.RDom([(1, 6)], "r"), *(hl.RVar(n) for n in ("q", "qo", "qi"))
    f[x, y] = x
    f[x, r.x] = f[x, r.x - 1] * 2 + 1
    f.update(0).allow_race_conditions().fuse(x, r.x, q).split(q, qo, qi, 4).parallel(qi)
    assert [o.status for o in f.verify().of_kind("concurrency")] == ["not proved"]
    assert [o.status for o in f.verify([5, 7]).of_kind("concurrency")] == ["proved"]  # a row fills the loop qi


def test_loops_fused_over_sizes_known_late_may_be_split() -> None:
    f, r, q, qo, qi = hl.Func("f"), hl.RDom([(0, 6)], "r"), *(hl.RVar(n) for n in ("q", "qo", "qi"))
    f[x, y] = x
    f[x, r.x] = f[x, r.x] * 2 + 1
    f.update(0).fuse(x, r.x, q).split(q, qo, qi, 4).parallel(qo)
    assert [o.status for o in f.verify().of_kind("concurrency")] == ["proved"]


def test_lanes_and_threads_that_take_turns_are_proved() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 64)], "r")
    f[x] = 0
    f[r.x % 5] += r.x
    f.update(0).atomic().vectorize(r.x, 8)
    assert f.verify().status == "proved"
    f.update(0).parallel(r.x)
    assert f.verify().status == "proved"


@pytest.mark.parametrize("is_bounded", [False, True])
def test_checks_made_in_each_run_count_as_proof(is_bounded: bool) -> None:
    f, g = blur()
    f.compute_root()
    if is_bounded:
        f.bound(x, 0, 8)
    proof = g.verify()
    assert proof.status == "proved"
    assert [o.reason for o in proof.of_kind("bounds")] == [
        "f.bound(x, 0, 8): a run that needs more is refused before anything is computed"
    ] * is_bounded


def test_a_bound_that_needs_no_check_is_found_in_the_loops() -> None:
    f, g = blur()
    f.compute_root().bound(y, -1, 10)
    g.bound(y, 0, 8)
    reasons = {o.stages: o.reason for o in g.verify().of_kind("bounds")}
    assert reasons["g",].endswith("a run that needs more is refused before anything is computed")
    assert reasons["f",] == (
        "f.bound(y, -1, 10): all that is needed lies inside, and so it is found for every access in the finished loops"
    )


def late_factor() -> tuple[hl.Func, hl.RDom, hl.RVar, hl.RVar]:
    f, r, (a, b) = hl.Func("f"), hl.RDom([(1, 6), (0, 5)], "r"), (hl.RVar("a"), hl.RVar("b"))
    f[x, y] = x
    f[r.x, r.y] = f[r.x - 1, r.y] + 1
    f.update(0).split(r.x, a, b, hl.Param(hl.Int(32), "n", 3))
    return f, r, a, b


def test_factors_may_be_known_late() -> None:
    f, r, a, b = late_factor()
    f.update(0).parallel(r.y).reorder(b, r.y, a)
    proof = f.verify()
    assert [o.status for o in (*proof.of_kind("order"), *proof.of_kind("concurrency"))] == ["proved"] * 3
    np.testing.assert_array_equal(np.asarray(f.realize([8, 5])), np.asarray(f.reference([8, 5])))
    for loop in (a, b):
        with pytest.raises(hl.IllegalSchedule) as refused:
            f.update(0).parallel(loop)
        witness = refused.value.witness
        assert witness is not None and witness.parameters == {"n": 2}
        source, sink = witness.source.variables["r.x"], witness.sink.variables["r.x"]
        assert ((source - 1) // 2 != (sink - 1) // 2) == (loop is a), "the loop tells them apart"
        assert "with n = 2, iteration (r.x=" in str(refused.value)


def test_a_blending_tail_beside_threads_is_not_proved_where_races_are_allowed() -> None:
    for is_parallel in (False, True):
        f = hl.Func("f")
        f[x] = x
        f[x] += 1
        f.update(0).allow_race_conditions().split(x, xi, yi, 4, hl.TailStrategy.ShiftInwardsAndBlend)
        if is_parallel:
            f.update(0).parallel(xi)
        (tail,) = f.verify().of_kind("tails")
        assert tail.status == ("not proved" if is_parallel else "proved")
        assert ("allow_race_conditions() was given" in tail.reason) == is_parallel


def test_directives_about_memory_are_looked_at_access_by_access() -> None:
    f, g = blur()
    f.compute_at(g, y).hoist_storage_root().ring_buffer(2)
    proof = g.verify()
    assert proof.status == "proved"
    assert all(
        "and so it is found for every access in the finished loops" in o.reason for o in proof.of_kind("storage")
    )
    assert len(proof.of_kind("storage")) == 2


def test_an_order_that_the_user_allows_is_no_bug_and_not_proved() -> None:
    f, r = hl.Func("f"), hl.RDom([(1, 5), (1, 4)], "r")
    f[x, y] = x + y
    f[r.x, r.y] = f[r.x - 1, r.y + 1] + 1
    with pytest.raises(hl.IllegalSchedule):
        f.update(0).reorder(r.y, r.x)
    f.update(0).allow_race_conditions().reorder(r.y, r.x)
    proof = f.verify()
    assert proof.status == "not proved"
    assert proof.of_kind("order")[1].reason.startswith("allow_race_conditions() was given, and iteration ")
    assert f.realize([6, 6]) is not None
