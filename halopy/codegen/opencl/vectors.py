"""Vector expressions as OpenCL C: pieces of up to 16 lanes, the widest that the language has.

All types are cut at the same lanes, so operands of different widths have the same pieces. A comparison gives a mask:
signed lanes as wide as what was compared, all bits set where true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...dtypes import DType
from ...errors import UnsupportedTarget
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
from ..c import expand
from ..c.casts import scalar_cast
from ..c.context import Context
from ..c.operators import ARITHMETIC, BITWISE, COMPARE, COUNTS, LIBRARY_CALLS, ROUNDINGS
from ..c.reduce import reduction_tree
from ..c.transcendental import transcendental
from ..c.types import (
    C_TYPES,
    PLUS,
    POSTFIX,
    TERNARY,
    UNARY,
    Text,
    Value,
    Vec,
    bits_of,
    c_type,
    element_name,
    literal,
    storages,
)
from .prelude import opencl_type

GRAIN = 16  # lanes of the widest vector
_INTEGER_FUNCTIONS = {  # of intrinsics that OpenCL has for integers of all widths
    "halving_add": "hadd",
    "rounding_halving_add": "rhadd",
    "saturating_add": "add_sat",
    "saturating_sub": "sub_sat",
    "absd": "abs_diff",
}


def print_vector(context: Context, node: Expr) -> Value:
    """The C of a vector node (or of a reduction to a scalar) whose operands have been printed."""
    if any(e.is_float and e.bits == 16 for e in (node.dtype, *(c.dtype for c in node.children()))):  # type: ignore[attr-defined]
        raise UnsupportedTarget(f"vectors of {node.dtype.element} on an OpenCL device", accepted="scalars of the type")
    return _PRINTERS[type(node)](context, node)


def made(context: Context, element: str, lanes: int, parts: Sequence[Text], *, is_mask: bool = False) -> Vec:
    """A vector of these pieces, its types declared."""
    for size in storages(lanes, GRAIN):
        context.vector_c_type(element, size)
    return Vec(element, lanes, GRAIN, tuple(parts), is_mask)


def parts_of(context: Context, vec: Vec) -> Sequence[Text]:
    """One text for each piece; a splat is spread."""
    if vec.splat is None:
        return vec.parts
    if vec.is_mask:
        vec = Vec("i8", vec.lanes, vec.grain, (), True, Text(f"-({C_TYPES['i8']})({vec.splat.code})", UNARY))
    assert vec.splat is not None
    return [
        Text(f"({context.vector_c_type(vec.element, size)})({vec.splat.code})", POSTFIX)
        for size in storages(vec.lanes, GRAIN)
    ]


def lane(vec: Vec, k: int) -> str:
    """One lane as a scalar; of a mask, 0 or -1."""
    if vec.splat is not None:
        return f"-({vec.splat.code})" if vec.is_mask else vec.splat.code
    part = vec.parts[k // GRAIN]
    return f"{part.at(POSTFIX)}.s{k % GRAIN:x}"


def named(context: Context, node: Expr) -> Vec:
    """The vector with each piece in a constant of its own."""
    context.keep(node)
    return context.vector(node)


def splat(value: Text, dtype: DType, context: Context) -> Vec:
    """A scalar in all lanes."""
    if not value.is_literal and not value.code.isidentifier():
        value = context.local(c_type(dtype), value)
    return Vec(element_name(dtype), dtype.lanes, GRAIN, (), dtype.is_bool, value)


def of_lanes(context: Context, element: str, texts: Sequence[str], *, is_mask: bool = False) -> Vec:
    """A vector with these scalars as lanes; lanes that mean nothing are 0."""
    parts, start = [], 0
    for size in storages(len(texts), GRAIN):
        some = [*texts[start : start + size], *["0"] * (start + size - len(texts))]
        parts.append(Text(f"({context.vector_c_type(element, size)})({', '.join(some)})", POSTFIX))
        start += size
    return made(context, element, len(texts), parts, is_mask=is_mask)


def convert(context: Context, vec: Vec, new: str) -> Vec:
    """Numbers, or the truths of a mask, in lanes of another type: integers wrap, floats are clamped, NaN gives 0."""
    if vec.element == new:
        return vec
    how = "_sat" if vec.element[0] == "f" and new[0] != "f" else ""
    parts = [
        Text(f"convert_{opencl_type(new)}{size}{how}({part.code})", POSTFIX)
        for part, size in zip(parts_of(context, vec), storages(vec.lanes, GRAIN), strict=True)
    ]
    return made(context, new, vec.lanes, parts, is_mask=vec.is_mask)


def mask_of_width(context: Context, mask: Vec, bits: int) -> Vec:
    """The same truths in lanes of this width."""
    if mask.splat is not None:
        mask = made(context, "i8", mask.lanes, parts_of(context, mask), is_mask=True)
    return convert(context, mask, f"i{bits}")


def _each(context: Context, form: str, dtype: DType, *nodes: Expr) -> Vec:
    """A text made for each piece: `{0}` and so on are its operands, `{T}` its type, `{U}` that of its bits."""
    element = element_name(dtype)
    parts = []
    columns = [parts_of(context, context.vector(node)) for node in nodes]
    for size, *texts in zip(storages(dtype.lanes, GRAIN), *columns, strict=True):
        vector, unsigned = f"{opencl_type(element)}{size}", f"{opencl_type(f'u{bits_of(element)}')}{size}"
        code = form.format(*(t.at(UNARY) for t in texts), T=vector, U=unsigned)
        parts.append(Text(code, POSTFIX if form.endswith(")") else TERNARY))
    return made(context, element, dtype.lanes, parts)


def _arithmetic(context: Context, node: Binary) -> Value:
    dtype = node.dtype
    if dtype.is_bool:
        return _on_bools(context, node)
    symbol, _ = ARITHMETIC[type(node)]
    if dtype.is_int:  # what overflows wraps
        return _each(context, f"as_{{T}}(as_{{U}}({{0}}) {symbol} as_{{U}}({{1}}))", dtype, node.a, node.b)
    return _each(context, f"{{0}} {symbol} {{1}}", dtype, node.a, node.b)


def _on_bools(context: Context, node: Expr) -> Value:
    assert isinstance(node, Binary | Compare), "an operation on two"
    context.keep(node.a)
    context.keep(node.b)
    return context.value(expand.ON_BOOLS[type(node)](node.a, node.b))


def _divide(context: Context, node: Binary) -> Value:
    dtype = node.dtype
    if dtype.is_bool:
        return _on_bools(context, node)
    if dtype.is_float:
        if not isinstance(node, Mod):
            return _arithmetic(context, node)
        context.keep(node.a)
        context.keep(node.b)
        return context.value(expand.float_mod(node))
    divisor = const_value(node.b)
    symbol = "/" if isinstance(node, Div) else "%"
    if divisor and dtype.is_uint:
        return _each(context, f"{{0}} {symbol} {{1}}", dtype, node.a, node.b)
    kind = "div" if isinstance(node, Div) else "mod"
    return _helper(context, f"{kind}_{'euclid' if dtype.is_int else 'or_zero'}", dtype, node.a, node.b)


def _helper(context: Context, operation: str, dtype: DType, *nodes: Expr) -> Vec:
    element = element_name(dtype)
    columns = [parts_of(context, context.vector(node)) for node in nodes]
    parts = []
    for size, *texts in zip(storages(dtype.lanes, GRAIN), *columns, strict=True):
        name = context.prelude.helper(operation, element, size)
        parts.append(Text(f"{name}({', '.join(t.code for t in texts)})", POSTFIX))
    return made(context, element, dtype.lanes, parts)


def _min_max(context: Context, node: Binary) -> Value:
    if node.dtype.is_bool:
        return _on_bools(context, node)
    if node.dtype.is_float:  # fmin treats NaN otherwise
        context.keep(node.a)
        context.keep(node.b)
        symbol = "<" if isinstance(node, Min) else ">"
        return _each(context, f"({{0}} {symbol} {{1}} ? {{0}} : {{1}})", node.dtype, node.a, node.b)
    return _each(context, f"{'min' if isinstance(node, Min) else 'max'}({{0}}, {{1}})", node.dtype, node.a, node.b)


def _compare(context: Context, node: Compare) -> Value:
    operand = node.a.dtype
    if operand.is_bool:
        return _on_bools(context, node)
    symbol, precedence = COMPARE[type(node)]
    columns = [parts_of(context, context.vector(e)) for e in (node.a, node.b)]
    parts = [Text(f"{x.at(PLUS)} {symbol} {y.at(PLUS)}", precedence) for x, y in zip(*columns, strict=True)]
    return made(context, f"i{operand.bits}", operand.lanes, parts, is_mask=True)


def _logic(context: Context, node: And | Or) -> Value:
    a, b = context.vector(node.a), context.vector(node.b)
    bits = bits_of((a if a.splat is None else b).element) if a.splat is None or b.splat is None else 8
    a, b = mask_of_width(context, a, bits), mask_of_width(context, b, bits)
    symbol = "&" if isinstance(node, And) else "|"
    parts = [Text(f"({x.at(UNARY)} {symbol} {y.at(UNARY)})") for x, y in zip(a.parts, b.parts, strict=True)]
    return made(context, f"i{bits}", a.lanes, parts, is_mask=True)


def _not(context: Context, node: Not) -> Value:
    a = mask_of_width(context, context.vector(node.a), bits_of(context.vector(node.a).element))
    return made(context, a.element, a.lanes, [Text(f"~{p.at(UNARY)}", UNARY) for p in a.parts], is_mask=True)


def _select(context: Context, node: Select) -> Value:
    dtype = node.dtype
    if dtype.is_bool:
        context.keep(node.condition)
        chosen = Or(And(node.condition, node.a), And(Not(node.condition), node.b))
        return context.value(chosen)
    if node.condition.dtype.lanes == 1:
        mask = splat(context.scalar(node.condition), node.condition.dtype.with_lanes(dtype.lanes), context)
    else:
        mask = context.vector(node.condition)
    wide = mask_of_width(context, mask, dtype.bits)
    columns = [parts_of(context, context.vector(e)) for e in (node.a, node.b)]
    parts = [
        Text(f"({c.at(UNARY)} ? {x.at(UNARY)} : {y.at(UNARY)})") for c, x, y in zip(wide.parts, *columns, strict=True)
    ]
    return made(context, element_name(dtype), dtype.lanes, parts)


def _cast(context: Context, node: Cast) -> Value:
    vec, source, target = context.vector(node.a), node.a.dtype, node.dtype
    old, new = element_name(source), element_name(target)
    if old == new:
        return vec
    if vec.splat is not None:
        return splat(scalar_cast(context, vec.splat, source.element, target.element), target, context)
    if target.is_bool:
        return truths(context, vec)
    if source.is_bool:
        vec = ones(context, vec)
    return convert(context, vec, new)


def truths(context: Context, vec: Vec) -> Vec:
    """Where numbers are not 0."""
    pairs = zip(parts_of(context, vec), storages(vec.lanes, GRAIN), strict=True)
    parts = [Text(f"{part.at(PLUS)} != ({context.vector_c_type(vec.element, n)})(0)", TERNARY) for part, n in pairs]
    return made(context, f"i{bits_of(vec.element)}", vec.lanes, parts, is_mask=True)


def ones(context: Context, mask: Vec) -> Vec:
    """1 where the mask is true, else 0, in numbers of its width."""
    element = mask.element if mask.splat is None else "i8"
    pairs = zip(parts_of(context, mask), storages(mask.lanes, GRAIN), strict=True)
    parts = [Text(f"({part.at(UNARY)} & ({context.vector_c_type(element, n)})(1))") for part, n in pairs]
    return made(context, element, mask.lanes, parts)


def _var(context: Context, node: Var) -> Value:
    return context.bindings[node.name]


def _call(context: Context, call: Call) -> Value:
    name, dtype = call.name, call.dtype
    first = call.args[0].dtype if call.args else dtype
    if first.is_bool and (name in BITWISE or name == "bitwise_not"):
        a, *rest = call.args
        return context.value(
            Not(a) if not rest else {"bitwise_and": And, "bitwise_or": Or, "bitwise_xor": NE}[name](a, *rest)
        )
    if name in BITWISE:
        return _each(context, f"({{0}} {BITWISE[name][0]} {{1}})", dtype, *call.args)
    if name == "bitwise_not":
        return _each(context, "~{0}", dtype, *call.args)
    if name in ("c_shift_left", "c_shift_right"):
        return _shift(context, call)
    if name == "reinterpret" and not first.is_bool and not dtype.is_bool:
        return _each(context, "as_{T}({0})", dtype, *call.args)
    simpler = transcendental(call)
    if simpler is not None:
        context.keep(call.args[0])
        return context.value(simpler)
    if name in (*LIBRARY_CALLS, *ROUNDINGS, "fma", "multiply_add") or (name == "abs" and dtype.is_float):
        function = {"round": "rint", "abs": "fabs", "multiply_add": "fma"}.get(name, name)
        places = ", ".join(f"{{{k}}}" for k in range(len(call.args)))
        return _each(context, f"{function}({places})", dtype, *call.args)
    if name in COUNTS:
        counted = _helper(context, COUNTS[name], first, *call.args)
        return convert(context, counted, element_name(dtype))
    if name in ("div_round_to_zero", "mod_round_to_zero"):
        return _helper(context, f"{name[:3]}_{'trunc' if dtype.is_int else 'or_zero'}", dtype, *call.args)
    if name == "abs" and first.is_int:
        return _each(context, "abs({0})", dtype, *call.args)
    if name in _INTEGER_FUNCTIONS and first.is_integer:
        return _each(context, f"{_INTEGER_FUNCTIONS[name]}({{0}}, {{1}})", dtype, *call.args)
    if name == "if_then_else":
        return context.value(expand.if_then_else(call))
    if name in expand.REPEATS_ARGUMENTS:
        for arg in call.args:
            context.keep(arg)
    return context.value(expand.RULES[name](call))


def _shift(context: Context, call: Call) -> Value:
    """By less than the width; a sign is shifted out as any other bit."""
    if call.name == "c_shift_left" and call.dtype.is_int:
        return _each(context, "as_{T}(as_{U}({0}) << as_{U}({1}))", call.dtype, *call.args)
    symbol = "<<" if call.name == "c_shift_left" else ">>"
    return _each(context, f"({{0}} {symbol} {{1}})", call.dtype, *call.args)


def _broadcast(context: Context, node: Broadcast) -> Value:
    if node.value.dtype.lanes == 1:
        return splat(context.scalar(node.value), node.dtype, context)
    vec = named(context, node.value)
    if vec.splat is not None:
        return Vec(vec.element, node.dtype.lanes, GRAIN, (), vec.is_mask, vec.splat)
    return of_lanes(
        context,
        vec.element,
        [lane(vec, k) for k in range(vec.lanes)] * node.lanes,
        is_mask=vec.is_mask,
    )


def _ramp(context: Context, node: Ramp) -> Value:
    """The base in all lanes, plus multiples of the stride."""
    dtype, lanes = node.dtype, node.base.dtype.lanes
    counts = [k for k in range(node.lanes) for _ in range(lanes)]
    stride, element = const_value(node.stride), element_name(dtype)
    base = parts_of(context, context.vector(Broadcast(node.base, node.lanes)))
    if stride is not None:
        steps = [
            literal(dtype.wrap(k * int(stride)) if dtype.is_integer else k * stride, dtype.element).code for k in counts
        ]
        offsets: Sequence[Text] = of_lanes(context, element, steps).parts
    else:
        wide = node.stride if node.stride.dtype.lanes == lanes else Broadcast(node.stride, lanes)
        times = of_lanes(context, element, [literal(k, dtype.element).code for k in counts])
        stride_parts = parts_of(context, context.vector(Broadcast(wide, node.lanes)))
        offsets = [Text(f"({a.at(UNARY)} * {b.at(UNARY)})") for a, b in zip(stride_parts, times.parts, strict=True)]
    sums = [Text(f"({a.at(UNARY)} + {b.at(UNARY)})") for a, b in zip(base, offsets, strict=True)]
    return made(context, element, dtype.lanes, sums)


def _shuffle(context: Context, node: Shuffle) -> Value:
    """Lanes of several vectors, in a new order."""
    lanes: list[str] = []
    element, is_mask = element_name(node.dtype), node.dtype.is_bool
    for e in node.vectors:
        if e.dtype.lanes == 1:
            text = context.scalar(e)
            lanes.append(f"-({text.code})" if is_mask else text.code)
            continue
        vec = named(context, e)
        if is_mask:
            vec = context.name_vector(mask_of_width(context, vec, 8))
        lanes += [lane(vec, k) for k in range(vec.lanes)]
    chosen = [lanes[k] for k in node.indices]
    if node.dtype.lanes == 1:
        return Text(f"({chosen[0]}) != 0", TERNARY) if is_mask else Text(chosen[0], POSTFIX)
    return of_lanes(context, "i8" if is_mask else element, chosen, is_mask=is_mask)


def _reduce(context: Context, node: VectorReduce) -> Value:
    return context.value(reduction_tree(context, node))


_PRINTERS: dict[type[Expr], Callable[[Context, Any], Value]] = {
    Var: _var, Add: _arithmetic, Sub: _arithmetic, Mul: _arithmetic, Div: _divide, Mod: _divide,
    Min: _min_max, Max: _min_max, And: _logic, Or: _logic, Not: _not, Select: _select, Cast: _cast, Call: _call,
    Broadcast: _broadcast, Ramp: _ramp, Shuffle: _shuffle, VectorReduce: _reduce,
    EQ: _compare, NE: _compare, LT: _compare, LE: _compare, GT: _compare, GE: _compare,
}  # fmt: skip
