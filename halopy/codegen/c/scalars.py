"""Scalar expressions as C texts."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ...dtypes import UINT16
from ...ir.expr import (
    Add,
    And,
    Binary,
    Call,
    Cast,
    Compare,
    Const,
    Div,
    Expr,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Select,
    Sub,
    Var,
    const_value,
)
from . import expand
from .casts import float_fits, scalar_cast, scalar_reinterpret
from .context import Context
from .operators import ARITHMETIC, BITWISE, COMPARE, COUNTS, LIBRARY_CALLS, ROUNDINGS
from .scopes import Mode
from .transcendental import transcendental
from .types import (
    AND,
    BIT_AND,
    EQUALITY,
    OR,
    PLUS,
    POSTFIX,
    SHIFT,
    TERNARY,
    TIMES,
    UNARY,
    Text,
    c_type,
    element_name,
    index_literal,
    literal,
)


def print_scalar(context: Context, node: Expr, mode: Mode) -> Text:
    """The C of a scalar node whose operands have been printed."""
    return _PRINTERS[type(node)](context, node, mode)


def _const(_context: Context, node: Const, mode: Mode) -> Text:
    if mode is Mode.INDEX:
        return index_literal(int(node.value))
    text = literal(node.value, node.dtype)
    if expand.narrow_float(node.dtype):
        return _narrow_constant(text, node)
    return text


def _narrow_constant(text: Text, node: Const) -> Text:
    if element_name(node.dtype) == "f16":
        return Text(f"(_Float16){text.at(UNARY)}", UNARY)
    bits: int = struct.unpack("<I", struct.pack("<f", float(node.value)))[0]
    return literal(bits >> 16, UINT16)


def _var(context: Context, node: Var, mode: Mode) -> Text:
    found = context.bindings[node.name]
    assert isinstance(found, Text), f"scalar variable {node.name} is bound to a vector"
    if mode is Mode.VALUE and node.dtype.is_int and node.dtype.bits == 32:
        return Text(f"(int32_t){found.at(UNARY)}", UNARY)
    return found


def _arithmetic(context: Context, node: Binary, mode: Mode) -> Text:
    dtype = node.dtype
    if dtype.is_bool:
        return context.scalar(expand.ON_BOOLS[type(node)](node.a, node.b))
    if expand.narrow_float(dtype):
        return context.scalar(expand.in_float32(node, node.a, node.b))
    symbol, precedence = ARITHMETIC[type(node)]
    a, b = context.scalar(node.a, mode), context.scalar(node.b, mode)
    left = a.at(precedence)
    if mode is Mode.INDEX:
        if a.is_int and b.is_int:
            left = f"(int64_t){a.at(UNARY)}"
    elif dtype.bits == 16 and dtype.is_uint and type(node) is Mul:
        left = f"(uint32_t){a.at(UNARY)}"
    if symbol == "+" and b.is_literal and b.code.startswith("-"):
        symbol, b = "-", Text(b.code[1:], is_literal=True)
    text = Text(f"{left} {symbol} {b.at(precedence + 1)}", precedence)
    return text if not dtype.is_integer or dtype.bits >= 32 else Text(f"({c_type(dtype)})({text.code})", UNARY)


def _divide(context: Context, node: Binary, mode: Mode) -> Text:
    dtype = node.dtype
    if dtype.is_float:
        if isinstance(node, Mod):
            context.keep(node.a)
            context.keep(node.b)
            return context.scalar(expand.float_mod(node))
        return _arithmetic(context, node, mode)
    if dtype.is_bool:
        return _arithmetic(context, node, mode)
    divisor = const_value(node.b)
    if divisor is not None and divisor > 0:
        return _by_constant(context, node, int(divisor), mode)
    kind = "div" if isinstance(node, Div) else "mod"
    return _call_helper(context, f"{kind}_{'euclid' if dtype.is_int else 'or_zero'}", node, mode)


def _by_constant(context: Context, node: Binary, divisor: int, mode: Mode) -> Text:
    """Shifts and masks for powers of two; plain C for unsigned; the compiler folds the rest of div_euclid."""
    dtype = node.dtype
    a = context.scalar(node.a, mode)
    is_div = isinstance(node, Div)
    if divisor & (divisor - 1) == 0:
        by = divisor.bit_length() - 1
        if is_div:
            return a if by == 0 else Text(f"{a.at(UNARY)} >> {by}", SHIFT)
        mask = index_literal(divisor - 1) if mode is Mode.INDEX else literal(divisor - 1, dtype)
        return Text(f"{a.at(UNARY)} & {mask.code}", BIT_AND)
    if dtype.is_uint:
        right = literal(divisor, dtype)
        return Text(f"{a.at(TIMES)} {'/' if is_div else '%'} {right.code}", TIMES)
    return _call_helper(context, "div_euclid" if is_div else "mod_euclid", node, mode)


def _call_helper(context: Context, operation: str, node: Binary, mode: Mode) -> Text:
    element = "i64" if mode is Mode.INDEX else element_name(node.dtype)
    a, b = context.scalar(node.a, mode), context.scalar(node.b, mode)
    return Text(f"{context.prelude.helper(operation, element)}({a.code}, {b.code})", POSTFIX)


def _min_max(context: Context, node: Binary, mode: Mode) -> Text:
    if node.dtype.is_bool:
        return _arithmetic(context, node, mode)
    if expand.narrow_float(node.dtype):
        return context.scalar(expand.in_float32(node, node.a, node.b))
    return _call_helper(context, "min" if isinstance(node, Min) else "max", node, mode)


def _compare(context: Context, node: Compare, mode: Mode) -> Text:
    if expand.narrow_float(node.a.dtype):
        return context.scalar(expand.in_float32(node, node.a, node.b))
    symbol, precedence = COMPARE[type(node)]
    a, b = context.scalar(node.a, mode), context.scalar(node.b, mode)
    return Text(f"{a.at(PLUS)} {symbol} {b.at(PLUS)}", precedence)


def _and(context: Context, node: And, mode: Mode) -> Text:
    return Text(f"{_operand(context, node.a, mode, AND)} && {_operand(context, node.b, mode, AND)}", AND)


def _or(context: Context, node: Or, mode: Mode) -> Text:
    return Text(f"{_operand(context, node.a, mode, OR)} || {_operand(context, node.b, mode, OR)}", OR)


def _operand(context: Context, node: Expr, mode: Mode, precedence: int) -> str:
    """An operand of && or ||: comparisons and the same operator stand bare."""
    text = context.scalar(node, mode)
    return text.code if text.precedence == precedence else text.at(EQUALITY)


def _not(context: Context, node: Not, mode: Mode) -> Text:
    return Text(f"!{context.scalar(node.a, mode).at(UNARY)}", UNARY)


def _select(context: Context, node: Select, mode: Mode) -> Text:
    condition = context.scalar(node.condition, mode)
    a, b = context.scalar(node.a, mode), context.scalar(node.b, mode)
    is_int = a.is_int and b.is_int
    return Text(f"{condition.at(OR)} ? {a.at(TERNARY + 1)} : {b.at(TERNARY + 1)}", TERNARY, is_int=is_int)


def _cast(context: Context, node: Cast, _mode: Mode) -> Text:
    fits = float_fits(context, node)
    return scalar_cast(context, context.scalar(node.a), node.a.dtype, node.dtype, fits=fits)


def _call(context: Context, call: Call, mode: Mode) -> Text:
    name = call.name
    if name in BITWISE:
        return _bitwise(context, call)
    if name == "bitwise_not":
        return _not_bits(context, call)
    if name in ("c_shift_left", "c_shift_right"):
        return _c_shift(context, call)
    if name == "reinterpret":
        return scalar_reinterpret(context, context.scalar(call.args[0]), call.args[0].dtype, call.dtype)
    if (
        call.args
        and expand.narrow_float(call.args[0].dtype)
        and (name in LIBRARY_CALLS or name in ROUNDINGS or name == "fma")
    ):
        return context.scalar(expand.in_float32(call, *call.args))
    if name == "abs" and call.dtype.is_float and call.dtype.bits >= 32:
        return _function(context, "fabs", call)
    if name in ROUNDINGS:
        return _function(context, ROUNDINGS[name], call)
    simpler = transcendental(call)
    if simpler is not None:
        context.keep(call.args[0])
        return context.scalar(simpler)
    if name in LIBRARY_CALLS or name == "fma":
        context.prelude.needs_math = True
        return _function(context, name, call)
    if name in COUNTS:
        return _counted(context, call)
    if name == "multiply_add":
        helper = context.prelude.helper(name, element_name(call.dtype))
        return Text(f"{helper}({', '.join(context.scalar(a).code for a in call.args)})", POSTFIX)
    if name in ("div_round_to_zero", "mod_round_to_zero"):
        return _round_to_zero(context, call)
    return context.scalar(expand.RULES[name](call), mode)


def _bitwise(context: Context, call: Call) -> Text:
    symbol, precedence = BITWISE[call.name]
    a, b = (context.scalar(arg).at(UNARY) for arg in call.args)
    return Text(f"{a} {symbol} {b}", precedence)


def _not_bits(context: Context, call: Call) -> Text:
    text = Text(f"~{context.scalar(call.args[0]).at(UNARY)}", UNARY)
    if call.dtype.is_bool:
        return Text(f"!{context.scalar(call.args[0]).at(UNARY)}", UNARY)
    return text if call.dtype.bits >= 32 else Text(f"({c_type(call.dtype)}){text.code}", UNARY)


def _c_shift(context: Context, call: Call) -> Text:
    a, by = context.scalar(call.args[0]), context.scalar(call.args[1])
    amount = Text(by.code.rstrip("ul"), by.precedence) if by.is_literal else by
    text = Text(f"{a.at(UNARY)} {'<<' if call.name.endswith('left') else '>>'} {amount.at(UNARY)}", SHIFT)
    if call.dtype.bits >= 32 or call.name.endswith("right"):
        return text
    return Text(f"({c_type(call.dtype)})({text.code})", UNARY)


def _function(context: Context, name: str, call: Call) -> Text:
    return Text(f"{context.math(name, call.dtype)}({', '.join(context.scalar(a).code for a in call.args)})", POSTFIX)


def _counted(context: Context, call: Call) -> Text:
    (a,) = call.args
    helper = context.prelude.helper(COUNTS[call.name], element_name(a.dtype))
    text = Text(f"{helper}({context.scalar(a).code})", POSTFIX)
    return scalar_cast(context, text, a.dtype, call.dtype)


def _round_to_zero(context: Context, call: Call) -> Text:
    kind = call.name[:3]
    operation = f"{kind}_trunc" if call.dtype.is_int else f"{kind}_or_zero"
    helper = context.prelude.helper(operation, element_name(call.dtype))
    return Text(f"{helper}({', '.join(context.scalar(a).code for a in call.args)})", POSTFIX)


_PRINTERS: dict[type[Expr], Callable[[Context, Any, Mode], Text]] = {
    Const: _const,
    Var: _var,
    Add: _arithmetic,
    Sub: _arithmetic,
    Mul: _arithmetic,
    Div: _divide,
    Mod: _divide,
    Min: _min_max,
    Max: _min_max,
    And: _and,
    Or: _or,
    Not: _not,
    Select: _select,
    Cast: _cast,
    Call: _call,
    **dict.fromkeys(COMPARE, _compare),
}
