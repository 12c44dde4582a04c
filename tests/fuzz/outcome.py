"""Run a case and say how it went."""

from __future__ import annotations

import traceback
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import halopy as hl

from ..codegen.guarded import guarded
from .build import Build, contents
from .case import DTYPES, Case, Image

AGREES, REFUSED, WRONG, FAILED, CRASHED, HUNG = "agrees", "refused", "wrong", "failed", "crashed", "hung"
REFUSALS = (hl.UserError, hl.UnsupportedTarget)


@dataclass(frozen=True)
class Outcome:
    """`kind` is one of those above; `text` tells more. `refused` are the directives that were refused at once."""

    kind: str
    text: str = ""
    refused: tuple[int, ...] = ()

    @property
    def is_bug(self) -> bool:
        return self.kind not in (AGREES, REFUSED)

    @property
    def sort(self) -> str:
        """What outcomes of the same fault have in common."""
        return f"{self.kind} {self.text.splitlines()[-1].split(':')[0] if self.kind == FAILED else ''}"


def outcome(case: Case) -> Outcome:
    """The pipeline, computed with its schedule into guarded memory, beside the oracle's."""
    build = Build(hl, _array, REFUSALS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            build.algorithm(case)
            build.schedule(case)
        except Exception:
            return Outcome(FAILED, traceback.format_exc(), tuple(build.refused))
        try:
            differences = _compare(case, build)
        except REFUSALS as error:
            if isinstance(error, hl.CompilerFailed):
                return Outcome(FAILED, traceback.format_exc(), tuple(build.refused))
            return Outcome(REFUSED, f"{type(error).__name__}: {error}", tuple(build.refused))
        except Exception:
            return Outcome(FAILED, traceback.format_exc(), tuple(build.refused))
    return Outcome(WRONG if differences else AGREES, differences, tuple(build.refused))


def _array(image: Image) -> np.ndarray:
    values = contents(image)
    return guarded(values.ravel(), at_end=image.seed % 2 == 0).reshape(values.shape)


def _output(case: Case, kind: str) -> hl.Buffer:
    shape = case.sizes[::-1]
    zeros = np.zeros(int(np.prod(shape)), DTYPES[kind])
    buffer = hl.Buffer(guarded(zeros, at_end=sum(case.sizes) % 2 == 0).reshape(shape))
    buffer.set_min(list(case.mins))
    return buffer


def _fill(case: Case, build: Build, outputs: Any) -> None:
    """Give ImageParams as much as is read, and not an element more."""
    if case.unbounded:
        build.names[case.output.name].infer_input_bounds(outputs)
    for image in case.unbounded:
        param = build.names[image.name]
        wanted = param.get()
        shape = np.asarray(wanted).shape
        values = contents(image, shape).ravel()
        filled = hl.Buffer(guarded(values, at_end=image.seed % 2 == 0).reshape(shape))
        filled.set_min([wanted.dim(d).min() for d in range(wanted.dimensions())])
        param.set(filled)


def _compare(case: Case, build: Build) -> str:
    """Where the schedule's values differ from the oracle's; nothing if they agree."""
    func = build.names[case.output.name]
    outputs = [_output(case, value.type) for value in case.output.values]
    given: Any = outputs if len(outputs) > 1 else outputs[0]
    _fill(case, build, given)
    if case.target:
        func.realize(given, hl.Target(case.target))
        for out in outputs:
            out.copy_to_host()
    else:
        func.realize(given)
    wanted = func.reference(given)
    for element, (out, want) in enumerate(zip(outputs, wanted if len(outputs) > 1 else [wanted], strict=True)):
        found = difference(np.asarray(out), np.asarray(want), case)
        if found:
            return f"element {element} of {case.output.name}: {found}"
    return ""


def difference(got: np.ndarray, want: np.ndarray, case: Case) -> str:
    """The first differing cell, and how many there are."""
    if case.is_exact:
        unlike = ~((got == want) | ((got != got) & (want != want)))
    else:
        is_half = got.dtype == np.float16
        tolerance = 1e-2 if is_half else 2e-5
        unlike = ~np.isclose(got.astype(float), want.astype(float), rtol=tolerance, atol=tolerance, equal_nan=True)
    places = np.argwhere(unlike)
    if not len(places):
        return ""
    first = tuple(places[0])
    at = [int(i) + low for i, low in zip(first[::-1], case.mins, strict=True)]
    return f"at {at} is {got[first]}, should be {want[first]}; {len(places)} of {got.size} differ"
