"""Statements as C, from an explicit stack of work, so that depth costs no recursion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...ir.expr import const_value
from ...ir.stmt import (
    Allocate,
    Assert,
    Block,
    ErrorSite,
    Evaluate,
    For,
    If,
    LetStmt,
    LoopKind,
    MemoryKind,
    Produce,
    Stmt,
    Store,
)  # fmt: skip
from ..kernel import AssertSite
from .expressions import ExpressionPrinter
from .memory import print_store
from .names import comment
from .scopes import Mode, Scopes
from .types import Text, memory_type

_STACK_LIMIT = 16 * 1024  # bytes of one array on the stack, where the schedule does not say
_STACK_TOTAL = 128 * 1024  # bytes of all of them together

_PARALLEL = """\
#ifdef _OPENMP
#define PARALLEL_LOOP _Pragma("omp parallel for schedule(dynamic)")
#else
#define PARALLEL_LOOP
#endif"""
_SCRATCH = """\
extern void *aligned_alloc(__SIZE_TYPE__ alignment, __SIZE_TYPE__ size);
extern void free(void *memory);

/* Scratch memory for `count` elements, aligned to 64 bytes; null where there is none. */
INLINE void *scratch(int64_t count, int64_t bytes_each) {
    if (count > (INT64_C(1) << 48) / bytes_each) return 0;
    return aligned_alloc(64, count > 0 ? ((__SIZE_TYPE__)(count * bytes_each) + 63) / 64 * 64 : 64);
}

/* Runs where the variable goes out of scope, by whatever way. */
INLINE void release(const void *variable) { free(*(void *const *)variable); }
#define SCOPED __attribute__((cleanup(release)))"""

_Work = Stmt | Callable[[], None]


@dataclass
class Loops:
    """Where a failed check goes: out of the kernel, or to the end of the innermost parallel iteration."""

    exits: list[str] = field(default_factory=list)
    uses_exit: list[bool] = field(default_factory=list)


class StatementPrinter(ExpressionPrinter):
    """Prints the body of one kernel; collects its checks."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes)
        self.loop_notes = loop_notes
        self.asserts: list[AssertSite] = []
        self.needs_openmp = False
        self.needs_status = False
        self._loops = Loops()
        self._on_stack = 0
        self._todo: list[_Work] = []

    def print(self, root: Stmt) -> None:
        """Write the lines of a statement."""
        self._todo = [root]
        while self._todo:
            work = self._todo.pop()
            if isinstance(work, Stmt):
                _PRINTERS[type(work)](self, work)
            else:
                work()

    def then(self, *work: _Work) -> None:
        """What is to be printed next, in this order."""
        self._todo.extend(reversed(work))

    def block(self, stmt: Block) -> None:
        self.then(*stmt.stmts)

    def produce(self, stmt: Produce) -> None:
        self.line(comment(f"produce {stmt.name}"))
        self.then(stmt.body)

    def let(self, stmt: LetStmt) -> None:
        self.begin(stmt.value)
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

        self.then(stmt.body, leave)

    def store(self, stmt: Store) -> None:
        roots = [stmt.index, stmt.value, *([stmt.predicate] if stmt.predicate is not None else [])]
        self.begin(*roots)
        print_store(self, stmt)

    def evaluate(self, stmt: Evaluate) -> None:
        self.begin(stmt.value)
        value = self.value(stmt.value)
        for text in (value,) if isinstance(value, Text) else value.parts:
            self.line(f"(void)({text.code});")

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

    # Loops.

    def loop(self, stmt: For) -> None:
        self.begin(stmt.min, stmt.extent)
        first = self.scalar(stmt.min, Mode.INDEX)
        end = self._end(stmt, first)
        for note in self.loop_notes.get(stmt.name, ()):
            self.line(comment(note))
        parallel = stmt.kind is LoopKind.PARALLEL
        if parallel:
            self._begin_parallel()
        name = self.names.fresh(stmt.name)
        self.open(f"for (int64_t {name} = {first.code}; {name} < {end}; {name}++)")
        outer = self.bindings.get(stmt.name)
        self.bindings[stmt.name] = Text(name)
        if outer is not None:
            self.scopes, shadowed = Scopes(), self.scopes
        else:
            shadowed = None

        def leave() -> None:
            if shadowed is not None and outer is not None:
                self.scopes, self.bindings[stmt.name] = shadowed, outer
            else:
                del self.bindings[stmt.name]
            if parallel:
                self._end_parallel()
            else:
                self.close()

        self.then(stmt.body, leave)

    def _end(self, stmt: For, first: Text) -> str:
        """The end of the loop: a literal, a name, or a constant computed once."""
        extent = self.scalar(stmt.extent, Mode.INDEX)
        low, count = const_value(stmt.min), const_value(stmt.extent)
        if low is not None and count is not None:
            return str(int(low) + int(count))
        if low == 0 and extent.code.isidentifier():
            return extent.code
        total = extent.code if low == 0 else f"{first.at(14)} + {extent.at(15)}"
        return self.local("int64_t", Text(total), f"{stmt.name}_end").code

    def _begin_parallel(self) -> None:
        self.needs_openmp = True
        self.prelude.macro("PARALLEL_LOOP", _PARALLEL)
        self.line("PARALLEL_LOOP")
        self._loops.exits.append(self.names.fresh("next"))
        self._loops.uses_exit.append(False)

    def _end_parallel(self) -> None:
        label, used = self._loops.exits.pop(), self._loops.uses_exit.pop()
        if used:
            self.lines.append(f"{label}:;")
        self.close()
        if used:
            self.line(f"if (status) {self._exit('status')}")

    # Errors.

    def check(self, stmt: Assert) -> None:
        self.begin(stmt.condition, *stmt.args)
        condition = self.scalar(stmt.condition, Mode.INDEX)
        self.open(f"if (!({condition.code}))")
        args = [self.scalar(arg, Mode.INDEX) for arg in stmt.args]
        self._fail(stmt.site, stmt.names, args)
        self.close()

    def _fail(self, site: ErrorSite, names: tuple[str, ...], args: list[Text]) -> None:
        """Report a failed check and leave."""
        self.line(comment(f"{site.value}: {', '.join(names)}"))
        self.asserts.append(AssertSite(site, names, len(args)))
        number = len(self.asserts)
        if not self._loops.exits:
            self._write_args(args)
            self.line(f"return {number};")
            return
        # Threads race to report; the first one wins.
        self.needs_status = True
        self.line("int32_t none = 0;")
        self.open(f"if (__atomic_compare_exchange_n(&status, &none, {number}, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))")
        self._write_args(args)
        self.close()
        self.line(self._exit("status"))

    def _write_args(self, args: list[Text]) -> None:
        for k, arg in enumerate(args):
            self.line(f"error_args[{k}] = {arg.code};")

    def _exit(self, code: str) -> str:
        if not self._loops.exits:
            return f"return {code};"
        self._loops.uses_exit[-1] = True
        return f"goto {self._loops.exits[-1]};"

    # Scratch memory.

    def allocate(self, stmt: Allocate) -> None:
        self.begin(stmt.size)
        self.open("")
        name = self.names.fresh(stmt.buffer)
        size = const_value(stmt.size)
        total = int(size) * stmt.dtype.bytes if size is not None else None
        on_stack = total is not None and self._fits_stack(total, stmt.memory)
        if on_stack:
            self._on_stack += total or 0
            self.line(f"{memory_type(stmt.dtype)} {name}[{max(1, int(size or 0))}] __attribute__((aligned(64)));")
        else:
            self._heap(stmt, name)
        outer = self.pointers.get(stmt.buffer)
        self.pointers[stmt.buffer] = name

        def leave() -> None:
            if outer is None:
                del self.pointers[stmt.buffer]
            else:
                self.pointers[stmt.buffer] = outer
            if on_stack:
                self._on_stack -= total or 0
            self.close()

        self.then(stmt.body, leave)

    def _fits_stack(self, total: int, memory: MemoryKind) -> bool:
        if memory is MemoryKind.HEAP or self._on_stack + total > _STACK_TOTAL:
            return False
        return memory is not MemoryKind.AUTO or total <= _STACK_LIMIT

    def _heap(self, stmt: Allocate, name: str) -> None:
        self.prelude.macro("SCOPED", _SCRATCH)
        size = self.scalar(stmt.size, Mode.INDEX)
        c_type = memory_type(stmt.dtype)
        memory = self.names.fresh(f"{stmt.buffer}_memory")
        self.line(f"void *const {memory} SCOPED = scratch({size.code}, {stmt.dtype.bytes});")
        self.line(f"{c_type} *const restrict {name} = {memory};")
        self.open(f"if (!{name})")
        self._fail(ErrorSite.OUT_OF_MEMORY, (stmt.buffer,), [Text(f"({size.code}) * {stmt.dtype.bytes}")])
        self.close()


_PRINTERS: dict[type[Stmt], Callable[..., None]] = {
    Block: StatementPrinter.block,
    Produce: StatementPrinter.produce,
    LetStmt: StatementPrinter.let,
    Store: StatementPrinter.store,
    Evaluate: StatementPrinter.evaluate,
    If: StatementPrinter.branch,
    For: StatementPrinter.loop,
    Assert: StatementPrinter.check,
    Allocate: StatementPrinter.allocate,
}
