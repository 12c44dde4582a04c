"""The run-time check behind `bound`: what was promised covers what is needed."""

from __future__ import annotations

from ..ir.build import ge, le, logical_and
from ..ir.interval import Interval
from ..ir.stmt import Assert, ErrorSite, Stmt


def bound_check(func: str, arg: str, given: Interval, needed: Interval) -> Stmt:
    """Leave the kernel with BOUND_TOO_SMALL unless `given` contains `needed`."""
    ends = (given.lo, given.hi, needed.lo, needed.hi)
    args = tuple(e for e in ends if e is not None)
    assert len(args) == len(ends), "boxes have ends"
    covers = logical_and(le(args[0], args[2]), ge(args[1], args[3]))
    return Assert(covers, ErrorSite.BOUND_TOO_SMALL, (func, arg), args)
