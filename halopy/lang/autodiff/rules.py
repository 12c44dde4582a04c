# ruff: noqa: ARG005  (a rule is given all there is, and names what it does not use)
"""How each operator passes an adjoint on to its operands.

`d` is the adjoint of the value `y`, what is given back that of each operand; None where the value does not
depend on the operand smoothly (a rounding, a comparison), so that nothing passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...dtypes import FLOAT32
from ...ir import build
from ...ir import expr as nodes
from ...ir.node import Node
from ..expressions.expr import Expr
from ..expressions.math_functions import cos, cosh, exp, floor, log, pow, sin, sinh, sqrt, trunc
from ..intrinsics import select

Condition: TypeAlias = tuple[nodes.Expr, bool]  # holds where the expression has this value


@dataclass(frozen=True, slots=True)
class Share:
    """What an operand gets, where `only_where` holds (everywhere if None)."""

    operand: nodes.Expr
    adjoint: nodes.Expr
    only_where: Condition | None = None


class Underivable(Exception):
    """No derivative of this operator is known."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def shares(node: nodes.Expr, adjoint: nodes.Expr) -> list[Share]:
    """What each operand of a float node gets of the node's adjoint. Raises Underivable."""
    rule = _RULES.get(type(node))
    if rule is None:
        raise Underivable(type(node).__name__)
    return rule(node, adjoint)


def _cast(node: nodes.Cast, d: nodes.Expr) -> list[Share]:
    return [Share(node.a, build.cast(node.a.dtype, d))] if node.a.dtype.is_float else []


def _extremum(node: nodes.Binary, d: nodes.Expr) -> list[Share]:
    """The operand that is the value gets all; of equal ones the first."""
    compare = nodes.LE if type(node) is nodes.Min else nodes.GE
    is_first = compare(node.a, node.b)
    if isinstance(node.a, nodes.Const):
        return [Share(node.b, d, (compare(node.b, node.a), True))]
    return [Share(node.a, d, (is_first, True)), Share(node.b, d, (is_first, False))]


def _select(condition: nodes.Expr, a: nodes.Expr, b: nodes.Expr, d: nodes.Expr) -> list[Share]:
    return [Share(a, d, (condition, True)), Share(b, d, (condition, False))]


def _call(node: nodes.Call, d: nodes.Expr) -> list[Share]:
    if node.name in _PASSED:
        return [Share(node.args[_PASSED[node.name]], d)]
    if node.name in _FLAT:
        return []
    if node.name == "if_then_else":
        condition, a, b = node.args
        return _select(condition, a, b, d)
    rule = _CALLS.get(node.name)
    if rule is None:
        raise Underivable(node.name)
    given = rule(Expr(d), Expr(node), *map(Expr, node.args))
    parts = given if isinstance(given, tuple) else (given,)
    return [
        Share(arg, build.cast(arg.dtype, part.node))
        for arg, part in zip(node.args, parts, strict=True)
        if part is not None and arg.dtype.is_float
    ]


def _arithmetic(
    rule: Callable[[Expr, Expr, Expr, Expr], tuple[Expr, Expr]],
) -> Callable[[Any, nodes.Expr], list[Share]]:
    def of_node(node: nodes.Binary, d: nodes.Expr) -> list[Share]:
        first, second = rule(Expr(d), Expr(node), Expr(node.a), Expr(node.b))
        return [Share(node.a, first.node), Share(node.b, second.node)]

    return of_node


_RULES: Mapping[type[Node], Callable[[Any, nodes.Expr], list[Share]]] = {
    nodes.Add: _arithmetic(lambda d, y, a, b: (d, d)),
    nodes.Sub: _arithmetic(lambda d, y, a, b: (d, -d)),
    nodes.Mul: _arithmetic(lambda d, y, a, b: (d * b, d * a)),
    nodes.Div: _arithmetic(lambda d, y, a, b: (d / b, -d * a / (b * b))),
    nodes.Mod: _arithmetic(lambda d, y, a, b: (d, -d * floor(a / b))),
    nodes.Min: _extremum,
    nodes.Max: _extremum,
    nodes.Select: lambda node, d: _select(node.condition, node.a, node.b, d),
    nodes.Cast: _cast,
    nodes.Call: _call,
}

# Calls that are one of their arguments, by its place.
_PASSED: Mapping[str, int] = {
    "likely": 0, "likely_if_innermost": 0, "strict_float": 0, "promise_clamped": 0, "unsafe_promise_clamped": 0,
    "return_second": 1, "saturating_cast": 0,
}  # fmt: skip

# Constant but for jumps, or not numbers.
_FLAT = ("floor", "ceil", "round", "trunc", "undef", "reinterpret")

_CALLS: Mapping[str, Callable[..., Expr | tuple[Expr | None, ...]]] = {
    "abs": lambda d, y, x: select(x > 0, d, -d),
    "sqrt": lambda d, y, x: d / (2 * y),
    "exp": lambda d, y, x: d * y,
    "log": lambda d, y, x: d / x,
    "sin": lambda d, y, x: d * cos(x),
    "cos": lambda d, y, x: -d * sin(x),
    "tan": lambda d, y, x: d * (1 + y * y),
    "asin": lambda d, y, x: d / sqrt(1 - x * x),
    "acos": lambda d, y, x: -d / sqrt(1 - x * x),
    "atan": lambda d, y, x: d / (1 + x * x),
    "sinh": lambda d, y, x: d * cosh(x),
    "cosh": lambda d, y, x: d * sinh(x),
    "tanh": lambda d, y, x: d * (1 - y * y),
    "asinh": lambda d, y, x: d / sqrt(1 + x * x),
    "acosh": lambda d, y, x: d / (sqrt(x - 1) * sqrt(x + 1)),
    "atanh": lambda d, y, x: d / (1 - x * x),
    "erf": lambda d, y, x: d * Expr(nodes.const(2 / math.sqrt(math.pi), FLOAT32)) * exp(-x * x),
    "pow": lambda d, y, a, b: (d * b * pow(a, b - 1), _where_variable(b, lambda: d * y * log(a))),
    "atan2": lambda d, y, a, b: (d * b / (a * a + b * b), -d * a / (a * a + b * b)),
    "hypot": lambda d, y, a, b: (d * a / y, d * b / y),
    "fmod": lambda d, y, a, b: (d, -d * trunc(a / b)),
    "fma": lambda d, y, a, b, c: (d * b, d * a, d),
    "fast_exp": lambda d, y, x: d * y,
    "fast_log": lambda d, y, x: d / x,
    "fast_pow": lambda d, y, a, b: (d * b * pow(a, b - 1), _where_variable(b, lambda: d * y * log(a))),
    "fast_inverse": lambda d, y, x: -d * y * y,
    "fast_inverse_sqrt": lambda d, y, x: d * y * y * y / -2,
    "saturating_add": lambda d, y, a, b: (d, d),
    "saturating_sub": lambda d, y, a, b: (d, -d),
    "widening_add": lambda d, y, a, b: (d, d),
    "widening_sub": lambda d, y, a, b: (d, -d),
    "widening_mul": lambda d, y, a, b: (d * b, d * a),
}


def _where_variable(e: Expr, adjoint: Callable[[], Expr]) -> Expr | None:
    """Nothing for a literal: its adjoint is not asked for, and need not be defined."""
    return None if isinstance(e.node, nodes.Const) else adjoint()
