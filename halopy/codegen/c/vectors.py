"""Vector expressions as C: one text per register-sized piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...dtypes import INT32, DType
from ...ir.expr import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Binary,
    Broadcast,
    Call,
    Cast,
    Compare,
    Div,
    Expr,
    Load,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Shuffle,
    Sub,
    Var,
    VectorReduce,
    const_value,
)
from . import expand
from .adjacent_products import print_products
from .casts import float_fits, vector_cast
from .context import Context, is_name
from .conversions import saturate_by_packs
from .division import div_by_constant, mod_by_constant
from .idioms import high_product, idiom
from .lanes import print_broadcast, print_ramp, print_shuffle
from .loads import print_load_for_widening
from .masks import mask_of_width, truth_splat
from .operators import ARITHMETIC, BITWISE, COMPARE, COUNTS, LIBRARY_CALLS, ROUNDINGS, SHIFTS
from .pieces import canonical, grain_of, regrain, spread
from .products import sum_of_products
from .reduce import print_reduce
from .saturation import saturated
from .transcendental import transcendental
from .types import (
    BIT_AND,
    BIT_OR,
    PLUS,
    POSTFIX,
    TIMES,
    UNARY,
    Text,
    Value,
    Vec,
    bits_of,
    element_name,
    storages,
)

_SYMBOLS = {**ARITHMETIC, **COMPARE}


def print_vector(context: Context, node: Expr) -> Value:
    """The C of a vector node (or of a reduction to a scalar) whose operands have been printed."""
    return _PRINTERS[type(node)](context, node)


def _operands(context: Context, *nodes: Expr) -> tuple[int, list[list[Text]]]:
    """The grain and the parts of operands of one type. Literal splats stand as plain scalars beside a vector."""
    vecs = [context.vector(node) for node in nodes]
    grain = grain_of(context, vecs[0].element, vecs[0].lanes)
    some = any(v.splat is None for v in vecs)
    parts = []
    for vec in vecs:
        if some and vec.splat is not None and vec.splat.is_literal and vec.element not in ("f16", "bf16"):
            parts.append([vec.splat] * len(storages(vec.lanes, grain)))
        else:
            parts.append(_shared(context, vec, grain))
    return grain, parts


def _shared(context: Context, vec: Vec, grain: int) -> list[Text]:
    if vec.splat is None or vec.lanes <= grain:
        return list(regrain(context, vec, grain).parts)
    wide = spread(context, vec, grain)
    name = context.local(context.vector_c_type(vec.element, grain), wide.parts[0])
    return [name if size == grain else part for part, size in zip(wide.parts, storages(vec.lanes, grain), strict=True)]


def _full_operands(context: Context, *nodes: Expr) -> tuple[int, list[list[Text]]]:
    """As `_operands`, with every splat spread over a register."""
    vecs = [context.vector(node) for node in nodes]
    grain = grain_of(context, vecs[0].element, vecs[0].lanes)
    return grain, [_shared(context, vec, grain) for vec in vecs]


def _infix(context: Context, node: Expr, symbol: str, precedence: int, a: Expr, b: Expr) -> Vec:
    grain, (left, right) = _operands(context, a, b)
    tight = precedence in (PLUS, TIMES)
    parts = tuple(
        Text(f"{x.at(precedence if tight else UNARY)} {symbol} {y.at(precedence + 1 if tight else UNARY)}", precedence)
        for x, y in zip(left, right, strict=True)
    )
    return _declared(context, Vec(element_name(node.dtype), node.dtype.lanes, grain, parts))


def _declared(context: Context, vec: Vec) -> Vec:
    for size in set(storages(vec.lanes, vec.grain)):
        context.vector_c_type(vec.element, size)
    return vec


def _arithmetic(context: Context, node: Binary) -> Value:
    dtype = node.dtype
    if dtype.is_bool:
        _keep(context, node.a, node.b)
        return context.value(expand.ON_BOOLS[type(node)](node.a, node.b))
    if expand.narrow_float(dtype):
        return context.value(expand.in_float32(node, node.a, node.b))
    symbol, precedence = _SYMBOLS[type(node)]
    return _infix(context, node, symbol, precedence, node.a, node.b)


def _divide(context: Context, node: Binary) -> Value:
    dtype = node.dtype
    is_div = isinstance(node, Div)
    if dtype.is_bool or (dtype.is_float and is_div) or expand.narrow_float(dtype):
        return _arithmetic(context, node)
    if isinstance(node, Mod) and dtype.is_float:
        _keep(context, node.a, node.b)
        return context.value(expand.float_mod(node))
    divisor = const_value(node.b)
    if divisor:
        return _by_constant(context, node, int(divisor))
    kind = "div" if is_div else "mod"
    return _function(context, f"{kind}_{'euclid' if dtype.is_int else 'or_zero'}", dtype, node.a, node.b)


def _by_constant(context: Context, node: Binary, divisor: int) -> Value:
    if isinstance(node, Mod):
        _keep(context, node.a)
        return context.value(mod_by_constant(node, divisor))
    assert isinstance(node, Div)
    is_plain = node.dtype.is_uint and node.dtype.bits > 8 and divisor & (divisor - 1) != 0
    if is_plain:
        return _infix(context, node, "/", TIMES, node.a, node.b)
    _keep(context, node.a)
    return context.value(div_by_constant(node, divisor))


def _keep(context: Context, *nodes: Expr) -> None:
    for node in nodes:
        context.keep(node)


def _min_max(context: Context, node: Binary) -> Value:
    if node.dtype.is_bool or expand.narrow_float(node.dtype):
        return _arithmetic(context, node)
    return _function(context, "min" if isinstance(node, Min) else "max", node.dtype, node.a, node.b)


def _function(context: Context, operation: str, dtype: DType, *args: Expr) -> Vec:
    """A helper on every piece."""
    grain, columns = _full_operands(context, *args)
    element = element_name(dtype)
    parts = []
    for size, *texts in zip(storages(dtype.lanes, grain), *columns, strict=True):
        helper = context.prelude.helper(operation, element, size)
        parts.append(Text(f"{helper}({', '.join(t.code for t in texts)})", POSTFIX))
    return Vec(element, dtype.lanes, grain, tuple(parts))


def _compare(context: Context, node: Compare) -> Value:
    operand = node.a.dtype
    if operand.is_bool:
        _keep(context, node.a, node.b)
        return context.value(expand.ON_BOOLS[type(node)](node.a, node.b))
    if expand.narrow_float(operand):
        return context.value(expand.in_float32(node, node.a, node.b))
    symbol, precedence = _SYMBOLS[type(node)]
    grain, (left, right) = _operands(context, node.a, node.b)
    if context.vector(node.a).splat is not None and context.vector(node.b).splat is not None:
        grain, (left, right) = _full_operands(context, node.a, node.b)
    parts = tuple(Text(f"{x.at(PLUS)} {symbol} {y.at(PLUS)}", precedence) for x, y in zip(left, right, strict=True))
    return _declared(context, Vec(f"i{operand.bits}", operand.lanes, grain, parts, True))


def _logic(context: Context, node: And | Or) -> Value:
    a, b = context.vector(node.a), context.vector(node.b)
    symbol, precedence = ("&", BIT_AND) if isinstance(node, And) else ("|", BIT_OR)
    bits = bits_of(a.element) if a.splat is None else bits_of(b.element) if b.splat is None else 8
    a, b = mask_of_width(context, a, bits), mask_of_width(context, b, bits)
    parts = tuple(
        Text(f"{x.at(UNARY)} {symbol} {y.at(UNARY)}", precedence) for x, y in zip(a.parts, b.parts, strict=True)
    )
    return Vec(a.element, a.lanes, a.grain, parts, True)


def _not(context: Context, node: Not) -> Value:
    a = context.vector(node.a)
    if a.splat is not None:
        return truth_splat(context.local("_Bool", Text(f"!{a.splat.at(UNARY)}", UNARY)), a.lanes)
    return Vec(a.element, a.lanes, a.grain, tuple(Text(f"~{p.at(UNARY)}", UNARY) for p in a.parts), True)


def _select(context: Context, node: Select) -> Value:
    dtype = node.dtype
    if dtype.is_bool:
        _keep(context, node.condition)
        chosen = Or(And(node.condition, node.a), And(Not(node.condition), node.b))
        return context.value(chosen)
    element = element_name(dtype)
    grain, (a, b) = _full_operands(context, node.a, node.b)
    condition = _condition(context, node.condition, dtype, grain)
    parts = []
    for size, c, x, y in zip(storages(dtype.lanes, grain), condition, a, b, strict=True):
        context.vector_c_type(element, size)
        name = "u16" if element == "bf16" else element
        helper = context.prelude.helper("select", name, size)
        parts.append(Text(f"{helper}({c.code}, {x.code}, {y.code})", POSTFIX))
    return Vec(element, dtype.lanes, grain, tuple(parts))


def _condition(context: Context, condition: Expr, dtype: DType, grain: int) -> Sequence[Text]:
    if condition.dtype.lanes == 1:
        mask = truth_splat(context.scalar(condition), dtype.lanes)
    else:
        mask = context.vector(condition)
    wide = mask_of_width(context, mask, dtype.bits)
    return regrain(context, wide, grain).parts


def _cast(context: Context, node: Cast) -> Value:
    clamped = _before_clamping(context, node)
    if clamped is not None:
        packed = saturate_by_packs(context, context.vector(clamped), element_name(node.dtype))
        if packed is not None:
            return packed
    fits = float_fits(context, node)
    return vector_cast(context, _to_be_cast(context, node), node.a.dtype, node.dtype, fits=fits)


def _before_clamping(context: Context, node: Cast) -> Expr | None:
    """The float that is clamped to all that the integer type has, where it is one that 32 bits have anyway."""
    e, ends = node.a, []
    while isinstance(e, Min | Max) and const_value(e.b) is not None:
        ends.append((type(e), const_value(e.b)))
        e = e.a
    if not e.dtype.is_float or {(Min, node.dtype.max), (Max, node.dtype.min)} != set(ends):
        return None
    low, high = context.ranges.of(e)
    return e if low is not None and high is not None and INT32.min <= low and high < INT32.max else None


def _to_be_cast(context: Context, node: Cast) -> Vec:
    """The operand; where it is loaded for this alone, in pieces as large as will be needed."""
    vec = context.vector(node.a)
    if not isinstance(node.a, Load) or node.dtype.bits <= node.a.dtype.bits or vec.splat is not None:
        return vec
    if not node.a.dtype.is_integer or any(map(is_name, vec.parts)):
        return vec
    return print_load_for_widening(context, node.a, node.dtype.bits) or vec


def _var(context: Context, node: Var) -> Value:
    return context.bindings[node.name]


def _call(context: Context, call: Call) -> Value:
    name, dtype = call.name, call.dtype
    first = call.args[0].dtype if call.args else dtype
    if first.is_bool and (name in BITWISE or name == "bitwise_not"):
        return context.value(_bits_of_bools(call))
    if name in BITWISE:
        return _infix(context, call, *BITWISE[name], *call.args)
    if name in SHIFTS:
        return _infix(context, call, *SHIFTS[name], *call.args)
    if name == "bitwise_not":
        grain, (parts,) = _full_operands(context, *call.args)
        return Vec(element_name(dtype), dtype.lanes, grain, tuple(Text(f"~{p.at(UNARY)}", UNARY) for p in parts))
    if name == "reinterpret":
        return _reinterpret(context, call)
    if expand.narrow_float(first) and (name in LIBRARY_CALLS or name in ROUNDINGS or name == "fma"):
        return context.value(expand.in_float32(call, *call.args))
    simpler = transcendental(call)
    if simpler is not None:
        _keep(context, call.args[0])
        return context.value(simpler)
    if name in ROUNDINGS or name in LIBRARY_CALLS or name == "fma":
        context.prelude.needs_math = context.prelude.needs_math or name not in ROUNDINGS
        return _function(context, name, dtype, *call.args)
    if name in ("c_add_products", "c_add_product"):
        return print_products(context, call)
    if name == "multiply_add":
        return _function(context, name, dtype, *call.args)
    if name in COUNTS:
        counted = _function(context, COUNTS[name], first, *call.args)
        return vector_cast(context, counted, first, dtype)
    if name in ("div_round_to_zero", "mod_round_to_zero"):
        kind = name[:3]
        return _function(context, f"{kind}_trunc" if dtype.is_int else f"{kind}_or_zero", dtype, *call.args)
    if name == "if_then_else":
        return context.value(expand.if_then_else(call))
    special = _special(context, call, element_name(first))
    if special is not None:
        return special
    if name in expand.REPEATS_ARGUMENTS:
        _keep(context, *call.args)
    return context.value(expand.RULES[name](call))


def _special(context: Context, call: Call, element: str) -> Value | None:
    """The call by an instruction that does all of it."""
    if call.name == "mul_shift_right":
        product = high_product(call)
        return None if product is None else context.value(product)
    if call.name == "sum_of_products":
        return sum_of_products(context, call) if element == "i16" and call.dtype.bits == 32 else None
    if call.name == "saturating_cast" and element[0] in "iu" and call.dtype.is_integer and not call.dtype.is_bool:
        return saturated(context, context.vector(call.args[0]), context.ranges.of(call.args[0]), call.dtype)
    helper = idiom(call, element)
    if helper is None:
        return None
    grain, columns = _full_operands(context, *call.args)
    parts = []
    for size, *texts in zip(storages(call.dtype.lanes, grain), *columns, strict=True):
        name = context.prelude.idiom(helper, element, size)
        parts.append(Text(f"{name}({', '.join(t.code for t in texts)})", POSTFIX))
    made = Vec(element, call.dtype.lanes, grain, tuple(parts))
    return vector_cast(context, made, call.dtype.with_code(call.args[0].dtype.code), call.dtype)


def _bits_of_bools(call: Call) -> Expr:
    if call.name == "bitwise_not":
        return Not(call.args[0])
    a, b = call.args
    return {"bitwise_and": And, "bitwise_or": Or, "bitwise_xor": NE}[call.name](a, b)


def _reinterpret(context: Context, call: Call) -> Value:
    new, old = element_name(call.dtype), element_name(call.args[0].dtype)
    vec = context.vector(call.args[0])
    if old == "bool" or new == "bool":
        return vector_cast(context, vec, call.args[0].dtype, call.dtype)
    vec = canonical(context, vec)
    parts = []
    for part, size in zip(vec.parts, storages(vec.lanes, vec.grain), strict=True):
        parts.append(Text(f"({context.vector_c_type(new, size)}){part.at(UNARY)}", UNARY))
    return Vec(new, vec.lanes, vec.grain, tuple(parts))


_PRINTERS: dict[type[Expr], Callable[[Context, Any], Value]] = {
    Var: _var, Add: _arithmetic, Sub: _arithmetic, Mul: _arithmetic, Div: _divide, Mod: _divide,
    Min: _min_max, Max: _min_max, And: _logic, Or: _logic, Not: _not, Select: _select, Cast: _cast, Call: _call,
    Broadcast: print_broadcast, Ramp: print_ramp, Shuffle: print_shuffle, VectorReduce: print_reduce,
    EQ: _compare, NE: _compare, LT: _compare, LE: _compare, GT: _compare, GE: _compare,
}  # fmt: skip
