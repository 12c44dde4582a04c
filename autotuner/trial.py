"""What is done with one candidate, in a process of its own: compiled and checked, then measured.

A study and a candidate are what JSON knows:

    study       {"subject": NAME, "sizes": [[W, H], ...], "folder": PATH, "lock": PATH}
    candidate   {"plan": ...} of autotuner.plan; {"given": "hand"}, a schedule that is known beforehand; or
                {"schedule": TEXT}, what halopy writes of one

Candidates are compiled side by side; measured is one at a time, while nothing is compiled, on the whole machine.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import halopy as hl
from autotuner.interleaved import compare
from autotuner.plan import apply_plan, from_data
from autotuner.space import Space
from autotuner.subject import FLOATS_APART, Array, Built, Size, Subject, check_size, subject_named

Json = Any
OK, REFUSED, UNCOMPILED, CRASH, TIMEOUT, WRONG, SLOW = VERDICTS = (
    "ok",
    "refused",
    "compile error",
    "crash",
    "timeout",
    "wrong",
    "slow",
)
_SLOW = 4.0  # times as long as the best so far: not worth measuring


class _Refuted(Exception):
    """A verdict other than ok, with its reason."""

    def __init__(self, verdict: str, reason: str) -> None:
        super().__init__(verdict, reason)
        self.answer = {"verdict": verdict, "detail": " ".join(reason.split())[:2000]}


# -- before any candidate ----------------------------------------------------------------------------------------------


def prepare(study: Mapping[str, Json]) -> Json:
    """Write the inputs, and what the oracle says, into the study's folder."""
    subject, folder = subject_named(study["subject"]), Path(study["folder"])
    sizes = [tuple(size) for size in study["sizes"]]
    for size in sizes:
        _save(folder / f"inputs-{_text(size)}", subject.inputs(size))
    for size in _check_sizes(subject, sizes):
        inputs = subject.inputs(size)
        built = subject.build(size)
        built.bind(inputs)
        expected = built.pipeline.reference([hl.Buffer(a) for a in subject.outputs(size)])
        buffers = expected if isinstance(expected, tuple) else (expected,)
        _save(folder / f"check-{_text(size)}", inputs)
        _save(folder / f"expected-{_text(size)}", [np.array(b, copy=True) for b in buffers])
    widens = all(_widens(subject, size) for size in _check_sizes(subject, sizes))
    return {"widens": widens, "floats": "float" in hl.serialize_pipeline(subject.build(sizes[0]).pipeline).decode()}


def _widens(subject: Subject, size: Size) -> bool:
    """Whether inputs are large enough for producers that compute more than they are asked for."""
    try:
        space = Space(subject.build, size, widens=True)
        built = subject.build(size)
        built.bind(subject.inputs(size))
        apply_plan(space.wide(), built.funcs)
        _call(built, subject.outputs(size))()
    except (_Refuted, hl.HalideError):
        return False
    return True


def open_study(study: Mapping[str, Json]) -> None:
    """Import what is tuned and load its inputs, so that candidates find it done."""
    opened = _opened(json.dumps(study, sort_keys=True))
    opened.subject.build(opened.sizes[0])


class _Study:
    def __init__(self, data: Mapping[str, Json]) -> None:
        self.subject: Subject = subject_named(data["subject"])
        self.sizes: list[Size] = [tuple(size) for size in data["sizes"]]
        self.folder, self.lock = Path(data["folder"]), Path(data["lock"])
        self.checks = _check_sizes(self.subject, self.sizes)
        self.has_floats = bool(data.get("floats"))

    @lru_cache(maxsize=16)  # noqa: B019  # studies live as long as the process
    def saved(self, kind: str, size: Size) -> list[Any]:
        return _load(self.folder / f"{kind}-{_text(size)}")

    def scheduled(self, candidate: Mapping[str, Json]) -> Built:
        """The pipeline as the candidate schedules it."""
        built = self.subject.build(self.sizes[0])
        apply_candidate(candidate, built)
        return built


def apply_candidate(candidate: Mapping[str, Json], built: Built) -> None:
    """Say of the pipeline what the candidate says. Raises hl.HalideError where something is refused."""
    if "given" in candidate:
        built.given[candidate["given"]]()
    elif "schedule" in candidate:
        built.pipeline.apply_schedule(hl.Schedule.from_json(candidate["schedule"]))
    else:
        apply_plan(from_data(candidate["plan"]), built.funcs)


@lru_cache(maxsize=2)
def _opened(study: str) -> _Study:
    return _Study(json.loads(study))


def _study(data: Mapping[str, Json]) -> _Study:
    return _opened(json.dumps(data, sort_keys=True))


# -- a candidate -------------------------------------------------------------------------------------------------------


def compiled(study: Mapping[str, Json], candidate: Mapping[str, Json]) -> Json:
    """Lower, compile, and compare with the oracle at a small size: a verdict, and where it is ok the schedule."""
    opened = _study(study)
    start = time.perf_counter()
    try:
        with _locked(opened.lock, fcntl.LOCK_SH), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            built = _compiled(opened, candidate)
            seconds = time.perf_counter() - start
            schedule = _schedule_text(built)
            for size in opened.checks:
                _check(opened, built, size)
    except _Refuted as refuted:
        return refuted.answer
    return {"verdict": OK, "schedule": schedule, "compile_seconds": seconds}


def measured(study: Mapping[str, Json], candidate: Mapping[str, Json], rival: Mapping[str, Json] | None) -> Json:
    """Time it against the rival, in turn, at each size: seconds of both, and the ratio with its interval."""
    opened = _study(study)
    os.environ["HALOPY_VERIFY"] = "off"  # it was proved when it was compiled
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mine = _compiled(opened, candidate)
            other = None if rival is None else _compiled(opened, rival)
            with _locked(opened.lock, fcntl.LOCK_EX):
                return _measured(opened, mine, other)
    except _Refuted as refuted:
        return refuted.answer


def _compiled(study: _Study, candidate: Mapping[str, Json]) -> Built:
    try:
        built = study.scheduled(candidate)
        built.pipeline.compile_jit()
    except hl.CompilerFailed as failure:
        raise _Refuted(UNCOMPILED, str(failure)) from None
    except hl.HalideError as refusal:
        raise _Refuted(REFUSED, str(refusal)) from None
    return built


def _schedule_text(built: Built) -> str | None:
    """None where what was said cannot be written as data."""
    try:
        return built.pipeline.schedule.to_json()
    except hl.HalideError:
        return None


def _check(study: _Study, built: Built, size: Size) -> None:
    outputs = study.subject.outputs(size)
    built.bind(study.saved("check", size))
    _call(built, outputs)()
    for found, expected in zip(outputs, study.saved("expected", size), strict=True):
        _compare(study, found, expected, "the oracle's")


def _compare(study: _Study, found: Array, expected: Array, whose: str) -> None:
    """Raises where an element is further from what is expected than rounding explains."""
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    allowed = study.subject.apart
    if found.dtype.kind == "f":
        largest = np.nanmax(np.abs(expected), initial=0.0, where=np.isfinite(expected))
        most = max(FLOATS_APART * float(largest), allowed or 0.0)
        same = (np.isnan(found) & np.isnan(expected)) | (found == expected)
        wrong = ~same & ~(apart <= most)
    else:
        most = allowed if allowed is not None else 1.0 if study.has_floats else 0.0
        wrong = apart > most
        if allowed is None and study.has_floats and not wrong.any() and np.count_nonzero(apart) > 0.01 * apart.size:
            wrong = apart > 0
    if wrong.any():
        at = tuple(int(n[0]) for n in np.nonzero(wrong))
        place = ", ".join(map(str, reversed(at)))
        reason = f"{int(wrong.sum())} elements are not {whose}: at ({place}) {found[at]}, not {expected[at]}"
        raise _Refuted(WRONG, reason)


def _call(built: Built, outputs: Sequence[Array]) -> Callable[[], object]:
    """Runs the pipeline into these arrays; what is refused at run time is a verdict, too."""
    buffers = [hl.Buffer(array) for array in outputs]

    def call() -> None:
        try:
            built.pipeline.realize(buffers)
        except hl.HalideError as refusal:
            raise _Refuted(REFUSED, str(refusal)) from None

    return call


def _measured(study: _Study, mine: Built, other: Built | None) -> Json:
    times, logs = [], []
    for size in study.sizes:
        inputs, outputs = study.saved("inputs", size), study.subject.outputs(size)
        mine.bind(inputs)
        call = _call(mine, outputs)
        call()
        rival = None
        if other is not None:
            other.bind(inputs)
            expected = study.subject.outputs(size)
            rival = _call(other, expected)
            rival()
            for found, wanted in zip(outputs, expected, strict=True):
                _compare(study, found, wanted, "what the best so far gives")
        found_times = compare(call, rival, _SLOW)
        times.append(found_times)
        logs.append(found_times["log"])
    return {
        "verdict": SLOW if any(t["slow"] for t in times) else OK,
        "seconds": [t["seconds"] for t in times],
        "rival": [t["rival"] for t in times],
        "log": math.fsum(log[1] for log in logs) / len(logs),
        "low": math.fsum(log[0] for log in logs) / len(logs),
        "high": math.fsum(log[2] for log in logs) / len(logs),
        "rounds": sum(t["rounds"] for t in times),
    }


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with open(path, "ab") as file:
        fcntl.flock(file, how)
        yield


def _check_sizes(subject: Subject, sizes: Sequence[Size]) -> list[Size]:
    return list(dict.fromkeys(check_size(subject, size) for size in sizes[:1]))


def _text(size: Size) -> str:
    return "x".join(map(str, size))


def _save(path: Path, values: Sequence[Any]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for at, value in enumerate(values):
        np.save(path / f"{at}.npy", value)


def _load(path: Path) -> list[Any]:
    found = [np.load(path / f"{at}.npy") for at in range(len(os.listdir(path)))]
    return [array if array.ndim else array.item() for array in found]
