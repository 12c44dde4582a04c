"""What is known of an input before it is given: promises, defaults, and what to expect."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.refs import ImageRef, ScalarRef
from .expressions.expr import Expr
from .image_ref import ImageParamRef
from .param_ref import ParamRef
from .region import Range


@dataclass(frozen=True, slots=True, eq=False)
class BufferConstraint:
    """Of one dimension of a buffer: undefined Exprs where nothing is promised or expected."""

    min: Expr
    extent: Expr
    stride: Expr
    min_estimate: Expr
    extent_estimate: Expr


class ArgumentEstimates:
    """What is known of an argument before it is given: undefined Exprs, and no Ranges, where nothing is."""

    def __init__(self) -> None:
        self.scalar_def, self.scalar_min, self.scalar_max, self.scalar_estimate = Expr(), Expr(), Expr(), Expr()
        self.buffer_estimates: list[Range] = []

    def __repr__(self) -> str:
        known = [
            f"{name}={value!r}" for name, value in vars(self).items() if isinstance(value, Expr) and value.defined()
        ]
        known += [f"buffer_estimates={self.buffer_estimates}"] if self.buffer_estimates else []
        return f"<halopy.ArgumentEstimates {', '.join(known)}>"


def estimates_of(ref: ImageRef | ScalarRef) -> ArgumentEstimates:
    """Of a Param's value, or of the region of an ImageParam."""
    made = ArgumentEstimates()
    if isinstance(ref, ParamRef):
        made.scalar_min, made.scalar_max = ref.min, ref.max
        made.scalar_def, made.scalar_estimate = ref.default, ref.estimate
    elif isinstance(ref, ImageParamRef):
        made.buffer_estimates = [Range(ref.expected("min", d), ref.expected("extent", d)) for d in range(ref.rank)]
    return made
