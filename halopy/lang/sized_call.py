"""A call over a region of given sizes: all is in place but the memory of its outputs, which is new each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from weakref import ref as weak

from ..dtypes import DType
from ..runtime.buffer import RawBuffer
from .buffers.contents import BufferContents, ShapeOnly, allocate_at
from .compiled import CompiledPipeline, Variant, bound_contents

Outputs = Sequence[tuple[DType, str]]  # element types and names


class SizedCall:
    """One thread at a time may use it. It does not keep inputs alive: those are bound, or not read any more."""

    __slots__ = (
        "_headers",
        "_images",
        "_mins",
        "_outputs",
        "_pipeline",
        "_run",
        "_sizes",
        "_uses_device",
        "_variant",
        "_versions",
    )

    def __init__(self, pipeline: CompiledPipeline, sizes: tuple[int, ...], outputs: Outputs) -> None:
        self._pipeline, self._sizes, self._outputs = pipeline, sizes, outputs
        self._mins = (0,) * len(sizes)
        strides = tuple(math.prod(sizes[:d]) for d in range(len(sizes)))
        shapes = (ShapeOnly(dtype, sizes) for dtype, _ in outputs)
        self._headers = [RawBuffer.without_memory(s.array, s.mins, strides, s.dtype, writeable=True) for s in shapes]
        self._variant: Variant | None = None  # what is prepared, if anything
        self._images: list[weak[RawBuffer]] = []
        self._versions: list[int] = []
        self._run: Callable[[], None] | None = None
        self._uses_device = False

    def run(self) -> list[BufferContents]:
        """Compute, and give the new outputs."""
        images = self._prepared()
        places = [allocate_at(dtype, self._sizes) for dtype, _ in self._outputs]
        made = [
            BufferContents(array, dtype, self._mins, name, is_new=True)
            for (array, _), (dtype, name) in zip(places, self._outputs)  # noqa: B905 (`strict` costs time)
        ]
        if images is None or self._run is None:
            self._pipeline.run(made)
            return made
        for header, (_, host) in zip(self._headers, places):  # noqa: B905
            header.place(host)
        self._run()  # `images` are alive until here
        if self._uses_device:
            for header, contents in zip(self._headers, made, strict=True):
                contents.adopt(header)
        return made

    def _prepared(self) -> list[RawBuffer] | None:
        """The inputs now, with a call that is prepared for them; None where some have no memory."""
        variant = self._variant
        if variant is not None:
            images = [bound_contents(image).raw for image in variant.images]
            if images == [image() for image in self._images] and self._versions == [p.version for p in variant.scalars]:
                return images
        program = self._pipeline.snapshot.program
        contents = {name: bound_contents(image.ref) for name, image in program.images.items()}
        if any(type(c) is ShapeOnly for c in contents.values()):
            return None
        return self._prepare(self._pipeline.variant({name: c.raw for name, c in contents.items()}))

    def _prepare(self, variant: Variant) -> list[RawBuffer]:
        self._variant = None  # in case that something is refused
        images = [bound_contents(image).raw for image in variant.images]
        self._versions = [p.version for p in variant.scalars]
        for p in variant.scalars:
            p.check()
        buffers = [*images, *(self._headers[at] for at in variant.outputs)]
        values = [p.value for p in variant.scalars]
        handlers = self._pipeline.handlers
        self._run = variant.loaded.prepare(buffers, values, handlers, variant.names, self._headers, variant.explain)
        self._images = list(map(weak, images))
        self._uses_device = variant.kernel.device is not None
        for header in self._headers:
            header.is_exposed, header.is_new = False, True
        self._variant = variant
        return images
