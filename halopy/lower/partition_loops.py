"""Split loops so that most iterations run without the tests and clamps that only the edges need.

    for (x, 0, n) {                              for (x, 0, 1)       { out[x] = in[max(x - 1, 0)] }
      out[x] = in[max(x - 1, 0)]            ->   for (x, 1, n - 1)   { out[x] = in[x - 1] }
    }

    for (xo, 0, (n + 7)/8) {                     for (xo, 0, n/8)         { S(xo) }
      if (likely(xo*8 + xi < n)) { S(xo) }  ->   for (xo, n/8, … - n/8)   { if (xo*8 + xi < n) { S(xo) } }
    }

In the steady state a marked condition holds, of a min, max or select the marked operand is taken.
Without marks, a clamp is taken to keep the operand that moves with the loop. Parallel loops stay
whole: each iteration chooses; so do loops inside an edge. Blocks of a device choose inside all loops over blocks, so
that those of the interior test nothing. Loops of few iterations are left to the
loops around and inside, and huge bodies with few clamps are not copied, unless the schedule says
`always_partition`; those of `never_partition` stay whole. Where the lanes of a vector would be
tested one by one, an edge has a serial loop; clamped lanes stay vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from ..ir.build import add, ge, logical_and, lt, maximum, minimum, select, sub
from ..ir.expr import And, Call, Expr, Max, Min, Or, Var, const_value
from ..ir.node import Node, find, walk
from ..ir.rewrite import Rewriter, substitute
from ..ir.stmt import Allocate, Block, For, If, LetStmt, LoopKind, LoopPartition, Produce, Stmt, block, let_all
from .decisions import Decisions, decide, is_innermost
from .folding import FoldingRewriter
from .likely import LIKELY
from .solve import Bounds

_WORTH_A_COPY = 2000  # nodes for each clamp that it saves
_FEW = 4  # iterations that are not worth a loop of their own


def partition_loops(stmt: Stmt) -> Stmt:
    partitioned: Stmt = _PartitionLoops()(stmt)
    return partitioned


class _PartitionLoops(Rewriter):
    """Outer loops first."""

    only = (For,)

    def rewrite_For(self, loop: For) -> Stmt:
        if loop.kind is LoopKind.GPU_BLOCK:
            return self._blocks(loop)
        decisions = decide(loop) if _is_worth_it(loop, _FEW) else None
        if decisions is None or not decisions.replaced or _is_dear(loop, decisions):
            return _inside(self, loop)
        steady = self(_Take(decisions.replaced)(loop.body))
        edge = _Edge(decisions.tested)(_Unmark(decisions.replaced)(loop.body))
        if loop.kind is LoopKind.PARALLEL:
            return _choose(loop, decisions.bounds, steady, edge)
        return _split(loop, decisions.bounds, steady, edge)

    def _blocks(self, outermost: For) -> Stmt:
        """Loops over blocks that stand inside each other choose together."""
        nest = list(_nest_of_blocks(outermost))
        tests: list[Expr] = []
        replaced: dict[Expr, Expr] = {}
        lanes: set[str] = set()
        for loop in nest:
            if isinstance(loop, LetStmt) or loop.partition is LoopPartition.NEVER:
                continue
            decisions = decide(loop)
            if not decisions.replaced or _is_dear(loop, decisions):
                continue
            tests += _tests(loop, decisions.bounds)
            replaced |= decisions.replaced
            lanes |= decisions.lanes
        body = nest[-1].body
        if not tests:
            return _around(nest, self(body))
        condition = _all(tests)

        def choose(stmt: Stmt, lets: Mapping[str, Expr]) -> Stmt:
            steady = self(substitute(_Take(replaced)(stmt), lets))
            edge = _Edge(lanes)(_Unmark(replaced)(stmt))
            return If(condition, steady, edge) if steady is not edge else stmt

        return _around(nest, _at_threads(body, {}, _Take(replaced), choose))


def _at_threads(
    stmt: Stmt, lets: dict[str, Expr], take: Rewriter, choose: Callable[[Stmt, Mapping[str, Expr]], Stmt]
) -> Stmt:
    """Chosen in each nest of threads, so that what they share is one memory, and all come to the same barriers.

    `lets` are those around it, as they are in the steady state.
    """
    if (isinstance(stmt, For) and stmt.kind.is_on_device) or not _has_threads(stmt):
        return choose(stmt, lets)
    if isinstance(stmt, Block):
        return block(*(_at_threads(part, lets, take, choose) for part in stmt.stmts))
    if isinstance(stmt, LetStmt):
        lets = {**lets, stmt.name: substitute(take(stmt.value), lets)}
    if isinstance(stmt, If):
        otherwise = None if stmt.otherwise is None else _at_threads(stmt.otherwise, lets, take, choose)
        return If(stmt.condition, _at_threads(stmt.then, lets, take, choose), otherwise)
    assert isinstance(stmt, LetStmt | Allocate | Produce | For), f"a {type(stmt).__name__} with threads inside"
    chosen: Stmt = stmt.with_(body=_at_threads(stmt.body, lets, take, choose))
    return chosen


def _has_threads(stmt: Stmt) -> bool:
    return any(loop.kind.is_on_device for loop in find(stmt, For))


def _nest_of_blocks(loop: Stmt) -> Iterator[For | LetStmt]:
    """Loops over blocks that stand directly inside each other, and what is let between them."""
    node: Stmt = loop
    while (isinstance(node, For) and node.kind is LoopKind.GPU_BLOCK) or (
        isinstance(node, LetStmt) and any(inner.kind is LoopKind.GPU_BLOCK for inner in find(node.body, For))
    ):
        yield node
        node = node.body


def _around(nest: Sequence[For | LetStmt], body: Stmt) -> Stmt:
    for part in reversed(nest):
        body = part if body is part.body else part.with_(body=body)
    return body


class _Edge(Rewriter):
    """The body for iterations at an edge: innermost loops choose in each iteration, which multiplies the code less
    than splitting them. Vector loops whose lanes are tested one by one become serial."""

    only = (For,)

    def __init__(self, tested: set[str]) -> None:
        super().__init__()
        self.tested = tested

    def rewrite_For(self, loop: For) -> Stmt:
        if loop.kind is LoopKind.VECTORIZED and loop.name in self.tested:
            return loop.with_(kind=LoopKind.SERIAL, body=self(loop.body))  # type: ignore[no-any-return]
        decisions = decide(loop) if _is_worth_it(loop, 1) and is_innermost(loop) else None
        if decisions is None or not decisions.replaced:
            return _inside(self, loop)
        steady = _Take(decisions.replaced)(loop.body)
        edge = _Edge(self.tested | decisions.tested)(_Unmark(decisions.replaced)(loop.body))
        return _choose(loop, decisions.bounds, steady, edge)


def _is_worth_it(loop: For, few: int) -> bool:
    if loop.partition is LoopPartition.NEVER:
        return False
    trips = None if loop.partition is LoopPartition.ALWAYS else const_value(loop.extent)
    return loop.kind in (LoopKind.SERIAL, LoopKind.PARALLEL) and (trips is None or trips > few)


def _is_dear(loop: For, decisions: Decisions) -> bool:
    """Whether a second copy of the body is much for what its clamps cost."""
    if loop.partition is LoopPartition.ALWAYS or decisions.lanes:
        return False
    most = _WORTH_A_COPY * len(decisions.replaced)
    clamps_only = all(isinstance(choice, Min | Max) for choice in decisions.replaced)
    return clamps_only and next(islice(walk(loop.body), most, None), None) is not None


def _inside(rewriter: Rewriter, loop: For) -> Stmt:
    body = rewriter(loop.body)
    return loop if body is loop.body else loop.with_(body=body)


class _Take(FoldingRewriter):
    """Puts expressions in the place of others."""

    def __init__(self, replaced: dict[Expr, Expr]) -> None:
        super().__init__()
        self.replaced = replaced

    def _visit(self, node: Node) -> Node:
        other = self.replaced.get(node) if isinstance(node, Expr) else None
        result: Node = super()._visit(node) if other is None else self(other)
        return result


class _Unmark(Rewriter):
    """Takes the marks off conditions that are decided elsewhere."""

    only = (Call,)

    def __init__(self, decided: dict[Expr, Expr]) -> None:
        super().__init__()
        self.decided = decided

    def rewrite_Call(self, call: Call) -> Expr:
        rebuilt: Expr = self.rebuild(call)
        return call.args[0] if call.name in LIKELY and self._is_decided(call.args[0]) else rebuilt

    def _is_decided(self, condition: Expr) -> bool:
        if isinstance(condition, And | Or):
            return self._is_decided(condition.a) and self._is_decided(condition.b)
        return condition in self.decided


def _split(loop: For, bounds: Bounds, steady: Stmt, edge: Stmt) -> Stmt:
    """Up to three loops, one after the other."""
    end = add(loop.min, loop.extent)
    lets: list[tuple[str, Expr]] = []
    start, stop = loop.min, end
    if bounds.at_least:
        lets.append((f"{loop.name}.steady", _within(_greatest(bounds.at_least), loop.min, end)))
        start = Var(lets[-1][0])
    if bounds.before or bounds.only_if:
        lets.append((f"{loop.name}.epilogue", _stop(bounds, start, end)))
        stop = Var(lets[-1][0])
    prologue = [_run(loop, loop.min, start, edge)] if bounds.at_least else []
    epilogue = [_run(loop, stop, end, edge)] if bounds.before or bounds.only_if else []
    return let_all(lets, block(*prologue, _run(loop, start, stop, steady), *epilogue))


def _stop(bounds: Bounds, start: Expr, end: Expr) -> Expr:
    stop = end
    for e in bounds.before:
        stop = minimum(e, stop)
    stop = maximum(stop, start)
    for e in bounds.only_if:
        stop = select(ge(e, 0), stop, start)
    return stop


def _within(e: Expr, low: Expr, high: Expr) -> Expr:
    return maximum(minimum(e, high), low)


def _greatest(items: list[Expr]) -> Expr:
    greatest = items[0]
    for e in items[1:]:
        greatest = maximum(greatest, e)
    return greatest


def _run(loop: For, start: Expr, stop: Expr, body: Stmt) -> Stmt:
    return For(loop.name, start, sub(stop, start), loop.kind, body)


def _choose(loop: For, bounds: Bounds, steady: Stmt, edge: Stmt) -> Stmt:
    """One loop, each iteration of which is steady or not."""
    choice = If(_all(_tests(loop, bounds)), steady, edge)
    return For(loop.name, loop.min, loop.extent, loop.kind, choice)


def _tests(loop: For, bounds: Bounds) -> list[Expr]:
    """What holds in a steady iteration."""
    here = Var(loop.name)
    return [
        *(ge(here, e) for e in bounds.at_least),
        *(lt(here, e) for e in bounds.before),
        *(ge(e, 0) for e in bounds.only_if),
    ]


def _all(tests: Sequence[Expr]) -> Expr:
    condition = tests[0]
    for test in tests[1:]:
        condition = logical_and(condition, test)
    return condition
