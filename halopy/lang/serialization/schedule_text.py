"""A schedule as a Python function that gives the same directives.

    def schedule(f, g):
        x, xi = hl.Var("x"), hl.Var("xi")
        f.split(x, x, xi, 8)
        g.compute_at(f, x)

Names become identifiers and texts become literals, so whatever a document names, the text says nothing else.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Any

from ...ir.expr import Expr
from ...ir.refs import FunctionRef
from ...schedule import directives as d
from .directive_text import call_text
from .document import Json
from .schedules import Names, StageRows, WrapperName, func_rows, makers_first, stand_in
from .size_text import size_text


def python_text(content: Mapping[str, Json]) -> str:
    """The text. Raises SerializationError where a directive has no Python form."""
    return _Text(Names(content, stand_in)).whole()


def directive_lines(content: Mapping[str, Json]) -> list[str]:
    """The directives alone, a line for each."""
    text = _Text(Names(content, stand_in))
    text.write()
    return text.lines


class _Text:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.taken = {"hl", "schedule"}
        self.refs: dict[Any, str] = {}
        self.loops: dict[tuple[str, bool], str] = {}  # by name and whether it is an RVar
        self.lines: list[str] = []
        self.reduction: dict[str, bool] = {}  # which loops of the stage in hand are
        self.stages = dict(zip(names.tables["function"], names.funcs, strict=True))

    def whole(self) -> str:
        names = list(map(self.ref, self._arguments()))
        self.write()
        variables = [f"{text} = hl.{'RVar' if r else 'Var'}({name!a})" for (name, r), text in self.loops.items()]
        head = ["import halopy as hl", "", "", f"def schedule({', '.join(names)}):"]
        body = [*variables, *self.lines] or ["pass"]
        return "\n".join([*head, *(f"    {line}" for line in body)]) + "\n"

    def _arguments(self) -> list[Any]:
        """What the function is given: all Funcs that it does not make, and inputs."""
        made = {record.wrapper for record in self.names.wrappers()}
        made |= {ref for ref, func in self.stages.items() if func.is_intermediate}
        funcs, images, scalars = (self.names.tables[table] for table in ("function", "image", "scalar"))
        return [*(f for f in funcs if f not in made), *(image for image in images if image.output is None), *scalars]

    def write(self) -> None:
        """One line for each directive."""
        for record in self.names.wrappers():
            self._wrap(record)
        rows, refs = self.names.schedules(), self.names.tables["function"]
        for at in makers_first(self.names.funcs, rows):
            ref, (stages, whole) = refs[at], func_rows(rows[at], self.names)
            for number, stage in enumerate(stages):
                loops = self.stages[ref].loops[number : number + 1]
                self.reduction = {loop.name: loop.is_reduction for stage_loops in loops for loop in stage_loops}
                self._stage(self.ref(ref) if number == 0 else f"{self.ref(ref)}.update({number - 1})", stage)
            for directive in whole:
                self.lines.append(f"{self.ref(ref)}.{call_text(directive.action, self)}")

    def _wrap(self, record: WrapperName) -> None:
        verb = "clone_in" if record.is_clone else "in_"
        consumers = record.consumers
        given = "" if consumers is None else self.ref(consumers[0]) if len(consumers) == 1 else self._list(consumers)
        self.lines.append(f"{self.ref(record.wrapper)} = {self.ref(record.of)}.{verb}({given})")

    def _list(self, refs: tuple[FunctionRef, ...]) -> str:
        return f"[{', '.join(map(self.ref, refs))}]"

    def _stage(self, on: str, stage: StageRows) -> None:
        for directive, version in stage.directives:
            self._follow(directive.action)
            call = call_text(directive.action, self)
            if isinstance(directive.action, d.Rfactor):
                self.lines.append(f"{self.ref(directive.action.intermediate)} = {on}.{call}")
                continue
            if isinstance(directive.action, d.Specialize) and version is not None:
                name, loops = self._identifier("version"), dict(self.reduction)
                self.lines.append(f"{name} = {on}.{call}")
                self._stage(name, version)
                self.reduction = loops
                continue
            self.lines.append(f"{on}.{call}")
        if stage.is_left_alone and ".update(" in on:
            self.lines.append(f"{on}.unscheduled()")

    def _follow(self, action: Any) -> None:
        """What the loops are that a directive made."""
        if isinstance(action, d.Split):
            self.reduction |= dict.fromkeys((action.outer, action.inner), self.reduction.get(action.old, False))
        elif isinstance(action, d.Fuse):
            self.reduction[action.fused] = any(self.reduction.get(n, False) for n in (action.inner, action.outer))
        elif isinstance(action, d.Rename):
            self.reduction[action.new] = self.reduction.get(action.old, False)

    # -- how things are called: `directive_text.Scope` ---------------------------------------------------------------

    def loop(self, name: str) -> str:
        return self._variable(name, is_reduction=self.reduction.get(name, False))

    def arg(self, name: str) -> str:
        return self._variable(name, is_reduction=False)

    def size(self, e: Expr) -> str:
        return size_text(e, self.ref)

    def ref(self, ref: Any) -> str:
        output = getattr(ref, "output", None)
        if output is not None:
            return f"{self.ref(output[0])}.output_buffers()[{output[1]}]"
        if ref not in self.refs:
            self.refs[ref] = self._identifier(ref.name)
        return self.refs[ref]

    def place(self, level: d.LoopLevel) -> str:
        if level.func is None:
            return f"hl.LoopLevel.{'root' if level.is_root else 'inlined'}()"
        loop = self._variable(level.loop, is_reduction=False)  # where loops are only named, either sort will do
        if level.stage is None:
            return f"{self.ref(level.func)}, {loop}"
        return f"hl.LoopLevel({self.ref(level.func)}, {loop}, {level.stage})"

    def _variable(self, name: str, *, is_reduction: bool) -> str:
        key = (name, is_reduction)
        if key not in self.loops:
            self.loops[key] = self._identifier(name)
        return self.loops[key]

    def _identifier(self, name: str) -> str:
        base = re.sub(r"\W", "_", name.replace("$", "_"), flags=re.ASCII)[:40].lstrip("_0123456789") or "v"
        while keyword.iskeyword(base):
            base += "_"
        text = next(t for n in range(len(self.taken) + 1) if (t := f"{base}_{n}" if n else base) not in self.taken)
        self.taken.add(text)
        return text
