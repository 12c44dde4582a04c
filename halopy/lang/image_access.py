"""Indices of images, and the symbols for their shapes."""

from __future__ import annotations

from ..errors import DefinitionError
from ..ir import expr as nodes
from ..ir.refs import ImageRef
from ..source import caller
from .definition import call_index, expand_placeholder
from .expressions.expr import Expr


def image_index(what: str, index: tuple[nodes.Expr, ...], rank: int) -> tuple[nodes.Expr, ...]:
    """The coordinates of one element. Raises DefinitionError for a wrong number of them."""
    index = expand_placeholder(call_index(what, index), rank)
    if len(index) != rank:
        raise DefinitionError(
            f"{what} is used with {len(index)} arguments, but has {rank} dimensions",
            location=caller(),
            accepted=f"{rank} arguments",
        )
    return index


def shape_symbol(ref: ImageRef, what: str, dim: int) -> Expr:
    """`min`, `extent` or `stride` of a dimension, known when the pipeline runs."""
    if not 0 <= dim < ref.rank:
        raise DefinitionError(
            f"`{ref.name}` has no dimension {dim}", location=caller(), accepted=f"0 to {ref.rank - 1}"
        )
    return Expr(nodes.ImageProperty(ref, what, dim))
