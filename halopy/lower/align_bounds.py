"""The region that `align_bounds` makes of the one that is needed."""

from __future__ import annotations

from ..ir.build import add, div, mod, mul, sub
from ..ir.expr import Expr
from ..ir.interval import Interval


def aligned(i: Interval, modulus: Expr, remainder: Expr | None) -> Interval:
    """The least interval around i whose extent is 0, and whose min is `remainder` if given, modulo `modulus`."""
    assert i.lo is not None and i.hi is not None, "boxes have ends"
    lo = i.lo if remainder is None else sub(i.lo, mod(sub(i.lo, remainder), modulus))
    extent = add(sub(i.hi, lo), 1)
    rounded = mul(_trips(extent, modulus), modulus)
    return Interval(lo, sub(add(lo, rounded), 1))


def _trips(extent: Expr, factor: Expr) -> Expr:
    return div(add(extent, sub(factor, 1)), factor)
