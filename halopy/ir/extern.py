"""Stages that a function outside the pipeline computes.

    g.define_extern("blur", [f, 3], Int(32), 2)     g(x, y) = extern blur(f(0, 0), 3)

The value is a Call that says what the function is given: a read of a Func or image stands for all of it, its index
means nothing; any other argument is a number.
"""

from __future__ import annotations

from .expr import Call, Effect, Expr, Read, const
from .function import Function
from .program import Program
from .services import AskedEnd, CallExtern, ExternArgument

PREFIX = "extern "


def extern_call(function: Function) -> Call | None:
    """The call that computes the function; None where its definition does."""
    value = function.definitions[0].values[0]
    return value if isinstance(value, Call) and value.name.startswith(PREFIX) else None


def extern_effect(program: Program, func: str, box: tuple[Expr, ...], *, asks: bool) -> Effect:
    """Call the function, or ask it for the regions that it needs; `box` has min and extent of each dimension."""
    call = extern_call(program.functions[func])
    assert call is not None, "an extern stage"
    numbers = tuple(arg for arg in call.args if not isinstance(arg, Read))
    arguments = tuple(_argument(program, arg) for arg in call.args)
    name = call.name.removeprefix(PREFIX)
    service = CallExtern(name, func, arguments, program.functions[func].dtypes, asks)
    return Effect(service, const(0), (*numbers, *box))


def asked_end(effect: Effect, argument: int, dim: int, end: int) -> Effect:
    """A number of the answer."""
    assert isinstance(effect.service, CallExtern), "a question"
    return Effect(AskedEnd(effect.service.func, argument, dim, end), const(0), ())


def _argument(program: Program, arg: Expr) -> ExternArgument:
    if not isinstance(arg, Read):
        return ExternArgument("", -1, 0, (arg.dtype,))
    images = list(program.images)
    if arg.name in images:
        return ExternArgument(arg.name, images.index(arg.name), len(arg.index), (arg.dtype,))
    return ExternArgument(arg.name, -1, len(arg.index), program.functions[arg.name].dtypes)
