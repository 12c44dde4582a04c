"""From what the user types to pipelines.

    blur               the cases of an app: `CASES` of the module apps.cases.blur, each with an algorithm and schedules
    module:function    what a function gives that is called without arguments: a Func, several, or a Pipeline; a
                       generator's class makes one pipeline

Modules are found as by `python -m`: in the current folder, too. Names are looked up, and never evaluated.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import HalideError
from ..lang.array_function import ArrayFunction
from ..lang.autoscheduler_params import AutoschedulerParams
from ..lang.func import Func
from ..lang.generators.generator import Generator
from ..lang.image_wrappers import ImageParam
from ..lang.pipeline import Pipeline
from ..lang.targets.target import Target
from .unusable import Unusable

SCHEDULES = ("hand", "none", "auto", "tuned")
_APP = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_FURTHER = 3  # the extent expected of a dimension for which none is given: channels, mostly


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pipeline that can be made, scheduled in one of the ways of `SCHEDULES`."""

    name: str
    make: Callable[[], Pipeline]
    size: tuple[int, ...] = ()  # that it is measured at, unless the user says one


def wanted_pipelines(target: str, schedule: str | None, sizes: Sequence[int]) -> list[Wanted]:
    """What the user means; an app has several. Raises Unusable where there is no such thing.

    Without a schedule, an app has the one written by hand, and a function's pipeline is as it comes.
    """
    if _REFERENCE.fullmatch(target):
        if schedule in ("hand", "none", "tuned"):
            raise Unusable(f"--schedule {schedule} is for apps; {target} has the schedule that it gives itself")
        return [Wanted(target, lambda: _scheduled(_pipeline_of(target), schedule, sizes))]
    if _APP.fullmatch(target):
        return [_case(case, schedule or "hand", sizes) for case in _cases(target)]
    raise Unusable(f"{target!r} is neither the name of an app nor module:function")


def _cases(app: str) -> Sequence[Any]:
    try:
        return list(importlib.import_module(f"apps.cases.{app}").CASES)
    except ModuleNotFoundError as missing:
        if missing.name and f"apps.cases.{app}.".startswith(f"{missing.name}."):
            raise Unusable(f"there is no app {app!r} here; it may also be named as module:function") from None
        raise Unusable(f"the app {app!r} cannot be imported: {missing}") from None
    except Exception as failure:
        raise Unusable(f"the app {app!r} cannot be imported: {_in_short(failure)}") from None


def _case(case: Any, schedule: str, sizes: Sequence[int]) -> Wanted:
    def make() -> Pipeline:
        algorithm = _called(case.algorithm)
        inputs = [image for image in algorithm.inputs if isinstance(image, ImageParam)]
        if schedule == "hand":
            if "hand" not in case.schedules:
                raise Unusable(f"{case.name} has no schedule written by hand")
            _called(case.schedules["hand"], **algorithm.stages)
        if schedule == "tuned":
            _called("schedules.tuned:tuned", name=case.name)(**algorithm.stages)
        return _scheduled(Pipeline(algorithm.output), schedule, sizes or _first(case), inputs)

    return Wanted(case.name, make, _first(case))


def _first(case: Any) -> tuple[int, ...]:
    """The size for which an app is scheduled automatically, unless the user says one."""
    return next(((size.width, size.height) for size in case.sizes), ())


def _scheduled(
    pipeline: Pipeline, schedule: str | None, sizes: Sequence[int], inputs: Sequence[ImageParam] = ()
) -> Pipeline:
    if schedule == "auto":
        expected: Sequence[Func | ImageParam] = [*pipeline.outputs(), *inputs] if sizes else []
        for each in expected:
            rank = each.dimensions()
            each.set_estimates([(0, n) for n in (*sizes, *[_FURTHER] * rank)[:rank]])
        pipeline.apply_autoscheduler(Target(), AutoschedulerParams("halopy"))
    return pipeline


def _pipeline_of(reference: str) -> Pipeline:
    made = _called(reference)
    if isinstance(made, Generator):
        return made._build_pipeline()
    if isinstance(made, Pipeline):
        return made
    funcs = [made] if isinstance(made, Func) else list(made) if isinstance(made, list | tuple) else []
    if not funcs or not all(isinstance(func, Func) for func in funcs):
        raise Unusable(f"{reference} gives {type(made).__name__}, not a Func, a list of Funcs or a Pipeline")
    return Pipeline(funcs)


def _called(reference: str, **arguments: object) -> Any:
    """What the function of a `module:function` gives. The user's own errors are told in short."""
    function = _function(reference)
    if isinstance(function, ArrayFunction):
        raise Unusable(
            f"{reference} is made for arrays; name a function without arguments that gives its .trace(array)"
        )
    if not callable(function):
        raise Unusable(f"{reference} is {type(function).__name__}, which cannot be called")
    try:
        return function(**arguments)
    except HalideError:
        raise
    except Exception as failure:
        raise Unusable(f"{reference} fails: {_in_short(failure)}") from None


def _function(reference: str) -> Any:
    module, _, path = reference.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as missing:
        raise Unusable(f"cannot import {module}: {missing}") from None
    except Exception as failure:
        raise Unusable(f"cannot import {module}: {_in_short(failure)}") from None
    for name in path.split("."):
        if not hasattr(found, name):
            raise Unusable(f"{module} has no {path}; {_callables(found)}")
        found = getattr(found, name)
    return found


def _callables(module: Any) -> str:
    names: Iterator[str] = (n for n, v in vars(module).items() if callable(v) and not n.startswith("_"))
    return f"it has {', '.join(sorted(names)[:8]) or 'no functions'}"


def _in_short(failure: Exception) -> str:
    return f"{type(failure).__name__}: {' '.join(str(failure).split())}"
