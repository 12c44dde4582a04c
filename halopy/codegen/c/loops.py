"""Loops, serial and parallel.

Parallel loops that stand directly inside each other become one OpenMP loop over all their iterations.
Any other parallel loop inside a parallel loop runs serially: its thread is one of a full team. Iterations
are dealt out one by one, since threads seldom run equally fast. Without OpenMP everything runs serially.

A kernel that is linked into another program has tasks instead (`tasks`), run by that program's runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...ir.expr import Expr, Sub, const_value
from ...ir.rewrite import free_vars
from ...ir.stmt import Allocate, For, LoopKind, Produce, Stmt
from .apart import APART
from .names import comment
from .scopes import Mode, Scopes
from .scratch import ScratchPrinter
from .tables import close_tables, open_tables
from .tasks import RUNNER, Task, captured, iteration
from .types import PLUS, TIMES, Text
from .work import WORTH_THREADS, work

_OMP = """\
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif"""


@dataclass(frozen=True, slots=True)
class _Range:
    """A loop whose range has been printed."""

    loop: For
    first: Text
    end: str


class LoopPrinter(ScratchPrinter):
    """Prints loops."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes, loop_notes)
        self.needs_openmp = False
        self.tasks: list[Task] = []

    def loop(self, stmt: For) -> None:
        if stmt.kind is LoopKind.PARALLEL and not self.in_parallel:
            self._task_loop(stmt) if self.linked else self._parallel_loop(stmt)
        else:
            self._serial_loop(stmt)

    def _serial_loop(self, stmt: For) -> None:
        hoisted = self.to_hoist(stmt)
        if hoisted:
            self.open("")
        forget = self.hoist(hoisted, shared=False)
        each = self._range(stmt)
        tables = open_tables(self, stmt)
        self._notes(stmt)
        leave = self._open_loop(each)

        def done() -> None:
            leave()
            close_tables(self, tables)
            forget()
            if hoisted:
                self.close()

        self.then(stmt.body, done)

    def _parallel_loop(self, stmt: For) -> None:
        self.needs_openmp = True
        self.prelude.macro("OMP", _OMP)
        nest = _perfect_nest(stmt)
        ranges = [self._range(loop) for loop in nest]
        condition = self._worth_threads(stmt, ranges[0])
        condition = condition and f" if({condition})"
        self.prelude.macro("APART", APART)
        caller = self.local("int", Text("PROCESSOR()"), "caller").code
        hoisted = self.to_hoist(nest[-1]) if _all_invariant(nest, self.to_hoist(nest[-1])) else []
        forget = self._open_region(hoisted, condition)
        for loop in nest:
            self._notes(loop)
        self.line(_directive(len(ranges), "" if hoisted else condition, within_region=bool(hoisted)))
        leaves = [self._open_loop(each) for each in ranges]
        self.line(f"KEEP_APART({caller});")
        self.begin_iteration()
        if hoisted:
            self.leave_if_failed()

        def done() -> None:
            may_fail = self.end_iteration()
            for leave in reversed(leaves):
                leave()
            forget()
            if hoisted:
                self.close()
            if may_fail:
                self.leave_if_failed()

        self.then(nest[-1].body, done)

    def _worth_threads(self, stmt: For, outermost: _Range) -> str:
        """When threads are woken: for more than one iteration, and enough to do. Empty: always."""
        conditions = []
        first, end = outermost.first, outermost.end
        if not end.isdecimal():
            conditions.append(f"{end} > 1" if first.code == "0" else f"{end} > {first.at(PLUS)} + 1")
        operations = work(stmt)
        if operations is not None:
            self.begin(operations)
            count = self.local("int64_t", self.scalar(operations, Mode.INDEX), "operations")
            conditions.append(f"{count.code} > {WORTH_THREADS}")
        return " && ".join(conditions)

    def _task_loop(self, stmt: For) -> None:
        """The loop's body as a function of its own, which the runtime calls for each iteration."""
        self.prelude.macro("halide_do_par_for", RUNNER)
        nest = _perfect_nest(stmt)
        ranges = [self._range(loop) for loop in nest]
        condition = self._worth_threads(stmt, ranges[0])
        trips = [self.local("int64_t", Text(_trips(each)), "trips").code for each in ranges]
        for loop in nest:
            self._notes(loop)
        outside, depth, around = self.lines, self.depth, dict(self.local_types)
        self.lines, self.depth = [], 1
        leaves = [self._open_iteration(each, place) for each, place in zip(ranges, iteration(trips), strict=True)]
        self.begin_iteration()

        def done() -> None:
            may_fail = self.end_iteration()
            for leave in reversed(leaves):
                leave()
            body, self.lines, self.depth = self.lines, outside, depth
            task = Task(self.names.fresh("each"), tuple(body), captured(body, around), may_fail)
            self.tasks.append(task)
            for line in task.call(trips, condition, self.exit_of_part()):
                self.line(line)

        self.then(nest[-1].body, done)

    def _open_iteration(self, each: _Range, place: str) -> Callable[[], None]:
        """The scope of one iteration, given its number from 0; the answer closes it."""
        name = self.declared(each.loop.name, "int64_t")
        self.open("")
        self.line(f"const int64_t {name} = {each.first.at(PLUS)} + {place};")
        return self._bind_loop(each.loop.name, Text(name))

    def _open_region(self, hoisted: list[tuple[Allocate, Expr]], condition: str) -> Callable[[], None]:
        """A parallel region around the loop, where each thread takes memory of its own."""
        if hoisted:
            self.line(f"OMP(omp parallel{condition})")
            self.open("")
        return self.hoist(hoisted, shared=True)

    def _notes(self, stmt: For) -> None:
        for note in self.loop_notes.get(stmt.name, ()):
            self.line(comment(note))

    def _range(self, stmt: For) -> _Range:
        self.begin(stmt.min, stmt.extent)
        first = self.scalar(stmt.min, Mode.INDEX)
        return _Range(stmt, first, self._end(stmt, first))

    def _end(self, stmt: For, first: Text) -> str:
        """The end of the loop: a literal, a name, or a constant computed once."""
        low, count = const_value(stmt.min), const_value(stmt.extent)
        if low is not None and count is not None:
            return str(int(low) + int(count))
        if isinstance(stmt.extent, Sub) and stmt.extent.b is stmt.min:
            return self._named_end(stmt, self.scalar(stmt.extent.a, Mode.INDEX))
        extent = self.scalar(stmt.extent, Mode.INDEX)
        return self._named_end(stmt, extent if low == 0 else Text(f"{first.at(PLUS)} + {extent.at(TIMES)}", PLUS))

    def _named_end(self, stmt: For, end: Text) -> str:
        return end.code if end.code.isidentifier() else self.local("int64_t", end, f"{stmt.name}_end").code

    def _open_loop(self, each: _Range) -> Callable[[], None]:
        """The head of a loop; the answer closes it."""
        name = self.declared(each.loop.name, "int64_t")
        self.open(f"for (int64_t {name} = {each.first.code}; {name} < {each.end}; {name}++)")
        return self._bind_loop(each.loop.name, Text(name))

    def _bind_loop(self, name: str, value: Text) -> Callable[[], None]:
        outer, scopes = self.bindings.get(name), self.scopes
        self.bindings[name] = value
        if outer is not None:
            self.scopes = Scopes()  # what was computed with the outer variable of this name is hidden

        def leave() -> None:
            self.scopes = scopes
            if outer is None:
                del self.bindings[name]
            else:
                self.bindings[name] = outer
            self.close()

        return leave


def _trips(each: _Range) -> str:
    return f"{each.end} > {each.first.at(PLUS)} ? {each.end} - {each.first.at(TIMES)} : 0"


def _perfect_nest(stmt: For) -> list[For]:
    """The parallel loop and those that directly make up its body, over ranges known before all of them."""
    nest, names = [stmt], {stmt.name}
    while True:
        body: Stmt = nest[-1].body
        while isinstance(body, Produce):
            body = body.body
        if not isinstance(body, For) or body.kind is not LoopKind.PARALLEL:
            return nest
        if not names.isdisjoint(free_vars(body.min) | free_vars(body.extent)) or body.name in names:
            return nest
        nest.append(body)
        names.add(body.name)


def _all_invariant(nest: list[For], hoisted: list[tuple[Allocate, Expr]]) -> bool:
    """Whether sizes known before the innermost loop are known before the whole nest."""
    names = {loop.name for loop in nest}
    return all(names.isdisjoint(free_vars(size)) for _, size in hoisted)


def _directive(loops: int, condition: str, *, within_region: bool) -> str:
    """The pragma of a parallel loop made of so many."""
    collapse = f" collapse({loops})" if loops > 1 else ""
    return f"OMP(omp {'for' if within_region else 'parallel for'} schedule(dynamic){collapse}{condition})"
