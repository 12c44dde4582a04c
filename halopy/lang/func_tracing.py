"""The directives that report what a Func does while it runs."""

from __future__ import annotations

from typing import Self

from ..codegen.c.dump_text import is_dumpable
from ..schedule.directives import DebugToFile, TraceAccesses, TracedEvents, TraceTag
from .func_scheduling import FuncScheduling


class FuncTracing(FuncScheduling):
    """The part of Func that asks for events. They change no value; see `hl.trace` for who gets them."""

    __slots__ = ()

    def trace_loads(self) -> Self:
        """Each load of a value of it is reported."""
        return self._add(TraceAccesses(TracedEvents.LOADS), "trace_loads()")

    def trace_stores(self) -> Self:
        """Each store of a value of it is reported, before it happens."""
        return self._add(TraceAccesses(TracedEvents.STORES), "trace_stores()")

    def trace_realizations(self) -> Self:
        """It is reported when its memory begins and ends to live, and when it is computed and used."""
        return self._add(TraceAccesses(TracedEvents.REALIZATIONS), "trace_realizations()")

    def trace_allocations(self) -> Self:
        """How many bytes it takes, and whether on the heap or the stack, is reported whenever its memory begins to
        live, and when that ends. An output uses the caller's memory, which is not reported."""
        return self._add(TraceAccesses(TracedEvents.ALLOCATIONS), "trace_allocations()")

    def add_trace_tag(self, trace_tag: str) -> Self:
        """A text that traced pipelines report when they begin."""
        text = f"add_trace_tag({trace_tag!r})"
        if not isinstance(trace_tag, str):
            raise self._mistyped(text, "the tag is no text", "a str")
        if "\0" in trace_tag:
            raise self._refused(text, "the tag has NUL characters", "a str without")
        return self._add(TraceTag(trace_tag), text)

    def debug_to_file(self, filename: str) -> None:
        """When its memory ends to live, what it holds is written to a file: one with `.npy` as NumPy's, with the axes
        reversed, any other as Halide's `.tmp`. Of a Func that is computed in a loop the last values stay."""
        text = f"debug_to_file({filename!r})"
        if not isinstance(filename, str):
            raise self._mistyped(text, "the name is no text", "a str")
        if "\0" in filename or filename.endswith((".tif", ".tiff", ".mat")):
            raise self._refused(text, "such files are not written", "a name with .npy, or with .tmp")
        self._nest()
        function = self._contents.defined_function
        if len(function.dtypes) > 1 or not is_dumpable(function.dtypes[0], function.rank, filename):
            values = ", ".join(map(str, function.dtypes))
            reason = f"{function.name} has {function.rank} dimensions and values of type {values}"
            raise self._refused(text, reason, "one value; .npy for numbers, .tmp for 4 dimensions and 8 to 64 bits")
        self._add(DebugToFile(filename), text)
