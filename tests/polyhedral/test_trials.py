"""Texts are run in numbers: as the interpreter runs them, and two that differ are told apart where it counts."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from halopy.dtypes import FLOAT32, INT32, UINT8, DType
from halopy.ir import build
from halopy.ir.expr import Broadcast, Cast, Expr, Load, Ramp, Shuffle, Var, VectorReduce, const
from halopy.ir.stmt import Allocate, For, LoopKind, MemoryKind, Stmt, Store, block
from halopy.lang.snapshot import snapshot
from halopy.lower import pipeline
from halopy.lower.check_printed import Texts, obligations_of
from halopy.polyhedral.translation.differences import MOST_STEPS, difference
from halopy.polyhedral.translation.trial import OutsideError, Steps, Trial
from halopy.proof import NOT_PROVED, REFUTED, Obligation
from tests.lower.faulty_pipelines import PIPELINES
from tests.lower.interpreter import execute

X = Var("f.s0.x")


def texts(output: hl.Func) -> Texts:
    """Its statements between passes."""
    found: list[Texts] = []
    taken = snapshot([output._contents])
    pipeline.lower(taken.program, taken.schedules, judge=lambda shown, *_: found.append(shown))
    return found[0]


def over_x(body: Stmt) -> Stmt:
    return For("f.s0.x", const(0), Var("f.extent.0"), LoopKind.SERIAL, body)


def stored(value: Expr, shift: int = 0) -> Stmt:
    return over_x(Store("f", build.add(X, shift), value))


def inputs(dtype: DType, shift: int = 0) -> Expr:
    return Load("g", build.add(X, shift), dtype)


def told(built: Stmt, printed: Stmt) -> str:
    return difference(built, printed, (), MOST_STEPS)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_trial_computes_what_the_interpreter_does(name: str, unvalidated: None) -> None:
    output = PIPELINES[name]()
    sizes = {"f.extent.0": 19, "f.min.0": 0, "f.extent.1": 13, "f.min.1": 0, "f.stride.0": 1, "f.stride.1": 19}
    for text in (texts(output).built, texts(output).printed):
        trial = Trial(text, sizes, {"f": (INT32, 19 * 13)}, 0, Steps(MOST_STEPS))
        memory = {"f": Trial(block(), sizes, {"f": (INT32, 19 * 13)}, 0, Steps(0)).memory["f"]}
        execute(text, memory, sizes)
        assert np.array_equal(trial.memory["f"], memory["f"])


def test_another_neighbour_is_seen_and_told() -> None:
    assert told(stored(inputs(INT32)), stored(inputs(INT32, 1))).startswith("f(0) is ")
    assert told(stored(inputs(INT32)), stored(build.add(inputs(INT32), const(0)))) == ""


def test_a_lost_iteration_is_seen() -> None:
    fewer = For("f.s0.x", const(0), build.sub(Var("f.extent.0"), const(1)), LoopKind.SERIAL, Store("f", X, const(1)))
    assert "f(18) is " in told(stored(const(1)), fewer)


def test_an_access_outside_of_scratch_memory_is_seen() -> None:
    def through(place: int) -> Stmt:
        body = block(Store("t", const(0), const(5)), stored(Load("t", const(place), INT32)))
        return Allocate("t", INT32, const(1), MemoryKind.HEAP, body)

    assert told(through(0), through(1)).startswith("it accesses t[1]")
    assert told(through(0), through(0)) == ""
    with pytest.raises(OutsideError):
        Trial(through(1), {"f.extent.0": 3}, {"f": (INT32, 3)}, 0, Steps(1000))


def test_sums_of_floats_in_another_order_are_no_difference() -> None:
    third = build.mul(inputs(FLOAT32), const(1 / 3, FLOAT32))
    row = Load("g", Ramp(X, const(1), 4), FLOAT32.with_lanes(4))
    by_lanes = VectorReduce("add", build.mul(row, Broadcast(const(1 / 3, FLOAT32), 4)), 1)
    one_by_one: Expr = third
    for n in (3, 2, 1):
        one_by_one = build.add(one_by_one, build.mul(inputs(FLOAT32, n), const(1 / 3, FLOAT32)))
    assert told(stored(one_by_one), stored(by_lanes)) == ""
    assert told(stored(one_by_one), stored(build.add(by_lanes, third))) != ""


def test_narrow_integers_wrap() -> None:
    twice = build.add(inputs(UINT8), inputs(UINT8))
    wide = Cast(UINT8, build.add(Cast(INT32, inputs(UINT8)), Cast(INT32, inputs(UINT8))))
    assert told(stored(twice), stored(wide)) == ""


def test_lanes_that_are_swapped_are_seen() -> None:
    def pairs(*order: int) -> Stmt:
        row = Load("g", Ramp(X, const(1), 2), INT32.with_lanes(2))
        return Store("f", Ramp(const(0), const(1), 2), Shuffle((row,), order))

    assert told(over_x(pairs(0, 1)), over_x(pairs(1, 0))) != ""
    assert told(over_x(pairs(0, 1)), over_x(pairs(0, 1))) == ""


def raced(is_allowed: bool) -> list[Obligation]:
    """What is found of a text that was changed after the passes."""
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = x
    f[x] += x
    if is_allowed:
        f.update().allow_race_conditions()
    taken, found = snapshot([f._contents]), []

    def judge(shown: Texts, placement: object, _strided: object) -> None:
        wrong = block(shown.printed, Store("f", const(0), const(77)))
        found.extend(obligations_of(Texts(shown.boxed, shown.flat, shown.built, wrong), placement, ()))  # type: ignore[arg-type]

    pipeline.lower(taken.program, taken.schedules, judge=judge)
    return found


def test_what_races_by_the_users_leave_is_not_refuted() -> None:
    assert any(o.status == REFUTED for o in raced(is_allowed=False))
    allowed = raced(is_allowed=True)
    assert all(o.status != REFUTED for o in allowed)
    assert any(o.status == NOT_PROVED and "allow_race_conditions() was given" in o.reason for o in allowed)
