"""Who is told what a running pipeline says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..errors import DefinitionError
from ..runtime import Handlers, TraceEvent, collect_events
from ..source import caller


class Handling:
    """The part of Func and Pipeline that takes handlers. They hold for its own runs, from the next one on.

    Handlers are called while the pipeline runs, by any of its threads, one at a time. What one raises ends the run.
    """

    __slots__ = ()

    def _handlers(self) -> Handlers:
        raise NotImplementedError

    def set_custom_print(self, handler: Callable[[str], Any] | None) -> None:
        """Call `handler(text)` in place of writing printed lines to `sys.stdout`; None writes them again."""
        self._handlers().print = _checked("set_custom_print", handler)

    def set_custom_trace(self, handler: Callable[[TraceEvent], Any] | None) -> None:
        """Call `handler(event)` for each traced event in place of printing it; None prints them again."""
        self._handlers().trace = _checked("set_custom_trace", handler)

    def set_error_handler(self, handler: Callable[[str], Any] | None) -> None:
        """Call `handler(message)` in place of raising what a run-time check finds; None raises it again.

        Then the run ends all the same, and what its outputs hold means nothing.
        """
        self._handlers().error = _checked("set_error_handler", handler)


def _checked(name: str, handler: Callable[..., Any] | None) -> Callable[..., Any] | None:
    if handler is not None and not callable(handler):
        raise DefinitionError(
            f"{name}({handler!r})", location=caller(), accepted="a function of one argument, or None for none"
        )
    return handler


def trace() -> AbstractContextManager[list[TraceEvent]]:
    """`with hl.trace() as events: f.realize(...)` lists the traced events of all pipelines that run inside.

    They are neither printed nor given to handlers. What is traced, `Func.trace_loads` and the like say, or a target
    with `trace_loads`, `trace_stores`, `trace_realizations` or `trace_pipeline`.
    """
    return collect_events()
