"""`Parameter`: an input without its handle's type: the scalar of a Param, or the buffer of an ImageParam."""

from __future__ import annotations

from ..errors import DefinitionError
from ..ir import expr as nodes
from ..source import caller
from . import revision
from .argument_estimates import ArgumentEstimates, BufferConstraint, estimates_of
from .argument_names import also_called
from .buffers.buffer import Buffer
from .enums import MemoryType
from .expressions.expr import Expr, Number, ToExpr, to_expr
from .expressions.types import Type, to_dtype
from .image_ref import ImageParamRef
from .param_ref import ParamRef, Scalar, fitting
from .unnamed import unnamed_input


class Parameter:
    """Parameter(), Parameter(other), Parameter(Type, is_buffer, dimensions[, "name"])"""

    __slots__ = ("_defined",)

    @also_called(type="p")
    def __init__(
        self,
        type: Type | Parameter | None = None,
        is_buffer: bool = False,
        dimensions: int = 0,
        name: str | None = None,
    ) -> None:
        self._defined: ParamRef | ImageParamRef | None = None
        if isinstance(type, Parameter):
            self._defined = type._defined
        elif type is not None and is_buffer:
            self._defined = ImageParamRef(name or unnamed_input(), to_dtype(type), dimensions)
        elif type is not None:
            if dimensions:
                raise DefinitionError(f"a scalar Parameter has no dimensions, not {dimensions}", location=caller())
            self._defined = ParamRef(name or unnamed_input(), to_dtype(type))

    @classmethod
    def _of(cls, ref: ParamRef | ImageParamRef) -> Parameter:
        made = cls()
        made._defined = ref
        return made

    @property
    def _ref(self) -> ParamRef | ImageParamRef:
        if self._defined is None:
            raise DefinitionError("an undefined Parameter is used", location=caller())
        return self._defined

    @property
    def _scalar(self) -> ParamRef:
        if not isinstance(self._ref, ParamRef):
            raise DefinitionError(f"`{self.name()}` is a buffer, not a scalar", location=caller())
        return self._ref

    @property
    def _image(self) -> ImageParamRef:
        if not isinstance(self._ref, ImageParamRef):
            raise DefinitionError(f"`{self.name()}` is a scalar, not a buffer", location=caller())
        return self._ref

    def defined(self) -> bool:
        """Whether it is a parameter at all."""
        return self._defined is not None

    def same_as(self, other: Parameter) -> bool:
        """Whether both stand for one input."""
        return self._defined is other._defined

    def name(self) -> str:
        """What messages and generated code call it."""
        return self._ref.name

    def type(self) -> Type:
        """The type of its value, or of its elements."""
        return Type.of(self._ref.dtype)

    def is_buffer(self) -> bool:
        """Whether it is an image."""
        return isinstance(self._ref, ImageParamRef)

    def dimensions(self) -> int:
        """Of the buffer; 0 for a scalar."""
        return self._ref.rank if isinstance(self._ref, ImageParamRef) else 0

    # -- scalars -----------------------------------------------------------------------------------------------

    def scalar(self) -> Scalar:
        """The value that the next runs read."""
        return self._scalar.value

    def set_scalar(self, value_type: Type | Number | None = None, value: Number | None = None) -> None:
        """set_scalar(value), or set_scalar(Type, value) with the Parameter's own type."""
        if isinstance(value_type, Type):
            if value_type.dtype is not self._scalar.dtype or value is None:
                raise DefinitionError(
                    f"Parameter `{self.name()}` has type {self._scalar.dtype}, not {value_type}", location=caller()
                )
        elif value_type is not None:
            value = value_type
        self._scalar.set(value)  # type: ignore[arg-type]

    def scalar_expr(self) -> Expr:
        """The value now, as a constant."""
        return Expr(nodes.const(self._scalar.value, self._scalar.dtype))

    def default_value(self) -> Expr:
        """The value that a caller who says none means."""
        return self._scalar.default

    def set_default_value(self, expr: ToExpr) -> None:
        """The value that a caller who says none means."""
        self._scalar.default = self._constant(expr)

    def estimate(self) -> Expr:
        """The value to expect."""
        return self._scalar.estimate

    def set_estimate(self, expr: ToExpr) -> None:
        """The value to expect, for automatic scheduling."""
        self._scalar.estimate = self._constant(expr)

    def min_value(self) -> Expr:
        """The promised least value; undefined if none is."""
        return self._scalar.min

    def set_min_value(self, expr: ToExpr) -> None:
        """Promise that the value is no less."""
        self._scalar.min = to_expr(expr)
        revision.changed()

    def max_value(self) -> Expr:
        """The promised greatest value; undefined if none is."""
        return self._scalar.max

    def set_max_value(self, expr: ToExpr) -> None:
        """Promise that the value is no greater."""
        self._scalar.max = to_expr(expr)
        revision.changed()

    def _constant(self, value: ToExpr) -> Expr:
        """A number of the Parameter's type; `hl.Expr()` for none."""
        e = to_expr(value)
        number = nodes.const_value(e.node) if e.defined() else None
        if not e.defined():
            return e
        if number is None:
            raise DefinitionError(f"Parameter `{self.name()}` takes numbers only, not {e!r}", location=caller())
        return Expr(nodes.const(fitting(self._scalar, number), self._scalar.dtype))

    # -- buffers -----------------------------------------------------------------------------------------------

    def buffer(self) -> Buffer:
        """The Buffer now bound; an undefined one if none is."""
        return self._image.buffer or Buffer()

    def set_buffer(self, buffer: Buffer) -> None:
        """Bind a Buffer that the next runs read. Raises BufferError for another type or number of dimensions."""
        self._image.buffer = buffer._bound_to(self.name(), self._image.dtype, self._image.rank)

    def min_constraint(self, dim: int) -> Expr:
        """The promised first place of a dimension; undefined if none is."""
        return self._image.promised("min", dim)

    def extent_constraint(self, dim: int) -> Expr:
        """The promised extent of a dimension; undefined if none is."""
        return self._image.promised("extent", dim)

    def stride_constraint(self, dim: int) -> Expr:
        """The promised stride of a dimension; undefined if none is."""
        return self._image.promised("stride", dim)

    def set_min_constraint(self, dim: int, expr: ToExpr) -> None:
        """Promise the first place of a dimension."""
        self._image.promise("min", dim, expr)

    def set_extent_constraint(self, dim: int, expr: ToExpr) -> None:
        """Promise the extent of a dimension."""
        self._image.promise("extent", dim, expr)

    def set_stride_constraint(self, dim: int, expr: ToExpr) -> None:
        """Promise the stride of a dimension."""
        self._image.promise("stride", dim, expr)

    def min_constraint_estimate(self, dim: int) -> Expr:
        """The first place to expect of a dimension."""
        return self._image.expected("min", dim)

    def extent_constraint_estimate(self, dim: int) -> Expr:
        """The extent to expect of a dimension."""
        return self._image.expected("extent", dim)

    def set_min_constraint_estimate(self, dim: int, expr: ToExpr) -> None:
        """The first place to expect of a dimension."""
        self._image.expect("min", dim, expr)

    def set_extent_constraint_estimate(self, dim: int, expr: ToExpr) -> None:
        """The extent to expect of a dimension."""
        self._image.expect("extent", dim, expr)

    def host_alignment(self) -> int:
        """The promised alignment of its memory in bytes."""
        return self._image.host_alignment

    def set_host_alignment(self, bytes: int) -> None:
        """Promise that the memory starts at a multiple of so many bytes; a run with other memory is refused."""
        self._image.align(bytes)

    def buffer_constraints(self) -> list[BufferConstraint]:
        """What is promised and expected of each dimension."""
        ref = self._image
        return [
            BufferConstraint(
                *(ref.promised(what, d) for what in ("min", "extent", "stride")),
                *(ref.expected(what, d) for what in ("min", "extent")),
            )
            for d in range(ref.rank)
        ]

    def get_argument_estimates(self) -> ArgumentEstimates:
        """What is known of the input before it is given."""
        return estimates_of(self._ref)

    def memory_type(self) -> MemoryType:
        """Which memory it lives in."""
        return self._image.memory

    def store_in(self, memory_type: MemoryType) -> None:
        """Which memory it lives in: that is the caller's choice, so without effect."""
        self._image.memory = memory_type

    def __repr__(self) -> str:
        if self._defined is None:
            return "<undefined halopy.Parameter>"
        dims = f", {self.dimensions()} dimensions" if self.is_buffer() else ""
        return f"<halopy.Parameter '{self.name()}' of type {self._ref.dtype}{dims}>"
