"""What is tuned: the pipeline that a name means, its inputs at some size, and what it must compute.

    blur16, blur           a case of apps.cases, or all cases of an app
    module:function        what a function gives that is called without arguments: a Func, several, or a Pipeline

Names are looked up, and never evaluated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

import halopy as hl

Array = NDArray[Any]
Size = tuple[int, ...]
_APP = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_FURTHER = 3  # the extent of a dimension for which none is given: channels, mostly
_CHECKED = 150_000  # elements that are compared with the oracle, about
FLOATS_APART = 1e-4


class Unusable(Exception):
    """What the user asked for cannot be done; the message says why."""


@dataclass
class Built:
    """A pipeline about which nothing is said yet, and Funcs by name.

    `given` are schedules that are known beforehand: each gives itself to this pipeline.
    """

    pipeline: hl.Pipeline
    bind: Callable[[Sequence[Any]], None]
    given: Mapping[str, Callable[[], None]]
    funcs: Mapping[str, hl.Func] = field(init=False)

    def __post_init__(self) -> None:
        names = self.pipeline.reads()
        self.funcs = {name: self.pipeline.get_func(at) for at, name in enumerate(names)}


@dataclass(frozen=True)
class Subject:
    """What a name means. `build` gives a new pipeline each time; inputs are the same ones each time.

    `apart` is how far an element may be from the oracle's: for each kind of numbers, as floats are rounded.
    """

    name: str
    build: Callable[[Size], Built]
    inputs: Callable[[Size], list[Any]]
    outputs: Callable[[Size], list[Array]]
    sizes: Sequence[Size]
    apart: float | None = None


def subjects(name: str) -> list[Subject]:
    """All that the name means; Unusable where that is nothing."""
    if _REFERENCE.fullmatch(name):
        return [_of_function(name)]
    if not _APP.fullmatch(name):
        raise Unusable(f"{name!r} is neither the name of an app nor module:function")
    return [_of_case(case) for case in _cases(name)]


def subject_named(name: str) -> Subject:
    """The one of this name."""
    found = subjects(name)
    return next((each for each in found if each.name == name), found[0])


def check_size(subject: Subject, size: Size) -> Size:
    """A smaller size of about the same shape, no multiple of anything, at which the oracle is asked."""
    scale = math.sqrt(_CHECKED / max(1, *(output.size for output in subject.outputs(size))))
    return size if scale >= 1 else (*(max(1, min(n, round(n * scale) | 1)) for n in size[:2]), *size[2:])


# -- apps --------------------------------------------------------------------------------------------------------------


def _cases(name: str) -> list[Any]:
    try:
        cases = import_module("apps.cases")
    except ModuleNotFoundError:
        raise Unusable(f"there are no apps here, so {name!r} is none; name it as module:function") from None
    if name in cases.APPS:
        return list(cases.cases_of(name))
    found = [case for app in cases.APPS for case in cases.cases_of(app) if case.name == name]
    if not found:
        raise Unusable(f"there is no app {name!r}; there are {', '.join(cases.APPS)}")
    return found


def _of_case(case: Any) -> Subject:
    cases = import_module("apps.cases")

    def sized(size: Size) -> Any:
        return cases.Size(*size)

    def build(size: Size) -> Built:
        algorithm = cases.named(case.algorithm)()
        pipeline = hl.Pipeline(algorithm.output)

        def auto() -> None:
            algorithm.estimate(case.inputs(sized(size)), case.output(sized(size)))
            pipeline.apply_autoscheduler(hl.get_host_target(), hl.AutoschedulerParams("halopy"))

        given = {"auto": auto}
        if "hand" in case.schedules:
            given["hand"] = lambda: cases.named(case.schedules["hand"])(**algorithm.stages)
        return Built(pipeline, algorithm.give, given)

    return Subject(
        case.name,
        build,
        inputs=lambda size: list(case.inputs(sized(size))),
        outputs=lambda size: [case.output(sized(size))],
        sizes=[_as_tuple(size) for size in case.sizes[:1]],
        apart=case.tolerance.get("halopy"),
    )


def _as_tuple(size: Any) -> Size:
    return (size.width, size.height) if size.channels == _FURTHER else (size.width, size.height, size.channels)


# -- functions ---------------------------------------------------------------------------------------------------------


def _of_function(reference: str) -> Subject:
    def full(pipeline: hl.Pipeline, size: Size) -> Size:
        rank = pipeline.outputs()[0].dimensions()
        return (*size, *[_FURTHER] * rank)[:rank]

    def build(size: Size) -> Built:
        pipeline = _pipeline(reference)
        params = _params(pipeline)
        own = pipeline.schedule
        pipeline.apply_schedule(hl.Schedule())

        def bind(values: Sequence[Any]) -> None:
            for param, value in zip(params.values(), values, strict=True):
                if param.is_buffer():
                    param.set_buffer(hl.Buffer(value))

        def auto() -> None:
            pipeline.infer_input_bounds(list(full(pipeline, size)))
            for output in pipeline.outputs():
                output.set_estimates([(0, n) for n in full(pipeline, size)])
            for param in filter(hl.Parameter.is_buffer, params.values()):
                for d in range(param.dimensions() if param.buffer().defined() else 0):
                    param.set_min_constraint_estimate(d, 0)
                    param.set_extent_constraint_estimate(d, param.buffer().dim(d).extent())
            pipeline.apply_autoscheduler(hl.get_host_target(), hl.AutoschedulerParams("halopy"))

        given = {"auto": auto}
        if own != pipeline.schedule:
            given["own"] = lambda: pipeline.apply_schedule(own)
        return Built(pipeline, bind, given)

    def inputs(size: Size) -> list[Any]:
        pipeline = _pipeline(reference)
        pipeline.apply_schedule(hl.Schedule())
        params = _params(pipeline)
        pipeline.infer_input_bounds(list(full(pipeline, size)))
        return [_filled(param) for param in params.values()]

    def outputs(size: Size) -> list[Array]:
        pipeline = _pipeline(reference)
        shape = full(pipeline, size)[::-1]
        kinds = [kind for func in pipeline.outputs() for kind in func.types()]
        return [np.ones(shape, _dtype(kind)) for kind in kinds]

    return Subject(reference, build, inputs, outputs, sizes=[(2000, 1500)])


def _pipeline(reference: str) -> hl.Pipeline:
    module, _, path = reference.partition(":")
    try:
        found: Any = import_module(module)
    except Exception as failure:  # whatever the module does when it is run
        raise Unusable(f"cannot import {module}: {type(failure).__name__}: {failure}") from None
    for name in path.split("."):
        if not hasattr(found, name):
            raise Unusable(f"{module} has no {path}")
        found = getattr(found, name)
    if not callable(found):
        raise Unusable(f"{reference} is {type(found).__name__}, which cannot be called")
    made = found()
    if isinstance(made, hl.Pipeline):
        return made
    funcs = [made] if isinstance(made, hl.Func) else list(made) if isinstance(made, list | tuple) else []
    if not funcs or not all(isinstance(func, hl.Func) for func in funcs):
        raise Unusable(f"{reference} gives {type(made).__name__}, not a Func, a list of Funcs or a Pipeline")
    return hl.Pipeline(funcs)


def _params(pipeline: hl.Pipeline) -> dict[str, hl.Parameter]:
    return dict(sorted(hl.serialize_pipeline(pipeline, get_params=True)[1].items()))


def _filled(param: hl.Parameter) -> Any:
    """Numbers that are not all alike: floats from 0 to 1, integers over their range."""
    if not param.is_buffer():
        return param.scalar()
    like, random = np.array(param.buffer(), copy=False), np.random.default_rng(0)
    if like.dtype.kind in "iu":
        ends = np.iinfo(like.dtype)
        return random.integers(max(ends.min, -(1 << 15)), min(ends.max, 1 << 15), like.shape, like.dtype, endpoint=True)
    return (
        random.random(like.shape).astype(like.dtype)
        if like.dtype.kind == "f"
        else random.integers(0, 2, like.shape) > 0
    )


def _dtype(kind: hl.Type) -> np.dtype[Any]:
    return np.dtype(np.array(hl.Buffer(kind, [1]), copy=False).dtype)
