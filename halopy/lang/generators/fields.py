"""The fields of generators: `InputBuffer`, `InputScalar`, `OutputBuffer`, `OutputScalar`.

A field says what an input or output must be. When a generator makes its pipeline, each becomes the ImageParam, Param or
Func that it describes, or what the caller gives for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ...errors import DefinitionError, UserError
from ...source import caller
from ..buffers.buffer import Buffer
from ..expressions.expr import Expr
from ..expressions.types import Type
from ..func import Func
from ..image_wrappers import ImageParam
from ..param import Param
from .arguments import ArgInfo, ArgInfoDirection, ArgInfoKind, check_fits, to_types

Kind: TypeAlias = "Type | type | None"
Given: TypeAlias = "ImageParam | Func | Param | Expr"  # what stands for a field in `generate`


class InputBuffer(ImageParam):
    """InputBuffer(type, dimensions): an ImageParam. What is None is set by GeneratorParams: NAME.type and NAME.dim."""

    __slots__ = ("_info",)

    def __init__(self, type: Kind, dimensions: int | None) -> None:
        types = _single(to_types(type), "InputBuffer")
        self._info = _info(ArgInfoDirection.Input, ArgInfoKind.Buffer, types, dimensions)
        if types and dimensions is not None:
            super().__init__(types[0], dimensions)
        else:
            super().__init__()

    def _made(self, info: ArgInfo) -> Given:
        return ImageParam(info.types[0], info.dimensions, info.name)

    def _bound(self, info: ArgInfo, value: object) -> Given:
        """What stands for the field where the caller gives this. Raises DefinitionError where it does not fit."""
        given = Buffer(value) if isinstance(value, np.ndarray) else value
        if not isinstance(given, Buffer | ImageParam | Func) or isinstance(given, InputBuffer | OutputBuffer):
            raise DefinitionError(
                f"Input {info.name} requires an ImageParam or Buffer argument when using call(), but saw {value!r}",
                location=caller(),
                accepted="an ImageParam, a Buffer, an array or a Func",
            )
        _check_defined(info, given)
        if isinstance(given, Func):
            check_fits(info, given.types(), given.dimensions())
            return given
        check_fits(info, [given.type()], given.dimensions())
        if isinstance(given, ImageParam):
            return given
        made = ImageParam(info.types[0], info.dimensions, info.name)
        made.set(given)
        return made


class InputScalar(Param):
    """InputScalar(type): a Param. None is set by the GeneratorParam NAME.type."""

    __slots__ = ("_info",)

    def __init__(self, type: Kind) -> None:
        types = _single(to_types(type), "InputScalar")
        self._info = _info(ArgInfoDirection.Input, ArgInfoKind.Scalar, types, 0)
        super().__init__(types[0] if types else Type())

    def _made(self, info: ArgInfo) -> Given:
        return Param(info.types[0], info.name)

    def _bound(self, info: ArgInfo, value: object) -> Given:
        """What stands for the field where the caller gives this. Raises DefinitionError where it does not fit."""
        if isinstance(value, bool | int | float | np.generic):
            return Param(info.types[0], info.name, value)  # type: ignore[arg-type]
        if not isinstance(value, Param | Expr) or isinstance(value, InputScalar):
            raise DefinitionError(
                f"Input {info.name} requires a Param (or scalar literal) argument when using call(), but saw {value!r}",
                location=caller(),
                accepted="a number, a Param or an Expr",
            )
        _check_defined(info, value)
        check_fits(info, [value.type()], 0)
        return value


class OutputBuffer(Func):
    """OutputBuffer(type or types, dimensions): a Func to define. None is set by NAME.type and NAME.dim."""

    __slots__ = ("_info",)

    def __init__(self, types: Kind | Sequence[Type], dimensions: int | None) -> None:
        self._info = _info(ArgInfoDirection.Output, ArgInfoKind.Buffer, to_types(types), dimensions)
        super().__init__(self._info.types or None, dimensions)

    def _made(self, info: ArgInfo) -> Given:
        return Func(info.types, info.dimensions, info.name)


class OutputScalar(OutputBuffer):
    """OutputScalar(type or types): a Func of no dimensions to define."""

    __slots__ = ()

    def __init__(self, types: Kind | Sequence[Type]) -> None:
        super().__init__(types, 0)


Field: TypeAlias = InputBuffer | InputScalar | OutputBuffer
UNKNOWN = -1  # dimensions that a GeneratorParam is to set


def _info(direction: ArgInfoDirection, kind: ArgInfoKind, types: list[Type], dimensions: int | None) -> ArgInfo:
    if dimensions is not None and (not isinstance(dimensions, int) or dimensions < 0):
        raise DefinitionError(
            f"a field of a generator cannot have {dimensions!r} dimensions", location=caller(), accepted="0, 1, 2, ..."
        )
    return ArgInfo("", direction, kind, types, UNKNOWN if dimensions is None else dimensions)


def _single(types: list[Type], what: str) -> list[Type]:
    if len(types) > 1:
        raise DefinitionError(f"an {what} has one type, not {len(types)}", location=caller(), accepted="one type")
    return types


def _check_defined(info: ArgInfo, value: Buffer | ImageParam | Func | Param | Expr) -> None:
    if not (isinstance(value, Param) or value.defined()):
        raise UserError(f"Cannot set the value for {info.name} to an undefined value.", location=caller())
