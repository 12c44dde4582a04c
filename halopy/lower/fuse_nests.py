"""Write the loops of stages that are computed with each other.

    for f.s0.y in [a, b]: f(f.s0.y) = ...           for f.s0.y in [min(a, c), max(b, d)]:
    for g.s0.y in [c, d]: g(g.s0.y) = ...    ->         if a <= f.s0.y <= b: f(f.s0.y) = ...
                                                        if c <= f.s0.y <= d: g(f.s0.y) = ...

The part of each stage that is its own follows inside the innermost loop that it shares, in the order of the directives;
what is computed at a shared loop comes first, and only where a stage that uses it takes part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import IllegalSchedule
from ..ir.branches import condition_of
from ..ir.function import Branch
from ..ir.linear import difference
from ..ir.rewrite import substitute
from ..ir.stmt import If, Produce, Stmt, block, let_all
from ..schedule.fused_nests import OwnLoop, StageId, shown
from .failing_versions import failure
from .fused_loops import where
from .place_functions import ROOT_LEVEL, Level

if TYPE_CHECKING:
    from .build_loop_nests import LoopNests  # which calls this


def fuse_nests(build: LoopNests, group: Sequence[str]) -> Stmt:
    """The statement that computes all Funcs of a group."""
    fused = build.placement.fused
    parts = []
    for root in fused.nests_in_order(group):
        branch = build.regions.functions[root.func].definitions[root.stage].branch or Branch(root.stage)
        if branch.failure is None:
            stmt = block(nest(build, root, 0), *(nest(build, s, 0) for s in fused.attached(root, 0)))
        else:
            stmt = failure(root.func, branch.failure)
        parts.append(If(condition_of(branch.path), stmt) if branch.path else stmt)
    body = block(*parts)
    for func in reversed(fused.parents_first(group)):
        body = Produce(func, body)
    return body


def nest(build: LoopNests, stage: StageId, depth: int) -> Stmt:
    """A stage's loops inside the outermost `depth` ones, and all that is attached to those."""
    fused, shared = build.placement.fused, build.regions.fused
    names = fused.loops(stage)
    condition = None
    if depth == fused.depth(stage):
        place = build.placement.level(*stage, names[depth - 1]) if depth else None
        needed = shared.needed(stage.func, build.placement.compute[stage.func])
        condition = shared.takes_part(stage, place) if place is not None else needed
    if depth == len(names):
        body = build.values(*stage)
    else:
        level = build.placement.level(*stage, names[depth])
        body = _loop(build, stage, level, depth)
    return body if condition is None else where(condition, body)


def _loop(build: LoopNests, stage: StageId, level: Level, depth: int) -> Stmt:
    shared = build.regions.fused
    _check_alignment(build, level)

    def core() -> Stmt:
        attached = [nest(build, s, depth + 1) for s in build.placement.fused.attached(stage, depth + 1)]
        return block(nest(build, stage, depth + 1), *attached)

    body = build.level(level, core)
    if not shared.is_shared(level):
        return build.loop(*stage, level.loop, build.hoisted(*stage, level.loop, body))
    everyone = [StageId(own.func, own.stage) for own in shared.sharers(level)]
    if level in build.computed_at or level in build.stored_at:
        body = where(shared.any_takes_part(everyone, level), body)
    body = substitute(body, shared.conditions(level))
    for own in reversed(shared.sharers(level)):
        body = let_all([(h.symbol, h.value) for h in shared.hoisted(own)], body)
    body = substitute(body, dict(shared.variables(level)))  # at once, so that differences between the stages cancel
    return build.loop(*stage, level.loop, body, shared.range(level))


def _check_alignment(build: LoopNests, level: Level) -> None:
    """Stages of one Func take turns element by element: they are moved by the same distance, or not at all."""
    shared = build.regions.fused
    sharers = shared.sharers(level)
    for at, own in enumerate(sharers):
        for other in sharers[:at]:
            if own.func == other.func:
                shifts = (build.regions.expand(shared.shift(o), ROOT_LEVEL) for o in (own, other))
                if difference(*shifts) != 0:
                    raise _apart(build, own, other)


def _apart(build: LoopNests, own: OwnLoop, other: OwnLoop) -> IllegalSchedule:
    one, two = sorted([StageId(own.func, own.stage), StageId(other.func, other.stage)])
    first, second = (shown(stage, build.placement.program) for stage in (one, two))
    fusions = build.placement.fused.fusions
    directive = (fusions.get(two) or fusions[one]).directive
    return IllegalSchedule(
        directive.text,
        location=directive.location,
        reason=[
            f"`{first}` and `{second}` take turns in loop `{own.loop}`, and their alignments may move one of them "
            "further",
            "so values could be used before they are final",
        ],
        accepted="NoAlign for both, or the same alignment with ranges that are known to be equal",
    )
