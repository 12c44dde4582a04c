"""What a `prefetch` may fetch."""

from __future__ import annotations

from ..errors import MistypedDirective
from ..ir.refs import FunctionRef, ImageRef
from ..source import caller
from .image_param import InputImage
from .loop_names import shown


def prefetch_source(text: str, source: object) -> FunctionRef | ImageRef:
    """The Func or input behind a handle. Raises MistypedDirective for anything else."""
    ref = source._ref if isinstance(source, InputImage) else getattr(source, "_contents", None)
    if isinstance(ref, FunctionRef | ImageRef):
        return ref
    raise MistypedDirective(
        text,
        location=caller(),
        reason=[f"`{shown(source)}` is no Func and no input"],
        accepted="a Func or an ImageParam",
    )
