"""What `verify` says of outputs that are to lie in the memory of inputs.

    verify(in_place={f: photo})               f(x, y) lies where photo(x, y) does
    verify(in_place={f: (photo, [0, 1])})     f(x, y) lies where photo(x, y + 1) does

For all sizes; where that is not proved, an output of some size is looked at, which may show two iterations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ..compile import in_place_obligation
from ..errors import BufferError, MistypedBuffer
from ..ir.expr import Expr, const
from ..ir.program import Program, buffer_property
from ..ir.shared_memory import SharedMemory
from ..proof import NOT_PROVED, Obligation
from ..source import caller
from ..target import Target
from .func_contents import FuncContents
from .image_param import InputImage
from .shown_names import shown_names
from .snapshot import Snapshot

if TYPE_CHECKING:
    from .func import Func

Places: TypeAlias = "Mapping[Func, InputImage | tuple[InputImage, Sequence[int]]]"
_EXAMPLE = 24  # the size that is looked at, where none is given


def in_place_obligations(taken: Snapshot, target: Target, places: Places, sizes: Sequence[int]) -> Iterator[Obligation]:
    """One for each output that is to lie in an input's memory. Raises BufferError for what cannot."""
    program = taken.program
    for func, place in places.items():
        image, distances = place if isinstance(place, tuple) else (place, ())
        shared = _shared(program, func, image, tuple(distances))
        found = _asked(taken, target, shared, {})
        if found.status == NOT_PROVED:
            exact = _asked(taken, target, shared, _shape(shared, program, sizes))
            found = exact if exact.status != NOT_PROVED and (sizes or exact.witness) else found
        yield found


def _asked(taken: Snapshot, target: Target, shared: SharedMemory, known: Mapping[str, Expr]) -> Obligation:
    shown = shown_names(taken.program)
    found = in_place_obligation(taken.program, taken.schedules, target, shared, known, shown)
    return replace(found, stages=tuple(shown.get(name, name) for name in found.stages))


def _shared(program: Program, func: object, image: object, distances: tuple[int, ...]) -> SharedMemory:
    contents = getattr(func, "_contents", None)
    if not isinstance(contents, FuncContents) or not isinstance(image, InputImage):
        reason = [f"{func!r} and {image!r} are no Func and ImageParam"]
        raise MistypedBuffer("in_place", location=caller(), reason=reason, accepted="in_place={func: image_param}")
    output = program.names.get(contents)
    name = next((n for n, i in program.images.items() if i.ref is image._ref), None)
    if output not in program.outputs or name is None:
        which = f"{contents.name} is no output" if output not in program.outputs else f"{image.name()} is no input"
        raise BufferError("in_place", location=caller(), reason=[f"{which} of this pipeline"])
    rank, places = program.functions[output].rank, distances or (0,) * program.functions[output].rank
    if program.images[name].rank != rank or len(places) != rank:
        reason = [f"{contents.name} has {rank} dimensions, {image.name()} {program.images[name].rank}"]
        raise BufferError("in_place", location=caller(), reason=reason, accepted="as many of both, and distances")
    return SharedMemory(name, output, tuple((d, d, by) for d, by in enumerate(places)))


def _shape(shared: SharedMemory, program: Program, sizes: Sequence[int]) -> dict[str, Expr]:
    """What the output's shape is called in the program, as numbers."""
    known: dict[str, Expr] = {}
    for d in range(program.functions[shared.output].rank):
        known[buffer_property(shared.output, "min", d).name] = const(0)
        known[buffer_property(shared.output, "extent", d).name] = const(sizes[d] if d < len(sizes) else _EXAMPLE)
    return known
