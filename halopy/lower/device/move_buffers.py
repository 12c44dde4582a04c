"""Say where memory of the host and of the device must agree.

    allocate f[uint16 * n]                      mirror f[uint16 * n] on the device and on the host
    launch kernel_f(f, in)                      allocate f[uint16 * n]
    for y: g[...] = f[...]              ->      launch kernel_f(f, in)
                                                to host: f
                                                for y: g[...] = f[...]

What only kernels touch has no memory on the host. Whether something is copied then is known when it runs: by who
wrote last. Statements of the host that touch what kernels touch are preceded by ToHost, as far outside as no kernel is
launched in between.
"""

from __future__ import annotations

from ...ir.expr import Effect, Load
from ...ir.node import find, walk
from ...ir.rewrite import ScopedRewriter
from ...ir.services import touched_buffers
from ...ir.stmt import Allocate, Block, For, If, Launch, LetStmt, Mirror, Stmt, Store, ToHost, block


def move_buffers(stmt: Stmt) -> Stmt:
    on_device = {b for launch in find(stmt, Launch) for b in launch.buffers}
    return _MoveBuffers(on_device)(stmt) if on_device else stmt


class _MoveBuffers(ScopedRewriter):
    only = (Launch,)

    def __init__(self, on_device: set[str]) -> None:
        super().__init__()
        self.on_device = on_device

    def __call__(self, node: Stmt) -> Stmt:
        if isinstance(node, Stmt) and not node.has(Launch):
            return self.guarded(node)
        moved: Stmt = super().__call__(node)
        return moved

    def guarded(self, stmt: Stmt) -> Stmt:
        """A statement of the host alone, after what it needs from the device."""
        read, written = _touched(stmt)
        touched = tuple(sorted((read | written) & self.on_device))
        if not touched:
            return stmt
        return block(ToHost(touched, tuple(sorted(written & self.on_device))), stmt)

    def rewrite_Allocate(self, stmt: Allocate) -> Stmt:
        if stmt.buffer not in self.on_device:
            rebuilt: Stmt = self.rebuild(stmt)
            return rebuilt
        read, written = _touched(stmt.body)
        body = self(stmt.body)
        if stmt.buffer in read | written:
            return Allocate(
                stmt.buffer, stmt.dtype, stmt.size, stmt.memory, Mirror(stmt.buffer, stmt.dtype, stmt.size, True, body)
            )
        return Mirror(stmt.buffer, stmt.dtype, stmt.size, False, body)

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        return self._after_reads(stmt, stmt.value)

    def rewrite_If(self, stmt: If) -> Stmt:
        return self._after_reads(stmt, stmt.condition)

    def rewrite_For(self, stmt: For) -> Stmt:
        return self._after_reads(stmt, stmt.min, stmt.extent)

    def _after_reads(self, stmt: Stmt, *values: object) -> Stmt:
        """A statement with kernels inside, after what its own expressions read."""
        read = {n.buffer for value in values for n in find(value, Load)} & self.on_device  # type: ignore[arg-type]
        rebuilt: Stmt = self.rebuild(stmt)
        return block(ToHost(tuple(sorted(read)), ()), rebuilt) if read else rebuilt

    def rewrite_Block(self, stmt: Block) -> Stmt:
        """Neighbours of the host alone are one statement."""
        parts: list[Stmt] = []
        alone: list[Stmt] = []
        for part in stmt.stmts:
            if part.has(Launch):
                parts += [self.guarded(block(*alone)), self(part)] if alone else [self(part)]
                alone = []
            else:
                alone.append(part)
        return block(*parts, *([self.guarded(block(*alone))] if alone else []))


def _touched(stmt: Stmt) -> tuple[set[str], set[str]]:
    """The buffers that the host reads, and those that it writes, in a statement; launches aside."""
    nodes = list(walk(stmt))
    read = {n.buffer for n in nodes if isinstance(n, Load)}
    services = {b for n in nodes if isinstance(n, Effect) for b in touched_buffers(n.service)}
    written = {n.buffer for n in nodes if isinstance(n, Store)}
    return read | services, written | services
