"""Which fields a generator's class declares, what they must be, and which input each argument of a call is for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...errors import DefinitionError
from ...source import caller
from .arguments import ArgInfo
from .fields import UNKNOWN, Field, InputBuffer, InputScalar, OutputBuffer
from .param import GeneratorParam, read_types, read_value


def declared(cls: type) -> dict[str, GeneratorParam | Field]:
    """The fields of a class and its bases, in the order in which they are written, bases first."""
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    found = {name: inspect.getattr_static(cls, name) for name in names}
    kinds = (GeneratorParam, InputBuffer, InputScalar, OutputBuffer)
    return {name: field for name, field in found.items() if isinstance(field, kinds)}


def described(generator: str, name: str, field: Field, values: dict[str, object]) -> ArgInfo:
    """What the field is, with NAME.type and NAME.dim taken out of the values.

    Raises DefinitionError where that leaves a type or the dimensions unknown, or says them twice.
    """
    info = replace(field._info, name=name)
    if f"{name}.type" in values:
        _check_open(generator, f"{name}.type", not info.types)
        info = replace(info, types=read_types(f"{name}.type", values.pop(f"{name}.type")))
    if f"{name}.dim" in values:
        _check_open(generator, f"{name}.dim", info.dimensions == UNKNOWN)
        info = replace(info, dimensions=read_value(f"{name}.dim", int, values.pop(f"{name}.dim")))
    if not info.types:
        raise _unspecified("type", name, f"{name}.type")
    if info.dimensions < 0:
        raise _unspecified("dimensionality", name, f"{name}.dim")
    return info


def _check_open(generator: str, param: str, is_open: bool) -> None:
    if not is_open:
        raise DefinitionError(
            f"Cannot set the GeneratorParam {param} for {generator} because the value is explicitly specified in the "
            "Python source.",
            location=caller(),
            accepted="None in its place, there",
        )


def _unspecified(what: str, name: str, param: str) -> DefinitionError:
    return DefinitionError(
        f"No {what} has been specified for {name}. Try specifying one in code, or by setting '{param}' as a "
        "GeneratorParam.",
        location=caller(),
    )


def given_inputs(
    generator: str, names: Sequence[str], args: Sequence[object], named: Mapping[str, object]
) -> dict[str, object]:
    """What the caller gives for each input. Raises DefinitionError where one is missing, unknown or given twice."""
    given = dict(zip(names, args, strict=False))
    unknown = [name for name in named if name not in names]
    twice = [name for name in named if name in given]
    summary = ""
    if len(args) > len(names):
        summary = (
            f"Generator '{generator}' allows at most {len(names)} positional args, but {len(args)} were specified."
        )
    elif unknown:
        summary = f"Unknown input '{unknown[0]}' specified via keyword argument."
    elif twice:
        summary = f"Input {twice[0]} specified multiple times."
    elif len(given) + len(named) < len(names):
        count = len(given) + len(named)
        summary = f"Generator '{generator}' requires {len(names)} args, but {count} were specified."
    if summary:
        raise DefinitionError(
            summary, location=caller(), accepted=f"{', '.join(names) or 'no inputs'}; and generator_params"
        )
    return given | dict(named)
