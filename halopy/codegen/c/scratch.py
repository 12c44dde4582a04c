"""Scratch memory: small arrays on the stack, the rest from the heap, freed however its block is left.

Memory whose size is known before a loop is taken there, once, or once per thread (`hoist`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...ir.expr import Const, Expr, Mul, const_value
from ...ir.stmt import Allocate, ErrorSite, For, LetStmt, MemoryKind, Produce, Stmt
from .effects import EffectPrinter
from .hoist import hoistable
from .registers import SUMS, Register, is_updated_in_loop, register_lanes
from .scopes import Mode
from .scratch_memory import LINKED_SCRATCH, SCRATCH
from .types import Text, c_type, element_name, memory_type

_STACK_LIMIT = 16 * 1024  # bytes of one array on the stack, where the schedule does not say
_STACK_TOTAL = 128 * 1024  # bytes of all of them together


class ScratchPrinter(EffectPrinter):
    """Prints allocations."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes, loop_notes)
        self._on_stack = 0
        self._hoisted: dict[str, str] = {}  # buffers that have their memory already: C pointer
        self._within_block: Allocate | None = None  # the next allocation, if it ends where the latest one ends

    def allocate(self, stmt: Allocate) -> None:
        if stmt.buffer in self._hoisted:
            self.then(stmt.body, self._point(stmt, self._hoisted[stmt.buffer]))
            return
        registers = register_lanes(stmt, self.vector_bytes)
        if registers is not None:
            self.open("")
            self.then(stmt.body, self._name_registers(stmt, registers), self.close)
            return
        self.begin(stmt.size)
        has_block = self._within_block is not stmt
        self._within_block = _last_inside(stmt)
        if has_block:
            self.open("")
        total = _constant_bytes(stmt, stmt.size)
        if total is None or not self._fits_stack(total, stmt.memory):
            name, total = self.heap(stmt, stmt.size), 0
            self.leave()
            self.close()
        else:
            name = self.declared(stmt.buffer, f"{memory_type(stmt.dtype)} *")
            self.memory_of[stmt.buffer] = "Stack"
            count = max(1, total // stmt.dtype.bytes)
            self.line(f"{memory_type(stmt.dtype)} {name}[{count}] __attribute__((aligned(64)));")
        self._on_stack += total
        restore = self._point(stmt, name)

        def leave() -> None:
            restore()
            self._on_stack -= total
            if has_block:
                self.close()

        self.then(stmt.body, leave)

    def _name_registers(self, stmt: Allocate, lanes: Mapping[int, int]) -> Callable[[], None]:
        """Declare variables that hold the memory; the answer undoes that."""
        element, outer = element_name(stmt.dtype), self.registers.get(stmt.buffer)
        if is_updated_in_loop(stmt):
            self.line(SUMS)
        held = {start: self._register(stmt, element, start, lanes[start]) for start in sorted(lanes)}
        self.registers[stmt.buffer] = held

        def restore() -> None:
            if outer is None:
                del self.registers[stmt.buffer]
            else:
                self.registers[stmt.buffer] = outer

        return restore

    def _register(self, stmt: Allocate, element: str, start: int, lanes: int) -> Register:
        kind = self.vector_c_type(element, lanes) if lanes > 1 else c_type(stmt.dtype)
        name = self.declared(f"{stmt.buffer}_{start}", kind)
        self.line(f"{kind} {name} = {'{0}' if lanes > 1 else '0'};")
        return Register(name, lanes)

    def heap(self, stmt: Allocate, size: Expr, *, shared: bool = False) -> str:
        """Lines that take memory, up to inside the block for where there is none. Answers the C pointer."""
        self.prelude.macro("SCOPED", LINKED_SCRATCH if self.linked else SCRATCH)
        self.memory_of[stmt.buffer] = "Heap"
        count = self._count(size)
        c_type, memory = memory_type(stmt.dtype), self.names.fresh(f"{stmt.buffer}_memory")
        name = self.declared(stmt.buffer, f"{c_type} *")
        if self.linked:
            self.line(f"const struct scratch {memory} SCOPED = scratch(user_context, {count}, {stmt.dtype.bytes});")
            self.line(f"{c_type} *const restrict {name} = {memory}.start;")
        else:
            self.line(f"void *const {memory} SCOPED = scratch({count}, {stmt.dtype.bytes});")
            self.line(f"{c_type} *const restrict {name} = {memory};")
        self.open(f"if (!{name})")
        needed = Text(f"product({count}, {stmt.dtype.bytes})")
        self.report(ErrorSite.OUT_OF_MEMORY, (stmt.buffer,), [needed], shared=shared)
        return name

    def _count(self, size: Expr) -> str:
        """A number of elements; the greatest number where extents have a product that passes it."""
        known, *unknown = _factors(size)
        text = self.scalar(known, Mode.INDEX).code
        for factor in unknown:
            text = f"product({text}, {self.scalar(factor, Mode.INDEX).code})"
        return text

    def to_hoist(self, loop: For) -> list[tuple[Allocate, Expr]]:
        """What the loop allocates on the heap and can be taken before it."""
        return [
            (stmt, size)
            for stmt, size in hoistable(loop)
            if stmt.buffer not in self._hoisted and not self._stays_on_stack(stmt)
        ]

    def hoist(self, stmts: list[tuple[Allocate, Expr]], *, shared: bool) -> Callable[[], None]:
        """Take memory before a loop; the answer forgets it again. `shared`: every thread does this."""
        for stmt, size in stmts:
            self.begin(size)
            self._hoisted[stmt.buffer] = self.heap(stmt, size, shared=shared)
            if not shared:
                self.leave()
            self.close()

        def forget() -> None:
            for stmt, _ in stmts:
                del self._hoisted[stmt.buffer]

        return forget

    def _stays_on_stack(self, stmt: Allocate) -> bool:
        total = _constant_bytes(stmt, stmt.size)
        return total is not None and self._fits_stack(total, stmt.memory)

    def _fits_stack(self, total: int, memory: MemoryKind) -> bool:
        if memory is MemoryKind.HEAP or self._on_stack + total > _STACK_TOTAL:
            return False
        return memory is not MemoryKind.AUTO or total <= _STACK_LIMIT

    def _point(self, stmt: Allocate, name: str) -> Callable[[], None]:
        """Let the buffer's name mean this memory; the answer undoes it."""
        outer = self.pointers.get(stmt.buffer), self.sizes.get(stmt.buffer)
        self._mean(stmt.buffer, name, const_value(stmt.size))
        return lambda: self._mean(stmt.buffer, *outer)

    def _mean(self, buffer: str, name: str | None, size: int | float | None) -> None:
        self.pointers.pop(buffer, None)
        self.sizes.pop(buffer, None)
        if name is not None:
            self.pointers[buffer] = name
        if size is not None:
            self.sizes[buffer] = int(size)


def _last_inside(stmt: Allocate) -> Allocate | None:
    """The allocation, if any, that makes up the body of this one."""
    body: Stmt = stmt.body
    while isinstance(body, LetStmt | Produce):
        body = body.body
    return body if isinstance(body, Allocate) else None


def _factors(size: Expr) -> list[Expr]:
    """What has to be multiplied with care: the whole alone, where no more than one factor is no constant."""
    factors, todo = [], [size]
    while todo:
        e = todo.pop()
        if isinstance(e, Mul):
            todo += (e.b, e.a)
        else:
            factors.append(e)
    return factors if sum(not isinstance(f, Const) for f in factors) > 1 else [size]


def _constant_bytes(stmt: Allocate, size: Expr) -> int | None:
    count = const_value(size)
    return None if count is None else max(0, int(count)) * stmt.dtype.bytes
