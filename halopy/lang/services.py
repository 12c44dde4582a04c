"""What a pipeline says while it runs: `print`, `print_when`, `require`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..dtypes import FLOAT32
from ..errors import DefinitionError, TypeMismatch
from ..ir import expr as nodes
from ..ir.build import logical_not
from ..ir.services import Fail, Print
from ..ir.simplify import simplify
from ..source import caller
from .advise import advise
from .expressions.conversion import cast, show, typed
from .expressions.expr import Expr, ToExpr, to_node

__all__ = ["print", "print_when", "require"]

Printed: TypeAlias = "ToExpr | str"


def print(value: ToExpr, *more: Printed) -> Expr:
    """The value; each time it is computed, it is printed on a line with the others, numbers and texts."""
    return _printed("print", None, value, more)


def print_when(condition: ToExpr, value: ToExpr, *more: Printed) -> Expr:
    """The value, printed like `print` does where the condition holds."""
    return _printed("print_when", to_node(condition), value, more)


def require(condition: ToExpr, value: ToExpr, *more: Printed) -> Expr:
    """The value; where it is computed although the condition does not hold, the run ends with an error that shows
    the value and the others."""
    return Expr(requirement("require", to_node(condition), _value("require", value), (value, *more)))


def requirement(name: str, condition: nodes.Expr, value: nodes.Expr, shown: Sequence[Printed]) -> nodes.Expr:
    """The value, or an error that shows some numbers and texts."""
    _check_condition(name, condition)
    if simplify(condition) is nodes.FALSE:
        advise(f"what {name} asks for never holds: `{show(condition)}`")
    texts, args = _pieces(name, ("Requirement Failed: (false)", *shown))
    return nodes.Effect(Fail(texts, show(condition)), value, args, logical_not(condition))


def _printed(name: str, condition: nodes.Expr | None, value: ToExpr, more: Sequence[Printed]) -> Expr:
    if condition is not None:
        _check_condition(name, condition)
    passed_on = _value(name, value)
    texts, args = _pieces(name, (value, *more))
    return Expr(nodes.Effect(Print(texts), passed_on, args, condition))


def _value(name: str, value: ToExpr) -> nodes.Expr:
    if isinstance(value, str):
        raise TypeMismatch(
            f"hl.{name} passes on {value!r}, which is no expression",
            location=caller(),
            accepted=f"an expression first: hl.{name}({'' if name == 'print' else 'condition, '}e, {value!r})",
        )
    node = to_node(value)
    if node.dtype.lanes > 1:
        raise TypeMismatch(f"hl.{name} of {typed(node)}", location=caller(), accepted="one lane; vectorize the loop")
    return node


def _check_condition(name: str, condition: nodes.Expr) -> None:
    if not condition.dtype.is_bool:
        raise TypeMismatch(
            f"the condition of {name} is {typed(condition)}", location=caller(), accepted="a boolean: e != 0"
        )


def _pieces(name: str, values: Sequence[Printed]) -> tuple[tuple[str, ...], tuple[nodes.Expr, ...]]:
    """The texts around and between the numbers of a line, and the numbers."""
    texts, args = [""], []
    for place, value in enumerate(values):
        if place:
            texts[-1] += " "
        if isinstance(value, str):
            texts[-1] += _without_nul(name, value)
        else:
            args.append(_number(name, value))
            texts.append("")
    texts[-1] += "\n"
    return tuple(texts), tuple(args)


def _number(name: str, value: ToExpr) -> nodes.Expr:
    node = _value(name, value)
    return cast(FLOAT32, node) if node.dtype.is_float and node.dtype.bits < 32 else node


def _without_nul(name: str, text: str) -> str:
    if "\0" in text:
        raise DefinitionError(f"hl.{name} of a text with a NUL character", location=caller(), accepted="other texts")
    return text
