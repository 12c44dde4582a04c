"""Ask isl whether a stage's loops keep the answer: one verdict about order and races.

legal  <=>  for every source -> sink in dependences:  date(source) <lex date(sink), told apart by a serial loop
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from ...ir.expr import Param, const, const_value
from ...ir.function import Function
from ...ir.refs import FunctionRef
from ...ir.rewrite import free_vars
from ...ir.stmt import LoopKind
from ...proof import NOT_PROVED, PROVED, REFUTED
from ...schedule.directives import Atomic, LoopStep, Split
from ...schedule.nest import Dim, StageNest
from ...schedule.taking_turns import runs_lanes_in_order, why_not_at_once
from ...witness import Witness
from ..affine import Affine
from ..isl_limits import ask
from ..question import NotAffine
from .dates_of_loops import dates_of_loops
from .dependences import dependences
from .find_witness import find_witness
from .loop_dates import Date, Unknown, loop_dates, vague_dates
from .stage_model import Model, Stage, shown
from .violations import TimedLoop, Violation, as_run, violation

MOST_OPERATIONS = 400_000
_FACTORS = (2, 3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the loops keep the answer. `loop` breaks it, as `witness` shows, or may for what `reason` says."""

    status: str
    reason: str
    witness: Witness | None = None
    loop: str | None = None
    is_race: bool = False


def check_stage(
    function: Function, number: int, ref: FunctionRef | None, nest: StageNest, sizes: tuple[int, ...] = ()
) -> Verdict:
    """The verdict about one stage of a Func; `ref` is the Func where its definitions are user-level.

    For all sizes, or for those given.
    """
    question = _Question(Stage(function, number, ref, sizes), nest.dims, nest.steps, nest.is_order_free, nest.atomic)
    return _verdict(question)


@dataclass(frozen=True, slots=True)
class _Question:
    """All that a verdict depends on."""

    stage: Stage
    dims: tuple[Dim, ...]
    steps: tuple[LoopStep, ...]
    is_order_free: bool
    atomic: Atomic | None

    @property
    def takes_turns(self) -> bool:
        """Whether iterations that meet in an element do so one after the other."""
        return self.atomic is not None and not self.atomic.reads_others

    @property
    def nest(self) -> StageNest:
        """Its loops as they run: lanes that combine their values do so in order."""
        in_order = self.atomic is not None and runs_lanes_in_order(self.atomic)
        dims = tuple(_serial(d) if in_order and d.kind is LoopKind.VECTORIZED else d for d in self.dims)
        return StageNest(self.stage.function.name, self.stage.number, dims, self.steps)


def _serial(dim: Dim) -> Dim:
    return replace(dim, kind=LoopKind.SERIAL)


@lru_cache(maxsize=1024)
def _verdict(question: _Question) -> Verdict:
    if question.atomic is not None and why_not_at_once(question.atomic) is None:
        return Verdict(PROVED, "updates of one element take turns, in any order")
    try:
        model = Model(question.stage)
        dates = vague_dates(question.nest, model.ranges)
        loops = as_run(question.nest, [_canonical(date, model) for date in dates])
    except NotAffine as defeat:
        return Verdict(NOT_PROVED, str(defeat).replace("$", "."))
    is_free, takes_turns = question.is_order_free, question.takes_turns
    answer = ask(lambda context: _answer(model, loops, model.affine(context), is_free, takes_turns), MOST_OPERATIONS)
    if answer is not None and answer.witness is not None:
        timed = dates_of_loops(question.nest, loop_dates(question.nest, model.ranges), model.ranges)
        return replace(answer, witness=replace(answer.witness, dates=timed))
    if answer is not None and answer.status == NOT_PROVED:
        return _of_some_factor(question) or answer
    return answer or Verdict(NOT_PROVED, f"who meets in {_element(question.stage)} is too intricate to be decided")


def _of_some_factor(question: _Question) -> Verdict | None:
    """The refusal for one value of a factor that is known only when the pipeline runs; None where none is found."""
    factors = {s.factor for s in question.steps if isinstance(s, Split) and const_value(s.factor) is None}
    name = next((shown(f) for f in factors if isinstance(f, Param)), None)
    if len(factors) != 1 or name is None:
        return None
    for n in _FACTORS:
        steps = [
            replace(s, factor=const(n)) if isinstance(s, Split) and s.factor in factors else s for s in question.steps
        ]
        found = _verdict(replace(question, steps=tuple(steps)))
        if found.witness is not None and found.witness.parameters.get(name, n) == n:
            others = {k: v for k, v in found.witness.parameters.items() if k != name}
            told = f"with {name} = {n}, {found.reason}" if not others else f"with {name} = {n}, {found.reason[5:]}"
            told = told if name not in found.witness.parameters else found.reason
            return replace(found, reason=told, witness=replace(found.witness, parameters={name: n, **others}))
    return None


def _canonical(date: Date | Unknown, model: Model) -> Date | Unknown:
    if isinstance(date, Unknown):
        return replace(date, base=tuple(map(model.canonical, date.base)))
    return tuple(map(model.canonical, date))


def _element(stage: Stage) -> str:
    return f"{stage.function.name}({', '.join(map(shown, stage.definition.index))})"


def _answer(model: Model, loops: list[TimedLoop], affine: Affine, is_order_free: bool, takes_turns: bool) -> Verdict:
    found = dependences(model, affine)
    checked = (violation(d, loops, affine, is_order_free=is_order_free) for d in found)
    broken = [v for v in checked if v is not None]
    unknown = next((loop.date for loop in loops if isinstance(loop.date, Unknown)), None)
    if broken and unknown is not None:
        return Verdict(NOT_PROVED, unknown.why.replace("$", "."))
    sure = [v for v in broken if v.dependence.vague is None]
    if sure:
        dates = (part for loop in loops if not isinstance(loop.date, Unknown) for part in loop.date)
        timed_by = frozenset[str]().union(*map(free_vars, dates))
        return _refuted(sure, model, affine, timed_by, "may take its turn after it" if takes_turns else _AT_ONCE)
    if broken:
        return _in_doubt(broken[0])
    if not found:
        return Verdict(PROVED, "no two iterations touch one element that either of them writes")
    return Verdict(PROVED, "iterations that touch one element keep their order")


_AT_ONCE = "may run at the same time"


def _refuted(broken: list[Violation], model: Model, affine: Affine, timed_by: frozenset[str], at_once: str) -> Verdict:
    """With the witness that is easiest to read: of the least sizes, and the first iterations."""
    pairs = [(find_witness(v.pairs, v.dependence, model, affine, timed_by), v.loop) for v in broken]
    witness, loop = min(pairs, key=lambda pair: _size(pair[0]))
    how = at_once if loop.is_at_once else "would come after it"
    return Verdict(REFUTED, witness.told(how), witness, _name(loop), loop.is_at_once)


def _size(witness: Witness) -> tuple[list[int], ...]:
    first = [abs(n) for n in witness.parameters.values()]
    return (first, *(list(i.variables.values())[::-1] for i in (witness.source, witness.sink)))


def _in_doubt(broken: Violation) -> Verdict:
    name, is_race = _name(broken.loop), broken.loop.is_at_once
    what = _AT_ONCE if is_race else "would change places"
    unknown = f"as nothing is known of `{broken.dependence.vague}`"
    reason = f"iterations of loop {name} {what}, and may meet in one element, {unknown}"
    return Verdict(NOT_PROVED, reason, loop=name, is_race=is_race)


def _name(loop: TimedLoop) -> str:
    return loop.dim.name.replace("$", ".")
