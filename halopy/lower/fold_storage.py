"""Keep only the rows that are alive of a Func whose window slides.

    realize g over y in [m, m + n)            realize g over y in [0, 4)
      g(x, y) = ... g(x, y - 2) ...    ->       g(x, y % 4) = ... g(x, (y - 2) % 4) ...

The fold is at least the number of rows that one iteration uses (see `slide_windows`), so two rows alive at
once never share a place.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.build import as_expr, mod
from ..ir.expr import Expr, Read
from ..ir.rewrite import Rewriter
from ..ir.stmt import Provide, Realize, Stmt
from .slide_windows import Slide


def fold_storage(stmt: Stmt, slides: Mapping[str, Slide]) -> Stmt:
    """Fold the storage of each Func whose Slide says so."""
    folds = {func: (s.folded_dim, s.fold) for func, s in slides.items() if s.folded_dim is not None}
    folded: Stmt = _FoldStorage(folds)(stmt) if folds else stmt
    return folded


class _FoldStorage(Rewriter):
    only = (Read, Provide, Realize)

    def __init__(self, folds: Mapping[str, tuple[int | None, int]]) -> None:
        super().__init__()
        self.folds = folds

    def _folded(self, name: str, index: tuple[Expr, ...]) -> tuple[Expr, ...]:
        dim, fold = self.folds.get(name, (None, 0))
        return tuple(mod(e, fold) if d == dim else e for d, e in enumerate(map(self, index)))

    def rewrite_Read(self, read: Read) -> Expr:
        return Read(read.name, self._folded(read.name, read.index), read.element, read.dtype)

    def rewrite_Provide(self, provide: Provide) -> Stmt:
        return Provide(provide.name, self._folded(provide.name, provide.index), tuple(map(self, provide.values)))

    def rewrite_Realize(self, r: Realize) -> Stmt:
        dim, fold = self.folds.get(r.name, (None, 0))
        bounds = tuple((as_expr(0), as_expr(fold)) if d == dim else b for d, b in enumerate(r.bounds))
        return Realize(r.name, r.dtypes, bounds, r.memory, self(r.body))
