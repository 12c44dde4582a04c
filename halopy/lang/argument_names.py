"""Other names under which an argument may be given, where Halide has several forms of one function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def also_called(**names: str | tuple[str, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let arguments be given under other names too.

    @also_called(var="rvar")
    def compute_at(self, f, var): ...        f.compute_at(g, rvar=r.x)   ->   f.compute_at(g, var=r.x)
    """
    wanted = {other: name for name, others in names.items() for other in _several(others)}

    def named(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if kwargs:
                kwargs = {wanted.get(name, name): value for name, value in kwargs.items()}  # type: ignore[assignment]
            return function(*args, **kwargs)

        vars(call)["also"] = frozenset(wanted)
        return call

    return named


def also_listed(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let all positional arguments be given as one list with this name.

    @also_listed("vars")
    def reorder(self, *vars): ...            f.reorder(vars=[x, y])      ->   f.reorder(x, y)
    """

    def named(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if name in kwargs:
                args = (*args, kwargs.pop(name))  # type: ignore[assignment]
            return function(*args, **kwargs)

        return call

    return named


def _several(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names
