"""Which loops of which stages are one, as `compute_with` says.

    g.compute_with(f, y)                  for y:            owned by f, shared by f and g
    h.compute_with(g, x)       ->             for x:        of f
                                              for x:        owned by g, shared by g and h

A stage shares its outermost loops with its parent, which may share some of them with a parent of its own. Each loop
runs under the name of one of its stages, the owner: the one that is nobody's child so far out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..ir.program import Program
from .directives import Align, ComputeWith, Directive
from .nest import FuncSchedule

OUTERMOST = "__outermost"  # the level around all loops of a stage, but inside what computes it


class StageId(NamedTuple):
    """A stage of a Func of the program."""

    func: str
    stage: int

    def __str__(self) -> str:
        return f"{self.func}.update({self.stage - 1})" if self.stage else self.func


class OwnLoop(NamedTuple):
    """A loop of a stage, by the name it has there."""

    func: str
    stage: int
    loop: str


def shown(stage: StageId, program: Program) -> str:
    """The stage as the user writes it, of which it may be a version."""
    return str(StageId(stage.func, program.functions[stage.func].written_stage(stage.stage)))


@dataclass(frozen=True, slots=True)
class Fusion:
    """Stage `child` shares as many outermost loops with `parent` as there are `aligns`, the outermost first."""

    child: StageId
    parent: StageId
    aligns: tuple[Align, ...]
    directive: Directive

    @property
    def depth(self) -> int:
        return len(self.aligns)


def fused_nests(program: Program, schedules: Mapping[str, FuncSchedule]) -> FusedNests:
    """As the directives of a program say. They are legal: `check_fused_nests` ran."""
    fusions = {}
    for func in program.functions:
        for nest in schedules[func].nests:
            directive = nest.compute_with
            if directive is not None:
                child = StageId(func, nest.stage)
                fusions[child] = fusion_of(child, directive, program, schedules)
    return FusedNests(fusions, schedules)


def fusion_of(child: StageId, directive: Directive, program: Program, schedules: Mapping[str, FuncSchedule]) -> Fusion:
    """What one directive means."""
    action = directive.action
    assert isinstance(action, ComputeWith) and action.level.func is not None, "compute_with names a Func's loop"
    parent = StageId(program.names[action.level.func], action.level.stage or 0)
    loops = schedules[parent.func].nests[parent.stage].loop_names[::-1]
    depth = 0 if action.level.loop == OUTERMOST else loops.index(action.level.loop) + 1
    aligns = dict(action.align)
    return Fusion(child, parent, tuple(aligns.get(name, Align.NONE) for name in loops[:depth]), directive)


class FusedNests:
    """Answers which stage runs a loop, and in which order stages that share loops come in them."""

    def __init__(self, fusions: Mapping[StageId, Fusion], schedules: Mapping[str, FuncSchedule]) -> None:
        self.fusions = fusions
        self.schedules = schedules
        self.stages = list(dict.fromkeys(s for f in fusions.values() for s in (f.parent, f.child)))
        self._sharers: dict[OwnLoop, list[OwnLoop]] = {}
        for stage in self.stages:
            for loop in self.loops(stage):
                own = OwnLoop(*stage, loop)
                owner = self.owner(own)
                sharers = self._sharers.setdefault(owner, [owner])
                if own != owner:
                    sharers.append(own)

    def loops(self, stage: StageId) -> tuple[str, ...]:
        """Names of the stage's loops, the outermost first."""
        return self.schedules[stage.func].nests[stage.stage].loop_names[::-1]

    def owner(self, own: OwnLoop) -> OwnLoop:
        """The loop that runs in place of a stage's own one; itself where the stage does not share it."""
        stage = StageId(own.func, own.stage)
        if stage not in self.fusions:
            return own
        at = 0 if own.loop in ("", OUTERMOST) else self.loops(stage).index(own.loop)
        root = self.root(stage, at + 1)
        return OwnLoop(*root, own.loop if own.loop in ("", OUTERMOST) else self.loops(root)[at])

    def root(self, stage: StageId, depth: int = 0) -> StageId:
        """The stage in whose nest the outermost `depth` loops of a stage run."""
        while (fusion := self.fusions.get(stage)) is not None and fusion.depth >= depth:
            stage = fusion.parent
        return stage

    def sharers(self, owner: OwnLoop) -> Sequence[OwnLoop]:
        """All stages that share a loop, the owner first, by their own names of it."""
        return self._sharers.get(owner, (owner,))

    def depth(self, stage: StageId) -> int:
        """How many of the stage's outermost loops are shared with another stage."""
        shared = (len(self.sharers(self.owner(OwnLoop(*stage, loop)))) > 1 for loop in self.loops(stage))
        return sum(shared)

    def attached(self, stage: StageId, depth: int) -> list[StageId]:
        """The stages whose own loops follow at the end of a stage's nest of `depth` loops, in order."""
        return [
            child
            for child in self.in_order(self.root(stage))
            if (fusion := self.fusions.get(child)) is not None and fusion.depth == depth and self._host(fusion) == stage
        ]

    def _host(self, fusion: Fusion) -> StageId:
        """The stage that owns the innermost loop shared, or the whole nest where none is."""
        return self.root(fusion.parent, max(fusion.depth, 0))

    def cluster(self, root: StageId) -> list[StageId]:
        """All stages in the nest of a stage that is nobody's child."""
        return [root, *(s for s in self.stages if s != root and self.root(s) == root)]

    def in_order(self, root: StageId) -> list[StageId]:
        """A cluster, each stage after its parent and, where that is possible, after earlier stages of its Func."""
        left, done = self.cluster(root), list[StageId]()
        while left:
            ready = [s for s in left if s not in self.fusions or self.fusions[s].parent in done]
            first = [s for s in ready if not any(o.func == s.func and o.stage < s.stage for o in left)]
            done.append((first or ready)[0])
            left.remove(done[-1])
        return done

    def written_order(self, root: StageId) -> list[StageId]:
        """The stages of a cluster as their values follow each other in one iteration of all shared loops."""
        order = [root]
        for depth in range(len(self.loops(root)), -1, -1):
            for child in self.attached(root, depth):
                order.extend(self.written_order_of(child))
        return order

    def written_order_of(self, stage: StageId) -> list[StageId]:
        order = [stage]
        for depth in range(len(self.loops(stage)), self.fusions[stage].depth, -1):
            for child in self.attached(stage, depth):
                order.extend(self.written_order_of(child))
        return order

    def groups(self, functions: Iterable[str]) -> list[list[str]]:
        """The Funcs by which of them share loops, directly or through others."""
        group = {name: [name] for name in functions}
        for fusion in self.fusions.values():
            one, other = group[fusion.parent.func], group[fusion.child.func]
            if one is not other:
                one.extend(other)
                group.update(dict.fromkeys(other, one))
        return list({id(g): g for g in group.values()}.values())

    def parents_first(self, group: Sequence[str]) -> list[str]:
        """The Funcs of a group, those whose nests hold others' before these."""
        order = list(dict.fromkeys(s.func for root in self.nests_in_order(group) for s in self.written_order(root)))
        return [*order, *(f for f in group if f not in order)]

    def nests_in_order(self, funcs: Sequence[str]) -> list[StageId]:
        """The stages of a group's Funcs whose nests stand alone or hold others', in an order that keeps each Func's.

        A nest that can come nowhere is left out: `check_fused_nests` refuses such schedules.
        """
        left = [StageId(f, s) for f in funcs for s in range(len(self.schedules[f].nests))]
        roots = list(dict.fromkeys(self.root(s) for s in left))
        done: list[StageId] = []
        while roots:
            ready = [r for r in roots if self._is_next(r, left)]
            if not ready:
                break
            done.append(ready[0])
            roots.remove(ready[0])
            left = [s for s in left if self.root(s) != ready[0]]
        return done

    def _is_next(self, root: StageId, left: Sequence[StageId]) -> bool:
        inside = [s for s in left if self.root(s) == root]
        return not any(o.func == s.func and o.stage < s.stage and self.root(o) != root for s in inside for o in left)
