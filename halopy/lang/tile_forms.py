"""The four ways in which the arguments of `tile` may be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..errors import MistypedDirective
from ..source import caller
from .enums import TailStrategy

TileArguments: TypeAlias = "tuple[list[Any], list[Any], list[Any], list[Any], TailStrategy]"

_FORMS: tuple[tuple[str, ...], ...] = (
    ("x", "y", "xo", "yo", "xi", "yi", "xfactor", "yfactor"),
    ("x", "y", "xi", "yi", "xfactor", "yfactor"),
    ("previous", "outers", "inners", "factors"),
    ("previous", "inners", "factors"),
)


def tile_arguments(args: Sequence[object], named: Mapping[str, object]) -> TileArguments:
    """Old, outer and inner loops, factors and tail. Raises MistypedDirective where no form fits."""
    for form in _FORMS:
        bound = _bind((*form, "tail"), args, named)
        if bound is not None and all(isinstance(bound[name], list | tuple) != ("x" in form) for name in form):
            return _by_columns(bound)
    raise MistypedDirective(
        "tile(...) does not take these arguments",
        location=caller(),
        accepted="; ".join(f"({', '.join(form)}[, tail])" for form in _FORMS),
    )


def _bind(form: Sequence[str], args: Sequence[object], named: Mapping[str, object]) -> dict[str, Any] | None:
    bound: dict[str, Any] = dict(zip(form, args, strict=False))
    if len(args) > len(form) or bound.keys() & named.keys():
        return None
    bound |= named
    bound.setdefault("tail", TailStrategy.Auto)
    return bound if bound.keys() == set(form) and isinstance(bound["tail"], TailStrategy) else None


def _by_columns(bound: dict[str, Any]) -> TileArguments:
    tail: TailStrategy = bound["tail"]
    if "previous" in bound:
        previous = list(bound["previous"])
        return previous, list(bound.get("outers", previous)), list(bound["inners"]), list(bound["factors"]), tail
    x, y = bound["x"], bound["y"]
    outers = [bound.get("xo", x), bound.get("yo", y)]
    return [x, y], outers, [bound["xi"], bound["yi"]], [bound["xfactor"], bound["yfactor"]], tail
