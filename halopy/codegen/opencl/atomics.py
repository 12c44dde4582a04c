"""Updates of elements that other threads update too, as one step.

    atomic { h[i] = h[i] + 1 }              atomic_add(&h[i], 1);

    atomic { m[i] = max(m[i], v) }          volatile __global uint *const at = (volatile __global uint *)&m[i];
                                            uint seen = *at, found;
                                            do {
                                                const float old = as_float(seen);
                                                const float new = max_f32(old, v);
                                                found = seen;
                                                seen = atomic_cmpxchg(at, found, as_uint(new));
                                            } while (seen != found);

Numbers of 8 and 16 bits are exchanged with the 32 bits around them, those of 64 bits where the device can.
"""

from __future__ import annotations

from ...dtypes import DType
from ...ir.expr import Expr, Load, Var
from ...ir.node import find
from ...ir.stmt import Store
from ..c.atomics import OLD, Before, fetched, fixed, there
from ..c.context import Context
from ..c.scopes import Mode
from ..c.types import Text, element_name, memory_type
from .prelude import opencl_type

_INT64 = "#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable"


def print_one_step(context: Context, store: Store, space: str) -> None:
    """Write the lines of an update of one element, in memory of this address space."""
    dtype = store.value.dtype
    context.open("")
    index = context.scalar(store.index, Mode.INDEX)
    place = f"&{context.pointer(store.buffer)}[{index.code}]"
    fetch = fetched(store) if dtype.bits == 32 else None
    if fetch is not None:
        operator, operand = fetch
        kind = f"volatile {space} {opencl_type(element_name(dtype))} *"
        context.line(f"atomic_{operator}(({kind}){place}, {context.scalar(operand).code});")
    elif any(load is there(store) for load in find(store.value, Load)):
        _exchange(context, store, place, space)
    else:  # of several that store, one is the last
        context.line(f"*({place}) = {context.scalar(store.value).code};")
    context.close()


def _exchange(context: Context, store: Store, place: str, space: str) -> None:
    """Try until no other thread came between."""
    dtype = store.value.dtype
    word = "ulong" if dtype.bits == 64 else "uint"
    if dtype.bits == 64:
        context.prelude.macro("int64 atomics", _INT64)
    value: Expr = Before(there(store), Var(OLD, dtype))(store.value)
    for part in fixed(value):
        context.keep(part)
    at, seen, found, old, new = (context.names.fresh(n) for n in ("at", "seen", "found", "old", "new"))
    pointer = f"volatile {space} {word} *"
    shift = ""
    if dtype.bits < 32:
        address, shift = context.names.fresh("address"), context.names.fresh("shift")
        context.line(f"const ulong {address} = (ulong)({place});")
        context.line(f"const uint {shift} = (uint)({address} & 3) * 8;")
        context.line(f"{pointer}const {at} = ({pointer})({address} & ~3ul);")
    else:
        context.line(f"{pointer}const {at} = ({pointer})({place});")
    context.line(f"{word} {seen} = *{at}, {found};")
    context.open("do")
    kind = memory_type(dtype)
    context.line(f"const {kind} {old} = {_number(dtype, seen, shift)};")
    context.bindings[OLD] = Text(old)
    context.line(f"const {kind} {new} = {context.scalar(value).code};")
    del context.bindings[OLD]
    context.line(f"{found} = {seen};")
    exchange = "atom_cmpxchg" if dtype.bits == 64 else "atomic_cmpxchg"
    context.line(f"{seen} = {exchange}({at}, {found}, {_word(dtype, found, new, shift)});")
    context.close(f"}} while ({seen} != {found});")


def _number(dtype: DType, word: str, shift: str) -> str:
    """The number that is in a word."""
    kind = opencl_type(element_name(dtype))
    return f"({kind})({word} >> {shift})" if shift else f"as_{kind}({word})"


def _word(dtype: DType, word: str, number: str, shift: str) -> str:
    """The word with another number in it."""
    if not shift:
        return f"as_{'ulong' if dtype.bits == 64 else 'uint'}({number})"
    unsigned = opencl_type(f"u{dtype.bits}")
    return f"({word} & ~({(1 << dtype.bits) - 1}u << {shift})) | ((uint)({unsigned}){number} << {shift})"
