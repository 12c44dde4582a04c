"""A lowered kernel as one self-contained C file."""

from __future__ import annotations

import re
from dataclasses import replace

from ...dtypes import INT32
from ...ir.expr import Effect, Load
from ...ir.kernel import BufferArg, LoweredKernel, ScalarArg
from ...ir.node import walk
from ...ir.rewrite import free_vars
from ...ir.services import touched_buffers
from ...ir.stmt import Store
from ...target import Target
from ..kernel import Kernel
from .adjacent_products import join_products
from .context import is_index
from .names import comment, identifier
from .parts import in_parts
from .past_the_cache import LARGE, stores_past_the_cache
from .services_text import linked_services
from .statements import StatementPrinter
from .types import Text, c_type, memory_type

_DEFAULT_VECTOR_BYTES = 64


def print_c(kernel: LoweredKernel, target: Target | None = None, *, linked: bool = False) -> Kernel:
    """The C text of a lowered kernel, with what the runtime must know to call it.

    A `linked` kernel is to become part of another program: it is a static function with the further argument
    `void *user_context`, and needs the functions of `linked_text`.
    """
    printer = StatementPrinter(_vector_bytes(target), kernel.loop_notes)
    printer.linked = linked
    printer.local_types["services"] = "const halopy_services *"  # before any task: it may be what needs them first
    printer.local_types["buffers"] = "halide_buffer_t *const *"
    entry = printer.names.fresh(kernel.name)
    printer.kernel_numbers = {k.name: number for number, k in enumerate(kernel.device_kernels)}
    printer.argument_places = {buffer.name: place for place, buffer in enumerate(kernel.buffers)}
    _bind_arguments(printer, kernel)
    _bind_sizes(printer, kernel)
    arguments, printer.lines = printer.lines, []
    printer.print(join_products(kernel.body))
    printer.wait_for_stores()
    parts = _split(printer)
    if printer.needs_status:
        arguments.append("    int32_t status = 0;")
    if linked and printer.needs_services:
        arguments += linked_services("\n".join([*printer.lines, *(t.text() for t in printer.tasks)]))
    body = "\n".join([*arguments, *printer.lines, "    return 0;", "}", ""])
    head = _head(kernel, entry, body, linked, printer.needs_services)
    functions = "\n".join([*parts, *(task.text() for task in printer.tasks), *head, body])
    return Kernel(
        name=entry,
        text="\n".join([printer.prelude.text(functions), functions]),
        buffers=kernel.buffers,
        scalars=kernel.scalars,
        asserts=tuple(printer.asserts),
        needs_openmp=printer.needs_openmp,
        needs_math=printer.prelude.needs_math,
        needs_services=printer.needs_services,
        needs_threads=printer.needs_threads,
    )


def _split(printer: StatementPrinter) -> list[str]:
    """Move very long runs of lines into functions, which are answered."""
    printer.lines, parts = in_parts(printer.lines, printer.local_types, printer.names.fresh)
    for k, task in enumerate(printer.tasks):
        body, of_task = in_parts(task.body, printer.local_types, printer.names.fresh)
        printer.tasks[k] = replace(task, body=tuple(body))
        parts += of_task
    return parts


def _vector_bytes(target: Target | None) -> int:
    """The width of a register that holds vectors of every type."""
    return 4 * target.vector_lanes(INT32) if target else _DEFAULT_VECTOR_BYTES


def _head(kernel: LoweredKernel, entry: str, body: str, linked: bool, needs_services: bool) -> list[str]:
    arguments = ["halide_buffer_t *const *buffers", "const void *const *scalars", "int64_t *error_args"]
    arguments += ["void *user_context"] if linked else ["const halopy_services *services"] if needs_services else []
    unused = [
        f"    (void){name};" for name in (a.split("*")[-1] for a in arguments) if not re.search(rf"\b{name}\b", body)
    ]
    return [
        comment(f"{kernel.name}({', '.join(_signature(kernel))})"),
        f"{'static ' if linked else ''}int32_t {entry}({', '.join(arguments)}) {{",
        *unused,
    ]


def _signature(kernel: LoweredKernel) -> list[str]:
    buffers = [f"{'out ' if b.is_output else ''}{b.dtype} {b.name}[{b.rank}]" for b in kernel.buffers]
    return buffers + [f"{s.dtype} {s.name}" for s in kernel.scalars]


def _bind_arguments(printer: StatementPrinter, kernel: LoweredKernel) -> None:
    """Constants for the arguments that the body uses."""
    symbols = free_vars(kernel.body)
    touched = {node.buffer for node in walk(kernel.body) if isinstance(node, Load | Store)}
    touched |= {b for node in walk(kernel.body) if isinstance(node, Effect) for b in touched_buffers(node.service)}
    for position, buffer in enumerate(kernel.buffers):
        _bind_buffer(printer, position, buffer, symbols, buffer.name in touched)
    for position, scalar in enumerate(kernel.scalars):
        if scalar.name in symbols:
            _bind_scalar(printer, position, scalar)


def _bind_sizes(printer: StatementPrinter, kernel: LoweredKernel) -> None:
    """Whether outputs are large, where that makes a difference."""
    printer.past_the_cache = stores_past_the_cache(kernel)
    streamed = {store.buffer for store in printer.past_the_cache}
    for position, buffer in enumerate(kernel.buffers):
        if buffer.name in streamed:
            extents = [f"(int64_t)buffers[{position}]->dim[{dim}].extent" for dim in range(buffer.rank)]
            size = " * ".join([*extents, str(max(1, buffer.dtype.bits // 8))])
            is_large = printer.local("int64_t", Text(f"{size} >= {LARGE}"), f"{identifier(buffer.name)}_is_large")
            printer.is_large[buffer.name] = is_large.code


def _bind_buffer(
    printer: StatementPrinter, position: int, buffer: BufferArg, symbols: frozenset[str], is_touched: bool
) -> None:
    if is_touched:
        kind = memory_type(buffer.dtype) if buffer.is_output else f"const {memory_type(buffer.dtype)}"
        name = printer.declared(buffer.name, f"{kind} *")
        printer.line(f"{kind} *const {name} = ({kind} *)buffers[{position}]->host;")
        printer.pointers[buffer.name] = name
    if f"{buffer.name}.address" in symbols:
        name = printer.declared(f"{identifier(buffer.name)}_address", "int64_t")
        printer.line(f"const int64_t {name} = (int64_t)(intptr_t)buffers[{position}]->host;")
        printer.bindings[f"{buffer.name}.address"] = Text(name)
    for dim in range(buffer.rank):
        for field in ("min", "extent", "stride"):
            symbol = f"{buffer.name}.{field}.{dim}"
            if symbol in symbols:
                name = printer.declared(f"{identifier(buffer.name)}_{field}_{dim}", "int64_t")
                printer.line(f"const int64_t {name} = buffers[{position}]->dim[{dim}].{field};")
                printer.bindings[symbol] = Text(name)


def _bind_scalar(printer: StatementPrinter, position: int, scalar: ScalarArg) -> None:
    kind = "int64_t" if is_index(scalar.dtype) else c_type(scalar.dtype)
    name = printer.declared(scalar.name, kind)
    printer.line(f"const {kind} {name} = *(const {memory_type(scalar.dtype)} *)scalars[{position}];")
    printer.bindings[scalar.name] = Text(name)
