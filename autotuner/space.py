"""What can be chosen for a pipeline's Funcs, such that halopy refuses nothing of it.

A Func may be computed at the root, or at any loop inside which all who read it are: of those, further in means less
memory and, where it does not slide, more work. Which loops there are depends on what was chosen for its consumers, so
these come first. What an update allows is asked of halopy, which has the proof: what it refuses is not chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import halopy as hl
from autotuner.plan import GUARD, INLINE, ROOT, ROUND_UP, SHIFT, FuncPlan, Plan, StagePlan, apply_stage, loops_of
from autotuner.subject import Built, Size

_INLINED = 128  # reads that may come of one element, after inlining
_WIDTHS = (8, 16, 32, 64, 128, 256)
_HEIGHTS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 40, 48, 60, 64, 96, 128)
_FEW = (2, 3, 4, 6, 8)
_SMALL = 4  # elements of a dimension that may be taken as fixed

Path = tuple[tuple[str, str], ...]  # loops from the outermost, each with its Func


@dataclass(frozen=True)
class Shape:
    """What must be known of a Func: its dimensions, those of each stage, its lanes, and whether it can be inlined."""

    args: tuple[str, ...]
    stages: tuple[tuple[str, ...], ...]
    reductions: tuple[frozenset[str], ...]
    lanes: int
    is_output: bool
    can_inline: bool
    extents: Mapping[str, int]  # of outputs


class Space:
    """The plans of the pipeline that is built. `size` is the smallest that is expected of its outputs.

    `widens` says that Funcs may be computed beyond what is asked for, as inputs are clamped. Funcs without a name of
    their own are left as they are: inlined.
    """

    def __init__(self, build: Callable[[Size], Built], size: Size, *, widens: bool = False) -> None:
        self.widens = widens
        self.built = built = build(size)
        self._known: dict[tuple[str, int, str], StagePlan] = {}
        self.reads = built.pipeline.reads()
        named = self.reads.keys() & build(size).pipeline.reads().keys()  # others get new names each time: f0, f1...
        self.names = [name for name in reversed(self.reads) if name in named]  # consumers first
        outputs = {func.name() for func in built.pipeline.outputs()}
        self.shapes = {n: _shape(built.funcs[n], n in outputs, size) for n in self.reads}
        self.readers: dict[str, list[tuple[str, int]]] = {n: [] for n in self.reads}
        for reader, stages in self.reads.items():
            for at, read in enumerate(stages):
                for producer in read:
                    self.readers[producer].append((reader, at))

    # -- where -----------------------------------------------------------------------------------------------------

    def path(self, plan: Plan, name: str) -> Path:
        """The loops around the computation of a Func, which has been planned."""
        place = plan[name].place
        if isinstance(place, str):
            return ()
        consumer, loop = place
        return (*self.path(plan, consumer), *_outer(self.loops(plan, consumer, _stage_of(plan[consumer], loop)), loop))

    def loops(self, plan: Plan, name: str, stage: int) -> list[tuple[str, str]]:
        """The loops of a stage, the outermost first."""
        return [(name, loop) for loop in reversed(plan[name].stages[stage].order)]

    def uses(self, plan: Plan, name: str) -> list[tuple[str, int]]:
        """The stages in which a Func is read, be it in what is inlined there."""
        found: dict[tuple[str, int], None] = {}
        todo, seen = list(self.readers[name]), set()
        while todo:
            reader, stage = todo.pop()
            if reader not in plan or plan[reader].place == INLINE:
                if reader not in seen:
                    seen.add(reader)
                    todo += self.readers[reader]
            else:
                found[reader, stage] = None
        return list(found)

    def levels(self, plan: Plan, name: str) -> Path:
        """The loops at which it may be computed, the outermost first."""
        common: Path | None = None
        for reader, stage in self.uses(plan, name):
            inside = self.path(plan, reader)
            if len(self.shapes[reader].stages) == 1:
                chosen = plan[reader].stages[stage]
                inner = [(r, loop) for r, loop in self.loops(plan, reader, stage) if loop != chosen.vector]
                inside = (*inside, *_until_vector(inner, chosen))
            common = inside if common is None else _together(common, inside)
        return common or ()

    def stores(self, plan: Plan, levels: Path, at: int) -> Path:
        """The loops at which it may be stored that is computed at level `at`: parallel loops are not between."""
        found = [levels[at]]
        for n in range(at, 0, -1):
            if self.is_parallel(plan, levels[n]):
                break
            found.append(levels[n - 1])
        return tuple(found)

    def is_parallel(self, plan: Plan, level: tuple[str, str]) -> bool:
        return any(level[1] in stage.parallel for stage in plan[level[0]].stages)

    def cost_inline(self, plan: Plan, name: str) -> int:
        """Reads that come of one element."""
        memo: dict[str, int] = {}

        def cost(func: str) -> int:
            if func not in memo:
                memo[func] = 1
                for stage in self.reads[func]:
                    for producer, times in stage.items():
                        inlined = producer not in plan or plan[producer].place == INLINE
                        memo[func] += times * (cost(producer) if inlined and self.shapes[producer].can_inline else 1)
            return memo[func]

        return cost(name)

    def can_inline(self, plan: Plan, name: str) -> bool:
        """Whether its readers would not get too long by it."""
        if not self.shapes[name].can_inline:
            return False
        trial = {**plan, name: FuncPlan(INLINE)}
        return all(self.cost_inline(trial, reader) <= _INLINED for reader, _ in self.uses(trial, name))

    # -- chosen by chance ------------------------------------------------------------------------------------------

    def random(self, random: Random) -> dict[str, FuncPlan]:
        """Any plan."""
        plan: dict[str, FuncPlan] = {}
        for name in self.names:
            plan[name] = self.random_func(plan, name, random)
        return plan

    def random_func(self, plan: Plan, name: str, random: Random) -> FuncPlan:
        """Anything that is possible for a Func whose consumers are planned."""
        shape = self.shapes[name]
        if shape.is_output:
            bounds = {d: n for d, n in shape.extents.items() if n <= _SMALL and random.random() < 0.5}
            return FuncPlan(ROOT, None, self.random_stages(name, random, outermost=True), bounds)
        kinds = ["at"] * 4 + ["root"] + (["inline"] * 2 if self.can_inline(plan, name) else [])
        kind = random.choice(kinds)
        levels = self.levels(plan, name)
        if kind == "inline":
            return FuncPlan(INLINE)
        if kind == "root" or not levels:
            return FuncPlan(ROOT, None, self.random_stages(name, random, outermost=True))
        at = random.randrange(len(levels))
        store = random.choice(self.stores(plan, levels, at)) if random.random() < 0.6 else levels[at]
        return FuncPlan(levels[at], store, self.random_stages(name, random, outermost=False))

    def random_stages(self, name: str, random: Random, *, outermost: bool) -> tuple[StagePlan, ...]:
        return tuple(self.random_stage(name, at, random, outermost) for at in range(len(self.shapes[name].stages)))

    def random_stage(self, name: str, at: int, random: Random, outermost: bool) -> StagePlan:
        """Any way to cut, order and run the loops of a stage."""
        shape = self.shapes[name]
        pure = [d for d in shape.stages[at] if d not in shape.reductions[at]]
        cuts: dict[str, tuple[int, ...]] = {}
        vector = unrolled = None
        if pure and pure[0] == shape.args[0] and random.random() < 0.9:
            cuts[pure[0]] = (shape.lanes * random.choice((1, 1, 1, 2)) // random.choice((1, 1, 1, 2)) or 1,)
            vector = loops_of(pure[0], at, cuts[pure[0]])[0]
            if outermost and random.random() < 0.3:
                cuts[pure[0]] = (*cuts[pure[0]], random.choice(_FEW))
        for d in pure[1:]:
            if random.random() < 0.35:
                cuts[d] = (random.choice(_FEW),)
                unrolled = loops_of(d, at, cuts[d])[0] if unrolled is None and random.random() < 0.7 else unrolled
            if outermost and random.random() < 0.6:
                cuts[d] = (*cuts.get(d, ()), random.choice(_HEIGHTS))
        cuts = {d: self.fitting(shape, d, c) for d, c in cuts.items()}
        cuts = {d: c for d, c in cuts.items() if c}
        loops = {d: loops_of(d, at, cuts.get(d, ())) for d in shape.stages[at]}
        order = _order(loops, vector, unrolled, random)
        known = set(order)
        parallel = self.random_parallel(shape, at, order, loops, vector, random) if outermost else ()
        return StagePlan(
            cuts,
            order,
            vector if vector in known and vector not in parallel else None,
            (unrolled,) if unrolled in known and unrolled not in parallel else (),
            parallel,
            random.choice(self.tails(shape, cuts)) if at == 0 else GUARD,
        )

    def tails(self, shape: Shape, cuts: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """What may be done where cuts do not divide. Outputs are known to be large enough to be shifted inwards."""
        if shape.is_output:
            return (GUARD, SHIFT) if cuts.keys() <= shape.extents.keys() else (GUARD,)
        return (GUARD, SHIFT, ROUND_UP) if self.widens else (GUARD,)

    def random_parallel(
        self,
        shape: Shape,
        at: int,
        order: Sequence[str],
        loops: Mapping[str, list[str]],
        vector: str | None,
        random: Random,
    ) -> tuple[str, ...]:
        """One of the outer loops, mostly."""
        pure = [loop for d, found in loops.items() if d not in shape.reductions[at] for loop in found[-1:]]
        outer = [loop for loop in reversed(order) if loop in pure and loop != vector]
        if not outer or random.random() < 0.05:
            return ()
        return (outer[0],) if len(outer) == 1 or random.random() < 0.7 else tuple(outer[:2])

    def fitting(self, shape: Shape, dimension: str, cuts: Sequence[int]) -> tuple[int, ...]:
        """The inner loops that fit into the extent, where that is known."""
        extent = shape.extents.get(dimension, math.inf)
        kept: list[int] = []
        for cut in cuts:
            if cut > 1 and math.prod(kept) * cut <= extent:
                kept.append(cut)
        return tuple(kept)

    # -- made possible ---------------------------------------------------------------------------------------------

    def repaired(self, plan: Plan) -> dict[str, FuncPlan]:
        """The plan with another place for each Func that cannot be where it is."""
        made: dict[str, FuncPlan] = {}
        for name in self.names:
            made[name] = self.repaired_one(made, name, plan[name])
        return made

    def repaired_one(self, made: Plan, name: str, chosen: FuncPlan) -> FuncPlan:
        """The same for one Func, whose consumers are planned."""
        if self.shapes[name].is_output:
            return replace(chosen, place=ROOT, store=None)
        if chosen.place == INLINE and self.can_inline(made, name):
            return chosen
        stages = chosen.stages or self.plain_stages(name)
        levels = self.levels(made, name)
        if chosen.place in levels:
            at = levels.index(chosen.place)  # type: ignore[arg-type]
            stores = self.stores(made, levels, at)
            store = chosen.store if chosen.store in stores else levels[at]
            return replace(chosen, stages=_serial(stages), store=store)
        if chosen.place == ROOT or not levels:
            return replace(chosen, place=ROOT, store=None, stages=stages)
        return replace(chosen, place=levels[-1], store=levels[-1], stages=_serial(stages))

    def wide(self) -> dict[str, FuncPlan]:
        """All at the root, in vectors and blocks that are rounded up."""
        made = {}
        for name in self.names:
            shape = self.shapes[name]
            plan = FuncPlan(ROOT, None, self.plain_stages(name))
            if not shape.is_output and shape.args:
                cuts = {d: (shape.lanes if n == 0 else 8,) for n, d in enumerate(shape.args[:2])}
                order = tuple(
                    loop for n in (0, 1) for d in shape.args for loop in loops_of(d, 0, cuts.get(d, ()))[n : n + 1]
                )
                plan = replace(plan, stages=(StagePlan(cuts, order, None, (), (), ROUND_UP), *plan.stages[1:]))
            made[name] = plan
        return self.accepted(made)

    def plain_stages(self, name: str) -> tuple[StagePlan, ...]:
        """Loops as they come, with vectors in the stages that have the densest dimension to themselves."""
        shape = self.shapes[name]
        made = []
        for at, dims in enumerate(shape.stages):
            cuts, vector = {}, None
            if shape.args and shape.args[0] in dims:
                cuts = {shape.args[0]: self.fitting(shape, shape.args[0], (shape.lanes,))}
                cuts = {d: c for d, c in cuts.items() if c}
            loops = {d: loops_of(d, at, cuts.get(d, ())) for d in dims}
            if cuts:
                vector = loops[shape.args[0]][0]
            flat = [loop for d in dims for loop in loops[d]]
            order = tuple(([vector] if vector else []) + [loop for loop in flat if loop != vector])
            made.append(StagePlan(cuts, order, vector, (), (), GUARD))
        return tuple(made)

    def accepted(self, plan: Plan) -> dict[str, FuncPlan]:
        """The plan without what halopy refuses about the loops of updates."""
        return {
            name: replace(chosen, stages=tuple(self._accepted(name, at, s) for at, s in enumerate(chosen.stages)))
            for name, chosen in plan.items()
        }

    def _accepted(self, name: str, at: int, stage: StagePlan) -> StagePlan:
        """The first of ever plainer plans that halopy takes."""
        if at == 0:
            return stage
        key = (name, at, repr(stage))
        if key not in self._known:
            plainer = [
                stage,
                replace(stage, parallel=()),
                replace(stage, parallel=(), unrolled=()),
                replace(stage, parallel=(), unrolled=(), vector=None),
            ]
            plain = StagePlan(order=self.shapes[name].stages[at])
            self._known[key] = next((each for each in plainer if self._is_accepted(name, at, each)), plain)
        return self._known[key]

    def _is_accepted(self, name: str, at: int, stage: StagePlan) -> bool:
        self.built.pipeline.apply_schedule(hl.Schedule())
        try:
            apply_stage(self.built.funcs[name], at, stage)
        except hl.HalideError:
            return False
        return True


def _shape(func: hl.Func, is_output: bool, size: Size) -> Shape:
    args = tuple(v.name() for v in func.args())
    stages, reductions = [args], [frozenset[str]()]
    for at in range(func.num_update_definitions()):
        inner = [f"${n}" for n in range(len(func.rvars(at)))]
        stages.append((*inner, *_pure_of_update(func, at)))
        reductions.append(frozenset(inner))
    lanes = min(hl.natural_vector_size(kind) for kind in func.types()) if func.types() else 1
    extents = dict(zip(args, size, strict=False)) if is_output else {}
    can_inline = not is_output and func.num_update_definitions() == 0 and not func.is_extern()
    return Shape(args, tuple(stages), tuple(reductions), lanes, is_output, can_inline, extents)


def _pure_of_update(func: hl.Func, at: int) -> list[str]:
    index = [str(expr) for expr in func.update_args(at)]  # <halopy.Expr of type int32: x>
    return [arg for arg, text in zip((v.name() for v in func.args()), index, strict=True) if text.endswith(f": {arg}>")]


def _order(loops: Mapping[str, list[str]], vector: str | None, unrolled: str | None, random: Random) -> tuple[str, ...]:
    """Rows or tiles, sometimes in another order; what is unrolled beside the vector, mostly."""
    given = list(loops)
    if random.random() < 0.25:
        random.shuffle(given)
    loops = {d: loops[d] for d in given}
    order = rowwise(loops, vector) if random.random() < 0.5 else tiled(loops, vector)
    if unrolled in order and random.random() < 0.7:
        order.remove(unrolled)
        order.insert(1 if vector in order else 0, unrolled)
    return tuple(order)


def rowwise(loops: Mapping[str, list[str]], vector: str | None) -> list[str]:
    """All loops of a dimension inside those of the next; the vector innermost. Innermost first, as always."""
    return _first([loop for found in loops.values() for loop in found], vector)


def tiled(loops: Mapping[str, list[str]], vector: str | None) -> list[str]:
    """The inner loops of all dimensions inside the outer ones."""
    depth = max((len(found) for found in loops.values()), default=0)
    layers = [[found[-1 - n] for found in loops.values() if len(found) > n] for n in range(depth)]
    return _first([loop for layer in reversed(layers) for loop in layer], vector)


def _first(order: Sequence[str], vector: str | None) -> list[str]:
    return [*(loop for loop in order if loop == vector), *(loop for loop in order if loop != vector)]


def _stage_of(plan: FuncPlan, loop: str) -> int:
    return next(at for at, stage in enumerate(plan.stages) if loop in stage.order)


def _outer(loops: Sequence[tuple[str, str]], loop: str) -> list[tuple[str, str]]:
    names = [name for _, name in loops]
    return list(loops[: names.index(loop) + 1])


def _until_vector(loops: Sequence[tuple[str, str]], chosen: StagePlan) -> list[tuple[str, str]]:
    """The loops outside of the vector's."""
    if chosen.vector is None:
        return list(loops)
    inside = chosen.order[: chosen.order.index(chosen.vector)]
    return [(func, loop) for func, loop in loops if loop not in inside]


def _together(a: Path, b: Path) -> Path:
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    return a[:same]


def _serial(stages: Sequence[StagePlan]) -> tuple[StagePlan, ...]:
    return tuple(replace(stage, parallel=()) for stage in stages)
