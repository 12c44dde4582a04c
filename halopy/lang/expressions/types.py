"""`Type`, the user's handle of an element type, its constructors, and the casts `u8(e)` ... `f64(e)`."""

from __future__ import annotations

import enum

import numpy as np

from ... import dtypes
from ...dtypes import Code, DType
from ...errors import TypeMismatch
from ...ir.expr import const
from ...source import caller
from . import expr  # `expr` also uses this module, so neither takes names from the other
from .conversion import has_value, holds

__all__ = ["BFloat", "Bool", "Float", "Handle", "Int", "Type", "TypeCode", "UInt"]


class TypeCode(enum.IntEnum):
    """What the bits of a type mean."""

    Int = 0
    UInt = 1
    Float = 2
    Handle = 3
    BFloat = 4

    __str__ = enum.Enum.__str__


class Type:
    """An element type: what its bits mean, how many bits, how many vector lanes."""

    __slots__ = ("dtype",)

    def __init__(self, code: TypeCode = TypeCode.Handle, bits: int = 0, lanes: int | None = None) -> None:
        """Type() is undefined: a handle without bits or lanes."""
        lanes = int(bits > 0) if lanes is None else lanes
        if not isinstance(code, int):
            raise TypeMismatch(f"{code!r} is no TypeCode", location=caller(), accepted="hl.TypeCode.UInt and the like")
        self.dtype = DType(Code(code), bits, lanes)

    @classmethod
    def of(cls, dtype: DType) -> Type:
        """The handle of an internal type."""
        return cls(TypeCode(dtype.code), dtype.bits, dtype.lanes)

    def bytes(self) -> int:
        """Bytes of one lane in memory."""
        return self.dtype.bytes

    def code(self) -> TypeCode:
        """What the bits mean."""
        return TypeCode(self.dtype.code)

    def bits(self) -> int:
        """Bits of one lane."""
        return self.dtype.bits

    def lanes(self) -> int:
        """How many lanes it has."""
        return self.dtype.lanes

    def with_code(self, code: TypeCode) -> Type:
        """The type of the same width whose bits mean something else."""
        return Type.of(self.dtype.with_code(Code(code)))

    def with_bits(self, bits: int) -> Type:
        """The same kind of type with so many bits."""
        return Type.of(self.dtype.with_bits(bits))

    def with_lanes(self, lanes: int) -> Type:
        """The same type with so many lanes."""
        return Type.of(self.dtype.with_lanes(lanes))

    def element_of(self) -> Type:
        """The same type with one lane."""
        return Type.of(self.dtype.element)

    def is_bool(self) -> bool:
        """Whether it is True or False."""
        return self.dtype.is_bool

    def is_vector(self) -> bool:
        """Whether it has several lanes."""
        return self.dtype.lanes != 1

    def is_scalar(self) -> bool:
        """Whether it has one lane."""
        return self.dtype.lanes == 1

    def is_float(self) -> bool:
        """Whether it is a float of any format."""
        return self.dtype.is_float

    def is_bfloat(self) -> bool:
        """Whether it is a bfloat16."""
        return self.dtype.code == Code.BFLOAT

    def is_int(self) -> bool:
        """Whether it is a signed integer."""
        return self.dtype.is_int

    def is_uint(self) -> bool:
        """Whether it is an unsigned integer or a boolean."""
        return self.dtype.is_uint

    def is_handle(self) -> bool:
        """Whether it is a pointer."""
        return self.dtype.code == Code.HANDLE

    def same_handle_type(self, other: Type) -> bool:
        """Whether both are pointers, or neither is."""
        return self.is_handle() == other.is_handle()

    def can_represent(self, other: Type | int | float) -> bool:
        """Whether every value of the other type, or the number, is a value of this one."""
        if isinstance(other, Type):
            return holds(self.dtype, other.dtype)
        return has_value(self.dtype, other)

    def is_max(self, value: int) -> bool:
        """Whether it is an integer type with this greatest value."""
        return self.dtype.is_integer and value == self.dtype.max

    def is_min(self, value: int) -> bool:
        """Whether it is an integer type with this least value."""
        return self.dtype.is_integer and value == self.dtype.min

    def max(self) -> expr.Expr:
        """The greatest value; infinity for floats."""
        return expr.Expr(const(self.dtype.max if self.dtype.is_integer else float("inf"), self.dtype))

    def min(self) -> expr.Expr:
        """The least value; minus infinity for floats."""
        return expr.Expr(const(self.dtype.min if self.dtype.is_integer else float("-inf"), self.dtype))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and self.dtype is other.dtype

    def __hash__(self) -> int:
        return hash((self.dtype.code, self.dtype.bits, self.dtype.lanes))

    def __repr__(self) -> str:
        return f"<halopy.Type {self.dtype}>"

    def __str__(self) -> str:
        return str(self.dtype)


def to_dtype(value: object) -> DType:
    """The internal type that a Type, or a NumPy dtype or scalar class, stands for. Raises TypeMismatch."""
    if isinstance(value, Type):
        return value.dtype
    if isinstance(value, DType):
        return value
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic | bool)):
        return dtypes.from_numpy(np.dtype(value))
    raise TypeMismatch(f"{value!r} is not a type", location=caller(), accepted="hl.UInt(8), hl.Float(32), ...")


def Int(bits: int, lanes: int = 1) -> Type:
    """A signed integer of so many bits."""
    return _checked(Code.INT, bits, lanes, (8, 16, 32, 64))


def UInt(bits: int, lanes: int = 1) -> Type:
    """An unsigned integer of so many bits."""
    return _checked(Code.UINT, bits, lanes, (1, 8, 16, 32, 64))


def Float(bits: int, lanes: int = 1) -> Type:
    """A float of so many bits."""
    return _checked(Code.FLOAT, bits, lanes, (16, 32, 64))


def BFloat(bits: int = 16, lanes: int = 1) -> Type:
    """The upper half of a 32-bit float: its range, with 8 bits of precision."""
    return _checked(Code.BFLOAT, bits, lanes, (16,))


def Bool(lanes: int = 1) -> Type:
    """True or False: an unsigned integer of one bit."""
    return Type(TypeCode.UInt, 1, lanes)


def Handle(lanes: int = 1) -> Type:
    """A pointer."""
    return Type(TypeCode.Handle, 64, lanes)


def _checked(code: Code, bits: int, lanes: int, widths: tuple[int, ...]) -> Type:
    if bits not in widths or lanes < 1:
        name = TypeCode(code).name
        raise TypeMismatch(
            f"there is no type {name}({bits}, {lanes})",
            location=caller(),
            accepted=", ".join(f"hl.{name}({width})" for width in widths) + ", and at least one lane",
        )
    return Type(TypeCode(code), bits, lanes)
