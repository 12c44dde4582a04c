"""`Callable`: a compiled pipeline that is called as a function, with its inputs and outputs as arguments."""

from __future__ import annotations

from collections.abc import Callable as Function
from collections.abc import Mapping, Sequence

import numpy as np

from ..dtypes import DType, from_numpy
from ..errors import BufferError, DefinitionError, HalideError, ParamError, UserError
from ..ir.program import Program
from ..ir.refs import ImageRef, ScalarRef
from ..source import caller
from .argument import Argument, to_arguments
from .buffers.buffer import Buffer
from .buffers.contents import BufferContents, ShapeOnly
from .compiled import CompiledPipeline, bound_contents, output_places
from .param_ref import ParamRef, Scalar, check_range, fitting

Taken = BufferContents | Scalar  # an argument as the kernel's side sees it


class Callable:
    """A function of a pipeline's inputs, in the order that was asked for, and then of its outputs.

    It keeps the definitions and schedules of the moment at which it was made, and may be called from several threads
    at once. A Buffer is taken as it is, an array with its axes reversed.
    """

    __slots__ = ("_compiled", "_constants", "_last", "_places", "_slots")

    def __init__(self, compiled: CompiledPipeline, arguments: Sequence[object]) -> None:
        program = compiled.snapshot.program
        inputs = to_arguments(arguments)
        self._compiled = compiled
        self._slots = [_Slot.of(argument) for argument in inputs] + _outputs(program)
        self._places = _places(program, inputs)  # of a program's buffers and scalars among the arguments
        self._constants = {
            name: bound_contents(image.ref) for name, image in program.images.items() if name not in self._places
        }
        self._last: _Call | None = None

    def __call__(self, *args: object, **kwargs: object) -> None:
        """Run. Raises HalideError where an argument does not fit, and what a run raises."""
        given = self._in_order(args, kwargs) if kwargs or len(args) != len(self._slots) else args
        taken = [slot.taken(value) for slot, value in zip(self._slots, given)]  # noqa: B905 (`strict` costs time)
        last = self._last
        if last is not None and last.fits(taken):
            last.run()
            return
        places = enumerate(zip(self._slots, taken, given, strict=True))
        checked = [slot.checked(value, as_given, at, len(taken)) for at, (slot, value, as_given) in places]
        values: dict[ScalarRef, Scalar] = {
            slot.ref: value
            for slot, value in zip(self._slots, checked, strict=True)
            if slot.ref is not None and not isinstance(value, BufferContents)
        }
        for slot in self._slots:
            if slot.ref is not None:
                check_range(slot.ref, values[slot.ref], values)
        named = {name: checked[place] for name, place in self._places.items()}
        buffers = {n: value for n, value in named.items() if isinstance(value, BufferContents)}
        scalars = {n: value for n, value in named.items() if not isinstance(value, BufferContents)}
        if any(type(contents) is ShapeOnly for contents in buffers.values()):
            self._compiled.find_shapes({**self._constants, **buffers}, scalars)
            return
        self._last = last = _Call(taken, self._prepared({**self._constants, **buffers}, scalars))
        last.run()

    def __repr__(self) -> str:
        return f"<halopy.Callable ({', '.join(f'{slot.name}: {slot.dtype}' for slot in self._slots)})>"

    def _prepared(self, buffers: Mapping[str, BufferContents], scalars: Mapping[str, Scalar]) -> Function[[], None]:
        raw = {name: contents.raw for name, contents in buffers.items()}
        variant = self._compiled.variant(raw)
        kernel = variant.kernel
        values = [scalars[s.name] for s in kernel.scalars]
        arguments = [raw[b.name] for b in kernel.buffers]
        self._compiled.check_memory(variant, arguments, values)
        return variant.loaded.prepare(
            arguments,
            values,
            self._compiled.handlers,
            variant.names,
            explain=variant.explain,
        )

    def _in_order(self, args: Sequence[object], named: Mapping[str, object]) -> Sequence[object]:
        """All arguments by place. Raises UserError for too many, too few, unknown or repeated ones."""
        count = len(self._slots)
        if len(args) > count:
            raise _bad(f"Expected at most {count} positional arguments, but saw {len(args)}.")
        if not named:
            raise _bad(f"Expected exactly {count} positional arguments, but saw {len(args)}.")
        found: dict[str, object] = {slot.name: value for slot, value in zip(self._slots, args, strict=False)}
        known = {slot.name for slot in self._slots}
        for name, value in named.items():
            if name not in known:
                raise _bad(f"Unknown argument '{name}' specified via keyword.")
            if name in found:
                raise _bad(f"Argument {name} specified multiple times.")
            found[name] = value
        for slot in self._slots:
            if slot.name not in found:
                raise _bad(f"Argument {slot.name} was not specified by either positional or keyword argument.")
        return [found[slot.name] for slot in self._slots]


class _Slot:
    """One argument: what it must be."""

    __slots__ = ("dtype", "name", "rank", "ref")

    def __init__(self, name: str, dtype: DType, rank: int, ref: ParamRef | None = None) -> None:
        self.name, self.dtype, self.rank = name.split("$")[0], dtype, rank
        self.ref = ref  # of a scalar

    @staticmethod
    def of(argument: Argument) -> _Slot:
        dtype = argument.type.dtype
        if argument.is_buffer():
            return _Slot(argument.name, dtype, argument.dimensions)
        ref = argument._ref if isinstance(argument._ref, ParamRef) else ParamRef(argument.name, dtype)
        return _Slot(argument.name, dtype, 0, ref)

    def taken(self, value: object) -> Taken | None:
        """The value as the kernel's side sees it; None where it is of another kind."""
        if self.ref is not None:
            return value if type(value) is int or type(value) is float else self._scalar(value)
        if isinstance(value, Buffer):
            return value._defined
        if isinstance(value, np.ndarray):
            return BufferContents(value, from_numpy(value.dtype), name=self.name)
        return self._viewed(value)

    def _scalar(self, value: object) -> Scalar | None:
        number = value.item() if isinstance(value, np.generic) else value
        return number if isinstance(number, int | float) else None

    def _viewed(self, value: object) -> BufferContents | None:
        try:
            return Buffer(value)._defined
        except UserError:
            return None

    def checked(self, taken: Taken | None, given: object, place: int, count: int) -> Taken:
        """The value, a number as its type has it. Raises HalideError where it is not what the argument must be."""
        kind = "buffer" if self.ref is None else "scalar"
        wanted = (
            f"Argument {place + 1} of {count} ('{self.name}') was expected to be a {kind} of type '{self.dtype}'"
            f" and dimension {self.rank}"
        )
        if self.ref is None and (given is None or (isinstance(given, Buffer) and taken is None)):
            raise BufferError(f"Buffer argument {self.name} is nullptr", location=caller(), accepted="hl.Buffer(array)")
        if taken is None:
            what = "hl.Buffer, and no array" if self.ref is None else "a number"
            raise _bad(f"{wanted}, but {given!r} is not an instance of {what}")
        if isinstance(taken, BufferContents):
            self._check_buffer(taken)
            return taken
        assert self.ref is not None, "numbers are for scalars"
        try:
            number = fitting(self.ref, taken)
        except ParamError:
            raise ParamError(f"{wanted}, not {taken!r}", location=caller()) from None
        return number

    def _check_buffer(self, taken: BufferContents) -> None:
        if taken.dtype is not self.dtype or taken.array.ndim != self.rank:
            raise BufferError(
                f"Buffer argument {self.name} has type {self.dtype} and {self.rank} dimensions"
                f" but type of the buffer passed in is {taken.dtype}, with {taken.array.ndim} dimensions",
                location=caller(),
            )


class _Call:
    """The last call, ready to be made again."""

    __slots__ = ("_keys", "run")

    def __init__(self, taken: Sequence[Taken | None], run: Function[[], None]) -> None:
        self._keys = list(map(_key, taken))
        self.run = run

    def fits(self, taken: Sequence[Taken | None]) -> bool:
        return list(map(_key, taken)) == self._keys


def _key(taken: Taken | None) -> object:
    """Equal where a kernel cannot tell the difference: RawBuffers by identity, 0.0 and -0.0 and 0 apart."""
    if isinstance(taken, BufferContents):
        return taken.raw
    return (taken.__class__, taken) if taken else str(taken)


def _outputs(program: Program) -> list[_Slot]:
    """One argument for each value of each output, called as the user calls it."""
    names = {name: ref.name for ref, name in program.names.items()}
    slots = []
    for output in program.outputs:
        function = program.functions[output]
        for element, dtype in enumerate(function.dtypes):
            name = names[output].split("$")[0]
            slots.append(_Slot(name if len(function.dtypes) == 1 else f"{name}.{element}", dtype, function.rank))
    return slots


def _places(program: Program, inputs: Sequence[Argument]) -> dict[str, int]:
    """Where the program's inputs and outputs stand. Raises DefinitionError for inputs that are no argument."""
    refs = {a._ref: place for place, a in enumerate(inputs) if a._ref is not None}
    by_name = {a.name: place for place, a in enumerate(inputs)}
    places = {name: len(inputs) + place for name, place in output_places(program).items()}
    missing = []
    read: dict[str, ImageRef | ScalarRef] = {name: image.ref for name, image in program.images.items()}
    for name, ref in (read | {name: scalar.ref for name, scalar in program.scalars.items()}).items():
        place = refs.get(ref, by_name.get(ref.name))
        if place is not None:
            places[name] = place
        elif isinstance(ref, ScalarRef) or ref.constant is None:
            missing.append(ref.name)
    if missing:
        raise DefinitionError(
            f"the pipeline reads {', '.join(f'`{name}`' for name in missing)}, not found in the argument list",
            location=caller(),
            accepted="all its Params and ImageParams, such as hl.Pipeline(...).infer_arguments() gives them",
        )
    return places


def _bad(text: str) -> HalideError:
    return UserError(text, location=caller())
