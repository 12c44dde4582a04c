"""Wrappers and clones: other Funcs that stand for a Func, or an input, where some consumers read it.

    g[x] = f[x] + 1; h[x] = f[x]        f.in_(g)         g reads f_in_g, which reads f; h still reads f
                                        f.in_()          all consumers read f_global_wrapper
                                        f.clone_in(g)    g reads f_clone_in_g, which computes what f computes

The definitions of consumers stay as they were written. Reads are redirected when a pipeline is read as a program
(`Redirected`), so nothing below knows of wrappers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import ScheduleError
from ..ir.expr import Expr, FuncAccess, ImageAccess, Var
from ..ir.function import Definition, Function
from ..ir.map_definitions import map_expressions
from ..ir.node import find
from ..ir.program import expressions
from ..ir.refs import FunctionRef, ImageRef
from ..ir.rewrite import Rewriter
from ..source import SourceLocation, caller
from . import revision
from .func_contents import FuncContents, freeze_called
from .image_ref import ImageParamRef


@dataclass(frozen=True, slots=True)
class Wrapping:
    """`wrapper` is read in the place of a Func; `text` is the directive as the user wrote it."""

    wrapper: FuncContents
    text: str
    location: SourceLocation


def wrapped(
    ref: FuncContents | ImageParamRef, consumers: Sequence[FuncContents] | None, text: str, *, clone: bool = False
) -> FuncContents:
    """The wrapper or clone of a Func or input for these consumers (None: for all), made when first asked for."""
    if consumers is not None and not consumers:
        raise _refused(text, "the list of consumers is empty", "one Func or more")
    if isinstance(ref, FuncContents) and ref.function is None:
        raise _refused(text, f"Func `{ref.name}` is not defined yet", "a Func that is defined")
    keys: list[FuncContents | None] = [None] if consumers is None else list(dict.fromkeys(consumers))
    if ref in keys:
        raise _refused(text, f"`{ref.name}` cannot wrap itself", "Funcs that read it")
    existing = ref.wrappers.get(keys[0])
    if existing is not None:
        _require_same(ref, keys, existing, text)
        return existing.wrapper
    for key in keys:
        if key in ref.wrappers:
            raise _refused(text, f"`{_shown(key)}` already has a wrapper of `{ref.name}`, `{_shown(keys[0])}` has none")
    wrapper = _clone_of(ref, text) if clone else _reader_of(ref)
    kind = ("clone" if clone else "wrapper") if len(keys) > 1 or consumers is None else "clone_in" if clone else "in"
    wrapper.name = _name(ref, keys[0] if kind in ("in", "clone_in") else None, kind, is_global=consumers is None)
    wrapper.frozen = True
    for key in keys:
        ref.wrappers[key] = Wrapping(wrapper, text, caller())
    revision.changed()
    return wrapper


def _require_same(
    ref: FuncContents | ImageParamRef, keys: Sequence[FuncContents | None], known: Wrapping, text: str
) -> None:
    """All the consumers share the wrapper, and nobody else does."""
    if keys == [None]:
        return
    for key in keys:
        if key not in ref.wrappers or ref.wrappers[key].wrapper is not known.wrapper:
            raise _refused(
                text, f"`{_shown(key)}` does not share the wrapper that `{_shown(keys[0])}` has, {known.text}"
            )
    for other, wrapping in ref.wrappers.items():
        if other not in keys and wrapping.wrapper is known.wrapper:
            raise _refused(text, f"`{_shown(other)}` shares the wrapper, {known.text}, but is not named", known.text)


def _shown(key: FuncContents | None) -> str:
    return "all" if key is None else key.name


def _name(ref: FuncContents | ImageParamRef, consumer: FuncContents | None, kind: str, *, is_global: bool) -> str:
    """As Halide names it: `f_in_g$0`, `f_wrapper$0`, `f_global_wrapper$0`."""
    base = re.sub(r"\$\d+$", "", ref.name) + ("_im" if isinstance(ref, ImageRef) else "")
    where = "" if consumer is None else "_" + re.sub(r"\$\d+$", "", consumer.name)
    return f"{base}_{'global_' if is_global else ''}{kind}{where}${len(ref.wrappers)}"


def _reader_of(ref: FuncContents | ImageParamRef) -> FuncContents:
    """A Func that only reads."""
    location = caller()
    contents = FuncContents(ref.name)
    if isinstance(ref, ImageRef):
        args = tuple(f"_{d}" for d in range(ref.rank))
        index = tuple(map(Var, args))
        definition = Definition(index, (ImageAccess(ref, index),), None, location)
        contents.set_function(Function(ref.name, args, (ref.dtype,), (definition,), location))
        return contents
    function = ref.defined_function
    index = tuple(map(Var, function.args))
    values = tuple(FuncAccess(ref, index, e, dtype) for e, dtype in enumerate(function.dtypes))
    definition = Definition(index, values, None, location)
    freeze_called(definition, contents)
    contents.set_function(Function(ref.name, function.args, function.dtypes, (definition,), location))
    return contents


def _clone_of(ref: FuncContents | ImageParamRef, text: str) -> FuncContents:
    """A Func of the same definition and, to begin with, the same schedule."""
    if isinstance(ref, ImageRef):
        raise _refused(text, f"the input `{ref.name}` is not computed, so it has no clones", f"{ref.name}.in_(...)")
    contents = FuncContents(ref.name)
    ref.frozen = True
    contents.function = map_expressions(ref.defined_function, _ReadsOf(ref, contents))
    contents.nests = list(ref.nests)
    contents.func_directives = list(ref.func_directives)
    return contents


def _refused(text: str, reason: str, accepted: str | None = None) -> ScheduleError:
    return ScheduleError(text, location=caller(), reason=[reason], accepted=accepted)


def is_plain_copy(function: Function) -> bool:
    """Whether each value is that of one other Func, or input, at the same place."""
    reads = [v for v in function.pure.values if isinstance(v, FuncAccess | ImageAccess)]
    if function.updates or len(reads) != len(function.dtypes) or len({read.ref for read in reads}) != 1:
        return False
    return all(read.index == function.pure.index for read in reads)


class _ReadsOf(Rewriter):
    """Reads of one Func become reads of another."""

    only = (FuncAccess,)

    def __init__(self, old: FuncContents, new: FuncContents) -> None:
        super().__init__()
        self.old, self.new = old, new

    def rewrite_FuncAccess(self, a: FuncAccess) -> Expr:
        return FuncAccess(self.new if a.ref is self.old else a.ref, tuple(map(self, a.index)), a.element, a.dtype)


class Redirected:
    """The definitions of Funcs with reads redirected to wrappers, each found once."""

    def __init__(self) -> None:
        self._functions: dict[FunctionRef, Function] = {}
        self._used: set[Wrapping] = set()

    def __call__(self, ref: FunctionRef) -> Function | None:
        """The definition as the pipeline has it; None while undefined."""
        if ref not in self._functions:
            if ref.function is None:
                return None
            is_wrapped = any(map(_wrappers, _read(ref.function)))
            self._functions[ref] = map_expressions(ref.function, _Redirect(self, ref)) if is_wrapped else ref.function
        return self._functions[ref]

    def wrapper(self, ref: FunctionRef | ImageRef, reader: FunctionRef) -> FunctionRef | None:
        """What the reader reads in the place of a Func or input; None where that is itself."""
        found: FunctionRef | None = None
        while (wrapping := _wrapping(ref, reader)) is not None:
            self._used.add(wrapping)
            ref = found = wrapping.wrapper
        return found

    def check(self, funcs: Sequence[FunctionRef], images: Sequence[ImageRef]) -> None:
        """Raises ScheduleError where a wrapper for a Func of the pipeline has nothing to stand for."""
        wrapped_refs: list[FunctionRef | ImageRef] = [*funcs, *images]
        for ref in wrapped_refs:
            for consumer, wrapping in _wrappers(ref).items():
                if consumer is not None and consumer in funcs and wrapping not in self._used:
                    raise ScheduleError(
                        wrapping.text,
                        location=wrapping.location,
                        reason=[f"{consumer.name} does not read {ref.name}, so the wrapper would never be used"],
                        accepted=f"a Func that reads {ref.name}",
                    )


def _wrappers(ref: FunctionRef | ImageRef) -> dict[FuncContents | None, Wrapping]:
    return ref.wrappers if isinstance(ref, FuncContents | ImageParamRef) else {}


def _read(function: Function) -> Iterator[FunctionRef | ImageRef]:
    """The Funcs and inputs that a definition reads as it was written."""
    for root in expressions(function):
        for node in find(root, FuncAccess, ImageAccess):
            assert isinstance(node, FuncAccess | ImageAccess), "only these are looked for"
            yield node.ref


def _wrapping(ref: FunctionRef | ImageRef, reader: FunctionRef) -> Wrapping | None:
    """The wrapper for this reader, or else the one for all. Wrappers themselves read what they wrap."""
    known = _wrappers(ref)
    if not known or reader is ref or any(w.wrapper is reader for w in known.values()):
        return known.get(reader) if isinstance(reader, FuncContents) else None
    found = known.get(reader) if isinstance(reader, FuncContents) else None
    return found if found is not None else known.get(None)


class _Redirect(Rewriter):
    """The reads of one Func, at the wrappers made for it."""

    only = (FuncAccess, ImageAccess)

    def __init__(self, redirected: Redirected, reader: FunctionRef) -> None:
        super().__init__()
        self.redirected, self.reader = redirected, reader

    def rewrite_FuncAccess(self, a: FuncAccess) -> Expr:
        other = self.redirected.wrapper(a.ref, self.reader)
        return FuncAccess(other or a.ref, tuple(map(self, a.index)), a.element, a.dtype)

    def rewrite_ImageAccess(self, a: ImageAccess) -> Expr:
        index = tuple(map(self, a.index))
        other = self.redirected.wrapper(a.ref, self.reader)
        return ImageAccess(a.ref, index) if other is None else FuncAccess(other, index, 0, a.dtype)
