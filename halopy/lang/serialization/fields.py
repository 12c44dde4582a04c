"""How a value of any annotated type is written and read: derived from the annotations, for nodes and directives alike.

Expr, FunctionRef, ImageRef, ScalarRef     a number: the place in a table of the document
X | None                                   as X, or null
X | Y                                      {"X": ...}: the class's name, then the value
tuple[X, ...], tuple[X, Y]                 a list
dataclass                                  {"field": ...}; fields that have their default are left out
enum                                       the member's name
DType                                      its text, such as "uint8x4"
"""

from __future__ import annotations

import dataclasses
import enum
import math
import struct
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

from ...dtypes import DType
from ...errors import SerializationError
from ...ir.expr import Expr
from ...ir.refs import FunctionRef, ImageRef, ScalarRef
from ...source import SourceLocation
from .document import Json
from .element_types import dtype_of, dtype_text
from .malformed import Malformed, inside

LONGEST_TEXT = 1 << 16
_REFERENCES = {Expr: "node", FunctionRef: "function", ImageRef: "image", ScalarRef: "scalar"}


class Places(Protocol):
    """Where in the document's tables a node or reference stands."""

    def place(self, table: str, value: Any) -> int: ...


class Tables(Protocol):
    """The tables of a document that is read."""

    def at(self, table: str, place: int) -> Any: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """`write(value, places)` gives JSON; `read(json, tables)` gives the value, or raises Malformed."""

    write: Callable[[Any, Places], Json]
    read: Callable[[Json, Tables], Any]


@cache
def codec(hint: Any) -> Codec:
    """How values of an annotated type are written and read."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint))
    if origin is tuple:
        return _tuple(typing.get_args(hint))
    if hint in _REFERENCES:
        return _reference(_REFERENCES[hint])
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint)
    raise SerializationError(f"values of type {getattr(hint, '__name__', hint)} cannot be serialized")


@cache
def hints(cls: type) -> Mapping[str, Any]:
    """The annotated types of a class's fields."""
    return typing.get_type_hints(cls)


def expect(data: Json, *kinds: type) -> Any:
    """The data, which is of one of these kinds of JSON."""
    if type(data) not in kinds:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise Malformed(f"expected {wanted}, found {_short(data)}")
    return data


def text(data: Json) -> str:
    """A text of bounded length."""
    found: str = expect(data, str)
    if len(found) > LONGEST_TEXT:
        raise Malformed(f"a text of {len(found)} characters, and {LONGEST_TEXT} are the most")
    return found


def _short(data: Json) -> str:
    shown = "null" if data is None else f"{data}" if isinstance(data, int | float) else repr(data)
    return f"{type(data).__name__} {shown[:40]}"


def _integer(data: Json) -> int:
    found: int = expect(data, int)
    if not -(1 << 63) <= found < 1 << 64:
        raise Malformed("an integer that fits no type")
    return found


def _write_number(value: float) -> Json:
    if isinstance(value, int):
        return int(value)
    return value if math.isfinite(value) else struct.pack(">d", value).hex()


def _read_number(data: Json) -> int | float:
    if type(data) is int:
        return _integer(data)
    if type(data) is str and len(data) == 16:
        try:
            return float(struct.unpack(">d", bytes.fromhex(data))[0])
        except ValueError:
            raise Malformed(f"{data!r} is not the bits of a float") from None
    number: float = expect(data, float)
    if not math.isfinite(number):
        raise Malformed("a number beyond all floats")
    return number


def _read_location(data: Json) -> SourceLocation:
    if type(data) is not list or len(data) != 2:
        raise Malformed(f"expected a file's name and a line, found {_short(data)}")
    return SourceLocation(text(data[0]), _integer(data[1]), is_hearsay=True)


def _plain(write: Callable[[Any], Json], read: Callable[[Json], Any]) -> Codec:
    """Of values that refer to nothing."""
    return Codec(lambda value, _: write(value), lambda data, _: read(data))


_PLAIN: dict[Any, Codec] = {
    str: _plain(str, text),
    int: _plain(int, _integer),
    bool: _plain(bool, lambda data: expect(data, bool)),
    float: _plain(_write_number, _read_number),
    DType: _plain(dtype_text, dtype_of),
    SourceLocation: _plain(lambda value: [value.file, value.line], _read_location),
}


def _reference(table: str) -> Codec:
    return Codec(
        lambda value, places: places.place(table, value),
        lambda data, tables: tables.at(table, expect(data, int)),
    )


def _union(members: tuple[Any, ...]) -> Codec:
    present = tuple(member for member in members if member is not type(None))
    if set(present) == {int, float}:
        return _PLAIN[float]
    is_optional = len(present) < len(members)
    if len(present) == 1:
        return _optional(codec(present[0]))
    return _tagged({member.__name__: member for member in present}, is_optional)


def _optional(inner: Codec) -> Codec:
    return Codec(
        lambda value, places: None if value is None else inner.write(value, places),
        lambda data, tables: None if data is None else inner.read(data, tables),
    )


def _tagged(classes: Mapping[str, type], is_optional: bool) -> Codec:
    def write(value: Any, places: Places) -> Json:
        if value is None and is_optional:
            return None
        for name, cls in classes.items():
            if isinstance(value, cls):
                return {name: codec(cls).write(value, places)}
        raise SerializationError(f"a {type(value).__name__} cannot be serialized here")

    def read(data: Json, tables: Tables) -> Any:
        if data is None and is_optional:
            return None
        if len(expect(data, dict)) != 1:
            raise Malformed("expected an object with one key, the name of a class")
        ((name, content),) = data.items()
        if name not in classes:
            raise Malformed(f"`{name[:40]}` is not known here", accepted=", ".join(classes))
        with inside(name):
            return codec(classes[name]).read(content, tables)

    return Codec(write, read)


def _tuple(members: tuple[Any, ...]) -> Codec:
    if len(members) == 2 and members[1] is Ellipsis:
        return _list(members[0])
    inners = tuple(map(codec, members))

    def read_each(data: Json, tables: Tables) -> Any:
        if len(expect(data, list)) != len(inners):
            raise Malformed(f"expected a list of {len(inners)}, found {len(data)}")
        pairs = zip(inners, data, strict=True)
        return tuple(_item(inner, at, item, tables) for at, (inner, item) in enumerate(pairs))

    return Codec(lambda value, places: [i.write(v, places) for i, v in zip(inners, value, strict=True)], read_each)


def _list(member: Any) -> Codec:
    """Of any number of values; their type may be the one that has the list, so it is looked at later."""

    def write(value: Any, places: Places) -> Json:
        return [codec(member).write(item, places) for item in value]

    def read(data: Json, tables: Tables) -> Any:
        return tuple(_item(codec(member), at, item, tables) for at, item in enumerate(expect(data, list)))

    return Codec(write, read)


def _item(inner: Codec, at: int, item: Json, tables: Tables) -> Any:
    try:
        return inner.read(item, tables)
    except Malformed as malformed:
        malformed.path.insert(0, at)
        raise


def _enum(cls: type[enum.Enum]) -> Codec:
    def read(data: Json) -> Any:
        if expect(data, str) not in cls.__members__:
            raise Malformed(f"`{data[:40]}` is no {cls.__name__}", accepted=", ".join(cls.__members__)[:400])
        return cls[data]

    return _plain(lambda value: value.name, read)


def _dataclass(cls: Any) -> Codec:
    fields = {field.name: field for field in dataclasses.fields(cls)}
    codecs = {name: codec(hints(cls)[name]) for name in fields}
    needed = {name for name, field in fields.items() if field.default is dataclasses.MISSING}

    def write(value: Any, places: Places) -> Json:
        found = {name: getattr(value, name) for name in fields}
        return {
            name: codecs[name].write(content, places)
            for name, content in found.items()
            if name in needed or content is not fields[name].default
        }

    def read(data: Json, tables: Tables) -> Any:
        given = expect(data, dict).keys()
        if not needed <= given <= fields.keys():
            wrong = min(needed - given, default="") or min(given - fields.keys())
            raise Malformed(f"`{wrong[:40]}` is {'missing' if wrong in needed else 'no field here'}")
        return cls(**{name: _item_at(codecs[name], name, content, tables) for name, content in data.items()})

    return Codec(write, read)


def _item_at(inner: Codec, key: str, item: Json, tables: Tables) -> Any:
    try:
        return inner.read(item, tables)
    except Malformed as malformed:
        malformed.path.insert(0, key)
        raise
