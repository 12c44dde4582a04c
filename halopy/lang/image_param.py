"""`ImageParam`: an input buffer, bound before a run; and the dimensions of inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from ..errors import DefinitionError, TypeMismatch
from ..ir import expr as nodes
from ..source import caller
from . import revision
from .buffers.buffer import Buffer
from .enums import MemoryType
from .expressions.expr import Expr, ToExpr, to_node
from .expressions.types import Type, to_dtype
from .image_access import image_index, shape_symbol
from .image_ref import ImageParamRef
from .parameter import Parameter
from .region import ToRange, to_region
from .unnamed import unnamed_input


class Dimension:
    """One dimension of an input or output: symbols for its shape, and promises about it."""

    __slots__ = ("_dim", "_ref")

    def __init__(self, ref: ImageParamRef, dim: int) -> None:
        ref.check_dimension(dim)
        self._ref, self._dim = ref, dim

    def min(self) -> Expr:
        """The first place, as a symbol."""
        return shape_symbol(self._ref, "min", self._dim)

    def extent(self) -> Expr:
        """How many places it has, as a symbol."""
        return shape_symbol(self._ref, "extent", self._dim)

    def stride(self) -> Expr:
        """Elements from one place to the next, as a symbol."""
        return shape_symbol(self._ref, "stride", self._dim)

    def max(self) -> Expr:
        """The last place, as a symbol."""
        return self.min() + self.extent() - 1

    def set_min(self, min: ToExpr) -> Dimension:
        """Promise the first place; `hl.Expr()` takes the promise back."""
        self._ref.promise("min", self._dim, min)
        return self

    def set_extent(self, extent: ToExpr) -> Dimension:
        """Promise the extent; `hl.Expr()` takes the promise back."""
        self._ref.promise("extent", self._dim, extent)
        return self

    def set_stride(self, stride: ToExpr) -> Dimension:
        """Promise the stride in elements; `hl.Expr()` takes the promise back. Nothing need be promised."""
        self._ref.promise("stride", self._dim, stride)
        return self

    def set_bounds(self, min: ToExpr, extent: ToExpr) -> Dimension:
        """Promise the first place and the extent."""
        return self.set_min(min).set_extent(extent)

    def set_estimate(self, min: ToExpr, extent: ToExpr) -> Dimension:
        """What to expect, for automatic scheduling: without effect on results."""
        self._ref.expect("min", self._dim, min)
        self._ref.expect("extent", self._dim, extent)
        return self

    def dim(self, dimension: int) -> Dimension:
        """A sibling."""
        return Dimension(self._ref, dimension)

    def __repr__(self) -> str:
        return f"<halopy.Dimension {self._dim} of '{self._ref.name}'>"


class OutputImageParam:
    """An input or output as a buffer: its type, its dimensions."""

    __slots__ = ("_defined",)

    def __init__(self, ref: ImageParamRef | None = None) -> None:
        self._defined = ref

    @property
    def _ref(self) -> ImageParamRef:
        if self._defined is None:
            raise DefinitionError("an undefined ImageParam is used", location=caller())
        return self._defined

    def name(self) -> str:
        """What messages and generated code call it."""
        return self._ref.name

    def type(self) -> Type:
        """The type of its elements."""
        return Type.of(self._ref.dtype)

    def defined(self) -> bool:
        """Whether it is an image at all."""
        return self._defined is not None

    def dimensions(self) -> int:
        """How many dimensions it has."""
        return self._ref.rank

    def dim(self, dimension: int) -> Dimension:
        """The nth dimension."""
        return Dimension(self._ref, dimension)

    def width(self) -> Expr:
        """The extent of dimension 0, as a symbol."""
        return self.dim(0).extent()

    def height(self) -> Expr:
        """The extent of dimension 1, as a symbol."""
        return self.dim(1).extent()

    def channels(self) -> Expr:
        """The extent of dimension 2, as a symbol."""
        return self.dim(2).extent()

    def left(self) -> Expr:
        """The first place of dimension 0, as a symbol."""
        return self.dim(0).min()

    def right(self) -> Expr:
        """The last place of dimension 0, as a symbol."""
        return self.dim(0).max()

    def top(self) -> Expr:
        """The first place of dimension 1, as a symbol."""
        return self.dim(1).min()

    def bottom(self) -> Expr:
        """The last place of dimension 1, as a symbol."""
        return self.dim(1).max()

    def host_alignment(self) -> int:
        """The promised alignment of its memory in bytes."""
        return self._ref.host_alignment

    def set_host_alignment(self, bytes: int) -> Self:
        """Promise that the memory starts at a multiple of so many bytes; a run with other memory is refused."""
        self._ref.align(bytes)
        return self

    def store_in(self, memory_type: MemoryType) -> Self:
        """Which memory it lives in: that is the caller's choice, so without effect."""
        self._ref.memory = memory_type
        return self

    def set_estimates(self, estimates: Sequence[ToRange]) -> Self:
        """What to expect, for automatic scheduling: without effect on results."""
        region = to_region(estimates)
        if len(region) != self.dimensions():
            raise DefinitionError(
                f"`{self.name()}` has {self.dimensions()} dimensions, not {len(estimates)}", location=caller()
            )
        for dim, (low, extent) in enumerate(region):
            self.dim(dim).set_estimate(low, extent)
        return self

    def parameter(self) -> Parameter:
        """The Parameter behind it."""
        return Parameter._of(self._ref)

    def __repr__(self) -> str:
        kind = type(self).__name__
        if self._defined is None:
            return f"<halopy.{kind} {kind}()>"
        return f"<halopy.{kind} '{self.name()}', dims: {self.dimensions()}, type: {self._ref.dtype}>"


class InputImage(OutputImageParam):
    """An input image of fixed type and number of dimensions. Users know it as `ImageParam`."""

    __slots__ = ()

    def __init__(self, type: Type | None = None, dimensions: int | None = None, name: str | None = None) -> None:
        if type is None:
            super().__init__()
            return
        if not isinstance(dimensions, int | np.integer):
            raise TypeMismatch(f"{dimensions!r} is no number of dimensions", location=caller(), accepted="an integer")
        super().__init__(ImageParamRef(name or unnamed_input(), to_dtype(type), dimensions))

    def set(self, buffer: Buffer | object) -> None:
        """Bind a Buffer (or an array) that the next runs read."""
        bound = buffer if isinstance(buffer, Buffer) else Buffer(buffer)
        self._ref.buffer = bound._bound_to(self._ref.name, self._ref.dtype, self._ref.rank)

    def get(self) -> Buffer:
        """The Buffer now bound; an undefined one if none is."""
        return self._ref.buffer or Buffer()

    def trace_loads(self) -> None:
        """Each load of a value of it is reported."""
        self._ref.is_traced = True
        revision.changed()

    def reset(self) -> None:
        """Bind nothing."""
        self._ref.buffer = None

    __iter__ = None  # so that Python does not go on asking for im[0], im[1], ...

    def __getitem__(self, place: object) -> Expr:
        index = place if isinstance(place, tuple | list) else (place,)
        coordinates = image_index(f"ImageParam `{self.name()}`", tuple(map(to_node, index)), self.dimensions())
        return Expr(nodes.ImageAccess(self._ref, coordinates))
