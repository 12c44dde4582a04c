"""Small nests and directives to build tests from."""

from __future__ import annotations

from halopy.dtypes import INT32
from halopy.ir.expr import Const
from halopy.ir.stmt import LoopKind
from halopy.schedule.directives import Directive, Fuse, NestDirective, Rename, Reorder, SetKind, Split, Tail
from halopy.schedule.nest import StageNest, apply, initial_nest
from halopy.source import SourceLocation

HERE = SourceLocation("blur.py", 7)


def pure_nest(*names: str) -> StageNest:
    """Loops of a pure definition, innermost first."""
    return initial_nest("f", 0, names, ())


def update_nest(pure: tuple[str, ...], reduction: tuple[str, ...], *, is_order_free: bool = False) -> StageNest:
    return initial_nest("f", 1, pure, reduction, is_order_free=is_order_free)


def after(nest: StageNest, *actions: NestDirective) -> StageNest:
    """The nest after some directives, each quoted as f.<class name>(...)."""
    for action in actions:
        text = f"f.{type(action).__name__.lower()}(...)"
        nest = apply(nest, Directive(action, nest.stage, HERE, text))
    return nest


def split(old: str, outer: str, inner: str, factor: int, tail: Tail = Tail.AUTO) -> Split:
    return Split(old, outer, inner, Const(factor, INT32), tail)


def mark(loop: str, kind: LoopKind) -> SetKind:
    return SetKind(loop, kind)


__all__ = [
    "HERE", "Fuse", "LoopKind", "Rename", "Reorder", "Tail", "after", "mark", "pure_nest", "split", "update_nest",
]  # fmt: skip
