"""What runs where none of a stage's conditions holds and `specialize_fail` says so."""

from __future__ import annotations

from ..ir.expr import FALSE
from ..ir.stmt import Assert, ErrorSite, Stmt


def failure(func: str, message: str) -> Stmt:
    """Leave the kernel with the message."""
    return Assert(FALSE, ErrorSite.SPECIALIZATION_FAILED, (func, message), ())
