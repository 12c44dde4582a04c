"""Give the Funcs of a pipeline a schedule that was read: names are found, directives applied one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...ir.refs import FunctionRef, ImageRef
from .. import revision
from ..func_contents import FuncContents
from ..func_outputs import output_refs
from ..image_ref import ImageParamRef
from ..wrappers import Wrapping, wrapped
from .directives import read_stages, read_whole
from .document import Json
from .malformed import Malformed, inside
from .schedules import (
    FuncName,
    Names,
    ScalarName,
    Subject,
    WrapperName,
    initial_nests,
    is_clone_of,
    makers_first,
    name_of,
    stand_in,
)

_UNNAMED = re.compile(r"[frv]\d+(\$.*)?")  # names that nobody gave, which a fresh pipeline has otherwise


def apply_schedules(content: Mapping[str, Json], subject: Subject) -> None:
    """Give the Funcs this schedule in the place of theirs. Raises Malformed, changing nothing, if it does not fit."""
    with _kept_on_failure(subject) as before:
        _Application(content, subject, before).run()
    revision.changed()


_Kept = dict[Any, dict[FuncContents | None, Wrapping]]


@contextmanager
def _kept_on_failure(subject: Subject) -> Iterator[_Kept]:
    """The wrappers that there are; they and all schedules stay where the body fails."""
    wrappers: _Kept = {ref: dict(ref.wrappers) for ref in subject.wrapped}
    schedules = {
        ref: (list(ref.nests), list(ref.func_directives), ref.function, dict(ref.as_written)) for ref in subject.funcs
    }
    try:
        yield wrappers
    except BaseException:
        for ref, known in wrappers.items():
            ref.wrappers = known
        for ref, (nests, directives, function, as_written) in schedules.items():
            ref.nests, ref.func_directives, ref.function, ref.as_written = nests, directives, function, as_written
        raise


class _Application:
    """Finds Funcs, inputs and wrappers by name, and applies directive after directive."""

    def __init__(self, content: Mapping[str, Json], subject: Subject, before: _Kept) -> None:
        self.content, self.subject, self.before = content, subject, before
        self.found: dict[str, FuncContents] = {}

    def run(self) -> None:
        plain = Names(self.content, stand_in)
        wrappers = plain.wrappers()
        made = {record.wrapper.name for record in wrappers}
        own = {name: ref for ref, name in self.subject.algorithm.items() if not ref.is_intermediate}
        intermediate = [f.name for f in plain.funcs if f.is_intermediate]
        self.found = _matched([f.name for f in plain.funcs if f.name not in (*made, *intermediate)], own)
        self.found |= {name: self._intermediate(name) for name in intermediate}
        for ref in self.before:
            ref.wrappers = {}
        for at, record in enumerate(wrappers):
            with inside("wrappers", at):
                self.found[record.wrapper.name] = self._wrapper(record)
        names = Names(_renamed(self.content, plain.funcs, self.found), self._resolve)
        for ref in (*self.subject.funcs, *self.found.values()):
            _forget(ref)
        rows = names.schedules()
        for read, order in ((read_stages, makers_first(names.funcs, rows)), (read_whole, range(len(rows)))):
            for at in order:
                with inside("schedules", at):
                    read(names.tables["function"][at], rows[at], names)

    def _intermediate(self, name: str) -> FuncContents:
        """The Func that rfactor() made before, or one to be made."""
        known = {name: ref for ref, name in self.subject.algorithm.items() if ref.is_intermediate}
        made = known.get(name) or FuncContents(name)
        made.is_intermediate = True
        made.function = None
        return made

    def _resolve(self, record: Any, _: Names) -> Any:
        if isinstance(record, FuncName):
            if record.name not in self.found:
                raise Malformed(f"the pipeline has no Func `{record.name}`", accepted=", ".join(self.found))
            return self.found[record.name]
        if isinstance(record, ScalarName):
            return self._input("Param", record, {name: ref for ref, name in self.subject.scalars.items()})
        if record.output is None:
            return self._input("input", record, {name: ref for ref, name in self.subject.images.items()})
        func, element = record.output
        return _output(func, element)

    def _input(self, what: str, record: Any, known: Mapping[str, Any]) -> Any:
        ref = known.get(record.name)
        if ref is None or ref.dtype is not record.type or getattr(ref, "rank", 0) != getattr(record, "rank", 0):
            raise Malformed(
                f"the pipeline has no {what} `{record.name}` of type {record.type!r}", accepted=", ".join(known) or None
            )
        return ref

    def _wrapper(self, record: WrapperName) -> FuncContents:
        """The wrapper that there was for the same consumers, or a new one."""
        images = {name: image for image, name in self.subject.images.items()}
        ref: Any = (self.found if type(record.of) is FunctionRef else images).get(record.of.name)
        consumers = None if record.consumers is None else [self.found.get(c.name) for c in record.consumers]
        if not isinstance(ref, FuncContents | ImageParamRef) or (consumers and None in consumers):
            raise Malformed(f"the pipeline has not the Funcs or inputs of {record.text}")
        readers: list[Any] = [None] if consumers is None else consumers
        known = self.before.get(ref, {})
        same = {known[reader].wrapper for reader in readers if reader in known}
        if (
            len(same) == 1
            and all(r in known for r in readers)
            and is_clone_of(ref, one := same.pop()) is record.is_clone
        ):
            ref.wrappers |= {reader: known[reader] for reader in readers}
            return one
        return wrapped(ref, consumers, record.text, clone=record.is_clone)  # type: ignore[arg-type]  # none is None


def _forget(ref: FuncContents) -> None:
    """Nothing is said about the Func, and rfactor() has not changed it."""
    if ref.function is not None:
        ref.function, ref.as_written = ref.written_function, {}
        ref.nests = initial_nests(ref)
    ref.func_directives = []


def _output(func: Any, element: int) -> ImageRef:
    refs = output_refs(func)
    if not 0 <= element < len(refs):
        raise Malformed(f"Func `{func.name}` has no value {element}")
    return refs[element]


def _matched(names: Sequence[str], plain: Mapping[str, FuncContents]) -> dict[str, FuncContents]:
    """The Funcs by the names that the schedule has for them: the same, or the same place among those without names."""
    found = {name: plain[name] for name in names if name in plain}
    missing = [name for name in names if name not in plain]
    left = [name for name in plain if name not in names]
    unnamed = [[name for name in side if _UNNAMED.fullmatch(name)] for side in (missing, left)]
    if len(unnamed[0]) == len(unnamed[1]):
        found |= {old: plain[new] for old, new in zip(*unnamed, strict=True)}
    return found | {name: ref for name, ref in plain.items() if name not in found and ref not in found.values()}


def _renamed(
    content: Mapping[str, Json], funcs: Sequence[FuncName], found: Mapping[str, FuncContents]
) -> dict[str, Json]:
    """The content with loops that nobody named called as they are in these Funcs."""
    names: dict[str, str] = {}
    for func in funcs:
        if func.name in found and found[func.name].function is not None:
            for old, new in zip(func.loops, name_of(found[func.name], func.name).loops, strict=False):
                pairs = zip(old, new, strict=False)
                names |= {a.name: b.name for a, b in pairs if _UNNAMED.fullmatch(a.name) and _UNNAMED.fullmatch(b.name)}
    changed = {old: new for old, new in names.items() if old != new}
    return dict(content) | {"schedules": _with_names(content["schedules"], changed)} if changed else dict(content)


def _with_names(data: Json, names: Mapping[str, str]) -> Json:
    if isinstance(data, str):
        return names.get(data, data)
    if isinstance(data, list):
        return [_with_names(item, names) for item in data]
    return {key: _with_names(value, names) for key, value in data.items()} if isinstance(data, dict) else data
