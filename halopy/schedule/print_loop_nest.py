"""The loops of a scheduled program as pseudo-code.

store blur_x:
  produce blur_y:
    for y:
      produce blur_x:
        for x:
          blur_x(...) = ...
      consume blur_x:
        for x.x:
          vectorized x.xi in [0, 7]:
            blur_y(...) = ...
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from ..ir.expr import Const, Expr
from ..ir.program import Program
from ..ir.stmt import LoopKind
from .directives import Fuse, LoopStep, Rename, Skew, Split
from .fused_nests import OUTERMOST, OwnLoop, StageId
from .nest import Dim, FuncSchedule, StageNest
from .placement import Path, PathLoop, Placements, check_placements
from .side_by_side import side_by_side

Range: TypeAlias = "tuple[int, int] | None"  # min and extent of a loop, where both are constant
_INDENT = "  "


def loop_nest_text(program: Program, schedules: Mapping[str, FuncSchedule], single: Collection[PathLoop] = ()) -> str:
    """One line per loop, statement and place of computation or storage, each inside what encloses it.

    Loops known to run once (`single`) are left out. Raises IllegalSchedule where a place does not enclose all uses.
    """
    check_placements(program, schedules)
    return "\n".join(_LoopNests(program, schedules, single).lines()) + "\n"


class _LoopNests:
    def __init__(self, program: Program, schedules: Mapping[str, FuncSchedule], single: Collection[PathLoop]) -> None:
        self.schedules, self.single = schedules, single
        self.placements = Placements(program, schedules)
        groups = self.placements.fused.groups(program.functions)
        self.program = program = side_by_side(program, groups)
        order = list(program.functions).index
        self.groups = {name: sorted(group, key=order) for group in groups for name in group}
        # What is computed and what is stored just inside a path; producers first.
        self.computed: dict[Path, list[str]] = {}
        self.stored: dict[Path, list[str]] = {}
        for name in program.functions:
            if not self.placements.is_inlined(name) and name not in program.outputs:
                for place in self.placements.places(name):
                    self._enter(name, place)

    def _enter(self, name: str, place: Path) -> None:
        self.computed.setdefault(place, []).append(name)
        storage = self.placements.store_path(name, place)
        if storage != place and name not in self.stored.setdefault(storage, []):
            self.stored[storage].append(name)

    def lines(self) -> list[str]:
        outputs = [name for name in self.program.functions if name in self.program.outputs]
        lines = [line for name in outputs if name == self.groups[name][0] for line in self._produced(name, ())]
        return self._around((), lines)

    def _around(self, path: Path, body: list[str]) -> list[str]:
        """The body, inside all that is computed or stored here: producers outside their consumers."""
        here = [*self.computed.get(path, ()), *self.stored.get(path, ())]
        for name in sorted(here, key=list(self.program.functions).index, reverse=True):
            if name in self.stored.get(path, ()):
                body = [f"store {name}:", *_indented(body)]
            elif name == self.groups[name][0]:
                for func in reversed(self.placements.fused.parents_first(self.groups[name])):
                    body = [f"consume {func}:", *_indented(body)]
                body = [*self._produced(name, path), *body]
        return body

    def _produced(self, name: str, place: Path) -> list[str]:
        """The Func, with all that are computed with it."""
        fused = self.placements.fused
        body: list[str] = []
        for root in fused.nests_in_order(self.groups[name]):
            for stage in (root, *fused.attached(root, 0)):
                outer = (*place, PathLoop(*fused.owner(OwnLoop(*stage, OUTERMOST))))
                body += self._around(outer, self._inside(stage, 0, outer))
        for func in reversed(fused.parents_first(self.groups[name])):
            body = [f"produce {func}:", *_indented(body)]
        return body

    def _inside(self, stage: StageId, depth: int, path: Path) -> list[str]:
        """What runs inside the outermost `depth` loops of a stage, which the path ends with."""
        fused = self.placements.fused
        names = fused.loops(stage)
        if depth == len(names):
            return [f"{stage.func}(...) = ..."]
        owner = fused.owner(OwnLoop(*stage, names[depth]))
        path = (*path, PathLoop(*owner))
        inside = [stage, *fused.attached(stage, depth + 1)]
        body = self._around(path, [line for s in inside for line in self._inside(s, depth + 1, path)])
        header = self._loops(*stage)[names[depth]]
        if header is None or path[-1] in self.single:
            return body
        return [f"{header}:", *_indented(body)]

    def _loops(self, name: str, stage: int) -> dict[str, str | None]:
        """The line of each loop; None for loops of one iteration, which are none."""
        nest = self.schedules[name].nests[stage]
        shown = qualified_names(nest)
        loops = [d for d in nest.dims if d.kind is not LoopKind.EXTERN]
        ranges = self._ranges(name, stage, nest)
        fused = self.placements.fused
        for dim in loops:
            if len(fused.sharers(OwnLoop(name, stage, dim.name))) > 1:
                *outer, last = shown[dim.name].split(".")
                shown[dim.name] = ".".join((*outer, "fused", last))
                ranges.pop(dim.name, None)  # of this stage alone
        return {d.name: _line(d, shown[d.name], ranges.get(d.name)) for d in loops}

    def _ranges(self, name: str, stage: int, nest: StageNest) -> dict[str, Range]:
        known: dict[str, Range] = {}
        domain = self.program.functions[name].definitions[stage].rdom
        for v in domain.vars if domain else ():
            known[v.name] = _constant(v.min, v.extent)
        for bound in self.schedules[name].bounds:
            if bound.min is not None:
                known[bound.arg] = _constant(bound.min, bound.extent)
        for step in nest.steps:
            _follow(known, step)
        return known


def _follow(known: dict[str, Range], step: LoopStep) -> None:
    """The ranges of the loops that a step makes."""
    if isinstance(step, Rename):
        known[step.new] = known.pop(step.old, None)
    elif isinstance(step, Skew):
        known[step.loop] = _skewed(known.get(step.loop), known.get(step.by), step.factor)
    elif isinstance(step, Fuse):
        inner, outer = known.pop(step.inner, None), known.pop(step.outer, None)
        known[step.fused] = None if inner is None or outer is None else (0, inner[1] * outer[1])
    else:
        old = known.pop(step.old, None)
        factor = step.factor.value if isinstance(step.factor, Const) else None
        known[step.inner] = None if factor is None else (0, int(factor))
        known[step.outer] = None if factor is None or old is None else (0, -(-old[1] // int(factor)))


def _skewed(old: Range, by: Range, factor: int) -> Range:
    if old is None or by is None:
        return None
    ends = [factor * by[0], factor * (by[0] + by[1] - 1)]
    return old[0] + min(ends), old[1] + max(ends) - min(ends)


def _constant(low: Expr, extent: Expr) -> Range:
    return (int(low.value), int(extent.value)) if isinstance(low, Const) and isinstance(extent, Const) else None


def qualified_names(nest: StageNest) -> dict[str, str]:
    """Each loop's name after the names of the loops it was split from: `x.xo.xi`."""
    full: dict[str, str] = {}

    def take(name: str) -> str:
        return full.pop(name, name.split("$")[0])

    for step in nest.steps:
        if isinstance(step, Split):
            old = take(step.old)
            full[step.inner], full[step.outer] = f"{old}.{_short(step.inner)}", f"{old}.{_short(step.outer)}"
        elif isinstance(step, Rename):
            full[step.new] = f"{take(step.old)}.{_short(step.new)}"
        elif isinstance(step, Fuse):
            inner, _ = take(step.inner), take(step.outer)
            full[step.fused] = f"{inner}.{_short(step.fused)}"
    return {name: full.get(name, name.split("$")[0]) for name in nest.loop_names}


def _short(name: str) -> str:
    """Without what makes a reduction variable or an unnamed loop unique."""
    return name.rsplit(".", 1)[-1].split("$")[0]


def _line(dim: Dim, name: str, known: Range) -> str | None:
    kind, device = dim.kind.value, f"<{dim.device}>" if dim.device else ""
    if known is None:
        return f"{kind} {name}{device}"
    low, extent = known
    return None if extent == 1 else f"{kind} {name} in [{low}, {low + extent - 1}]{device}"


def _indented(lines: list[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)
