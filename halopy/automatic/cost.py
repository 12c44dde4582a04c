"""How long a scheduled pipeline is expected to run, with all that this is made of, as data. Nothing is run.

Each nest at the root takes as long as what limits it: its arithmetic, or its way from one of the caches or from memory;
the rest overlaps with that, but for a share. Trip counts are exact; what they cost is a model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..instrument import timed
from ..ir.program import Program
from ..ir.stmt import LoopKind
from ..lower.loops import Loops
from ..recursion import deep_recursion
from .boxes import Boxes, points
from .estimates import Estimates, Expected
from .footprints import Site, Touched, Work, footprints
from .limits import Limits
from .operations import operations, widest
from .trip_counts import Counts, instance, trip_counts

_OVERLAP = 0.3  # of what is not the limit still adds to the time
_ITERATION, _ENTRY = 1.0, 8.0  # operations in the time that a loop takes for an iteration, and to begin
_REGISTERS = 32
_SPARSE = 1 / 2  # of lanes that lie apart, each costs as much as this many whole registers


@dataclass(frozen=True, slots=True)
class LoopCost:
    """`entered` and `iterations` are exact. Bytes are touched in one run and in one iteration; `operations` of a whole
    run of the pipeline, in whole registers; `traffic` from behind each cache, nearest first."""

    name: str
    kind: str
    depth: int
    entered: int
    iterations: int
    run_bytes: int
    iteration_bytes: int
    operations: float
    traffic: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageCost:
    """Executions of a stage's statement, `needed` if each were done once, its reads and writes; all exact.

    `lanes` are computed at once, of which `efficiency` are useful work of a register.
    """

    func: str
    stage: int
    executions: int
    needed: int
    operations: int
    reads: int
    writes: int
    lanes: int
    efficiency: float

    @property
    def recomputed(self) -> float:
        """How often each value is computed."""
        return self.executions / self.needed if self.needed else 1.0


@dataclass(frozen=True, slots=True)
class NestCost:
    """One nest at the root: seconds by what could limit it."""

    name: str
    seconds: float
    arithmetic: float
    caches: tuple[float, ...]
    speedup: float


@dataclass(frozen=True, slots=True)
class Cost:
    """The expected `seconds`, and what they are made of. `exact` unless data decides what runs."""

    seconds: float
    nests: tuple[NestCost, ...]
    loops: tuple[LoopCost, ...]
    stages: tuple[StageCost, ...]
    storage: Mapping[str, tuple[int, int]]
    exact: bool


def predicted_cost(loops: Loops, estimates: Estimates, limits: Limits) -> Cost:
    """The cost of finished loops at the sizes expected. Raises ScheduleError where an estimate is missing."""
    with timed("predicted_cost"), deep_recursion():
        placed = loops.placement.program
        known = {name: int(value) for name, value in estimates.items() if isinstance(value, int)}
        boxes = Boxes(placed, Expected(placed, estimates))
        counts = trip_counts(loops.folded, known)
        orders = {n: s.storage_order(placed.functions[n].args) for n, s in loops.placement.schedules.items()}
        dense = {n: placed.functions[n].args.index(order[0]) for n, order in orders.items() if order}
        touched = footprints(loops.unfolded, placed, known, counts.stored, dense)
        return _Costs(placed, boxes, counts, limits, touched, dense).total()


class _Costs:
    def __init__(
        self,
        program: Program,
        boxes: Boxes,
        counts: Counts,
        limits: Limits,
        touched: Touched,
        dense: Mapping[str, int],
    ) -> None:
        self.program, self.boxes, self.counts, self.limits, self.touched = program, boxes, counts, limits, touched
        self.dense = dense

    def total(self) -> Cost:
        nests = tuple(self.nest(node) for node in self.touched.inside)
        return Cost(
            sum(n.seconds for n in nests),
            nests,
            tuple(self.loop(node) for top in self.touched.inside for node in _all(top)),
            tuple(self.stage(work) for top in _all(self.touched) for work in top.work),
            self.counts.stored,
            self.counts.exact,
        )

    def nest(self, top: Touched) -> NestCost:
        assert top.loop is not None, "a nest begins with a loop"
        speedup, forks = self.speedup(top)
        arithmetic = self.register_operations(top) / self.limits.operations_per_second / speedup
        caches = []
        for level, cache in enumerate(self.limits.caches):
            is_last = level == len(self.limits.caches) - 1
            room = cache.size / speedup if is_last else cache.size
            whole = self.limits.memory_bytes_per_second if is_last and speedup > 1 else cache.bytes_per_second * speedup
            caches.append(self.outside(top, room) * self.counts.entered[top.loop.name] / whole)
        parts = (arithmetic, *caches)
        slowest = max(parts)
        seconds = slowest + _OVERLAP * (sum(parts) - slowest) + forks * self.limits.fork_seconds
        return NestCost(top.loop.name, seconds, arithmetic, tuple(caches), speedup)

    def speedup(self, top: Touched) -> tuple[float, int]:
        """Of the threads that a nest keeps busy, and how often a parallel loop begins."""
        best, forks = 1.0, 0
        for node in _all(top):
            if node.loop is not None and node.loop.kind is LoopKind.PARALLEL:
                entered, iterations = self.counts.entered[node.loop.name], self.counts.iterations[node.loop.name]
                tasks = iterations / max(1, entered)
                inner = tasks / math.ceil(tasks / self.limits.threads) if tasks else 1.0
                best, forks = max(best, inner), forks + entered
        return best, forks

    def outside(self, top: Touched, room: float) -> float:
        """Bytes from behind a cache with so much room, in one run of a loop; of what stays from nest to nest, none."""
        if sum(self.touched.iteration.values()) <= room:
            return 0
        return sum(n for name, n in self.traffic(top, room).items() if not self.stays(name, room))

    def stays(self, name: str, room: float) -> bool:
        return self.touched.iteration.get(name, 0) <= room / 4

    def traffic(self, node: Touched, room: float) -> dict[str, float]:
        """By buffer, bytes that come from behind a cache in one run of a loop."""
        if sum(node.run.values()) <= room or sum(node.iteration.values()) <= room or node.loop is None:
            return {name: float(n) for name, n in node.run.items()}
        trips = self.counts.iterations[node.loop.name] / max(1, self.counts.entered[node.loop.name])
        found: dict[str, float] = {}
        for child in node.inside:
            assert child.loop is not None, "only the root is no loop"
            times = trips * self.counts.entered[child.loop.name] / max(1, self.counts.iterations[node.loop.name])
            for name, n in self.traffic(child, room).items():
                found[name] = found.get(name, 0.0) + n * times
        for work in node.work:
            for site in work.sites:
                found[site.buffer] = found.get(site.buffer, 0.0) + site.element_bytes * trips
        return found

    def register_operations(self, top: Touched) -> float:
        """What a nest computes, loads, stores and steps, in operations on whole registers."""
        total = 0.0
        for node in _all(top):
            total += sum(self.of_work(work) for work in node.work)
            if node.loop is not None and node.loop.kind in (LoopKind.SERIAL, LoopKind.PARALLEL):
                name = node.loop.name
                total += _ITERATION * self.counts.iterations[name] + _ENTRY * self.counts.entered[name]
        return total

    def of_work(self, work: Work) -> float:
        times = self.counts.executions.get(instance(work.stmt), 0)
        lanes, _ = self.vector(work)
        reads = sum(1 for s in work.sites if not s.is_write)
        definition = self.program.functions[work.stmt.name].definitions[work.stmt.stage]
        arithmetic = max(0, operations(definition) - reads)
        kind = widest(definition, self.program.functions[work.stmt.name].dtypes)
        width = self.limits.register_bytes / kind.bytes
        each = arithmetic / min(lanes, width)
        each += sum(self.of_site(site, work, lanes) for site in work.sites)
        return times * each

    def of_site(self, site: Site, work: Work, lanes: int) -> float:
        """Operations on registers that an access costs for each execution."""
        register = self.in_registers(work, site.buffer)
        if register:
            return 0.0
        share = 1.0
        innermost = True
        for depth in reversed(range(len(work.around))):
            loop = work.around[depth]
            if loop.kind is LoopKind.VECTORIZED:
                if site.is_looked_up:
                    share *= 1.0
                elif not site.varies(depth):
                    share /= lanes
                else:
                    near = site.extents[self.dense.get(site.buffer, 0)]
                    dense = 0 < near[depth] - near[depth + 1] < 2 * lanes
                    bytes_at_once = lanes * site.element_bytes
                    share *= max(1.0, bytes_at_once / self.limits.register_bytes) / lanes if dense else _SPARSE
            elif loop.kind is LoopKind.UNROLLED or innermost:
                if not site.varies(depth):
                    share /= max(1.0, self.counts.iterations[loop.name] / max(1, self.counts.entered[loop.name]))
                innermost = innermost and loop.kind is LoopKind.UNROLLED
                if not innermost and loop.kind is not LoopKind.UNROLLED:
                    break
            else:
                break
        return share * (2.0 if site.is_write else 1.0)

    def in_registers(self, work: Work, buffer: str) -> bool:
        """Whether a Func's storage is a few registers whose places are constant."""
        size = self.counts.stored.get(buffer, (0, 0))[1]
        return 0 < size <= _REGISTERS * self.limits.register_bytes and any(
            loop.kind in (LoopKind.VECTORIZED, LoopKind.UNROLLED) for loop in work.around
        )

    def vector(self, work: Work) -> tuple[int, float]:
        """Lanes of the statement's vector, and which share of them computes something on average."""
        vectors = [loop for loop in work.around if loop.kind is LoopKind.VECTORIZED]
        if not vectors:
            return 1, 1.0
        lanes = 1.0
        for loop in vectors:
            lanes *= self.counts.iterations[loop.name] / max(1, self.counts.entered[loop.name])
        iterations = self.counts.iterations[vectors[-1].name]
        inner = work.around[work.around.index(vectors[-1]) + 1 :]
        below = math.prod(self.counts.iterations[i.name] / max(1, self.counts.entered[i.name]) for i in inner)
        times = self.counts.executions.get(instance(work.stmt), 0)
        useful = times / max(1.0, iterations * below)
        return max(1, round(lanes)), min(1.0, useful)

    def loop(self, node: Touched) -> LoopCost:
        assert node.loop is not None, "only the root is no loop"
        name = node.loop.name
        entered = self.counts.entered[name]
        traffic = tuple(int(sum(self.traffic(node, c.size).values()) * entered) for c in self.limits.caches)
        return LoopCost(
            name,
            node.loop.kind.value,
            node.depth,
            entered,
            self.counts.iterations[name],
            sum(node.run.values()),
            sum(node.iteration.values()),
            self.register_operations(node),
            traffic,
        )

    def stage(self, work: Work) -> StageCost:
        name, stage = work.stmt.name, work.stmt.stage
        times = self.counts.executions.get(instance(work.stmt), 0)
        lanes, efficiency = self.vector(work)
        reads = sum(1 for s in work.sites if not s.is_write)
        definition = self.program.functions[name].definitions[stage]
        return StageCost(
            name,
            stage,
            times,
            self.needed(name, stage),
            operations(definition),
            reads * times,
            times,
            lanes,
            efficiency,
        )

    def needed(self, name: str, stage: int) -> int:
        box = self.boxes.root.get(name)
        if box is None or name not in self.boxes.program.functions:
            return 0
        return (
            math.prod(self.boxes.iterations(name, stage, box).values())
            if (name, stage) in self.boxes.stages
            else points(box)
        )


def _all(node: Touched) -> Iterator[Touched]:
    yield node
    for child in node.inside:
        yield from _all(child)
