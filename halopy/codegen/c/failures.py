"""What a linked function says when a check fails: an error code of Halide's, and a message as a printf format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...ir.stmt import ErrorSite
from ..kernel import AssertSite
from .strings import c_string

GENERIC, QUERY_FAILED = -1, -1
BAD_TYPE, OUT_OF_BOUNDS, CONSTRAINT, PARAM_LOW, PARAM_HIGH, NO_MEMORY = -3, -4, -8, -9, -10, -11
NULL_ARGUMENT, NEGATIVE_EXTENT, NULL_HOST, BAD_DIMENSIONS = -12, -28, -34, -43
_BOUNDS_TOO_SMALL, _FOLD_TOO_SMALL, _STORAGE_TOO_SMALL = -2, -26, -45
_REQUIREMENT_FAILED = -27


class Failure(NamedTuple):
    """`template` has %lld where a number goes and %% for a percent sign; `order` says which numbers, in order."""

    code: int
    template: str
    order: tuple[int, ...]


def failure(check: AssertSite, outputs: frozenset[str]) -> Failure:
    """What a failing check of a kernel means to the caller. `outputs` are names of output buffers."""
    make = _MEANINGS.get(check.site)
    names = [name.replace("%", "%%") for name in check.names]
    if make is None:
        numbers = ", ".join(["%lld"] * check.arg_count)
        return Failure(
            GENERIC, f"{check.site.value}: {', '.join(names)} {numbers}".strip(), tuple(range(check.arg_count))
        )
    role = "Output" if check.names and check.names[0] in outputs else "Input"
    return make(role, names)


def report_line(number: int, found: Failure) -> str:
    """The case of a switch over the kernel's results."""
    if not found.template:
        return f"    case {number}: return {found.code};"
    numbers = "".join(f", (long long)args[{k}]" for k in found.order)
    return f"    case {number}: return refuse(user_context, {found.code}, {c_string(found.template)}{numbers});"


def _region(role: str, names: Sequence[str]) -> Failure:
    text = f"{role} buffer {names[0]} holds [%lld, %lld] in dimension {names[1]}, but [%lld, %lld] of it is needed"
    return Failure(OUT_OF_BOUNDS, text, (2, 3, 0, 1))


def _constraint(role: str, names: Sequence[str]) -> Failure:
    where = f" of dimension {names[2]}" if len(names) > 2 else ""
    return Failure(CONSTRAINT, f"{role} buffer {names[0]} has {names[1]}{where} %lld, where %lld is required", (0, 1))


def _split(_: str, names: Sequence[str]) -> Failure:
    text = f"{names[0]} is split by %lld in {names[1]}, which does not fit an extent of %lld"
    return Failure(OUT_OF_BOUNDS, text, (0, 1))


def _param(_: str, names: Sequence[str]) -> Failure:
    return Failure(PARAM_HIGH, f"Parameter {names[0]} is outside its range", ())


def _bound(_: str, names: Sequence[str]) -> Failure:
    text = f"{names[0]} is bounded to [%lld, %lld] in {names[1]}, but [%lld, %lld] of it is needed"
    return Failure(_BOUNDS_TOO_SMALL, text, (0, 1, 2, 3))


def _memory(_: str, names: Sequence[str]) -> Failure:
    what = f" for {names[0]}" if names else ""
    return Failure(NO_MEMORY, f"Out of memory: %lld bytes{what} could not be allocated", (0,))


def _fold(_: str, names: Sequence[str]) -> Failure:
    return Failure(_FOLD_TOO_SMALL, f"{names[0]} is folded to %lld in {names[1]}, but %lld are in use at once", (0, 1))


def _storage(_: str, names: Sequence[str]) -> Failure:
    text = f"The storage of {names[0]} is bounded to %lld in {names[1]}, but %lld are needed"
    return Failure(_STORAGE_TOO_SMALL, text, (0, 1))


def _requirement(_: str, __: Sequence[str]) -> Failure:
    return Failure(_REQUIREMENT_FAILED, "", ())  # the kernel has said what fails


def _extent(role: str, names: Sequence[str]) -> Failure:
    return Failure(NEGATIVE_EXTENT, f"{role} buffer {names[0]} has extent %lld in dimension {names[1]}", (0,))


def _no_thread(_: str, __: Sequence[str]) -> Failure:
    return Failure(GENERIC, "No thread could be started for an async Func", ())


_MEANINGS: Mapping[ErrorSite, Callable[[str, Sequence[str]], Failure]] = {
    ErrorSite.REGION_TOO_SMALL: _region,
    ErrorSite.WRONG_CONSTRAINT: _constraint,
    ErrorSite.SPLIT_TOO_SMALL: _split,
    ErrorSite.PARAM_OUT_OF_RANGE: _param,
    ErrorSite.BOUND_TOO_SMALL: _bound,
    ErrorSite.OUT_OF_MEMORY: _memory,
    ErrorSite.FOLD_TOO_SMALL: _fold,
    ErrorSite.STORAGE_TOO_SMALL: _storage,
    ErrorSite.BAD_EXTENT: _extent,
    ErrorSite.NO_THREAD: _no_thread,
    ErrorSite.REQUIREMENT: _requirement,
}
