"""Make each nest of block loops a kernel that the host launches.

    gpu_block (f.by, 0, h) {                   launch f[groups (w, h), threads (32, 8)](f, in, w, ...)
      gpu_block (f.bx, 0, w) {
        gpu_thread (f.ty, 0, 8) {        ->    kernel f: let f.by = group 1
          gpu_thread (f.tx, 0, 32) {                     let f.bx = group 0
            f[...] = in[...]                             let f.ty = thread 1
          }                                              let f.tx = thread 0
        }                                                f[...] = in[...]
      }
    }

The innermost loop is dimension 0. Block loops beyond the third share the last dimension. What the host knows and the
kernel uses is handed over by value. `arrange_threads` makes of thread loops what one thread does. Needs flat storage;
runs after all passes that look at loops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from ...dtypes import DType
from ...errors import UnsupportedTarget
from ...ir.build import add, div, mod, mul
from ...ir.expr import Effect, Expr, Let, Load, Var, const_value
from ...ir.kernel import DeviceKernel, ScalarArg
from ...ir.node import Node, find, walk
from ...ir.rewrite import ScopedRewriter, free_vars, substitute
from ...ir.simplify import simplify
from ...ir.stmt import (
    NOTHING,
    Allocate,
    Assert,
    Await,
    For,
    Fork,
    If,
    Launch,
    LetStmt,
    LoopKind,
    Prefetch,
    Produce,
    Publish,
    Stmt,
    Store,
)
from .arrange_threads import arrange_threads
from .device_names import MOST_DIMENSIONS, group, is_device_name

Notes = Mapping[str, tuple[str, ...]]  # directives that made a loop, by its name

_ON_HOST_ONLY: dict[type[Node], str] = {
    Assert: "a check that can fail",
    Fork: "a task of an async Func",
    Publish: "a task of an async Func",
    Await: "a task of an async Func",
    Effect: "a service of the host (print, require, a trace, an extern stage)",
}


def offload_kernels(stmt: Stmt, dtypes: Mapping[str, DType], notes: Notes) -> tuple[Stmt, tuple[DeviceKernel, ...]]:
    """The host's statement, and the kernels it launches. `dtypes` are those of the caller's buffers."""
    offload = _OffloadKernels(dtypes, notes)
    host: Stmt = offload(stmt)
    return host, tuple(offload.kernels)


class _OffloadKernels(ScopedRewriter):
    only = (For,)

    def __init__(self, dtypes: Mapping[str, DType], notes: Notes) -> None:
        super().__init__()
        self.dtypes = dict(dtypes)
        self.notes = notes
        self.kernels: list[DeviceKernel] = []
        self.names: dict[str, int] = {}

    def rewrite_Allocate(self, stmt: Allocate) -> Stmt:
        self.dtypes[stmt.buffer] = stmt.dtype
        rebuilt: Stmt = self.rebuild(stmt)
        return rebuilt

    def rewrite_For(self, loop: For) -> Stmt:
        if not loop.kind.is_on_device:
            rebuilt: Stmt = self.rebuild(loop)
            return rebuilt
        directive = "; ".join(self.notes.get(loop.name, (f"{loop.name.partition('.')[0]}.gpu_single_thread()",)))
        nest = list(_nest_of_blocks(loop))
        blocks = [part for part in nest if isinstance(part, For)]
        body = _inside(nest) if nest else loop
        self._check(body, directive)
        arranged = arrange_threads(body, directive)
        inside = _numbered(nest, arranged.body)
        return self._launch(loop.name, inside, _groups(blocks, nest, directive), arranged.threads, directive)

    def _check(self, body: Stmt, directive: str) -> None:
        """Raises UnsupportedTarget for what no kernel can hold."""
        for kind, what in _ON_HOST_ONLY.items():
            if find(body, kind):
                raise UnsupportedTarget(
                    directive, reason=[f"inside these blocks stands {what}, which devices cannot do"]
                )
        if any(loop.kind is LoopKind.GPU_BLOCK for loop in find(body, For)):
            raise UnsupportedTarget(
                directive,
                reason=["blocks stand inside blocks, but not directly: something else is computed between them"],
                accepted="gpu_blocks on loops that stand directly inside each other",
            )
        if any(loop.kind is LoopKind.PARALLEL for loop in find(body, For)):
            raise UnsupportedTarget(directive, reason=["a parallel loop of the host stands inside blocks"])

    def _launch(
        self, loop: str, body: Stmt, groups: tuple[Expr, ...], threads: tuple[Expr, ...], directive: str
    ) -> Stmt:
        body = without_prefetches(body)
        own = {a.buffer for a in find(body, Allocate)}
        touched = dict.fromkeys(node.buffer for node in walk(body) if isinstance(node, Load | Store))
        written = {store.buffer for store in find(body, Store)}
        buffers = tuple(sorted(b for b in touched if b not in own))
        scalars = _free(body)
        name = self._name(loop)
        kernel = DeviceKernel(
            name,
            body,
            tuple((b, self.dtypes[b]) for b in buffers),
            tuple(b for b in buffers if b in written),
            tuple(ScalarArg(var.name, var.dtype) for var in scalars),
            tuple(None if (n := const_value(extent)) is None else int(n) for extent in threads),
            directive,
        )
        self.kernels.append(kernel)
        return Launch(name, groups, threads, buffers, kernel.written, tuple(scalars))

    def _name(self, loop: str) -> str:
        """A kernel is called as the stage that it computes."""
        base = re.sub(r"\W+", "_", loop.partition(".")[0]).strip("_") or "kernel"
        number = self.names[base] = self.names.get(base, 0) + 1
        return f"kernel_{base}" if number == 1 else f"kernel_{base}_{number}"


def _nest_of_blocks(loop: Stmt) -> Iterator[For | LetStmt | If]:
    """The block loops that stand directly inside each other, with lets and conditions between them."""
    node = loop
    while True:
        if (isinstance(node, For) and node.kind is LoopKind.GPU_BLOCK) or (
            isinstance(node, LetStmt) and _has_blocks(node.body)
        ):
            yield node
            node = node.body
        elif isinstance(node, If) and node.otherwise is None and _has_blocks(node.then):
            yield node
            node = node.then
        elif isinstance(node, Produce) and _has_blocks(node.body):
            node = node.body
        else:
            return


def _inside(nest: Sequence[For | LetStmt | If]) -> Stmt:
    """What stands inside all of it."""
    last = nest[-1]
    return last.then if isinstance(last, If) else last.body


def _has_blocks(stmt: Stmt) -> bool:
    return any(loop.kind is LoopKind.GPU_BLOCK for loop in find(stmt, For))


def _groups(blocks: Sequence[For], nest: Sequence[Stmt], directive: str) -> tuple[Expr, ...]:
    """How many blocks there are in each dimension, as the host computes it."""
    lets = {let.name: let.value for let in nest if isinstance(let, LetStmt)}
    extents = [_outside(loop.extent, lets) for loop in reversed(blocks)]
    inside = {loop.name for loop in blocks}
    if any(inside & free_vars(extent) for extent in extents):
        raise UnsupportedTarget(
            directive, reason=["the number of blocks in one dimension depends on the block in another"]
        )
    if len(extents) > MOST_DIMENSIONS:
        extents[MOST_DIMENSIONS - 1 :] = [reduce(mul, extents[MOST_DIMENSIONS - 1 :])]
    return tuple(simplify(extent) for extent in extents)


def _outside(e: Expr, lets: Mapping[str, Expr]) -> Expr:
    """The expression without names that are bound between the loops."""
    while not free_vars(e).isdisjoint(lets):
        e = substitute(e, lets)
    return e


def _numbered(nest: Sequence[Stmt], body: Stmt) -> Stmt:
    """The body with the variables of block loops as functions of the block's numbers."""
    blocks = [part for part in nest if isinstance(part, For)]
    lets = {let.name: let.value for let in nest if isinstance(let, LetStmt)}
    numbers = dict(zip((loop.name for loop in blocks), _numbers(blocks, lets), strict=True))
    for part in reversed(nest):
        if isinstance(part, For):
            body = LetStmt(part.name, add(part.min, numbers[part.name]), body)
        elif isinstance(part, LetStmt):
            body = LetStmt(part.name, part.value, body)
        elif isinstance(part, If):
            body = If(part.condition, body)
    return body


def _numbers(blocks: Sequence[For], lets: Mapping[str, Expr]) -> list[Expr]:
    """The number of the block for each loop, outermost first."""
    count = len(blocks)
    if count <= MOST_DIMENSIONS:
        return [group(count - 1 - k) for k in range(count)]
    rest, numbers = group(MOST_DIMENSIONS - 1), []
    shared = blocks[: count - MOST_DIMENSIONS + 1]
    for loop in reversed(shared[1:]):
        extent = _outside(loop.extent, lets)
        numbers.append(mod(rest, extent))
        rest = div(rest, extent)
    numbers.append(rest)
    return [*reversed(numbers), *(group(d) for d in reversed(range(MOST_DIMENSIONS - 1)))]


def _free(body: Stmt) -> list[Var]:
    """What the body does not define itself."""
    bound = (
        {s.name for s in find(body, For)} | {s.name for s in find(body, LetStmt)} | {e.name for e in find(body, Let)}
    )
    names = free_vars(body) - bound
    found = {n.name: n for n in walk(body) if isinstance(n, Var) and n.name in names and not is_device_name(n.name)}
    return [found[name] for name in sorted(found)]


class _WithoutPrefetches(ScopedRewriter):
    only = (Prefetch,)

    def rewrite_Prefetch(self, _: Prefetch) -> Stmt:
        return NOTHING


def without_prefetches(stmt: Stmt) -> Stmt:
    """Devices bring memory closer by themselves."""
    without: Stmt = _WithoutPrefetches()(stmt)
    return without
