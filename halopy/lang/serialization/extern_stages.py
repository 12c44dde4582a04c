"""Extern stages as data: the function's name and what it is given.

Which function that is, the process says that reads it. Calls of functions are no nodes of a document, so they are
nowhere but in the place of a definition.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.expr import Call, Const, Expr, FuncAccess, ImageAccess, Var
from ...ir.extern import called_function, extern_call, name_of_call
from ...ir.function import Definition, Function
from ...source import SourceLocation
from ..extern import is_function_name, is_number_before_the_run
from ..func_contents import FuncContents
from .malformed import Malformed


@dataclass(frozen=True, slots=True)
class ExternRecord:
    """What stands for the definition of an extern stage."""

    function: str
    is_cpp: bool
    args: tuple[Expr, ...]
    location: SourceLocation | None


def extern_record(function: Function) -> ExternRecord | None:
    """The record of an extern stage; None of other Funcs."""
    call = extern_call(function)
    if call is None:
        return None
    name = called_function(call)
    is_cpp = call.name == name_of_call(name, is_cpp=True)
    return ExternRecord(name, is_cpp, call.args, function.definitions[0].location)


def definition_of(contents: FuncContents, function: Function, record: ExternRecord) -> Definition:
    """The definition again. Raises Malformed where `define_extern` would refuse it."""
    if function.definitions or not function.dtypes:
        raise Malformed("an extern stage with definitions, or without types")
    if not is_function_name(record.function, is_cpp=record.is_cpp):
        raise Malformed(f"{record.function[:40]!r} is no name of a function")
    for arg in record.args:
        if isinstance(arg, FuncAccess | ImageAccess):
            is_whole = all(isinstance(e, Const) and e.value == 0 for e in arg.index)
            if not is_whole or (isinstance(arg, FuncAccess) and arg.element) or arg.ref is contents:
                raise Malformed("an extern stage is given whole Funcs and images, and never itself")
        elif arg.dtype.lanes != 1 or not is_number_before_the_run(arg):
            raise Malformed("an extern stage is given what is no number before the pipeline runs")
    name = name_of_call(record.function, is_cpp=record.is_cpp)
    values = tuple(Call(name, record.args, dtype) for dtype in function.dtypes)
    return Definition(tuple(map(Var, function.args)), values, None, record.location)
