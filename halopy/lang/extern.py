"""Stages that a C function computes: what it is given, and how it is defined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from ..dtypes import INT32, DType
from ..errors import DefinitionError, TypeMismatch
from ..ir import expr as nodes
from ..ir.extern import name_of_call
from ..ir.function import Definition, Function
from ..source import caller
from ..target_features import DeviceAPI
from .buffers.buffer import Buffer
from .definition import access
from .expressions.expr import Expr, ExprLike, to_node
from .expressions.types import Type, to_dtype
from .expressions.var import Var
from .func_contents import FuncContents, freeze_called
from .func_scheduling import FuncScheduling
from .image_param import InputImage
from .output_files import NameMangling

__all__ = ["ExternFuncArgument"]

_NAME = "[A-Za-z_][A-Za-z0-9_]*"

Given: TypeAlias = "FuncScheduling | Buffer | InputImage | ExprLike | int | float | ExternFuncArgument"


class ExternFuncArgument:
    """What an extern stage is given: a Func, a Buffer, an ImageParam, or a number."""

    __slots__ = ("_given",)

    def __init__(self, given: Given | None = None) -> None:
        self._given: Given | None = given._given if isinstance(given, ExternFuncArgument) else given

    def defined(self) -> bool:
        """Whether it is anything."""
        return self._given is not None

    def is_func(self) -> bool:
        """Whether it is a Func."""
        return isinstance(self._given, FuncScheduling)

    def is_buffer(self) -> bool:
        """Whether it is a Buffer."""
        return isinstance(self._given, Buffer)

    def is_image_param(self) -> bool:
        """Whether it is an ImageParam."""
        return isinstance(self._given, InputImage)

    def is_expr(self) -> bool:
        """Whether it is a number."""
        return self.defined() and not (self.is_func() or self.is_buffer() or self.is_image_param())

    def _node(self, func: str) -> nodes.Expr:
        given = self._given
        if isinstance(given, FuncScheduling):
            contents = given._contents
            if contents.function is None:
                raise _refused(func, f"its argument `{contents.name}` is a Func without a definition", "defined Funcs")
            return access(contents, _zeros(contents.function.rank), 0)
        if isinstance(given, Buffer | InputImage):
            return _whole_image(func, given)
        if given is None:
            raise _refused(func, "one of its arguments is undefined", "Funcs, Buffers, ImageParams and numbers")
        node = to_node(given)
        if not is_number_before_the_run(node):
            raise _refused(
                func, f"its argument `{Expr(node)}` is no number before the pipeline runs", "numbers, Params and shapes"
            )
        return node


def define_extern(
    func: FuncContents,
    function_name: str,
    params: Sequence[Given],
    types: Type | Sequence[Type],
    dimensions: int | Sequence[Var],
    mangling: NameMangling,
    device_api: DeviceAPI,
) -> None:
    """Define the Func by a C function of that name."""
    location = caller()
    if func.function is not None:
        raise _refused(func.name, "it has a definition already", "one definition")
    is_cpp = mangling is NameMangling.CPlusPlus
    if not is_function_name(function_name, is_cpp=is_cpp):
        accepted = "names with :: between" if is_cpp else "letters, digits and _"
        raise _refused(func.name, f"{function_name!r} is no name of a {'C++' if is_cpp else 'C'} function", accepted)
    if device_api not in (DeviceAPI.Host, DeviceAPI["None"]):
        raise _refused(func.name, f"{device_api} is not there", "DeviceAPI.Host")
    dtypes: tuple[DType, ...] = tuple(map(to_dtype, types if isinstance(types, Sequence) else [types]))
    if not dtypes:
        raise _refused(func.name, "it has no types", "one type or more")
    names = _names(func.name, dimensions)
    args = tuple(ExternFuncArgument(p)._node(func.name) for p in params)
    values = tuple(nodes.Call(name_of_call(function_name, is_cpp=is_cpp), args, dtype) for dtype in dtypes)
    definition = Definition(tuple(map(nodes.Var, names)), values, None, location)
    if func.required_dtypes and func.required_dtypes != dtypes:
        raise TypeMismatch(
            f"Func `{func.name}` was declared with other types", location=location, accepted=str(func.required_dtypes)
        )
    if func.required_rank not in (None, len(names)):
        raise TypeMismatch(
            f"Func `{func.name}` was declared with {func.required_rank} dimensions, and is given {len(names)}",
            location=location,
            accepted=f"{func.required_rank} Vars",
        )
    freeze_called(definition, func)
    func.set_function(Function(func.name, names, dtypes, (definition,), location))


def is_function_name(name: str, *, is_cpp: bool) -> bool:
    """Whether a function of C, or of C++ with its namespaces, may be called so."""
    return re.fullmatch(rf"{_NAME}(::{_NAME})*" if is_cpp else _NAME, name) is not None


def is_number_before_the_run(node: nodes.Expr) -> bool:
    """Whether the expression is made of Params and shapes alone."""
    return not node.has(nodes.FuncAccess, nodes.ImageAccess, nodes.Var, nodes.RVarAccess, nodes.Random)


def _names(func: str, dimensions: int | Sequence[Var]) -> tuple[str, ...]:
    if isinstance(dimensions, int):
        return tuple(f"d{k}" for k in range(dimensions))
    names = tuple(v.name() for v in dimensions)
    if len(set(names)) < len(names):
        raise _refused(func, "a Var stands for two dimensions", "a different Var for each dimension")
    return names


def _whole_image(func: str, image: Buffer | InputImage) -> nodes.Expr:
    if not image.dimensions():
        raise _refused(func, "one of its arguments is a Buffer without dimensions", "its value, as a number")
    somewhere = to_node(image[tuple(Var() for _ in range(image.dimensions()))])
    assert isinstance(somewhere, nodes.ImageAccess), "a place that is no number is read when the pipeline runs"
    return nodes.ImageAccess(somewhere.ref, _zeros(image.dimensions()))


def _zeros(rank: int) -> tuple[nodes.Expr, ...]:
    return (nodes.const(0, INT32),) * rank


def _refused(func: str, why: str, accepted: str) -> DefinitionError:
    return DefinitionError(f"Func `{func}` cannot be an extern stage: {why}", location=caller(), accepted=accepted)
