"""Directives take loops by Var, RVar, RDom of one dimension, or what may be either."""

import pytest

import halopy as hl

X, Y = hl.vars("x y")


def summed():
    r = hl.RDom([(0, 8)], "r")
    f = hl.Func("f")
    f[X, Y] = X
    f[X, Y] += r * Y
    return f, r


def test_what_may_be_either_knows_which_it_is():
    _, r = summed()
    either = [hl.VarOrRVar(X), hl.VarOrRVar(r.x), hl.VarOrRVar(r), hl.VarOrRVar("u", True), hl.VarOrRVar("u", False)]
    assert [e.is_rvar for e in either] == [False, True, True, True, False]
    assert [e.name() for e in either] == ["x", "r$x", "r$x", "u", "u"]
    assert either[0].var.same_as(X) and either[1].rvar.name() == "r$x"
    assert repr(either[2]) == "<halopy.VarOrRVar rvar 'r$x'>"


def test_directives_take_it_for_a_loop():
    f, r = summed()
    outer, inner = hl.VarOrRVar("outer", True), hl.VarOrRVar("inner", True)
    f.vectorize(hl.VarOrRVar(X), 4).parallel(hl.VarOrRVar(Y))
    f.update().split(hl.VarOrRVar(r), outer, inner, 3, hl.TailStrategy.GuardWithIf).unroll(inner)
    f.update().reorder(hl.VarOrRVar(X), inner, outer, hl.VarOrRVar(Y))
    made = f.realize([5, 3])
    assert all(made[x, y] == x + 28 * y for x in range(5) for y in range(3))


def test_a_pure_name_for_part_of_a_reduction_is_refused():
    f, r = summed()
    with pytest.raises(hl.ScheduleError, match=r"f.update\(0\).split\(r.x, outer, inner, 2"):
        f.update().split(hl.VarOrRVar(r), hl.VarOrRVar("outer", False), hl.VarOrRVar("inner", True), 2)


def test_a_func_without_types_is_refused():
    with pytest.raises(hl.DefinitionError, match="at least one type"):
        hl.Func([], 2)


def test_a_module_keeps_what_a_scheduler_chose():
    f, _ = summed()
    module = f.compile_to_module([])
    assert module.get_auto_scheduler_results() is None
    f, _ = summed()
    f.set_estimates([(0, 64), (0, 64)])
    results = hl.Pipeline(f).apply_autoscheduler(hl.Target(), hl.AutoschedulerParams("halopy"))
    module.set_auto_scheduler_results(results)
    assert module.get_auto_scheduler_results() is results
