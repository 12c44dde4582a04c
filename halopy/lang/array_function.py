"""`@hl.pipeline`: a Python function that builds Funcs, called with arrays as if it computed them.

@hl.pipeline
def brighter(photo, *, by=10):          photo is an ImageParam, by the number itself
    x, y = hl.vars("x y")
    f = hl.Func("f")
    f[x, y] = photo[x, y] + hl.u8(by)
    return f

result = brighter(array, by=20)         arrays in, arrays out
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np

from ..dtypes import BOOL, FLOAT32, INT32, INT64, DType, from_numpy
from ..errors import BufferError, DefinitionError, TypeMismatch, UserError
from ..source import caller
from .autoscheduler_params import AutoschedulerParams
from .autoscheduling import Autoscheduling
from .buffers.buffer import Buffer
from .buffers.contents import Array
from .callable import Callable as Compiled
from .expressions.types import Type
from .func import Func
from .image_wrappers import ImageParam
from .param import Param
from .pipeline import Pipeline
from .targets.target import Target

Sizes: TypeAlias = Sequence[int]
Box: TypeAlias = tuple[list[int], list[int]]  # mins and extents
Number: TypeAlias = "int | float | np.generic"
Result: TypeAlias = "Array | tuple[Array, ...]"
_MEMORY = 32  # kinds of arguments for which a compiled form is kept
_FIXED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Traced:
    """The function for arguments of one kind: its pipeline, and the compiled form of that."""

    pipeline: Pipeline
    run: Compiled
    outputs: tuple[Func, ...]


class ArrayFunction:
    """A function of arrays and numbers that a pipeline computes.

    The Python function is called once for each combination of element types, numbers of dimensions and constants; it
    gets an ImageParam for each array, a Param for each number, and returns a Func or a tuple of Funcs. Parameters with
    a default, and those after `*`, are constants: it gets what the call says, as it is. A Python int is an int32 (int64
    where it must be), a float a float32; NumPy numbers keep their type.

    Outputs are as large as the first array, dimension by dimension, unless `sizes` says otherwise: a list as for
    `realize`, x first, or a function that makes one of the same arguments. Where the function gives no directive, the
    pipeline is scheduled automatically, for the sizes of the first call.
    """

    def __init__(
        self,
        function: Callable[..., object],
        sizes: Sizes | Callable[..., Sizes] | None = None,
        target: Target | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self._sizes, self._target = function, sizes, target
        self._signature = inspect.signature(function)
        self._known: dict[Hashable, Traced] = {}
        self._lock = threading.Lock()
        if "sizes" in self._signature.parameters:
            raise DefinitionError(
                f"{self._name} has a parameter `sizes`",
                location=caller(),
                reason=["a call says with `sizes` how large the outputs are"],
                accepted="another name",
            )

    def __call__(self, *args: Any, sizes: Sizes | None = None, **named: Any) -> Result:
        """The outputs for these arguments, as new arrays; a tuple of them where there are several."""
        try:
            return self._called(args, sizes, named)
        except UserError as e:
            if e.location is not None:
                raise
            raise type(e)(e.summary, location=caller(), reason=e.reason, accepted=e.accepted) from None

    def _called(self, args: Sequence[object], sizes: Sizes | None, named: Mapping[str, object]) -> Result:
        inputs, constants = self._bound(args, named)
        boxes = self._boxes(inputs, sizes, args, named)
        traced = self._traced(inputs, constants, boxes)
        placed = zip(traced.outputs, boxes.of(traced.outputs), strict=True)
        made = [_empty(kind, box) for func, box in placed for kind in func.types()]
        traced.run(*inputs.values(), *made)
        arrays = tuple(map(np.asarray, made))
        return arrays[0] if len(arrays) == 1 else arrays

    def trace(self, *args: Any, sizes: Sizes | None = None, **named: Any) -> Pipeline:
        """The pipeline that a call with these arguments runs, to look at: `blur.trace(array).print_loop_nest()`."""
        inputs, constants = self._bound(args, named)
        return self._traced(inputs, constants, self._boxes(inputs, sizes, args, named)).pipeline

    @property
    def _name(self) -> str:
        return getattr(self._function, "__name__", "the pipeline")

    def _bound(
        self, args: Sequence[object], named: Mapping[str, object]
    ) -> tuple[dict[str, Buffer | Number], dict[str, object]]:
        """Inputs and constants by parameter. Raises TypeError as a Python call does."""
        bound = self._signature.bind(*args, **named)
        inputs: dict[str, Buffer | Number] = {}
        constants: dict[str, object] = {}
        for name, value in bound.arguments.items():
            parameter = self._signature.parameters[name]
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                constants |= value
            elif parameter.kind in _FIXED or parameter.default is not parameter.empty:
                constants[name] = value
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                inputs |= {f"{name}_{n}": _input(each) for n, each in enumerate(value)}
            else:
                inputs[name] = _input(value)
        return inputs, constants

    def _traced(self, inputs: Mapping[str, Buffer | Number], constants: Mapping[str, object], boxes: _Boxes) -> Traced:
        kinds = tuple(map(_kind, inputs.values()))
        key = (kinds, tuple((name, self._hashable(name, value)) for name, value in sorted(constants.items())))
        known = self._known.get(key)
        if known is not None:
            return known
        with self._lock:
            if key not in self._known:
                while len(self._known) >= _MEMORY:
                    del self._known[next(iter(self._known))]
                self._known[key] = self._trace(inputs, constants, boxes)
            return self._known[key]

    def _hashable(self, name: str, value: object) -> Hashable:
        """Apart for values that are equal and still differ: 1, True and 1.0."""
        try:
            hash(value)
        except TypeError:
            raise TypeMismatch(
                f"{self._name}: the constant `{name}` is a {type(value).__name__}, which can change",
                location=caller(),
                reason=["what was compiled for one constant is used again for the same one"],
                accepted="a number, text, tuple or hl.Type; an array as a parameter without default, before `*`",
            ) from None
        return (type(value), value, repr(value) if isinstance(value, float | tuple) else None)

    def _trace(self, inputs: Mapping[str, Buffer | Number], constants: Mapping[str, object], boxes: _Boxes) -> Traced:
        params = {name: _parameter(name, value) for name, value in inputs.items()}
        result = self._function(*params.values(), **constants)
        outputs = tuple(result) if isinstance(result, tuple | list) else (result,)
        for output in outputs:
            if not isinstance(output, Func):
                raise TypeMismatch(
                    f"{self._name} returns {output!r}", location=caller(), accepted="a Func, or a tuple of Funcs"
                )
        pipeline = Pipeline(outputs)
        traced = tuple(f for f in outputs if isinstance(f, Func))
        if not _is_scheduled(pipeline):
            for func, (mins, extents) in zip(traced, boxes.of(traced), strict=True):
                func.set_estimates(list(zip(mins, extents, strict=True)))
            _schedule(pipeline, self._target)
        return Traced(pipeline, pipeline.compile_to_callable(list(params.values()), self._target), traced)

    def _boxes(
        self,
        inputs: Mapping[str, Buffer | Number],
        sizes: Sizes | None,
        args: Sequence[object],
        named: Mapping[str, object],
    ) -> _Boxes:
        wanted = self._sizes if sizes is None else sizes
        if callable(wanted):
            wanted = wanted(*args, **named)
        if wanted is not None:
            return _Boxes(self._name, [0] * len(wanted), list(map(int, wanted)), is_exact=True)
        first = next((value for value in inputs.values() if isinstance(value, Buffer)), None)
        if first is None:
            raise BufferError(
                f"{self._name} is called without an array, so the size of its outputs is unknown",
                location=caller(),
                accepted=_SAY_SIZES,
            )
        dims = [first.dim(d) for d in range(first.dimensions())]
        return _Boxes(self._name, [d.min() for d in dims], [d.extent() for d in dims], is_exact=False)

    def __repr__(self) -> str:
        return f"<halopy.pipeline '{self._name}{self._signature}'>"


_SAY_SIZES = "sizes=[width, height] in the call, or @hl.pipeline(sizes=...) with a list or a function that makes one"


@dataclass(frozen=True, slots=True)
class _Boxes:
    """What outputs are computed over: as asked for, or as the first array."""

    name: str
    mins: list[int]
    extents: list[int]
    is_exact: bool

    def of(self, outputs: Sequence[Func]) -> list[Box]:
        """Mins and extents for each output. Raises BufferError where they are too few, or too many."""
        for func in outputs:
            rank, known = func.dimensions(), len(self.extents)
            if rank > known or (self.is_exact and rank < known):
                raise BufferError(
                    f"{self.name} returns Func `{func.name()}` of {rank} dimensions, but "
                    + (f"{known} sizes are given" if self.is_exact else f"the first array has {known}"),
                    location=caller(),
                    accepted=_SAY_SIZES,
                )
        return [(self.mins[: f.dimensions()], self.extents[: f.dimensions()]) for f in outputs]


def _empty(kind: Type, box: Box) -> Buffer:
    mins, extents = box
    made = Buffer(kind, extents)
    made.set_min(mins)
    return made


def _input(value: object) -> Buffer | Number:
    if isinstance(value, int | float | np.generic):
        return value
    return value if isinstance(value, Buffer) else Buffer(value)


def _number_type(value: Number) -> DType:
    if isinstance(value, np.generic):
        return from_numpy(value.dtype)
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return INT32 if INT32.can_hold(value) else INT64
    return FLOAT32


def _kind(value: Buffer | Number) -> tuple[DType, int | None]:
    """Element type and number of dimensions; None for a number."""
    return (value.type().dtype, value.dimensions()) if isinstance(value, Buffer) else (_number_type(value), None)


def _parameter(name: str, value: Buffer | Number) -> ImageParam | Param:
    """What stands for the argument in the pipeline. The value at hand is what is expected of others, too."""
    dtype, rank = _kind(value)
    if not isinstance(value, Buffer):
        param = Param(Type.of(dtype), name)
        param.set_estimate(value.item() if isinstance(value, np.generic) else value)
        return param
    assert rank is not None, "a Buffer has dimensions"
    image = ImageParam(Type.of(dtype), rank, name)
    image.set_estimates([(value.dim(d).min(), value.dim(d).extent()) for d in range(rank)])
    return image


def _is_scheduled(pipeline: Pipeline) -> bool:
    """Whether the user gave any directive."""
    schedules = pipeline.snapshot().schedules.values()
    return any(s.directives or any(nest.directives for nest in s.nests) for s in schedules)


def _schedule(pipeline: Autoscheduling, target: Target | None) -> None:
    params = AutoschedulerParams("halopy", {"parallelism": os.cpu_count() or 1})
    pipeline.apply_autoscheduler(target or Target(), params)


@overload
def pipeline(function: Callable[..., object], /) -> ArrayFunction: ...
@overload
def pipeline(
    *, sizes: Sizes | Callable[..., Sizes] | None = None, target: Target | None = None
) -> Callable[[Callable[..., object]], ArrayFunction]: ...
def pipeline(
    function: Callable[..., object] | None = None,
    /,
    *,
    sizes: Sizes | Callable[..., Sizes] | None = None,
    target: Target | None = None,
) -> ArrayFunction | Callable[[Callable[..., object]], ArrayFunction]:
    """A decorator: the function that builds a Func becomes one that takes arrays and gives arrays.

    `@hl.pipeline` or `@hl.pipeline(sizes=..., target=...)`; `ArrayFunction` says what is built and run when.
    """
    if function is not None:
        return ArrayFunction(function)
    return lambda wrapped: ArrayFunction(wrapped, sizes, target)
