"""Keep only the rows that are alive of a Func, in a ring.

    realize g over y in [m, m + n)            realize g over y in [0, 4)
      g(x, y) = ... g(x, y - 2) ...    ->       g(x, y % 4) = ... g(x, (y - 2) % 4) ...

The fold is at least the number of rows alive at once (see `storage_folds`), so no two of them share a place.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.build import as_expr, mod
from ..ir.expr import Expr, Read
from ..ir.rewrite import Rewriter
from ..ir.stmt import Provide, Realize, Stmt

Folds = Mapping[int, Expr]  # by dimension, the number of rows kept


def fold_storage(stmt: Stmt, folds: Mapping[str, Folds]) -> Stmt:
    """Fold the storage of the Funcs named."""
    folded: Stmt = _FoldStorage(folds)(stmt) if any(folds.values()) else stmt
    return folded


class _FoldStorage(Rewriter):
    only = (Read, Provide, Realize)

    def __init__(self, folds: Mapping[str, Folds]) -> None:
        super().__init__()
        self.folds = folds

    def _folded(self, name: str, index: tuple[Expr, ...]) -> tuple[Expr, ...]:
        folds = self.folds.get(name, {})
        return tuple(mod(e, folds[d]) if d in folds else e for d, e in enumerate(map(self, index)))

    def rewrite_Read(self, read: Read) -> Expr:
        return Read(read.name, self._folded(read.name, read.index), read.element, read.dtype)

    def rewrite_Provide(self, provide: Provide) -> Stmt:
        index = self._folded(provide.name, provide.index)
        return Provide(provide.name, index, tuple(map(self, provide.values)), provide.stage, provide.at)

    def rewrite_Realize(self, r: Realize) -> Stmt:
        folds = self.folds.get(r.name, {})
        bounds = tuple((as_expr(0), folds[d]) if d in folds else b for d, b in enumerate(r.bounds))
        return Realize(r.name, r.dtypes, bounds, r.memory, self(r.body))
