"""Where each Func is computed and stored in the loops of others; refuses places that do not enclose every use.

A path is the list of loops around a point of the program, outermost first. A Func that is inlined is
evaluated wherever its consumers are, so its own reads happen there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import IllegalSchedule
from ..ir.function import Definition
from ..ir.program import Program, reads
from ..ir.stmt import LoopKind
from .check_fused_nests import check_fused_nests, check_same_places
from .directives import ROOT, ComputeAt, Directive, LoopLevel, Specialize, SpecializeFail, StoreAt
from .extern_stages import check_extern_places
from .fused_nests import OUTERMOST, OwnLoop, fused_nests
from .misplaced import Misplaced, with_place
from .nest import FuncSchedule


@dataclass(frozen=True, slots=True)
class PathLoop:
    """A loop of a stage of a Func, as part of a path."""

    func: str
    stage: int
    loop: str


Path: TypeAlias = tuple[PathLoop, ...]


class Placements:
    """Where the Funcs of a program are used, computed and stored. Assumes a legal schedule, unless `check` ran."""

    def __init__(self, program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
        self.program = program
        self.schedules = schedules
        self.fused = fused_nests(program, schedules)
        self._users = _users(program)
        self._uses: dict[str, tuple[Path, ...]] = {}
        self._places: dict[str, tuple[Path, ...]] = {}
        # Consumers first, so that where they are computed is known.
        for name in reversed(list(program.functions)):
            self._uses[name] = self._find_uses(name)
            self._places[name] = self._find_places(name)

    def uses(self, name: str) -> tuple[Path, ...]:
        """The loops around each place where the Func is read."""
        return self._uses[name]

    def places(self, name: str) -> tuple[Path, ...]:
        """The loops around each place where the Func is computed; for an inlined Func, where it is evaluated."""
        return self._places[name]

    def is_inlined(self, name: str) -> bool:
        """Whether the Func is substituted into its consumers. One with updates never is."""
        return (
            name not in self.program.outputs
            and self.schedules[name].compute_level.is_inlined
            and not self.program.functions[name].updates
        )

    def store_path(self, name: str, place: Path) -> Path:
        """The loops around the storage of the Func that is computed at `place`."""
        if name in self.program.outputs:
            return ()
        level = self.schedules[name].store_level
        return place if level.is_inlined else self.part_up_to(level, place) or ()

    def stage_path(self, name: str, stage: int, place: Path) -> Path:
        """The loops around the values of a stage that is computed at `place`."""
        loops = (OUTERMOST, *reversed(self.schedules[name].nests[stage].loop_names))
        return (*place, *(PathLoop(*self.fused.owner(OwnLoop(name, stage, loop))) for loop in loops))

    def part_up_to(self, level: LoopLevel, path: Path) -> Path | None:
        """The part of the path that reaches into the level; None where the level is not on it."""
        if level.is_root:
            return ()
        func = None if level.func is None else self.program.names.get(level.func)
        for at, loop in enumerate(path):
            for own in self.fused.sharers(OwnLoop(loop.func, loop.stage, loop.loop)):
                written = self.program.functions[own.func].written_stage(own.stage)
                if own.func == func and own.loop == level.loop and level.stage in (None, written):
                    return path[: at + 1]
        return None

    def written_stage(self, loop: PathLoop) -> int:
        """The stage that the loop belongs to, as the user counts."""
        return self.program.functions[loop.func].written_stage(loop.stage)

    def stage_name(self, loop: PathLoop) -> str:
        """The stage as the user writes it."""
        stage = self.written_stage(loop)
        return f"{loop.func}.update({stage - 1})" if stage else loop.func

    def _find_uses(self, name: str) -> tuple[Path, ...]:
        found: dict[Path, None] = {}
        for user, stage in self._users[name]:
            if self.is_inlined(user):
                found.update(dict.fromkeys(self._uses[user]))
            else:
                found.update((self.stage_path(user, stage, place), None) for place in self._places[user])
        return tuple(found)

    def _find_places(self, name: str) -> tuple[Path, ...]:
        level = self.schedules[name].compute_level
        if name in self.program.outputs or level.is_root:
            return ((),)
        if level.is_inlined:
            return self._uses[name]
        parts = (self.part_up_to(level, use) for use in self._uses[name])
        return tuple(dict.fromkeys(part for part in parts if part is not None))


def check_placements(program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    """Raises IllegalSchedule where a Func is computed or stored at a place that does not enclose all its uses."""
    try:
        _check_all(program, schedules)
    except Misplaced as refusal:
        raise with_place(refusal, program, schedules, lambda moved: _check_all(program, moved)) from None


def _check_all(program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    check_fused_nests(program, schedules)
    placements = Placements(program, schedules)
    check_same_places(placements.fused, placements.places)
    for name in reversed(list(program.functions)):
        if name not in program.outputs:
            _check(name, placements)
    check_extern_places(placements)


def _check(name: str, placements: Placements) -> None:
    schedule = placements.schedules[name]
    compute, store = schedule.last(ComputeAt), schedule.last(StoreAt)
    level = schedule.compute_level
    if level.is_inlined:
        if store is not None and isinstance(store.action, StoreAt) and not store.action.level.is_inlined:
            raise _illegal(name, store, placements, [f"{name} is inlined, so it has no storage"])
        _check_versions(name, placements)
        return
    assert compute is not None, "a place was given by a directive"
    for use in placements.uses(name):
        if placements.part_up_to(level, use) is None:
            raise _illegal(name, compute, placements, _outside(name, level, use, placements))
    for place in placements.places(name):
        _check_store(name, store or compute, place, placements)


def _check_versions(name: str, placements: Placements) -> None:
    """What is substituted into its consumers has no loops of its own, so no versions of them."""
    directives = (d for nest in placements.schedules[name].nests for d in nest.directives)
    directive = next((d for d in directives if isinstance(d.action, Specialize | SpecializeFail)), None)
    if placements.is_inlined(name) and directive is not None:
        raise _illegal(name, directive, placements, [f"{name} is inlined, so it has no loops to specialize"])


def _outside(name: str, level: LoopLevel, use: Path, placements: Placements) -> list[str]:
    """Why a use is not inside the level."""
    func = placements.program.names.get(level.func) if level.func is not None else None
    if func is None:
        other = level.func.name if level.func is not None else "?"
        return [f"the pipeline does not use `{other}`"]
    nests = placements.schedules[func].nests
    stages = [nest.stage for nest in nests if level.loop in (*nest.loop_names, OUTERMOST)]
    if any(nest.dim(level.loop) is not None for nest in nests if nest.stage not in stages):
        return [f"the function that computes {func} runs over `{level.loop}`: it is no loop here"]
    if not stages:
        return [f"{func} has no loop `{level.loop}`"]
    if placements.is_inlined(func):
        return [f"{func} is inlined, so it has no loops of its own"]
    reader = placements.stage_name(use[-1]) if use else "the caller"
    wheres = {placements.stage_name(PathLoop(func, stage, level.loop)) for stage in stages}
    where = wheres.pop() if len(wheres) == 1 else func
    also = "also " if any(placements.part_up_to(level, u) is not None for u in placements.uses(name)) else ""
    return [f"{name} is {also}read by `{reader}`, outside loop {where}.{level.loop}"]


def _check_store(name: str, directive: Directive, place: Path, placements: Placements) -> None:
    part = placements.part_up_to(placements.schedules[name].store_level, place)
    if part is None:
        reason = [f"{name} is computed outside that loop, so its storage would not live long enough"]
        raise _illegal_storage(name, directive, reason, place, placements, is_root_legal=True)
    for depth in range(len(part), len(place)):
        loop = place[depth]
        dim = placements.schedules[loop.func].nests[loop.stage].dim(loop.loop)
        if dim is not None and dim.kind in (LoopKind.PARALLEL, LoopKind.VECTORIZED):
            reason = [
                f"{name} is stored outside the {dim.kind.value} loop {loop.func}.{loop.loop}, but computed inside",
                "its iterations run at the same time and would overwrite each other's values",
            ]
            raise _illegal_storage(name, directive, reason, place[depth:], placements)


def _illegal_storage(
    name: str, directive: Directive, reason: list[str], path: Path, placements: Placements, is_root_legal: bool = False
) -> IllegalSchedule:
    places = [*(["root"] if is_root_legal else []), *shown_path(path, placements)]
    levels = [*([ROOT] if is_root_legal else []), *levels_of(path, placements)]
    return Misplaced(name, directive, reason, f"{name} stored at {' or '.join(places)}", levels)


def levels_of(path: Path, placements: Placements) -> list[LoopLevel]:
    """The loops of a path as places that a directive can name."""
    refs = {name: ref for ref, name in placements.program.names.items()}
    return [LoopLevel(refs[p.func], p.loop) for p in path if p.loop != OUTERMOST and p.func in refs]


def shown_path(path: Path, placements: Placements) -> list[str]:
    """Levels as messages name them."""
    return [f"{placements.stage_name(loop)}.{loop.loop}" for loop in path if loop.loop != OUTERMOST]


def _illegal(name: str, directive: Directive, placements: Placements, reason: list[str]) -> IllegalSchedule:
    accepted = ", ".join(legal_places(name, placements))
    levels = [*reversed(levels_of(_shared_loops(name, placements), placements)), ROOT]
    is_place = isinstance(directive.action, ComputeAt) and not directive.action.level.is_inlined
    return Misplaced(name, directive, reason, accepted, levels if is_place else [])


def legal_places(name: str, placements: Placements) -> list[str]:
    """What may be said about the Func instead, outermost place first."""
    uses = placements.uses(name)
    legal = ["root"]
    for loop in _shared_loops(name, placements):
        level = loop.func, loop.loop
        stages = {placements.stage_name(o) for use in uses for o in use if (o.func, o.loop) == level}
        legal.append(f"{stages.pop() if len(stages) == 1 else loop.func}.{loop.loop}")
    return [*legal, "inline"]


def _shared_loops(name: str, placements: Placements) -> Path:
    """The loops around all uses of the Func, the outermost first."""
    uses = placements.uses(name)
    shared = [{(loop.func, loop.loop) for loop in use} for use in uses]
    around = uses[0] if uses else ()
    return tuple(p for p in around if p.loop != OUTERMOST and all((p.func, p.loop) in use for use in shared))


def _users(program: Program) -> dict[str, list[tuple[str, int]]]:
    """For every Func the stages of other Funcs that read it."""
    users: dict[str, list[tuple[str, int]]] = {name: [] for name in program.functions}
    for name, function in program.functions.items():
        for stage, definition in enumerate(function.definitions):
            for producer in _producers(definition):
                if producer != name and producer in users:
                    users[producer].append((name, stage))
    return users


def _producers(definition: Definition) -> dict[str, None]:
    roots = [*definition.index, *definition.values]
    domain = definition.rdom
    if domain is not None:
        roots += [e for v in domain.vars for e in (v.min, v.extent)]
        roots += [] if domain.predicate is None else [domain.predicate]
    return {read.name: None for root in roots for read in reads(root)}
