"""Expressions: values, without side effects but for `Effect`. Every node has a `dtype`, its type with lanes.

Arithmetic is Halide's. Integers wrap at their width; signed integers of 32 bits and more are
assumed not to overflow where they index. Integer `Div` and `Mod` are Euclidean (the remainder is
never negative), and division by zero gives zero.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, ClassVar

from ..dtypes import BOOL, INT32, Code, DType
from ..target_features import TargetArch, TargetFeature, TargetOS
from .node import Node
from .refs import DomainRef, FunctionRef, ImageRef, ScalarRef
from .services import Service


class Expr(Node):
    """Base of expressions. Both operands of a binary node have the same dtype, lanes included."""

    _derived: ClassVar[tuple[str, ...]] = ("dtype",)
    if TYPE_CHECKING:  # a property to the type checker: where it is derived it is no constructor argument

        @property
        def dtype(self) -> DType:
            """The type of the value, lanes included."""

    def __str__(self) -> str:
        from .printer import expr_text  # the printer stands above the nodes it prints

        return expr_text(self)


class Const(Expr):
    """A literal: an int for integers (already wrapped), a float for floats, 0 or 1 for bool. One lane."""

    value: int | float
    dtype: DType

    @classmethod
    def intern_key(cls, *args: Any) -> tuple[Any, ...]:
        value, dtype = args
        return (struct.pack("<d", value) if dtype.is_float else int(value), dtype)


class Var(Expr):
    """A loop variable, let-bound symbol or buffer property, by name. One lane unless let-bound to a vector."""

    name: str
    dtype: DType = INT32


class Param(Expr):
    """The value of a scalar parameter (user level; `ir.program` turns it into a Var)."""

    ref: ScalarRef

    def _derive(self) -> None:
        self._write("dtype", self.ref.dtype)


class RVarAccess(Expr):
    """Dimension `position` of the reduction domain `ref` (user level; a definition turns it into a Var)."""

    ref: DomainRef
    position: int

    def _derive(self) -> None:
        self._write("dtype", INT32)


class FuncAccess(Expr):
    """Element `element` of the Func `ref` at `index` (user level; becomes a Read)."""

    ref: FunctionRef
    index: tuple[Expr, ...]
    element: int
    dtype: DType


class ImageAccess(Expr):
    """The input image `ref` at `index` (user level; becomes a Read)."""

    ref: ImageRef
    index: tuple[Expr, ...]

    def _derive(self) -> None:
        self._write("dtype", self.ref.dtype)


class ImageProperty(Expr):
    """`min`, `extent` or `stride` of dimension `dim` of an input image (user level; becomes a Var)."""

    ref: ImageRef
    property: str
    dim: int

    def _derive(self) -> None:
        self._write("dtype", INT32)


class TargetQuery(Expr):
    """A fact about the machine that code is made for (user level; `ir.target_queries` turns it into a Const).

    `question` is one of arch_is, os_is, has_feature, bits, natural_vector_size; `subject` what it is about.
    """

    question: str
    subject: TargetArch | TargetOS | TargetFeature | DType | None
    dtype: DType


class Random(Expr):
    """A pseudo-random value, by seed, use and place (user level; a definition turns it into arithmetic)."""

    seed: Expr | None
    use: int
    dtype: DType


class Read(Expr):
    """Element `element` of the Func or input image called `name`, at a multi-dimensional `index`."""

    name: str
    index: tuple[Expr, ...]
    element: int
    dtype: DType


class Binary(Expr):
    """Base of nodes with two operands of one type."""

    symbol: ClassVar[str] = "?"
    a: Expr
    b: Expr

    def _derive(self) -> None:
        self._write("dtype", self.a.dtype)


class Add(Binary):
    """a + b, wrapping."""

    symbol = "+"


class Sub(Binary):
    """a - b, wrapping."""

    symbol = "-"


class Mul(Binary):
    """a * b, wrapping."""

    symbol = "*"


class Div(Binary):
    """a / b. Integers: Euclidean quotient, 0 where b is 0; int_min / -1 wraps to int_min."""

    symbol = "/"


class Mod(Binary):
    """a % b. Integers: Euclidean remainder in [0, |b|), 0 where b is 0. Floats: a - b*floor(a/b)."""

    symbol = "%"


class Min(Binary):
    """The lesser. Floats: b where either is NaN (C's `a < b ? a : b`)."""


class Max(Binary):
    """The greater. Floats: b where either is NaN (C's `a > b ? a : b`)."""


class Compare(Binary):
    """Base of comparisons: bool with the operands' lanes."""

    def _derive(self) -> None:
        self._write("dtype", BOOL.with_lanes(self.a.dtype.lanes))


class EQ(Compare):
    symbol = "=="


class NE(Compare):
    symbol = "!="


class LT(Compare):
    symbol = "<"


class LE(Compare):
    symbol = "<="


class GT(Compare):
    symbol = ">"


class GE(Compare):
    symbol = ">="


class And(Binary):
    """Logical and of two bools; both sides are evaluated."""

    symbol = "&&"


class Or(Binary):
    """Logical or of two bools; both sides are evaluated."""

    symbol = "||"


class Not(Expr):
    a: Expr

    def _derive(self) -> None:
        self._write("dtype", self.a.dtype)


class Select(Expr):
    """`a` where `condition`, else `b`. Both are evaluated, except that code generation may skip one."""

    condition: Expr
    a: Expr
    b: Expr

    def _derive(self) -> None:
        self._write("dtype", self.a.dtype)


class Cast(Expr):
    """Convert, as C does between numbers. Integers wrap; float to int truncates towards zero (out of range:
    saturates, NaN gives 0); to bool: != 0."""

    dtype: DType
    a: Expr


class Call(Expr):
    """A pure operator or mathematical function by name; `ir.intrinsics` says which there are."""

    name: str
    args: tuple[Expr, ...]
    dtype: DType


class Let(Expr):
    """`body` with `name` standing for `value`."""

    name: str
    value: Expr
    body: Expr

    def _derive(self) -> None:
        self._write("dtype", self.body.dtype)


class Effect(Expr):
    """`value`, which the kernel passes on after calling a service with `args`; where `where` (lanes of bool) is false
    it does not call.

    Not pure: each evaluation of the statement in which it stands calls once (also where it stands there several times).
    So it is neither moved to another statement, nor kept from one iteration for the next.
    """

    service: Service
    value: Expr
    args: tuple[Expr, ...]
    where: Expr | None = None

    def _derive(self) -> None:
        self._write("dtype", self.value.dtype)


# Nodes that only lowering makes.


class Load(Expr):
    """`buffer[index]`; where `predicate` (lanes of bool) is false, memory is not touched and the value is 0."""

    buffer: str
    index: Expr
    dtype: DType
    predicate: Expr | None = None


class Ramp(Expr):
    """base, base + stride, … : `lanes` of them. If base is a vector, the vectors are laid end to end."""

    base: Expr
    stride: Expr
    lanes: int

    def _derive(self) -> None:
        self._write("dtype", self.base.dtype.with_lanes(self.lanes * self.base.dtype.lanes))


class Broadcast(Expr):
    """`value` repeated `lanes` times (a vector value is repeated as a whole)."""

    value: Expr
    lanes: int

    def _derive(self) -> None:
        self._write("dtype", self.value.dtype.with_lanes(self.lanes * self.value.dtype.lanes))


class Shuffle(Expr):
    """Lanes picked by `indices` from the concatenation of `vectors`."""

    vectors: tuple[Expr, ...]
    indices: tuple[int, ...]

    def _derive(self) -> None:
        self._write("dtype", self.vectors[0].dtype.with_lanes(len(self.indices)))


class VectorReduce(Expr):
    """Groups of adjacent lanes of `value` combined by `op` ("add", "mul", "min", "max", "and", "or") into `lanes`."""

    op: str
    value: Expr
    lanes: int

    def _derive(self) -> None:
        self._write("dtype", self.value.dtype.with_lanes(self.lanes))


COMPARISONS = (EQ, NE, LT, LE, GT, GE)


def const(value: int | float, dtype: DType = INT32) -> Expr:
    """A literal of any scalar or vector type; integers wrap, bfloat and small floats are rounded by their user."""
    scalar = dtype.element
    literal: Expr
    if scalar.is_bool:
        literal = Const(int(bool(value)), scalar)
    elif scalar.is_integer:
        literal = Const(scalar.wrap(int(value)), scalar)
    else:
        literal = Const(round_to(float(value), scalar), scalar)
    return literal if dtype.lanes == 1 else Broadcast(literal, dtype.lanes)


def round_to(value: float, dtype: DType) -> float:
    """The nearest value that the float type has."""
    if dtype.code == Code.BFLOAT:
        bits = struct.unpack("<I", struct.pack("<f", _to_float32(value)))[0]
        if value == value:
            bits += 0x7FFF + ((bits >> 16) & 1)
        return float(struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0])
    if dtype.bits == 64:
        return value
    if dtype.bits == 32:
        return _to_float32(value)
    try:
        return float(struct.unpack("<e", struct.pack("<e", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _to_float32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


TRUE = Const(1, BOOL)
FALSE = Const(0, BOOL)


def is_const(e: Expr, value: int | float | None = None) -> bool:
    """Whether e is a literal (or broadcast literal), of that value if one is given."""
    while isinstance(e, Broadcast):
        e = e.value
    return isinstance(e, Const) and (value is None or e.value == value)


def const_value(e: Expr) -> int | float | None:
    """The literal's value, looking through broadcasts; None for anything else."""
    while isinstance(e, Broadcast):
        e = e.value
    return e.value if isinstance(e, Const) else None


def chained(operator: type[Binary], e: Expr) -> list[Expr]:
    """What a chain of one operator combines, from left to right."""
    found: list[Expr] = []
    todo = [e]
    while todo:
        top = todo.pop()
        if isinstance(top, operator):
            todo += [top.b, top.a]
        else:
            found.append(top)
    return found
