"""Use a result that an earlier run computed.

produce f        ->     let f.recalled = recall(f, region, keys)
                        if f.recalled == 0:
                            produce f
                            keep(f, region, keys)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dtypes import INT64, UInt
from ..ir.build import cast, eq, mul
from ..ir.expr import Effect, Expr, Var, const
from ..ir.function import Function
from ..ir.services import Keep, Recall
from ..ir.stmt import Evaluate, If, LetStmt, Stmt, block
from ..schedule.directives import Memoize

_UINT64 = UInt(64)


def recall_results(
    produce: Stmt,
    function: Function,
    memoize: Memoize,
    buffers: Sequence[str],
    size: Expr,
    bounds: Sequence[tuple[Expr, Expr]],
) -> Stmt:
    """`size` elements lie in each of `buffers`, and hold the region `bounds` of (min, extent) per dimension."""
    recall = Recall(function.name, memoize.algorithm, tuple(buffers), memoize.images)
    sizes = [mul(cast(INT64, size), const(dtype.bytes, INT64)) for dtype in function.dtypes]
    args = (*sizes, *(end for bound in bounds for end in bound), *memoize.keys)
    eviction = const(0, _UINT64) if memoize.eviction is None else cast(_UINT64, memoize.eviction)
    keep = Effect(Keep(recall, memoize.eviction is not None), const(0), (eviction, *args))
    recalled = f"{function.name}.recalled"
    computed = If(eq(Var(recalled), const(0)), block(produce, Evaluate(keep)))
    return LetStmt(recalled, Effect(recall, const(0), args), computed)
