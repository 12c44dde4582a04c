"""Stages that a function outside the pipeline computes.

    g.define_extern("blur", [f, 3], Int(32), 2)     g(x, y) = extern blur(f(0, 0), 3)

The value is a Call that says what the function is given: a read of a Func or image stands for all of it, its index
means nothing; any other argument is a number.
"""

from __future__ import annotations

from .expr import Call, Expr, Read
from .function import Function
from .program import Program
from .services import CallExtern, ExternArgument

_PREFIX, _CPP = "extern ", "C++ "


def extern_call(function: Function) -> Call | None:
    """The call that computes the function; None where its definition does."""
    value = function.definitions[0].values[0]
    return value if isinstance(value, Call) and value.name.startswith(_PREFIX) else None


def name_of_call(function: str, *, is_cpp: bool) -> str:
    """The name of a Call of a C or C++ function; of C++ with its namespaces."""
    return f"{_PREFIX}{_CPP if is_cpp else ''}{function}"


def called_function(call: Call) -> str:
    """The name of the function that the Call means."""
    return call.name.removeprefix(_PREFIX).removeprefix(_CPP)


def extern_numbers(function: Function) -> tuple[Expr, ...]:
    """The arguments of an extern stage that are numbers."""
    return tuple(arg for arg in _call(function).args if not isinstance(arg, Read))


def extern_funcs(program: Program, function: Function) -> list[str]:
    """The Funcs among the arguments of an extern stage, in order and as often as they are there."""
    return [a.name for a in _call(function).args if isinstance(a, Read) and a.name in program.functions]


def extern_service(program: Program, func: str, shown: str) -> CallExtern:
    """What calls the function of an extern stage."""
    function = program.functions[func]
    call = _call(function)
    arguments = tuple(_argument(program, arg) for arg in call.args)
    is_cpp = call.name == name_of_call(called_function(call), is_cpp=True)
    return CallExtern(called_function(call), is_cpp, func, shown, arguments, function.dtypes)


def _call(function: Function) -> Call:
    call = extern_call(function)
    assert call is not None, "an extern stage"
    return call


def _argument(program: Program, arg: Expr) -> ExternArgument:
    if not isinstance(arg, Read):
        return ExternArgument("", -1, 0, (arg.dtype,))
    images = list(program.images)
    if arg.name in images:
        return ExternArgument(arg.name, images.index(arg.name), len(arg.index), (arg.dtype,))
    return ExternArgument(arg.name, -1, len(arg.index), program.functions[arg.name].dtypes)
