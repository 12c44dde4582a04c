"""Proofs of long pipelines and intricate indices end, and alike stages are asked about once: counted, not timed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import islpy as isl
import pytest

import halopy as hl
from halopy.compile import dataflow_obligations
from halopy.ir.program import Program
from halopy.ir.stmt import Stmt
from halopy.lang.snapshot import snapshot
from halopy.lower.build_loop_nests import build_loop_nests
from halopy.lower.place_functions import place_functions
from halopy.lower.regions import Regions
from halopy.polyhedral.translation.inequalities import FULL
from halopy.polyhedral.validation import budget, flow, implied, inequalities, rounds, validate
from halopy.proof import NOT_PROVED, PROVED, REFUTED
from halopy.target import host_target
from tests.test_scaling import chain, sliding, tiled

x, y, strip = hl.vars("x y strip")
EIGHT = [hl.Var(f"v{n}") for n in range(8)]


def strips(funcs: list[hl.Func]) -> None:
    """Each stage slides down the strips of the last, in storage that folds."""
    last = funcs[-1]
    last.split(y, strip, y, 64).parallel(strip)
    for f in funcs[:-1]:
        f.store_at(last, strip).compute_at(last, y)


def asked(stages: int, schedule: Callable[[list[hl.Func]], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many steps it takes to prove a chain without isl."""
    funcs = chain(stages)
    schedule(funcs)
    taken = snapshot([funcs[-1]._contents])
    steps = 0
    shows = inequalities.Search.shows

    def counted(self: inequalities.Search, *args: Any) -> bool:
        nonlocal steps
        steps += 1
        return shows(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(inequalities.Search, "shows", counted)
        patched.setattr(rounds, "ask_flow", None)
        patched.setattr(rounds, "ask_inside", None)
        found = dataflow_obligations(taken.program, taken.schedules, host_target())
    assert len(found) > 2 * stages
    assert {o.status for o in found} == {PROVED}
    return steps


@pytest.mark.parametrize("schedule", [tiled, sliding, strips], ids=lambda s: s.__name__)
def test_chains_are_proved_without_isl_in_steps_in_proportion_to_their_length(
    schedule: Callable[[list[hl.Func]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (asked(stages, schedule, monkeypatch) for stages in (15, 30))
    assert 0 < many <= 2.2 * few


def test_what_isl_is_asked_about_alike_stages_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "finds_evidently", lambda *_arguments: False)
    monkeypatch.setattr(validate, "is_evidently_inside", lambda *_arguments: False)
    monkeypatch.setattr(flow, "FlowSets", None)  # nothing needs the whole dataflow
    questions = []
    for stages in (10, 40):
        funcs = chain(stages)
        tiled(funcs)
        taken = snapshot([funcs[-1]._contents])
        implied._holds.cache_clear()
        found = dataflow_obligations(taken.program, taken.schedules, host_target())
        assert {o.status for o in found} == {PROVED}
        questions.append(implied._holds.cache_info().misses)
    assert 0 < questions[1] <= questions[0] + 10


def eight() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    f[EIGHT] = sum(EIGHT[1:], EIGHT[0])
    g[EIGHT] = f[[EIGHT[0] - 1, *EIGHT[1:]]] + f[[*EIGHT[:7], EIGHT[7] + 1]]
    return f, g


def eight_at_root() -> hl.Func:
    f, g = eight()
    f.compute_root()
    return g


def eight_sliding() -> hl.Func:
    f, g = eight()
    g.split(EIGHT[0], hl.Var("outer"), hl.Var("inner"), 8).vectorize(hl.Var("inner"))
    f.compute_at(g, EIGHT[3]).store_at(g, EIGHT[6])
    return g


def eight_updated() -> hl.Func:
    f, r = hl.Func("f"), hl.RDom([(1, 5)] * 4, "r")
    f[EIGHT] = 0
    f[[r.x, r.y, r.z, r.w, *EIGHT[4:]]] = f[[r.x - 1, r.y, r.z, r.w, *EIGHT[4:]]] + 1
    f.update(0).reorder(r.y, r.x).parallel(EIGHT[7])
    return f


def quotients(steps: int) -> Any:
    e: Any = x
    for k in range(steps):
        e = (e * 3 + k) // (k % 5 + 2) * 2 + (e + y) % (k % 7 + 3)
    return e


def intricate_read() -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[quotients(12), y]
    f.compute_root()
    return g


def intricate_write() -> hl.Func:
    f, r = hl.Func("f"), hl.RDom([(0, 100)], "r")
    e: Any = r.x
    for k in range(30):
        e = (e * 3 + k) // (k % 5 + 2)
    f[x] = 0
    f[e] = f[e] + f[r.x]
    return f


def clamps() -> hl.Func:
    f, g, e = hl.Func("f"), hl.Func("g"), x
    for _ in range(100):
        e = hl.clamp(e + x, 0, y + 5)
    f[x, y] = x
    g[x, y] = f[e, y]
    f.compute_root()
    return g


@pytest.mark.parametrize(
    "make",
    [eight_at_root, eight_sliding, eight_updated, intricate_read, intricate_write, clamps],
    ids=lambda m: m.__name__,
)
def test_what_is_intricate_is_lowered_and_judged(make: Callable[[], hl.Func], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOPY_VERIFY", "full")
    assert make().verify().status != REFUTED


def test_a_clamp_keeps_a_read_inside_whatever_is_checked_of_the_rest() -> None:
    image, f = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Func("f")
    near = hl.BoundaryConditions.repeat_edge(image)
    f[x, y] = near[x - 1, y] + near[x + 1, y]
    f.vectorize(x, 16)
    assert [o.status for o in f.verify().of_kind("memory")] == [PROVED] * 3


def covered(reads: Sequence[Any]) -> set[str]:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = sum((f[e, y] for e in reads[1:]), f[reads[0], y])
    f.compute_at(g, y).vectorize(x, 8)
    g.split(x, x, hl.Var("inner"), 16, hl.TailStrategy.ShiftInwards)
    return {o.status for o in g.verify().of_kind("dataflow")}


@pytest.mark.parametrize("reads", [[x], [x - 3, x + 5], [x * 2], [x // 3 + 1, x % 4]])
def test_reads_of_what_a_loop_wrote_before_are_proved(reads: Sequence[Any]) -> None:
    assert covered(reads) == {PROVED}


def doubted_reads() -> tuple[Stmt, Program]:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x - 1, y] + f[x, y] + f[x + 1, y - 1]  # asked about together first, then one by one
    f.compute_root()
    taken = snapshot([g._contents])
    placement = place_functions(taken.program, taken.schedules)
    return build_loop_nests(Regions(placement)), placement.program


def times_asked(operations: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, set[str]]:
    """How often isl is asked about reads of which it cannot tell, and what is said of them."""
    asked = 0

    def doubted(*_arguments: Any) -> flow.Wrong:
        nonlocal asked
        asked += 1
        raise isl.Error("too many operations")

    nest, program = doubted_reads()
    monkeypatch.setattr(rounds, "wrong_reads", doubted)
    monkeypatch.setattr(rounds, "is_covered", lambda *_arguments: False)
    monkeypatch.setattr(validate, "finds_evidently", lambda *_arguments: False)
    found = [o for o in validate.validate(nest, nest, program, operations) if o.kind == "dataflow"]
    assert {o.status for o in found if "f" in o.stages} == {NOT_PROVED}
    return asked, {o.reason for o in found}


def test_once_the_operations_are_spent_isl_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    enough_for_one = 200_000
    asked, reasons = times_asked(enough_for_one, monkeypatch)
    assert asked == 3  # within few operations, more, and all that is left
    assert reasons == {"it would take too long"}


def test_isl_gives_up_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_GIVEN_UP", 2 * budget.MOST_OPERATIONS)
    assert times_asked(budget.FULL, monkeypatch)[0] == 6


_COUNTED = """
import halopy as hl
from halopy.polyhedral.translation.inequalities import BUDGET

x, y, xi, yi = hl.vars("x y xi yi")
image = hl.ImageParam(hl.UInt(8), 2, "image")
f, g = hl.Func("f"), hl.Func("g")
f[x, y] = hl.u16(hl.BoundaryConditions.repeat_edge(image)[x + 1, y])
g[x, y] = f[x - 1, y] + f[x + 1, y]
g.tile(x, y, xi, yi, 16, 4).vectorize(xi, 8).unroll(yi, 2).parallel(y)
f.compute_at(g, yi).vectorize(x, 8)
print(g.verify().status, BUDGET.left)
"""


def test_a_proof_takes_the_same_steps_in_each_process() -> None:
    ran = [
        subprocess.run(
            [sys.executable, "-c", _COUNTED],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": seed, "HALOPY_VERIFY": "off"},
        )
        for seed in ("1", "2")
    ]
    assert ran[0].stdout == ran[1].stdout
    assert 0 < int(ran[0].stdout.split()[-1]) < FULL
