"""What could be written instead of a refused directive: a few standard rewrites, tried in turn until one is legal.

    parallel(r.y)   reorder(r.y, r.x).parallel(r.y)                        where loops around it tell elements apart
                    skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)      a wavefront
                    atomic().parallel(r.y)                                 where steps may be grouped otherwise
                    rfactor(r.y, u).compute_root().update(0).parallel(u)   where they may, but in their order
    tile(...)       skew(r.x, r.y, 1).tile(...)
    split(..., ShiftInwards)       split(..., GuardWithIf)
    parallel(r.y)   serial(r.y)                                            where nothing else is legal
    vectorize(r.y, 4)   unroll(r.y, 4)
    reorder(...)    the empty text: the line left out

Each is checked like the user's own directives would be, so what is offered is accepted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..errors import IllegalSchedule, ScheduleError
from ..ir.stmt import LoopKind
from ..schedule.directives import Directive, Fuse, NestDirective, Reorder, Rfactor, SetKind, Skew, Split, Tail
from ..schedule.nest import DoubtfulSchedule, StageNest
from ..schedule.rfactor import rfactor
from ..schedule.taking_turns import turns
from .func_contents import FuncContents
from .legality import applied, run_twice

_FACTORS = (1, 2, -1)
_MOST = 16  # candidates
_PARTIAL = "u"  # the Var that tells partial results apart


def with_repair(
    refusal: IllegalSchedule, contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str
) -> IllegalSchedule:
    """The refusal of a line's directives, with what could stand instead; `nest` is what there was before, and `call`
    the line without the stage that it is about.
    """
    witness = refusal.witness
    if witness is None and not isinstance(refusal, DoubtfulSchedule):
        repair = _guarded(contents, nest, actions, call)
        witness = run_twice(contents, nest, actions)
    else:
        repair = find_repair(contents, nest, actions, call)
    told = () if witness is refusal.witness or witness is None else (witness.told("would run twice"),)
    return IllegalSchedule(
        refusal.summary,
        location=refusal.location,
        reason=(*told, *refusal.reason),
        accepted=refusal.accepted,
        witness=witness,
        repair=_plain(contents, nest, actions, call) if repair is None else repair,
    )


def find_repair(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str) -> str | None:
    """Directives that are legal in place of a line, as the user would write them; None where none are found."""
    for before in itertools.islice(_candidates(contents, nest, actions), _MOST):
        if _is_legal(contents, nest, (*before, *actions)):
            return ".".join([*map(_text, before), call])
    return _factored(contents, nest, actions, call)


def _guarded(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str) -> str | None:
    """The line with guards, instead of tails that run iterations again or past the end."""
    tails = {a.tail.value for a in actions if isinstance(a, Split) and a.tail is not Tail.AUTO}
    guarded = [replace(a, tail=Tail.GUARD_WITH_IF) if isinstance(a, Split) else a for a in actions]
    if not tails or not _is_legal(contents, nest, guarded):
        return None
    for tail in tails:
        call = call.replace(f"TailStrategy.{tail}", f"TailStrategy.{Tail.GUARD_WITH_IF.value}")
    return call


def _plain(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str) -> str:
    """The line with loops that run one iteration after the other; empty where it can only be left out."""
    verb, _, arguments = call.partition("(")
    instead = {"parallel": "serial", "vectorize": "unroll"}.get(verb, "")
    if verb == "parallel" and len(actions) > 1:
        instead = ""  # a split, whose inner loop the user did not name
    kind = LoopKind.UNROLLED if instead == "unroll" else LoopKind.SERIAL
    plain = [replace(a, kind=kind) if isinstance(a, SetKind) else a for a in actions]
    return f"{instead}({arguments}" if instead and _is_legal(contents, nest, plain) else ""


def _factored(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str) -> str | None:
    """Two steps, where the loop that was to run at once becomes a Var of the first."""
    mark = actions[0] if len(actions) == 1 else None
    if not isinstance(mark, SetKind) or nest.dim(mark.loop) is None or _PARTIAL in (*nest.loop_names, *_args(contents)):
        return None
    intermediate = FuncContents(f"{contents.name}_intm")
    directive = Directive(Rfactor(((mark.loop, _PARTIAL),), intermediate), nest.stage, None, "repair")
    function = contents.defined_function.in_version(nest.stage, nest.definition)
    try:
        found = rfactor(function, nest, contents, ((mark.loop, _PARTIAL),), intermediate, directive)
    except ScheduleError:
        return None
    intermediate.function = found.intermediate
    if not _is_legal(intermediate, found.nests[1], [replace(mark, loop=_PARTIAL)]):
        return None
    loop = _loops((mark.loop,))
    return f"rfactor({loop}, {_PARTIAL}).compute_root().update(0).{call.replace(loop, _PARTIAL)}"


def _args(contents: FuncContents) -> tuple[str, ...]:
    return contents.defined_function.args


def _candidates(
    contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective]
) -> Iterator[tuple[NestDirective, ...]]:
    """What could stand in front of the line, the simplest first."""
    subject = next((a.old if isinstance(a, Split) else a.loop for a in actions if isinstance(a, Split | SetKind)), None)
    ordered = [d.name for d in nest.dims if d.is_ordered]
    is_mark = any(isinstance(a, SetKind) for a in actions) and not any(isinstance(a, Reorder | Fuse) for a in actions)
    if is_mark and subject in nest.loop_names:
        inside = nest.loop_names[: nest.loop_names.index(subject)]
        if inside:
            yield (Reorder((subject, *inside)),)
        for other, factor in itertools.product((n for n in ordered if n != subject), _FACTORS):
            skew = Skew(other, subject, factor)
            yield (skew, Reorder((subject, other))) if other in inside else (skew,)
        yield (turns(nest, contents.defined_function, contents, override=False),)
    elif any(isinstance(a, Reorder) for a in actions):
        for pair, factor in itertools.product(itertools.permutations(ordered, 2), _FACTORS):
            yield (Skew(*pair, factor),)


def _is_legal(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective]) -> bool:
    try:
        for action in actions:
            nest = applied(contents, nest, Directive(action, nest.stage, None, "repair"))
    except ScheduleError:
        return False
    return True


def _text(action: NestDirective) -> str:
    if isinstance(action, Skew):
        return f"skew({_loops((action.loop, action.by))}, {action.factor})"
    if isinstance(action, Reorder):
        return f"reorder({_loops(action.loops)})"
    return "atomic()"


def _loops(names: Sequence[str]) -> str:
    return ", ".join(names).replace("$", ".")
