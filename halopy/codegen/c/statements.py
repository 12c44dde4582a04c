"""Statements as C, from an explicit stack of work, so that depth costs no recursion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from ...ir.expr import Effect, Load
from ...ir.node import find
from ...ir.ranges import UNBOUNDED
from ...ir.stmt import (
    Allocate,
    Assert,
    Atomic,
    Await,
    Block,
    Evaluate,
    For,
    Fork,
    If,
    Launch,
    LetStmt,
    Mirror,
    Prefetch,
    Produce,
    Publish,
    Stmt,
    Store,
    ToHost,
)
from .atomics import is_one_step, open_locked, print_one_step
from .context import is_name
from .launches import LaunchPrinter
from .names import comment
from .scopes import Mode, Scopes
from .stores import print_store
from .types import Text

_FETCH = """\
/* Brings an element's line into the cache; the address need not be one of memory. */
#define FETCH(base, index) \\
    __builtin_prefetch((const void *)((__UINTPTR_TYPE__)(base) + (__UINTPTR_TYPE__)(index) * sizeof *(base)))"""


class StatementPrinter(LaunchPrinter):
    """Prints the body of one kernel."""

    printers: ClassVar[Mapping[type[Stmt], Callable[..., None]]]

    def print(self, root: Stmt) -> None:
        """Write the lines of a statement."""
        self.todo = [root]
        while self.todo:
            work = self.todo.pop()
            if isinstance(work, Stmt):
                self.printers[type(work)](self, work)
            else:
                work()

    def block(self, stmt: Block) -> None:
        self.then(*stmt.stmts)

    def produce(self, stmt: Produce) -> None:
        self.line(comment(f"produce {stmt.name}"))
        self.then(stmt.body)

    def let(self, stmt: LetStmt) -> None:
        self.begin(stmt.value)
        known = self._know_range(stmt)
        value = self.bind(stmt.name, stmt.value)
        outer = self.bindings.get(stmt.name)
        shadowed = self.scopes if outer is not None else None
        if outer is not None:
            self.scopes = Scopes()
        else:
            self.scopes.open()
        self.bindings[stmt.name] = value

        def leave() -> None:
            if outer is not None and shadowed is not None:
                self.bindings[stmt.name], self.scopes = outer, shadowed
            else:
                self.scopes.close()
                del self.bindings[stmt.name]
            if known:
                del self.known_ranges[stmt.name]
                self.ranges.forget()

        self.then(stmt.body, leave)

    def _know_range(self, stmt: LetStmt) -> bool:
        """Remember between which numbers the lanes of a vector are, if that is known."""
        of = (
            self.ranges.of(stmt.value)
            if stmt.value.dtype.lanes > 1 and stmt.name not in self.known_ranges
            else UNBOUNDED
        )
        if of == UNBOUNDED:
            return False
        self.known_ranges[stmt.name] = of
        self.ranges.forget()
        return True

    def store(self, stmt: Store) -> None:
        roots = [stmt.index, stmt.value, *([stmt.predicate] if stmt.predicate is not None else [])]
        self.begin(*roots)
        self.print_store(stmt)

    def print_store(self, stmt: Store) -> None:
        """The lines of a store whose use of values has been counted."""
        print_store(self, stmt)

    def atomic(self, stmt: Atomic) -> None:
        body = stmt.body
        if not stmt.shared or not self.in_parallel:
            self.then(body)
        elif isinstance(body, LetStmt) and not _reads_stored(body):
            self.then(body.with_(body=stmt.with_(body=body.body)))
        elif isinstance(body, Store) and is_one_step(body):
            self.begin(body.index, body.value)
            print_one_step(self, body)
        else:
            first = find(body, Store)[0].index
            self.begin(first)
            open_locked(self, first)
            self.then(body, self.close)

    def evaluate(self, stmt: Evaluate) -> None:
        self.begin(stmt.value)
        value = self.value(stmt.value)
        for text in (value,) if isinstance(value, Text) else value.parts:
            if not is_name(text):
                self.line(f"(void)({text.code});")

    def prefetch(self, stmt: Prefetch) -> None:
        place = stmt.place
        assert isinstance(place, Load), "storage is flat"
        self.prelude.macro("FETCH", _FETCH)
        self.begin(place.index)
        self.line(f"FETCH({self.pointer(place.buffer)}, {self.scalar(place.index, Mode.INDEX).code});")

    def branch(self, stmt: If) -> None:
        self.begin(stmt.condition)
        self.open(f"if ({self.scalar(stmt.condition, Mode.INDEX).code})")
        if stmt.otherwise is None:
            self.then(stmt.then, self.close)
        else:
            self.then(stmt.then, self._else, stmt.otherwise, self.close)

    def _else(self) -> None:
        self.close("} else {")
        self.depth += 1
        self.scopes.open()


def _reads_stored(let: LetStmt) -> bool:
    """Whether the value is another one when another thread has stored."""
    stored = {store.buffer for store in find(let.body, Store)}
    return let.value.has(Effect) or any(load.buffer in stored for load in find(let.value, Load))


_PRINTERS: dict[type[Stmt], Callable[..., None]] = {
    Block: StatementPrinter.block,
    Produce: StatementPrinter.produce,
    LetStmt: StatementPrinter.let,
    Store: StatementPrinter.store,
    Evaluate: StatementPrinter.evaluate,
    Prefetch: StatementPrinter.prefetch,
    If: StatementPrinter.branch,
    For: StatementPrinter.loop,
    Assert: StatementPrinter.check,
    Allocate: StatementPrinter.allocate,
    Atomic: StatementPrinter.atomic,
    Fork: StatementPrinter.fork,
    Publish: StatementPrinter.publish,
    Await: StatementPrinter.await_,
    Launch: StatementPrinter.launch,
    Mirror: StatementPrinter.mirror,
    ToHost: StatementPrinter.to_host,
}
StatementPrinter.printers = _PRINTERS
