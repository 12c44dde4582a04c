"""What stands behind an input or output buffer: its identity, and what is known of its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import DType
from ..errors import DefinitionError
from ..ir import expr as nodes
from ..ir.refs import FunctionRef, ImageRef
from ..source import caller
from . import revision
from .enums import MemoryType
from .expressions.expr import Expr, ToExpr, to_expr
from .sizes import size_expression

if TYPE_CHECKING:
    from .buffers.buffer import Buffer
    from .func_contents import FuncContents
    from .wrappers import Wrapping

Shape = dict[tuple[str, int], nodes.Expr]  # (property, dimension) -> int32 expression


class ImageParamRef(ImageRef):
    """An ImageParam's identity, the buffer now bound to it, and what is promised and expected of its shape.

    `output` names the Func and the element whose output buffer it is, where it is one.
    """

    __slots__ = (
        "any_stride",
        "buffer",
        "constraints",
        "estimates",
        "host_alignment",
        "is_traced",
        "memory",
        "wrappers",
    )

    def __init__(self, name: str, dtype: DType, rank: int, output: tuple[FunctionRef, int] | None = None) -> None:
        super().__init__(name, dtype, rank, output=output)
        self.buffer: Buffer | None = None
        self.constraints: Shape = {}
        self.estimates: dict[tuple[str, int], Expr] = {}
        self.any_stride = False  # whether the promise of a dense dimension 0 was taken back
        self.host_alignment = dtype.bytes
        self.is_traced = False  # its loads are reported
        self.memory = MemoryType.Auto
        self.wrappers: dict[FuncContents | None, Wrapping] = {}  # by consumer; None: for all

    def promise(self, what: str, dim: int, value: ToExpr) -> None:
        """The `min`, `extent` or `stride` of a dimension is the value; `hl.Expr()` takes a promise back."""
        self.check_dimension(dim)
        undefined = isinstance(value, Expr) and not value.defined()
        if undefined:
            self.constraints.pop((what, dim), None)
        else:
            text = f"{self.name}.dim({dim}).set_{what}(...)"
            self.constraints[what, dim] = promised = size_expression(text, value)
            if isinstance(promised, nodes.Const) and what != "stride":
                self.estimates[what, dim] = Expr(promised)
        if (what, dim) == ("stride", 0):
            self.any_stride = undefined
        revision.changed()

    def promised(self, what: str, dim: int) -> Expr:
        """What is promised; undefined where nothing is."""
        self.check_dimension(dim)
        value = self.constraints.get((what, dim))
        if value is None and (what, dim) == ("stride", 0) and not self.any_stride:
            return to_expr(1)
        return Expr() if value is None else Expr(value)

    def expect(self, what: str, dim: int, value: ToExpr) -> None:
        """The value to expect, for automatic scheduling."""
        self.check_dimension(dim)
        self.estimates[what, dim] = to_expr(value)

    def expected(self, what: str, dim: int) -> Expr:
        """What to expect; undefined where nothing is known."""
        self.check_dimension(dim)
        return self.estimates.get((what, dim), Expr())

    def align(self, bytes: int) -> None:
        """Promise that the memory starts at a multiple of so many bytes."""
        if bytes < 1 or bytes & (bytes - 1):
            raise DefinitionError(
                f"{self.name}.set_host_alignment({bytes})", location=caller(), accepted="a power of two"
            )
        self.host_alignment = bytes
        revision.changed()

    def check_dimension(self, dim: int) -> None:
        if not 0 <= dim < self.rank:
            raise DefinitionError(
                f"`{self.name}` has no dimension {dim}", location=caller(), accepted=f"0 to {self.rank - 1}"
            )
