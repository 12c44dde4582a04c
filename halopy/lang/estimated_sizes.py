"""The sizes and numbers that the user said to expect."""

from __future__ import annotations

from ..ir.expr import const_value
from ..ir.refs import ImageRef
from .buffers.contents import BufferContents
from .expressions.expr import Expr
from .func_contents import FuncContents
from .image_ref import ImageParamRef
from .param_ref import ParamRef
from .snapshot import Snapshot


def estimated_sizes(seen: Snapshot) -> dict[str, int | float]:
    """What the user said to expect, and the shapes of Buffers that are part of the algorithm, by symbol."""
    program = seen.program
    found: dict[str, int | float] = {}
    for image in program.images.values():
        found |= _shape(image.name, image.ref)
    for ref, name in program.names.items():
        if isinstance(ref, FuncContents) and name in program.outputs:
            buffers = [name] if len(ref.output_refs) == 1 else [f"{name}.{n}" for n in range(len(ref.output_refs))]
            for buffer, output in zip(buffers, ref.output_refs, strict=True):
                found |= _shape(buffer, output)
    for scalar in program.scalars.values():
        if isinstance(scalar.ref, ParamRef):
            value = _number(scalar.ref.estimate)
            value = _number(scalar.ref.default) if value is None else value
            found |= {} if value is None else {scalar.name: value}
    return found


def _shape(name: str, ref: ImageRef) -> dict[str, int | float]:
    found: dict[str, int | float] = {}
    if isinstance(ref, ImageParamRef):
        for (prop, dim), expected in ref.estimates.items():
            value = _number(expected)
            found |= {} if value is None else {f"{name}.{prop}.{dim}": value}
    elif isinstance(ref.constant, BufferContents):
        for dim, (low, extent) in enumerate(zip(ref.constant.mins, reversed(ref.constant.array.shape), strict=True)):
            found |= {f"{name}.min.{dim}": low, f"{name}.extent.{dim}": extent}
    return found


def _number(e: Expr) -> int | float | None:
    return const_value(e.node) if e.defined() else None
