"""Report how much memory each Func takes, when it begins to and when it no longer does.

    allocate g[w*4] {            allocate g[w*4] {
      ...                  ->      allocate g(w*4*bytes)
    }                              ...
                                   free g()
                                 }

Stands after all other passes: what is reported is what is allocated.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..dtypes import INT64
from ..ir.build import mul
from ..ir.expr import Cast, Effect, const
from ..ir.rewrite import Rewriter
from ..ir.services import Trace, TraceKind
from ..ir.stmt import Allocate, Evaluate, Stmt, block


def trace_allocations(stmt: Stmt, funcs: Mapping[str, tuple[str, int]]) -> Stmt:
    """`funcs` has for each buffer that is reported its Func, and which of its values the buffer holds."""
    traced: Stmt = _TraceAllocations(funcs)(stmt) if funcs else stmt
    return traced


class _TraceAllocations(Rewriter):
    only = (Allocate,)

    def __init__(self, funcs: Mapping[str, tuple[str, int]]) -> None:
        super().__init__()
        self.funcs = funcs

    def rewrite_Allocate(self, a: Allocate) -> Stmt:
        body: Stmt = self(a.body)
        if a.buffer not in self.funcs:
            return a.with_(body=body)  # type: ignore[no-any-return]
        func, element = self.funcs[a.buffer]
        size = mul(Cast(INT64, a.size), const(a.dtype.bytes, INT64))
        begin = Effect(Trace(TraceKind.ALLOCATE, func, element, a.buffer), size, (const(0),))
        end = Effect(Trace(TraceKind.FREE, func, element), const(0), (const(0),))
        return a.with_(body=block(Evaluate(begin), body, Evaluate(end)))  # type: ignore[no-any-return]
