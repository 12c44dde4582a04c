"""Stores of large outputs that go past the cache.

An ordinary store first fetches the line that it writes to, and then has it push other lines out of the cache. Where an
output is so large that it will not be in the cache when somebody reads it, both are saved by telling the processor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...ir.build import add, sub
from ...ir.expr import Effect, Expr, Load, Ramp, Var, const_value
from ...ir.kernel import LoweredKernel
from ...ir.node import find, mask
from ...ir.rewrite import substitute
from ...ir.simplify import simplify
from ...ir.stmt import Allocate, Atomic, Block, For, Fork, LetStmt, LoopKind, Produce, Stmt, Store
from .types import C_TYPES, bits_of, vector_type

PAST = """\
/* PAST stores a register past the cache; after PAST_DONE, that is in memory before anything stored later. */
#if defined(__SSE2__) && defined(__clang__)
#define PAST(size, p, v) __builtin_nontemporal_store(v, (__typeof__(v) *)(void *)(p))
#define PAST_DONE() __builtin_ia32_sfence()
#elif defined(__SSE2__)
#define PAST(size, p, v) PAST_##size((__typeof__(v) *)(void *)(p), v)
#define PAST_16 __builtin_ia32_movntdq
#define PAST_32 __builtin_ia32_movntdq256
#define PAST_64 __builtin_ia32_movntdq512
#define PAST_DONE() __builtin_ia32_sfence()
#else
#define PAST_DONE() ((void)0)
#endif"""

LARGE = 1 << 24  # bytes; about what a core may have of the last cache
_MOST_AT_ONCE = 8  # lines that a processor can fill beside each other, and then write as a whole
_LEAST_BITS = 128
_NEEDED = {32: "__AVX__", 64: "__AVX512F__"}  # to store so many bytes at once
_HIDES = mask(Effect, Atomic, Fork)  # who reads the output, or when, cannot be told


def stores_past_the_cache(kernel: LoweredKernel) -> frozenset[Store]:
    """Dense stores, one after the other in the innermost loop, to outputs that the kernel does not read."""
    if kernel.body.kinds & _HIDES:
        return frozenset()
    loaded = {load.buffer for load in find(kernel.body, Load)}
    outputs = {buffer.name for buffer in kernel.buffers if buffer.is_output and buffer.name not in loaded}
    loops = [loop for loop in find(kernel.body, For) if not loop.body.has(For) and loop.kind is LoopKind.SERIAL]
    return frozenset(store for loop in loops for store in _stores_in_turn(loop, outputs))


def _stores_in_turn(loop: For, outputs: set[str]) -> list[Store]:
    found = [(store, lets) for store, lets in _stores(loop.body, {}) if store.buffer in outputs]
    if len(found) > _MOST_AT_ONCE or not all(_goes_on(store, loop, lets) for store, lets in found):
        return []
    return [store for store, _ in found]


def _stores(stmt: Stmt, lets: Mapping[str, Expr]) -> Iterator[tuple[Store, Mapping[str, Expr]]]:
    """Each with what is bound around it, all in terms of what is bound outside the loop."""
    while isinstance(stmt, LetStmt | Allocate | Produce):
        if isinstance(stmt, LetStmt):
            lets = {**lets, stmt.name: substitute(stmt.value, lets)}
        stmt = stmt.body
    if isinstance(stmt, Store):
        yield stmt, lets
    elif isinstance(stmt, Block):
        for child in stmt.stmts:
            yield from _stores(child, lets)
    elif stmt.has(Store):
        yield from ((store, {}) for store in find(stmt, Store))


def _goes_on(store: Store, loop: For, lets: Mapping[str, Expr]) -> bool:
    """Whether the next iteration stores where this one ends, or a few stores further."""
    index, lanes = store.index, store.value.dtype.lanes
    if store.predicate is not None or not isinstance(index, Ramp) or const_value(index.stride) != 1:
        return False
    if index.base.dtype.lanes > 1 or lanes * store.value.dtype.bits % _LEAST_BITS:
        return False
    base, here = substitute(index.base, lets), Var(loop.name, index.base.dtype)
    step = const_value(simplify(sub(substitute(base, {loop.name: add(here, 1)}), base)))
    return step is not None and 0 < step <= lanes * _MOST_AT_ONCE and step % lanes == 0


def store_past(name: str, element: str, lanes: int) -> str:
    """A helper that stores a register: past the cache if the output is `large`, and its place is aligned for it.

    Arrays of other libraries are mostly aligned to 16 bytes only; then quarters fill a line as well, one by one.
    """
    size = lanes * bits_of(element) // 8
    quarters = [f"    PAST(16, (char *)p + {8 * k}, ((piece){{w[{k}], w[{k + 1}]}}));" for k in range(0, size // 8, 2)]
    whole = [
        f"#if defined({_NEEDED.get(size)})",
        f"    if (!((uintptr_t)p & {size - 1})) {{",
        f"        PAST({size}, p, w);",
        "        return;",
        "    }",
        "#endif",
    ]
    return "\n".join([
        f"INLINE void {name}({C_TYPES[element]} *p, {vector_type(element, lanes)} v, int64_t large) {{",
        "#ifdef PAST",
        f"    typedef long long whole __attribute__((vector_size({size})));",
        "    typedef long long piece __attribute__((vector_size(16)));",
        "    if (!large || (uintptr_t)p & 15) {",
        "        __builtin_memcpy(p, &v, sizeof v);",
        "        return;",
        "    }",
        "    whole w = (whole)v;",
        *(whole if size > 16 else []),
        *quarters,
        "#else",
        "    (void)large;",
        "    __builtin_memcpy(p, &v, sizeof v);",
        "#endif",
        "}",
    ])  # fmt: skip
