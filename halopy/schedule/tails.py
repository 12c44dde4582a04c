"""Which tail a split gets, and which tails are allowed where.

A tail that computes past the end, or the last tile twice, is harmless only where computing an
element again gives the same value: always in a pure definition, seldom in an update.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import IllegalSchedule
from ..ir.expr import Const, Expr
from .directives import Directive, LoopStep, Rename, Skew, Split, Tail

if TYPE_CHECKING:
    from .nest import StageNest

BLENDING = frozenset({Tail.SHIFT_INWARDS_AND_BLEND, Tail.ROUND_UP_AND_BLEND})
_EXACT = (Tail.GUARD_WITH_IF, Tail.PREDICATE)


def resolve_tail(nest: StageNest, split: Split, *, is_reduction: bool, directive: Directive) -> Tail:
    """The tail that the split gets: the one asked for, if it is allowed, or Halide's choice for AUTO.

    Reduction loops run exactly their iterations. In an update, the outermost split of a variable
    rounds up (the elements past the end are not wanted by anyone), and splits further in are guarded.
    In a pure definition the last tile is moved inwards, unless an outer split already does that
    for tiles at least as large.
    """
    if split.tail is not Tail.AUTO:
        _check_tail(nest, split, is_reduction, directive)
        return split.tail
    if is_reduction:
        return Tail.GUARD_WITH_IF
    if nest.is_update:
        return Tail.GUARD_WITH_IF if split.old in _inner_loops(nest.steps) else Tail.ROUND_UP
    covering = _shifted_tiles(nest.steps).get(split.old)
    return Tail.ROUND_UP if covering is not None and _at_least(covering, split.factor) else Tail.SHIFT_INWARDS


def _check_tail(nest: StageNest, split: Split, is_reduction: bool, directive: Directive) -> None:
    if is_reduction and split.tail not in _EXACT:
        raise _illegal(
            directive,
            f"`{split.old}` is a reduction loop, which must run each iteration exactly once",
            accepted="GuardWithIf, Predicate, Auto",
        )
    if nest.is_update and split.tail is Tail.SHIFT_INWARDS:
        raise _illegal(
            directive,
            f"this stage of {nest.func} is an update, and ShiftInwards would apply it twice to some elements",
            accepted="GuardWithIf, RoundUp, Predicate, ShiftInwardsAndBlend, Auto",
        )
    if nest.is_update and split.tail is Tail.ROUND_UP and split.old in _inner_loops(nest.steps):
        raise _illegal(
            directive,
            f"this stage of {nest.func} is an update, and loop `{split.old}` is the inner loop of another split: "
            "RoundUp would apply the update twice to some elements",
            accepted="GuardWithIf, Predicate, Auto",
        )
    if split.tail is Tail.PREDICATE_LOADS and split.old in _inner_loops(nest.steps):
        raise _illegal(
            directive,
            f"loop `{split.old}` is the inner loop of another split, so storing past its end may spoil other tiles",
            accepted="GuardWithIf, Predicate, Auto",
        )


def _inner_loops(steps: Sequence[LoopStep]) -> set[str]:
    """Loops that stem from the inner loop of a split."""
    inner: set[str] = set()
    for step in steps:
        if isinstance(step, Split):
            stems = _take(inner, step.old)
            inner.add(step.inner)
            if stems:
                inner.add(step.outer)
        elif isinstance(step, Rename):
            if _take(inner, step.old):
                inner.add(step.new)
        elif isinstance(step, Skew):
            pass
        elif _take(inner, step.inner) | _take(inner, step.outer):
            inner.add(step.fused)
    return inner


def _take(names: set[str], name: str) -> bool:
    """Remove `name`; whether it was there."""
    if name not in names:
        return False
    names.remove(name)
    return True


def _shifted_tiles(steps: Sequence[LoopStep]) -> dict[str, Expr]:
    """Loops outside tiles that are already shifted inwards, with the tiles' size."""
    tiles: dict[str, Expr] = {}
    for step in steps:
        if isinstance(step, Split):
            size = tiles.pop(step.old, None)
            if step.tail is Tail.SHIFT_INWARDS:
                tiles[step.outer] = step.factor
            elif size is not None:
                tiles[step.inner] = tiles[step.outer] = size
        elif isinstance(step, Rename):
            size = tiles.pop(step.old, None)
            if size is not None:
                tiles[step.new] = size
        elif isinstance(step, Skew):
            tiles.pop(step.loop, None)
        else:
            tiles.pop(step.inner, None)
            tiles.pop(step.outer, None)
    return tiles


def _at_least(a: Expr, b: Expr) -> bool:
    return a is b or (isinstance(a, Const) and isinstance(b, Const) and a.value >= b.value)


def families(nest: StageNest) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """For each loop the stage's own variables that it stems from, and those that a blending tail splits."""
    stems: dict[str, frozenset[str]] = {}
    blended: frozenset[str] = frozenset()

    def take(name: str) -> frozenset[str]:
        return stems.pop(name, frozenset({name}))

    for step in nest.steps:
        if isinstance(step, Split):
            own = take(step.old)
            stems[step.inner] = stems[step.outer] = own
            if step.tail in BLENDING:
                blended |= own
        elif isinstance(step, Rename):
            stems[step.new] = take(step.old)
        elif isinstance(step, Skew):
            stems[step.loop] = take(step.loop) | stems.get(step.by, frozenset({step.by}))
        else:
            stems[step.fused] = take(step.inner) | take(step.outer)
    return {name: stems.get(name, frozenset({name})) for name in nest.loop_names}, blended


def _illegal(directive: Directive, *reason: str, accepted: str) -> IllegalSchedule:
    told = [line.replace("$", ".") for line in reason]  # loops as users write them
    return IllegalSchedule(directive.text, location=directive.location, reason=told, accepted=accepted)
