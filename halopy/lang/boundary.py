"""`hl.BoundaryConditions`: what a Func, Buffer or ImageParam reads outside its bounds.

         given:      a b c d        over [0, 4)
    constant_exterior   k k k | a b c d | k k k
    repeat_edge         a a a | a b c d | d d d
    repeat_image        b c d | a b c d | a b c
    mirror_image        c b a | a b c d | d c b
    mirror_interior     d c b | a b c d | c b a

The inside is marked likely, so that loops are split into a border and a steady part without the tests.
Bounds are (min, extent) pairs, x first; a Buffer or ImageParam has its own. Dimensions without bounds, or with
undefined ones, are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..errors import DefinitionError
from ..ir.expr import FALSE
from ..source import caller
from .buffers.buffer import Buffer
from .expressions.expr import Expr, ToExpr, to_expr
from .expressions.var import Var, _
from .func import Func
from .image_param import InputImage
from .intrinsics import abs, clamp, likely, select
from .region import Range, ToRange, region_of, to_region

__all__ = ["constant_exterior", "mirror_image", "mirror_interior", "repeat_edge", "repeat_image"]

Source: TypeAlias = "Func | Buffer | InputImage"
Fold: TypeAlias = Callable[[Var, Expr, Expr], Expr]


def constant_exterior(
    f: Source, exterior: ToExpr | tuple[ToExpr, ...], bounds: Sequence[ToRange] | None = None
) -> Func:
    """A constant outside; a tuple of constants for a tuple-valued Func."""
    source, region = _bounded("constant_exterior", f, bounds)
    args = source.args()
    outside = Expr(FALSE)
    for var, (low, extent) in _limited(args, region):
        outside = outside | (var < low) | (var >= low + extent)
    values = exterior if isinstance(exterior, tuple) else (exterior,)
    inside = repeat_edge(source, region)[tuple(args)]
    elements = [to_expr(e) for e in inside] if inside.size() > 1 else [to_expr(inside)]
    if len(values) != len(elements):
        raise DefinitionError(
            f"constant_exterior: {len(values)} constants for a Func of {len(elements)} values", location=caller()
        )
    chosen = tuple(select(outside, to_expr(k), likely(e)) for k, e in zip(values, elements, strict=True))
    return _func("constant_exterior", args, chosen[0] if len(chosen) == 1 else chosen)


def repeat_edge(f: Source, bounds: Sequence[ToRange] | None = None) -> Func:
    """The nearest value inside."""
    return _folded("repeat_edge", f, bounds, _to_edge)


def repeat_image(f: Source, bounds: Sequence[ToRange] | None = None) -> Func:
    """Copies of the inside, side by side."""
    return _folded("repeat_image", f, bounds, _unlikely(_tile))


def mirror_image(f: Source, bounds: Sequence[ToRange] | None = None) -> Func:
    """Mirrored copies of the inside, side by side: the edge comes twice."""
    return _folded("mirror_image", f, bounds, _unlikely(_mirror_with_edge))


def mirror_interior(f: Source, bounds: Sequence[ToRange] | None = None) -> Func:
    """Mirrored copies of the inside that share their edges."""
    return _folded("mirror_interior", f, bounds, _unlikely(_mirror_without_edge))


def _to_edge(var: Var, low: Expr, extent: Expr) -> Expr:
    return clamp(likely(var), low, low + extent - 1)


def _tile(var: Var, low: Expr, extent: Expr) -> Expr:
    return (var - low) % extent + low


def _mirror_with_edge(var: Var, low: Expr, extent: Expr) -> Expr:
    place = (var - low) % (2 * extent)
    mirrored = select(place >= extent, 2 * extent - 1 - place, place)
    return clamp(mirrored + low, low, low + extent - 1)


def _mirror_without_edge(var: Var, low: Expr, extent: Expr) -> Expr:
    last = extent - 1
    distance = abs((var - low) % (2 * last) - last)
    return clamp(last - distance + low, low, low + last)


def _unlikely(fold: Fold) -> Fold:
    """The fold outside, and inside the place itself: marked, so that both the test and the clamp go away there."""

    def place(var: Var, low: Expr, extent: Expr) -> Expr:
        outside = (var < low) | (var >= low + extent)
        return select(outside, fold(var, low, extent), likely(_to_edge(var, low, extent)))

    return place


def _folded(name: str, f: Source, bounds: Sequence[ToRange] | None, fold: Fold) -> Func:
    """A Func that reads the source at folded places."""
    source, region = _bounded(name, f, bounds)
    args = source.args()
    folded = {var.name(): fold(var, low, extent) for var, (low, extent) in _limited(args, region)}
    places = tuple(folded.get(var.name(), to_expr(var)) for var in args)
    return _func(name, args, source[places])


def _func(name: str, args: Sequence[Var], value: object) -> Func:
    func = Func(name)
    func[tuple(args)] = value
    return func


def _limited(args: Sequence[Var], region: Sequence[Range]) -> list[tuple[Var, Range]]:
    """The dimensions that have bounds."""
    return [(var, bound) for var, bound in zip(args, region, strict=False) if bound.min.defined()]


def _bounded(name: str, f: Source, bounds: Sequence[ToRange] | None) -> tuple[Func, list[Range]]:
    """The source as a Func, and its region."""
    if isinstance(f, Func):
        source = f
        if bounds is None:
            raise DefinitionError(
                f"{name} of Func `{f.name()}` needs bounds",
                location=caller(),
                accepted=f"hl.BoundaryConditions.{name}({f.name()}, [(0, width), (0, height)])",
            )
    else:
        source = Func()
        source[_] = f[_]
    region = region_of(f) if bounds is None and not isinstance(f, Func) else to_region(bounds or ())
    if len(region) > source.dimensions():
        raise DefinitionError(
            f"{name}: {len(region)} bounds for {source.dimensions()} dimensions of `{source.name()}`",
            location=caller(),
        )
    for place, bound in enumerate(region):
        if bound.min.defined() != bound.extent.defined():
            raise DefinitionError(
                f"{name}: bound {place} has only one of min and extent",
                location=caller(),
                accepted="both, or neither: (hl.Expr(), hl.Expr())",
            )
    return source, region
