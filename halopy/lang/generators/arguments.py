"""What a generator's inputs and outputs are called, and what they must be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import DefinitionError
from ...source import caller
from ..expressions.numbered import Numbered
from ..expressions.types import Bool, Float, Int, Type, to_dtype

# No underscore at the start and no two of them in a row: such names are reserved in C++.
_NAME = re.compile(r"(?!.*__)[A-Za-z0-9][A-Za-z0-9_]*", re.ASCII)
_ALIASES: dict[object, Type] = {bool: Bool(), int: Int(32), float: Float(32)}


class ArgInfoDirection(Numbered):
    """Whether a generator reads or makes it."""

    Input = 0
    Output = 1


class ArgInfoKind(Numbered):
    """What a generator takes or makes."""

    Scalar = 0
    Function = 1
    Buffer = 2


@dataclass(frozen=True)
class ArgInfo:
    """An input or output of a generator. One that makes tuples has several types."""

    name: str = ""
    dir: ArgInfoDirection = ArgInfoDirection.Input
    kind: ArgInfoKind = ArgInfoKind.Scalar
    types: list[Type] = field(default_factory=list)
    dimensions: int = 0


def check_name(name: str) -> None:
    """Raises DefinitionError where it can be called nothing like that in Python, C and C++."""
    if not isinstance(name, str) or name == "generator_params" or not _NAME.fullmatch(name):
        raise DefinitionError(
            f"The name '{name}' is not valid for a GeneratorParam, Input, or Output.",
            location=caller(),
            accepted="letters, digits and single underscores, not starting with one; `generator_params` is taken",
        )


def to_types(given: object) -> list[Type]:
    """Types as the user names them: one, several or, by None, none yet."""
    if given is None or given == Type():
        return []
    return [to_type(t) for t in given] if isinstance(given, list | tuple) else [to_type(given)]


def to_type(given: object) -> Type:
    """A type; Python's bool, int and float have 1, 32 and 32 bits. Raises TypeMismatch for what is no type."""
    if isinstance(given, type) and given in _ALIASES:
        return _ALIASES[given]
    return Type.of(to_dtype(given))


def check_fits(info: ArgInfo, types: Sequence[Type], dimensions: int) -> None:
    """Raises DefinitionError where what is given for it has other types or dimensions."""
    if len(types) != len(info.types):
        raise _misfit(f"Type mismatch for {info.name}: expected {len(info.types)} types but saw {len(types)}", info)
    for at, (wanted, seen) in enumerate(zip(info.types, types, strict=True)):
        if wanted != seen:
            raise _misfit(f"Type mismatch for {info.name}:{at}: expected {wanted} saw {seen}", info)
    if dimensions != info.dimensions:
        raise _misfit(f"Dimensions mismatch for {info.name}: expected {info.dimensions} saw {dimensions}", info)


def _misfit(text: str, info: ArgInfo) -> DefinitionError:
    types = ", ".join(map(str, info.types))
    return DefinitionError(text, location=caller(), accepted=f"{types} with {info.dimensions} dimensions")
