"""`GeneratorParam`: a number, text or type that is chosen when a pipeline is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DefinitionError
from ...source import caller
from ..expressions.types import BFloat, Bool, Float, Int, Type, UInt
from .arguments import to_types

_TYPES = {"bool": Bool(), "bfloat16": BFloat()}
_TYPES |= {f"float{bits}": Float(bits) for bits in (16, 32, 64)}
_TYPES |= {f"int{bits}": Int(bits) for bits in (8, 16, 32, 64)}
_TYPES |= {f"uint{bits}": UInt(bits) for bits in (8, 16, 32, 64)}
_TRUTHS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class GeneratorParam:
    """GeneratorParam(default): in `configure` and `generate`, the field is the value itself.

    The default is a bool, int, float, str or Type, and each value is of the same kind: texts, such as those of the
    command line, are read as one.
    """

    def __init__(self, value: Any) -> None:
        if not isinstance(value, bool | int | float | str | Type):
            raise DefinitionError(
                f"a GeneratorParam cannot have the value {value!r}: it has unsupported type {type(value).__name__}",
                location=caller(),
                accepted="a bool, int, float, str or hl.Type",
            )
        self._value = value

    def _read(self, name: str, value: object) -> Any:
        """The value, of the default's kind. Raises DefinitionError where it is none."""
        return read_value(name, type(self._value), value)


def read_value(name: str, kind: type, value: object) -> Any:
    """The value of the parameter called `name`, as the kind. Raises DefinitionError where it is none."""
    plain = value.item() if isinstance(value, np.generic) else value
    try:
        return _READERS[kind](plain)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise DefinitionError(
            f"the GeneratorParam {name} cannot be {value!r}", location=caller(), accepted=_ACCEPTED[kind]
        ) from None


def read_types(name: str, value: object) -> list[Type]:
    """A type, several, or the text of them: "uint8", "float32,int16"."""
    types = read_value(name, Type, value)
    return types if isinstance(types, list) else [types]


def _read_bool(value: object) -> bool:
    if isinstance(value, str):
        return _TRUTHS[value.strip().lower()]
    if not isinstance(value, bool | int):
        raise TypeError
    return bool(value)


def _read_int(value: object) -> int:
    if not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _read_float(value: object) -> float:
    if not isinstance(value, str | bool | int | float):
        raise TypeError
    return float(value)


def _read_type(value: object) -> Type | list[Type]:
    """One type, or several where several are given."""
    types = [_TYPES[part.strip()] for part in value.split(",")] if isinstance(value, str) else to_types(value)
    if not types:
        raise ValueError
    return types[0] if len(types) == 1 else types


_READERS: dict[type, Any] = {bool: _read_bool, int: _read_int, float: _read_float, str: str, Type: _read_type}
_ACCEPTED = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    Type: f"a Type, or the text of one: {', '.join(sorted(_TYPES))}; several with commas between",
}
