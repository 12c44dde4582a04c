"""Compute the part of an address that an innermost loop does not change before that loop.

    for (y, 0, h) {                                  for (y, 0, h) {
      for (x, 0, w) {                                  let in.row = (y - in.min.1)*in.stride.1 - in.min.0
        out[x] = in[(y - in.min.1)*in.stride.1   ->    for (x, 0, w) {
                    - in.min.0 + x + 1]                  out[x] = in[in.row + x + 1]
      }                                                }
    }                                                }

It stands where the last of its names is bound, so that loops one after the other share it. C compilers
move such parts too; the text is the clearer for it. Loads stay where they are, as memory may change.
"""

from __future__ import annotations

from ..dtypes import INT32
from ..ir.build import add
from ..ir.expr import Effect, Expr, Let, Load, Ramp, Var
from ..ir.linear import LinearForm, expr_of, linear
from ..ir.node import find
from ..ir.rewrite import Rewriter, ScopedRewriter, free_vars
from ..ir.stmt import For, LetStmt, Stmt, Store, let_all


def hoist_invariants(stmt: Stmt) -> Stmt:
    hoisted: Stmt = _HoistInvariants()(stmt)
    return hoisted


class _HoistInvariants(ScopedRewriter):
    """Inside out: `pending` are the parts found so far that no name bound further inside stands in."""

    only = (For,)

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[Expr, str] = {}
        self.made: dict[str, int] = {}
        self.pending: dict[Expr, str] = {}
        self.depth = 0
        self._variables: dict[Expr, frozenset[str]] = {}

    def rewrite_For(self, loop: For) -> Stmt:
        self.depth += 1
        body = self._bound(loop.name, loop.body)
        self.depth -= 1
        new = loop if body is loop.body else For(loop.name, loop.min, loop.extent, loop.kind, body)
        if self.depth:
            return new
        rest, self.pending = self.pending, {}
        return _named(rest, new)

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        body = self._bound(stmt.name, stmt.body)
        return stmt if body is stmt.body else LetStmt(stmt.name, stmt.value, body)

    def _bound(self, name: str, body: Stmt) -> Stmt:
        """A body in which `name` is bound, under the parts that it stands in."""
        outside, self.pending = self.pending, {}
        new: Stmt = self(body) if body.has(For) else self._rows(name, body)
        mine = {part: row for part, row in self.pending.items() if name in self.variables(part)}
        for part, row in self.pending.items():
            if part not in mine:
                outside[part] = row
        self.pending = outside
        return _named(mine, new)

    def variables(self, e: Expr) -> frozenset[str]:
        found = self._variables.get(e)
        if found is None:
            found = self._variables[e] = free_vars(e)
        return found

    def _rows(self, loop: str, body: Stmt) -> Stmt:
        rows = _Rows(self, loop, body)
        new: Stmt = rows(body)
        self.pending.update(rows.parts)
        return new

    def name(self, buffer: str, part: Expr) -> str:
        """One name per part; none hides another."""
        if part not in self.names:
            number = self.made[buffer] = self.made.get(buffer, 0) + 1
            self.names[part] = f"{buffer}.row" if number == 1 else f"{buffer}.row{number}"
        return self.names[part]


def _named(parts: dict[Expr, str], body: Stmt) -> Stmt:
    return let_all([(row, part) for part, row in parts.items()], body)


class _Rows(Rewriter):
    """Rewrites the accesses in the body of an innermost loop; `parts` are what it does not change, with their names."""

    only = (Load, Store)

    def __init__(self, outside: _HoistInvariants, loop: str, body: Stmt) -> None:
        super().__init__()
        self.outside = outside
        self.bound = {loop, *(s.name for s in find(body, LetStmt)), *(e.name for e in find(body, Let))}
        self.parts: dict[Expr, str] = {}

    def rewrite_Load(self, node: Load) -> Expr:
        node = self.rebuild(node)
        index = self._index(node.buffer, node.index)
        return node if index is node.index else Load(node.buffer, index, node.dtype, node.predicate)

    def rewrite_Store(self, node: Store) -> Stmt:
        node = self.rebuild(node)
        index = self._index(node.buffer, node.index)
        return node if index is node.index else Store(node.buffer, index, node.value, node.predicate)

    def _index(self, buffer: str, index: Expr) -> Expr:
        if isinstance(index, Ramp) and index.base.dtype is INT32:
            base = self._index(buffer, index.base)
            return index if base is index.base else Ramp(base, index.stride, index.lanes)
        if index.dtype is not INT32:
            return index
        form = linear(index)
        fixed = {term: c for term, c in form.terms.items() if self._is_fixed(term)}
        if not _is_worth_it(fixed):
            return index
        part = expr_of(LinearForm(fixed), INT32)
        row = self.parts[part] = self.outside.name(buffer, part)
        rest = {term: c for term, c in form.terms.items() if term not in fixed}
        return add(Var(row), expr_of(LinearForm(rest, form.constant), INT32))

    def _is_fixed(self, term: Expr) -> bool:
        return not term.has(Load, Effect) and self.bound.isdisjoint(self.outside.variables(term))


def _is_worth_it(fixed: dict[Expr, int]) -> bool:
    """More than a name that stands there already."""
    if len(fixed) == 1:
        ((term, c),) = fixed.items()
        return not isinstance(term, Var) or c not in (1, -1)
    return len(fixed) > 1
