"""Statements of one thread as OpenCL C."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from ...dtypes import DType
from ...errors import UnsupportedTarget
from ...ir.expr import Expr, Load, const_value
from ...ir.stmt import (
    Allocate,
    Atomic,
    Barrier,
    Block,
    Evaluate,
    For,
    If,
    LetStmt,
    MemoryKind,
    Produce,
    Stmt,
    Store,
)
from ..c.atomics import is_one_step
from ..c.loads import print_load
from ..c.registers import Register, register_lanes
from ..c.statements import StatementPrinter
from ..c.stores import print_store as print_scalar_store
from ..c.types import Value, c_type, memory_type
from .atomics import print_one_step
from .memory import load_vector, print_store
from .names import OpenCLNames
from .prelude import OpenCLPrelude
from .vectors import GRAIN, print_vector

_MOST_PRIVATE = 64 * 1024  # bytes of one thread's array
_MATH = {"nearbyint": "rint"}


class DevicePrinter(StatementPrinter):
    """Prints the body of one kernel. `shared` are the arrays of a block, which stand at a kernel's beginning."""

    printers: ClassVar[Mapping[type[Stmt], Callable[..., None]]]

    def __init__(self, prelude: OpenCLPrelude, directive: str, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(16, loop_notes)
        self.prelude: OpenCLPrelude = prelude
        self.names = OpenCLNames()
        self.directive = directive
        self.shared: list[str] = []

    def math(self, name: str, dtype: DType) -> str:
        self.prelude.uses_double |= dtype.bits == 64
        return _MATH.get(name, name)

    def load(self, node: Load) -> Value:
        return print_load(self, node) if node.dtype.lanes == 1 else load_vector(self, node)

    def vector_of(self, node: Expr) -> Value:
        return print_vector(self, node)

    def print_store(self, stmt: Store) -> None:
        (print_scalar_store if stmt.value.dtype.lanes == 1 else print_store)(self, stmt)

    def loop(self, stmt: For) -> None:
        each = self._range(stmt)
        self._notes(stmt)
        self.then(stmt.body, self._open_loop(each))

    def barrier(self, _: Barrier) -> None:
        self.scopes.forget_loads()
        self.line("barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);")

    def atomic(self, stmt: Atomic) -> None:
        body = stmt.body
        if not stmt.shared:
            self.then(body)
        elif isinstance(body, LetStmt):
            self.then(body.with_(body=stmt.with_(body=body.body)))
        elif isinstance(body, Store) and is_one_step(body):
            self.begin(body.index, body.value)
            pointer = self.local_types[self.pointer(body.buffer)]
            print_one_step(self, body, "__local" if pointer.startswith("__local") else "__global")
        else:
            raise UnsupportedTarget(
                self.directive,
                reason=[f"the atomic update of {stmt.name} is no single step for an OpenCL device"],
                accepted="an update of one element, which reads no other element of the Func; or no atomic()",
            )

    def allocate(self, stmt: Allocate) -> None:
        size = const_value(stmt.size)
        if size is None or (stmt.memory is not MemoryKind.GPU_SHARED and int(size) * stmt.dtype.bytes > _MOST_PRIVATE):
            raise UnsupportedTarget(
                self.directive,
                reason=[f"each thread would have {stmt.size} elements of `{stmt.buffer}` for itself"],
                accepted="compute_at a loop in which a constant number of elements, and few, are needed",
            )
        is_shared = stmt.memory is MemoryKind.GPU_SHARED
        registers = None if is_shared else register_lanes(stmt, GRAIN * stmt.dtype.bytes)
        if registers is not None:
            self.then(stmt.body, self._name_registers(stmt, registers))
            return
        kind = memory_type(stmt.dtype)
        name = self.declared(stmt.buffer, f"{'__local ' if is_shared else ''}{kind} *")
        declaration = f"{kind} {name}[{max(1, int(size))}];"
        if is_shared:
            self.shared.append(f"__local {declaration}")
        else:
            self.line(declaration)
        outer = self.pointers.get(stmt.buffer)
        self.pointers[stmt.buffer] = name

        def leave() -> None:
            if outer is None:
                del self.pointers[stmt.buffer]
            else:
                self.pointers[stmt.buffer] = outer

        self.then(stmt.body, leave)

    def _register(self, stmt: Allocate, element: str, start: int, lanes: int) -> Register:
        """A variable, whose pieces are as wide as the language has vectors: drivers keep few arrays in registers."""
        kind = self.vector_c_type(element, lanes) if lanes > 1 else c_type(stmt.dtype)
        name = self.declared(f"{stmt.buffer}_{start}", kind)
        self.line(f"{kind} {name} = ({kind})(0);")
        return Register(name, lanes)


DevicePrinter.printers = {
    Block: DevicePrinter.block,
    Produce: DevicePrinter.produce,
    LetStmt: DevicePrinter.let,
    Store: DevicePrinter.store,
    Evaluate: DevicePrinter.evaluate,
    If: DevicePrinter.branch,
    For: DevicePrinter.loop,
    Allocate: DevicePrinter.allocate,
    Atomic: DevicePrinter.atomic,
    Barrier: DevicePrinter.barrier,
}
