"""Element types as text, and the text as a type: `int32`, `uint8x4`, `bool`, `float16`, `bfloat16`, `handle64`."""

from __future__ import annotations

import re

from ...dtypes import BOOL, Code, DType
from ...errors import SerializationError
from .malformed import Malformed

_CODES = {"int": Code.INT, "uint": Code.UINT, "float": Code.FLOAT, "bfloat": Code.BFLOAT, "handle": Code.HANDLE}
_BITS = {
    Code.INT: (8, 16, 32, 64),
    Code.UINT: (1, 8, 16, 32, 64),
    Code.FLOAT: (16, 32, 64),
    Code.BFLOAT: (16,),
    Code.HANDLE: (64,),
}
_MOST_LANES = 1 << 12
_FORM = re.compile(r"([a-z]+)([0-9]{1,3})?(?:x([0-9]{1,5}))?", re.ASCII)


def dtype_text(dtype: DType) -> str:
    """The text. Raises SerializationError for a type that no program computes with."""
    if dtype.bits not in _BITS[dtype.code] or not 1 <= dtype.lanes <= _MOST_LANES:
        raise SerializationError(f"the type {dtype!r} cannot be serialized")
    return repr(dtype)


def dtype_of(data: object) -> DType:
    """The type that the text names. Raises Malformed where it names none."""
    form = _FORM.fullmatch(data) if isinstance(data, str) else None
    if form is None:
        raise Malformed(f"{str(data)[:40]!r} is no type", accepted='a text such as "int32"')
    name, bits, lanes = form[1], int(form[2] or 0), int(form[3] or 1)
    if (name, bits) == ("bool", 0):
        element = BOOL
    elif name in _CODES and bits in _BITS[_CODES[name]]:
        element = DType(_CODES[name], bits)
    else:
        raise Malformed(f"{form[0]!r} is no type", accepted='a text such as "int32"')
    if not 1 <= lanes <= _MOST_LANES:
        raise Malformed(f"a type of {lanes} lanes")
    return element.with_lanes(lanes)
