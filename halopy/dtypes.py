"""Scalar and vector element types, and Halide's rules for mixing them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from functools import cache
from typing import ClassVar

import numpy as np

from .errors import TypeMismatch


class Code(enum.IntEnum):
    """What the bits of a type mean; the numbers are those of `halide_type_code_t`."""

    INT = 0
    UINT = 1
    FLOAT = 2
    HANDLE = 3
    BFLOAT = 4


_NAMES = {
    Code.INT: "int",
    Code.UINT: "uint",
    Code.FLOAT: "float",
    Code.HANDLE: "handle",
    Code.BFLOAT: "bfloat",
}


class DType:
    """An element type: `code`, `bits` and number of vector `lanes`.

    Interned: equal types are the same object, so they compare with `is`.
    Booleans are one-bit unsigned integers, stored as one byte.
    """

    __slots__ = ("bits", "code", "is_bool", "is_float", "is_int", "is_integer", "is_uint", "lanes")

    _table: ClassVar[dict[tuple[Code, int, int], DType]] = {}

    code: Code
    bits: int
    lanes: int
    is_bool: bool
    is_float: bool  # floating point of any format, bfloat included
    is_int: bool  # signed integer
    is_uint: bool  # unsigned integer, booleans included
    is_integer: bool  # either

    def __new__(cls, code: Code, bits: int, lanes: int = 1) -> DType:
        key = (code, bits, lanes)
        found = cls._table.get(key)
        if found is None:
            found = super().__new__(cls)
            found.code, found.bits, found.lanes = Code(code), bits, lanes
            found.is_bool = code == Code.UINT and bits == 1
            found.is_float = code in (Code.FLOAT, Code.BFLOAT)
            found.is_int = code == Code.INT
            found.is_uint = code == Code.UINT
            found.is_integer = found.is_int or found.is_uint
            cls._table[key] = found
        return found

    def __reduce__(self) -> tuple[type[DType], tuple[Code, int, int]]:
        return DType, (self.code, self.bits, self.lanes)

    def __repr__(self) -> str:
        lanes = f"x{self.lanes}" if self.lanes != 1 else ""
        return ("bool" if self.is_bool else f"{_NAMES[self.code]}{self.bits}") + lanes

    @property
    def element(self) -> DType:
        """The same type with one lane."""
        return self if self.lanes == 1 else DType(self.code, self.bits)

    @property
    def bytes(self) -> int:
        """Bytes of one lane in memory."""
        return (self.bits + 7) // 8

    @property
    def min(self) -> int:
        """The least value of an integer type."""
        return -(1 << (self.bits - 1)) if self.is_int else 0

    @property
    def max(self) -> int:
        """The greatest value of an integer type."""
        return (1 << (self.bits - 1)) - 1 if self.is_int else (1 << self.bits) - 1

    @property
    def is_index_like(self) -> bool:
        """Signed and at least 32 bits wide: arithmetic on it is assumed not to overflow."""
        return self.is_int and self.bits >= 32

    def with_lanes(self, lanes: int) -> DType:
        return self if lanes == self.lanes else DType(self.code, self.bits, lanes)

    def with_bits(self, bits: int) -> DType:
        return DType(self.code, bits, self.lanes)

    def with_code(self, code: Code) -> DType:
        return DType(code, self.bits, self.lanes)

    def can_hold(self, value: int) -> bool:
        """Whether this integer type has the value exactly."""
        return self.min <= value <= self.max

    def wrap(self, value: int) -> int:
        """The value modulo 2**bits, as this integer type reads it."""
        value &= (1 << self.bits) - 1
        return value - (1 << self.bits) if self.is_int and value > self.max else value

    def to_numpy(self) -> np.dtype[np.generic]:
        """The NumPy type with the same layout; bfloat16 has none and travels as uint16."""
        return _numpy_type(self.code, self.bits)


@cache
def _numpy_type(code: Code, bits: int) -> np.dtype[np.generic]:
    if code == Code.UINT and bits == 1:
        return np.dtype(np.bool_)
    if code == Code.BFLOAT:
        return np.dtype(np.uint16)
    if code == Code.HANDLE:
        return np.dtype(np.uint64)
    return np.dtype(f"{_NAMES[code]}{bits}")


def Int(bits: int, lanes: int = 1) -> DType:
    return DType(Code.INT, bits, lanes)


def UInt(bits: int, lanes: int = 1) -> DType:
    return DType(Code.UINT, bits, lanes)


def Float(bits: int, lanes: int = 1) -> DType:
    return DType(Code.FLOAT, bits, lanes)


def BFloat(bits: int = 16, lanes: int = 1) -> DType:
    return DType(Code.BFLOAT, bits, lanes)


def Bool(lanes: int = 1) -> DType:
    return DType(Code.UINT, 1, lanes)


def Handle() -> DType:
    return DType(Code.HANDLE, 64)


INT8, INT16, INT32, INT64 = (Int(bits) for bits in (8, 16, 32, 64))
UINT8, UINT16, UINT32, UINT64 = (UInt(bits) for bits in (8, 16, 32, 64))
FLOAT16, FLOAT32, FLOAT64 = (Float(bits) for bits in (16, 32, 64))
BFLOAT16 = BFloat(16)
BOOL = Bool()
ALL_SCALARS: tuple[DType, ...] = (
    BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT16, FLOAT32, FLOAT64,
)  # fmt: skip


@cache
def from_numpy(dtype: np.dtype[np.generic]) -> DType:
    """The element type of a NumPy array. Raises TypeMismatch for types that have none."""
    if not dtype.isnative:
        raise TypeMismatch(
            f"arrays of big-endian type {dtype} cannot be used; convert with a.astype(a.dtype.newbyteorder('='))"
        )
    kinds = {"b": Code.UINT, "i": Code.INT, "u": Code.UINT, "f": Code.FLOAT}
    if dtype.kind not in kinds or dtype.itemsize > 8:
        raise TypeMismatch(f"arrays of type {dtype} cannot be used; accepted are {accepted(ALL_SCALARS)}")
    return BOOL if dtype.kind == "b" else DType(kinds[dtype.kind], 8 * dtype.itemsize)


def accepted(dtypes: Iterable[DType]) -> str:
    return ", ".join(map(str, dtypes))


def promote(a: DType, b: DType) -> DType:
    """The common type of two operands (Halide's `match_types`), lanes apart.

    A float beats an integer; of two floats the wider, or the second; of two unsigned integers the wider;
    when either integer is signed, the result is signed with the greater width.
    """
    if a is b:
        return a
    lanes = max(a.lanes, b.lanes)
    if a.is_float or b.is_float:
        if a.is_float and b.is_float:
            winner = a if a.bits > b.bits else b
        else:
            winner = a if a.is_float else b
        return winner.with_lanes(lanes)
    code = Code.UINT if a.is_uint and b.is_uint else Code.INT
    return DType(code, max(a.bits, b.bits), lanes)
