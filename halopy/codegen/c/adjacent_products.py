"""Sums of adjacent products of small integers, by the instructions that multiply and add at once.

    reduce_add(int32x32(a)*int32x32(b), 16) + c     ->     c_add_products(c, a, b)       pairs, of int16
    reduce_add(int32x64(a)*int32x64(b), 16) + c     ->     c_add_products(c, a, b)       fours, of bytes
    int32x16(a)*int32x16(b) + c                     ->     c_add_product(c, a & 65535, b)        pairs with 0

Groups of more lanes are sums of such sums. The instruction for fours takes uint8 and int8; where signs are alike, it
takes one operand moved by 128, and what is too much is known from the other.
"""

from __future__ import annotations

from itertools import product

from ...dtypes import INT32, DType, Int, UInt
from ...ir.expr import Add, Broadcast, Call, Cast, Expr, Load, Mul, Var, VectorReduce, const, const_value
from ...ir.rewrite import Rewriter
from ...ir.stmt import LetStmt, Stmt, Store
from .context import Context
from .pieces import canonical
from .types import POSTFIX, Text, Vec, element_name, storages, vector_type

_LEAST = 4  # sums in a register
_SIGNS = "-0x7f7f7f80"  # the highest bit of each byte
_BYTES = (UInt(8), Int(8))
_KINDS = (*((4, kinds) for kinds in product(_BYTES, _BYTES)), (2, (Int(16), Int(16))))


def join_products(stmt: Stmt) -> Stmt:
    """For printing: the calls are known to `print_products` alone."""
    joined: Stmt = _JoinProducts()(stmt)
    return joined


class _JoinProducts(Rewriter):
    only = (VectorReduce, Mul)

    def __init__(self) -> None:
        super().__init__()
        self.lets: dict[str, Expr] = {}

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        self.lets[stmt.name] = stmt.value
        rebuilt: Stmt = self.rebuild(stmt)
        return rebuilt

    def rewrite_Store(self, store: Store) -> Stmt:
        value = self(store.value)
        return store if value is store.value else store.with_(value=value)

    def rewrite_Load(self, load: Load) -> Expr:
        return load  # indices hold no such products

    def rewrite_Add(self, e: Add) -> Expr:
        for total, other in ((e.a, e.b), (e.b, e.a)):
            joined = None
            if isinstance(total, VectorReduce):
                joined = _joined(total, other)
            elif isinstance(total, Mul) and self._is_of_halves(total):
                joined = _paired_with_zero(total, other)
            if joined is not None:
                return self._inside(joined)
        return self._inside(e)

    def _is_of_halves(self, e: Mul) -> bool:
        """Whether it multiplies 16-bit integers, in vectors of 32 bits."""
        lanes = e.dtype.lanes
        if e.dtype.element is not INT32 or lanes < _LEAST or lanes & (lanes - 1):
            return False
        factors = (self.lets.get(f.name, f) if isinstance(f, Var) else f for f in (e.a, e.b))
        return all(_narrowed(factor, Int(16)) is not None for factor in factors)

    def rewrite_VectorReduce(self, e: VectorReduce) -> Expr:
        return self._inside(_joined(e, Broadcast(const(0, INT32), e.lanes)) or e)

    def _inside(self, e: Expr) -> Expr:
        rebuilt: Expr = self.rebuild(e)
        return rebuilt


def _joined(e: VectorReduce, other: Expr) -> Expr | None:
    """The reduction and something else added, if products are what is reduced."""
    if e.op != "add" or e.dtype.element is not INT32 or not isinstance(e.value, Mul):
        return None
    each = e.value.dtype.lanes // e.lanes
    for group, kinds in _KINDS:
        sums = e.value.dtype.lanes // group
        a, b = (_narrowed(side, kind) for side, kind in zip((e.value.a, e.value.b), kinds, strict=True))
        if a is None or b is None or each % group or sums < _LEAST or sums & (sums - 1):
            continue
        if a.dtype.is_int and b.dtype.is_uint:
            a, b = b, a
        if each == group:
            return Call("c_add_products", (other, a, b), e.dtype)
        parts = Call("c_add_products", (Broadcast(const(0, INT32), sums), a, b), INT32.with_lanes(sums))
        return Add(VectorReduce("add", parts, e.lanes), other)
    return None


def _paired_with_zero(e: Mul, other: Expr) -> Expr:
    """The product and something else added: the upper half of one factor becomes 0, that of the other is a sign."""
    low = Call("bitwise_and", (e.a, Broadcast(const(0xFFFF, INT32), e.dtype.lanes)), e.dtype)
    return Call("c_add_product", (other, low, e.b), e.dtype)


def _narrowed(e: Expr, kind: DType) -> Expr | None:
    """The expression in this type, where it is one that was only widened."""
    value = const_value(e)
    if value is not None and kind.can_hold(int(value)):
        return Broadcast(const(value, kind), e.dtype.lanes)
    if isinstance(e, Broadcast):
        inner = _narrowed(e.value, kind)
        return None if inner is None else Broadcast(inner, e.lanes)
    if not isinstance(e, Cast) or not e.a.dtype.is_integer or e.a.dtype.is_bool:
        return None
    source = e.a.dtype.element
    if source is kind:
        return e.a
    fits = source.bits < e.dtype.bits and kind.can_hold(source.min) and kind.can_hold(source.max)
    return Cast(kind.with_lanes(e.dtype.lanes), e.a) if fits else None


def print_products(context: Context, call: Call) -> Vec:
    """The C of a call made here, whose operands have been printed."""
    total, a, b = (canonical(context, context.vector(arg)) for arg in call.args)
    parts = []
    for size, *texts in zip(storages(total.lanes, total.grain), total.parts, a.parts, b.parts, strict=True):
        one, other = (element_name(arg.dtype) for arg in call.args[1:])
        helper = _helper(context, one, other, size) if call.name == "c_add_products" else _single(context, size)
        parts.append(Text(f"{helper}({', '.join(t.code for t in texts)})", POSTFIX))
    return Vec("i32", total.lanes, total.grain, tuple(parts))


def _single(context: Context, sums: int) -> str:
    """As pairs are added, but for the upper halves of `a`, which are 0."""
    name, kind = f"add_product_i32x{sums}", context.vector_c_type("i32", sums)
    body = [f"INLINE {kind} {name}({kind} total, {kind} a, {kind} b) {{", *_instructions("i16", "i16", sums)]
    body += ["#else", "    return total + (a << 16 >> 16) * b;", "#endif", "}"]
    return context.prelude.named(name, "\n".join(body))


def _helper(context: Context, a: str, b: str, sums: int) -> str:
    group = 2 if a == "i16" else 4
    for element, lanes in ((a, sums * group), (b, sums * group), ("i32", sums)):
        context.vector_c_type(element, lanes)
    name = f"add_products_{a}_{b}x{sums}"
    kind = vector_type("i32", sums)
    body = [
        f"INLINE {kind} {name}({kind} total, {vector_type(a, sums * group)} a, {vector_type(b, sums * group)} b) {{"
    ]
    body += _instructions(a, b, sums)
    terms = " + ".join(f"a[{group} * k + {j}] * b[{group} * k + {j}]" for j in range(group))
    body += ["#else", f"    for (int k = 0; k < {sums}; k++) total[k] += {terms};", "    return total;", "#endif", "}"]
    return context.prelude.named(name, "\n".join(body))


def _instructions(a: str, b: str, sums: int) -> list[str]:
    """By gcc's builtins; clang finds instructions in the loop."""
    kind = vector_type("i32", sums)
    newer = "defined(__AVX512VNNI__)" + " && defined(__AVX512VL__)" * (sums < 16)
    dot = f"__builtin_ia32_vpdp{'wssd' if a == 'i16' else 'busd'}_v{sums}si"
    lines = [f"#if {newer} && !defined(__clang__)"]
    if a == b == "i8":
        lines.append(f"    total -= {dot}(({kind}){{0}}, {_SIGNS} - ({kind}){{0}}, ({kind})b);")
    if a == b == "u8":
        lines.append(f"    total += {dot}(({kind}){{0}}, ({kind})a, 0x01010101 - ({kind}){{0}}) * 128;")
    first = f"({kind})a" + f" ^ {_SIGNS}" * (a == b == "i8")
    second = f"({kind})b" + f" ^ {_SIGNS}" * (a == b == "u8")
    return [*lines, f"    return {dot}(total, {first}, {second});", *(_by_pairs(sums) if a == "i16" else [])]


def _by_pairs(sums: int) -> list[str]:
    kind = vector_type("i32", sums)
    lanes = f"    typedef short lanes __attribute__((vector_size({4 * sums})));"
    macro, suffix, rest = {
        4: ("__SSE2__", "128", ""),
        8: ("__AVX2__", "256", ""),
        16: ("__AVX512BW__", "512_mask", ", total, (uint16_t)-1"),
    }[sums]
    call = f"({kind})__builtin_ia32_pmaddwd{suffix}((lanes)a, (lanes)b{rest})"
    return [f"#elif defined({macro}) && !defined(__clang__)", lanes, f"    return total + {call};"]
