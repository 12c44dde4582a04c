"""Report loads, stores and realizations where they happen.

    realize g([0, 10]) {                 realize g([0, 10]) {
                                           let g.realization = begin_realization g(pipeline, 0, 10)
      produce g {                          let g.production = produce g(g.realization, 0, 10)
        for (x, 0, 10) {                   produce g {
          g(x) = in(x)                       for (x, 0, 10) {
        }                                      g(x) = store g(in(x), g.production, x)
      }                            ->        }
                                             end_produce g(g.production, 0, 10)
                                           }
      f(0) = g(3)                          let g.consumption = consume g(g.realization, 0, 10)
                                           f(0) = load g(g(3), g.consumption, 3)
                                           end_consume g(g.consumption, 0, 10)
                                           end_realization g(g.realization, 0, 10)
    }                                    }

Needs names and coordinates (before folding and flattening), and stands after all that asks for regions: what it adds
is not read by anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..ir.build import add, sub
from ..ir.expr import Call, Effect, Expr, Read, Var, const
from ..ir.interval import Interval
from ..ir.node import find
from ..ir.program import buffer_property
from ..ir.rewrite import Rewriter, ScopedRewriter
from ..ir.services import Trace, TraceKind
from ..ir.stmt import Assert, Await, Block, Evaluate, LetStmt, Prefetch, Produce, Provide, Realize, Stmt, block
from ..schedule.tracing import Tracing
from .place_functions import Placement
from .regions import Regions, output_buffer

_Boxes = Callable[[str], tuple[Interval, ...]]
_PIPELINE = "pipeline.trace"
_MEMORY = (TraceKind.BEGIN_REALIZATION, TraceKind.END_REALIZATION)
_USE = (TraceKind.CONSUME, TraceKind.END_CONSUME)


def trace_accesses(stmt: Stmt, tracing: Tracing, regions: Regions) -> Stmt:
    """The statement with an Effect for each event asked for; itself where there is none."""
    placement = regions.placement
    tracer = _TraceAccesses(tracing, placement, lambda func: regions.stage_box(func, 0))
    traced = _after_checks(stmt, lambda body: tracer.program(placement.program.outputs, body))
    if traced is stmt and not tracing.pipeline:
        return stmt
    return _after_checks(traced, lambda body: _pipeline(placement, tracing, body))


def _after_checks(stmt: Stmt, wrap: Callable[[Stmt], Stmt]) -> Stmt:
    """Wraps what follows the lets and checks at the start."""
    lets = []
    while isinstance(stmt, LetStmt):
        lets.append(stmt)
        stmt = stmt.body
    parts = stmt.stmts if isinstance(stmt, Block) else (stmt,)
    checks = next((k for k, part in enumerate(parts) if not isinstance(part, Assert)), len(parts))
    stmt = block(*parts[:checks], wrap(block(*parts[checks:])))
    for let in reversed(lets):
        stmt = LetStmt(let.name, let.value, stmt)
    return stmt


def _pipeline(placement: Placement, tracing: Tracing, body: Stmt) -> Stmt:
    name = placement.program.outputs[0]
    inside = Var(_PIPELINE)
    tags = [
        Evaluate(_event(Trace(TraceKind.TAG, func, tag=text), inside))
        for func in reversed(list(placement.program.functions))  # consumers first
        for text in tracing.tags.get(func, ())
    ]
    end = Evaluate(_event(Trace(TraceKind.END_PIPELINE, name), inside))
    begin = _event(Trace(TraceKind.BEGIN_PIPELINE, name), const(0))
    return LetStmt(_PIPELINE, begin, block(*tags, body, end))


def _event(service: Trace, parent: Expr, coordinates: Iterable[Expr] = ()) -> Expr:
    return Effect(service, const(0), (parent, *coordinates))


class _TraceAccesses(ScopedRewriter):
    """`parents` has the event that accesses of a Func belong to, where we are."""

    only = (Read, Provide, Realize, Produce)

    def __init__(self, tracing: Tracing, placement: Placement, box: _Boxes) -> None:
        super().__init__()
        self.tracing, self.placement, self.box = tracing, placement, box
        self.parents: dict[str, Expr] = {}
        self.reads = _TraceReads(self)

    def name(self, func: str) -> str:
        """The Func of which this one may be a copy."""
        return self.placement.originals.get(func, func)

    def parent(self, func: str) -> Expr:
        return self.parents.get(func, Var(_PIPELINE))

    def __call__(self, node: Any) -> Any:
        return self.reads(node) if isinstance(node, Expr) else super().__call__(node)

    def rewrite_Provide(self, p: Provide) -> Stmt:
        index = tuple(map(self.reads, p.index))
        values = [self.reads(v) for v in p.values]
        if self.name(p.name) in self.tracing.stores:
            args = (self.parent(p.name), *index)
            stores = [Trace(TraceKind.STORE, self.name(p.name), element) for element in range(len(values))]
            values = [v if _is_undef(v) else Effect(s, v, args) for s, v in zip(stores, values, strict=True)]
        return Provide(p.name, index, tuple(values), p.stage, p.at)

    def rewrite_Realize(self, r: Realize) -> Stmt:
        ends = [end for low, extent in r.bounds for end in (low, extent)]
        body = self._within(r.name, _MEMORY, ends, lambda: self(r.body))
        return Realize(r.name, r.dtypes, r.bounds, r.memory, body)

    def program(self, outputs: Sequence[str], body: Stmt) -> Stmt:
        """All of it; the memory of outputs is the caller's, and around everything."""
        if not outputs:
            traced: Stmt = self(body)
            return traced
        function = self.placement.program.functions[outputs[0]]
        buffer = output_buffer(function, 0)
        ends: list[Expr] = [buffer_property(buffer, w, d) for d in range(function.rank) for w in ("min", "extent")]
        return self._within(function.name, _MEMORY, ends, lambda: self.program(outputs[1:], body))

    def rewrite_Produce(self, p: Produce) -> Stmt:
        def body() -> Stmt:
            return Produce(p.name, self(p.body))

        return self._within(p.name, (TraceKind.PRODUCE, TraceKind.END_PRODUCE), self._computed(p.name), body)

    def rewrite_Block(self, b: Block) -> Stmt:
        """What follows a production consumes it."""
        parts: list[Stmt] = []
        for at, stmt in enumerate(b.stmts):
            parts.append(self(stmt))
            rest = b.stmts[at + 1 :]
            read = {r.name for s in rest for r in find(s, Read)} if isinstance(stmt, Produce | Await) else set()
            consumed = [name for name in _produced(stmt) if name in read]
            if consumed:
                parts.append(self._consumption(consumed, block(*rest)))
                break
        return block(*parts)

    def _consumption(self, names: Sequence[str], body: Stmt) -> Stmt:
        if not names:
            consuming: Stmt = self(body)
            return consuming
        ends = self._computed(names[0])
        return self._within(names[0], _USE, ends, lambda: self._consumption(names[1:], body))

    def rewrite_Prefetch(self, fetch: Prefetch) -> Stmt:
        return fetch  # no value is loaded

    def _computed(self, func: str) -> list[Expr]:
        ends: list[Expr] = []
        for lo, hi in self.box(func):
            assert lo is not None and hi is not None, "boxes have ends"
            ends += [lo, add(sub(hi, lo), 1)]
        return ends

    def _within(
        self, func: str, kinds: tuple[TraceKind, TraceKind], ends: list[Expr], body: Callable[[], Stmt]
    ) -> Stmt:
        """The body between two events, the first of which all inside belongs to."""
        if self.name(func) not in self.tracing.realizations:
            return body()
        begin, end = (Trace(kind, self.name(func)) for kind in kinds)
        outer, reads = self.parents, self.reads
        symbol = Var(f"{func}.{_SYMBOLS[kinds[0]]}")
        self.parents = {**outer, func: symbol}
        self.reads = _TraceReads(self)
        inside = body()
        self.parents, self.reads = outer, reads
        done = Evaluate(_event(end, symbol, ends))
        return LetStmt(symbol.name, _event(begin, self.parent(func), ends), block(inside, done))


_SYMBOLS: Mapping[TraceKind, str] = {
    TraceKind.BEGIN_REALIZATION: "realization",
    TraceKind.PRODUCE: "production",
    TraceKind.CONSUME: "consumption",
}


class _TraceReads(Rewriter):
    """Reads in expressions of any depth, among one set of parents."""

    only = (Read,)

    def __init__(self, around: _TraceAccesses) -> None:
        super().__init__()
        self.around = around

    def rewrite_Read(self, read: Read) -> Expr:
        index = tuple(map(self, read.index))
        name = self.around.name(read.name)
        value = Read(read.name, index, read.element, read.dtype)
        if name not in self.around.tracing.loads:
            return value
        return Effect(Trace(TraceKind.LOAD, name, read.element), value, (self.around.parent(read.name), *index))


def _produced(stmt: Stmt) -> list[str]:
    """The Func that is produced, or awaited; several where their loops are shared."""
    if isinstance(stmt, Await):
        return [stmt.counter.removesuffix(".made")]
    names = []
    while isinstance(stmt, Produce):
        names.append(stmt.name)
        stmt = stmt.body
    return names


def _is_undef(value: Expr) -> bool:
    return any(call.name == "undef" for call in find(value, Call))
