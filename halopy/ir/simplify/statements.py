"""Simplify statements: outside in, with what loops, lets and conditions say about the inside."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from .. import expr as ir
from .. import stmt as st
from ..expr import Expr, const, const_value
from ..scope import Interval
from ..stmt import NOTHING, Stmt, block
from .engine import Simplifier, bind_value, is_trivial
from .facts import Facts

# A visit yields the statements below it, gets each back simplified, and returns its own: so nesting
# of any depth is walked without recursion.
_Visit = Generator[Stmt, Stmt, Stmt]


def simplify_statement(stmt: Stmt, facts: Facts) -> Stmt:
    """The statement under these facts. Lets that became unused are still there."""
    walker = _Statements(Simplifier(facts))
    visits: list[_Visit] = []
    result: Stmt | None = None
    todo: Stmt | None = stmt
    while True:
        if todo is not None:
            visits.append(walker.visit(todo))
            result = None
        try:
            todo = next(visits[-1]) if result is None else visits[-1].send(result)
        except StopIteration as finished:
            visits.pop()
            result, todo = finished.value, None
            if not visits:
                assert result is not None, "a visit returns a statement"
                return result


class _Statements:
    """The visits, one method per class. `simplify` is the simplifier under the facts of the moment."""

    def __init__(self, simplify: Simplifier) -> None:
        self.simplify = simplify

    def visit(self, s: Stmt) -> _Visit:
        visit: _Visit = _VISITS[type(s)](self, s)
        return visit

    def _under(self, facts: Facts, body: Stmt) -> _Visit:
        """The body under other facts, with a memo of its own."""
        outside, self.simplify = self.simplify, Simplifier(facts)
        result = yield body
        self.simplify = outside
        return result

    def loop(self, s: st.For) -> _Visit:
        low, extent = self.simplify(s.min), self.simplify(s.extent)
        if self.simplify.facts.at_most(extent, const(0, extent.dtype)):
            return NOTHING
        if const_value(extent) == 1 and not s.kind.is_on_device:  # such a loop says that a device runs it
            return (yield from self.let(st.LetStmt(s.name, low, s.body)))
        make = self.simplify.make
        last = make(ir.Sub, make(ir.Add, low, extent), const(1, low.dtype))
        body = yield from self._bound(s.name, Interval(low, last), s.body)
        return body if body is NOTHING else st.For(s.name, low, extent, s.kind, body, s.partition)

    def _bound(self, name: str, interval: Interval, body: Stmt) -> _Visit:
        facts = self.simplify.facts
        if facts.binds(name) and facts.intervals.get(name) != interval:
            facts = facts.copy()
            facts.values.pop(name, None)
            facts.bound(name, interval)
            return (yield from self._under(facts, body))
        facts.bound(name, interval)
        return (yield body)

    def let(self, s: st.LetStmt) -> _Visit:
        value = self.simplify(s.value)
        facts = self.simplify.facts
        renewed = facts.binds(s.name) and facts.values.get(s.name) is not value
        if renewed:
            facts = facts.copy()
            facts.values.pop(s.name, None)
        if is_trivial(value):
            facts.values[s.name] = value
        else:
            bind_value(facts, s.name, value)
        body = yield from (self._under(facts, s.body) if renewed else self._here(s.body))
        return body if is_trivial(value) or body is NOTHING else st.LetStmt(s.name, value, body)

    def _here(self, body: Stmt) -> _Visit:
        return (yield body)

    def branch(self, s: st.If) -> _Visit:
        condition = self.simplify(s.condition)
        known = const_value(condition)
        if known is not None:
            chosen = s.then if known else s.otherwise
            return NOTHING if chosen is None else (yield chosen)
        then = yield from self._under(self._assuming(condition, True), s.then)
        if s.otherwise is None:
            return then if then is NOTHING else st.If(condition, then)
        otherwise = yield from self._under(self._assuming(condition, False), s.otherwise)
        if then is otherwise:
            return then
        if otherwise is NOTHING:
            return st.If(condition, then)
        if then is NOTHING:
            return st.If(self.simplify.make(ir.Not, condition), otherwise)
        return st.If(condition, then, otherwise)

    def _assuming(self, condition: Expr, holds: bool) -> Facts:
        facts = self.simplify.facts.copy()
        if condition.dtype.lanes == 1:
            facts.assume(condition, holds)
            opposite = self.simplify.make(ir.Not, condition)
            facts.known[opposite] = const(not holds, opposite.dtype)
        return facts

    def block(self, s: st.Block) -> _Visit:
        parts: list[Stmt] = []
        for part in s.stmts:
            simpler = yield part
            parts.append(simpler)
            if isinstance(simpler, st.Assert) and const_value(simpler.condition) == 0:
                break  # never passed
        return block(*parts)

    def produce(self, s: st.Produce) -> _Visit:
        body = yield s.body
        return body if body is NOTHING else st.Produce(s.name, body)

    def atomic(self, s: st.Atomic) -> _Visit:
        body = yield s.body
        return body if body is NOTHING else st.Atomic(s.name, s.shared, body)

    def realize(self, s: st.Realize) -> _Visit:
        bounds = tuple((self.simplify(low), self.simplify(extent)) for low, extent in s.bounds)
        body = yield s.body
        return body if body is NOTHING else st.Realize(s.name, s.dtypes, bounds, s.memory, body)

    def reserve(self, s: st.Reserve) -> _Visit:
        extents, slots = tuple(map(self.simplify, s.extents)), self.simplify(s.slots)
        body = yield s.body
        return body if body is NOTHING else st.Reserve(s.name, s.dtypes, extents, slots, s.memory, body)

    def prefetch(self, s: st.Prefetch) -> _Visit:
        place = s.place
        if isinstance(place, ir.Load):
            place = ir.Load(place.buffer, self.simplify(place.index), place.dtype)
        return st.Prefetch(place)
        yield

    def allocate(self, s: st.Allocate) -> _Visit:
        size = self.simplify(s.size)
        body = yield s.body
        return body if body is NOTHING else st.Allocate(s.buffer, s.dtype, size, s.memory, body)

    def store(self, s: st.Store) -> _Visit:
        predicate = None if s.predicate is None else self.simplify(s.predicate)
        if predicate is not None and (known := const_value(predicate)) is not None:
            if not known:
                return NOTHING
            predicate = None
        return st.Store(s.buffer, self.simplify(s.index), self.simplify(s.value), predicate)
        yield

    def provide(self, s: st.Provide) -> _Visit:
        index, values = tuple(map(self.simplify, s.index)), tuple(map(self.simplify, s.values))
        return st.Provide(s.name, index, values, s.stage, tuple(map(self.simplify, s.at)))
        yield

    def check(self, s: st.Assert) -> _Visit:
        condition = self.simplify(s.condition)
        if const_value(condition) == 1:
            return NOTHING
        return st.Assert(condition, s.site, s.names, tuple(map(self.simplify, s.args)))
        yield

    def fork(self, s: st.Fork) -> _Visit:
        producer = yield s.producer
        consumer = yield s.consumer
        return st.Fork(s.name, s.counters, producer, consumer)

    def publish(self, s: st.Publish) -> _Visit:
        return s if s.value is None else st.Publish(s.counter, self.simplify(s.value))
        yield

    def await_(self, s: st.Await) -> _Visit:
        return s if s.value is None else st.Await(s.counter, self.simplify(s.value))
        yield

    def evaluate(self, s: st.Evaluate) -> _Visit:
        value = self.simplify(s.value)
        return NOTHING if const_value(value) is not None else st.Evaluate(value)
        yield


_VISITS: dict[type[Stmt], Callable[[_Statements, Any], _Visit]] = {
    st.For: _Statements.loop,
    st.LetStmt: _Statements.let,
    st.If: _Statements.branch,
    st.Block: _Statements.block,
    st.Produce: _Statements.produce,
    st.Atomic: _Statements.atomic,
    st.Realize: _Statements.realize,
    st.Reserve: _Statements.reserve,
    st.Prefetch: _Statements.prefetch,
    st.Allocate: _Statements.allocate,
    st.Store: _Statements.store,
    st.Provide: _Statements.provide,
    st.Assert: _Statements.check,
    st.Fork: _Statements.fork,
    st.Publish: _Statements.publish,
    st.Await: _Statements.await_,
    st.Evaluate: _Statements.evaluate,
}
