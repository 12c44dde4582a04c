"""Random pipelines of two to four stages under random schedules: the verdict is that of running the loops on elements.

Places to compute and to store, folds, inlining, loops with tails, and what runs at once come together; whether that is
legal `loop_semantics` says, which knows nothing of halopy. What is accepted gives what the oracle gives.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import halopy as hl

from .loop_semantics import Cell, Date, Nest, Producer, is_legal

x, y, xo, xi, yo, yi, u = hl.vars("x y xo xi yo yi u")
r = hl.RDom([(0, 3)], "r")
T = hl.TailStrategy
SIZE = (7, 8)
NAMES = "abc"


@dataclass
class Pair:
    """A scheduled pipeline, and what its schedule means."""

    out: hl.Func
    nest: Nest


@dataclass(frozen=True)
class Read:
    """name(scale*x + dx, y + dy)"""

    name: str
    dx: int
    dy: int
    scale: int
    swapped: bool

    def cell(self, at: Cell) -> Cell:
        a, b = at[::-1] if self.swapped else at
        return self.scale * a + self.dx, b + self.dy

    def value(self, funcs: dict[str, hl.Func]) -> hl.Expr:
        a, b = (y, x) if self.swapped else (x, y)
        return funcs[self.name][a * self.scale + self.dx, b + self.dy]


def outcome(seed: int) -> str:
    """What becomes of one: "needless" where it is legal and refused all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pair, refusal = random_pair(seed)
            got = None if refusal else np.asarray(pair.out.realize(list(SIZE)))
        except hl.ScheduleError as late:
            refusal = late
    if refusal is not None:
        return "needless" if is_legal(pair.nest, with_tails=True) else "refused"
    assert is_legal(pair.nest), f"seed {seed} is accepted"
    np.testing.assert_array_equal(got, np.asarray(pair.out.reference(list(SIZE))), err_msg=f"seed {seed}")
    return "accepted"


def random_pair(seed: int) -> tuple[Pair, hl.ScheduleError | None]:
    """With the refusal where a directive is refused as soon as it is given."""
    numbers = random.Random(seed)
    names = list(NAMES[: numbers.randint(1, 3)])
    reads = {name: _reads(names[:at], numbers) for at, name in enumerate([*names, "out"])}
    loops, date, shape = _loops(numbers)
    parallel = frozenset(n for n in range(len(loops)) if numbers.random() < 0.15)
    lanes = frozenset({len(loops) - 1} if loops[-1] is xi and numbers.random() < 0.3 else ())
    producers = [_producer(name, reads[name], len(loops), numbers) for name in names]
    own = {p.name: _own_loops(p, numbers) for p in producers}
    producers = [own[p.name].on(p) for p in producers]
    if len(producers) > 1 and not any(p.is_inlined for p in producers) and numbers.random() < 0.2:
        producers[-1] = replace(producers[-1], shares_with=numbers.choice(names[:-1]))
    funcs: dict[str, hl.Func] = {}
    for name in reads:
        funcs[name] = hl.Func(name)
        funcs[name][x, y] = sum((read.value(funcs) * (n + 2) for n, read in enumerate(reads[name])), x * 3 + y * y)
        if name in own:
            own[name].define(funcs[name])
    pair = Pair(funcs["out"], Nest(SIZE, _as_cells(reads["out"]), date, parallel | lanes, producers))
    try:
        shape(funcs["out"])
        for n in parallel:
            funcs["out"].parallel(loops[n])
        for n in lanes:
            funcs["out"].vectorize(loops[n])
        for producer in producers:
            own[producer.name].schedule(funcs[producer.name])
            _place(funcs, producer, loops)
    except hl.ScheduleError as refusal:
        return pair, refusal
    return pair, None


def _reads(names: list[str], numbers: random.Random) -> list[Read]:
    """At least one of what comes just before, so that all are needed."""
    found = [names[-1], *numbers.choices(names, k=numbers.randint(0, 2))] if names else []
    scale, swapped = numbers.choice([1, 1, 1, 1, 2]), numbers.random() < 0.1
    return [Read(n, numbers.randint(-1, 1), numbers.randint(-1, 1), scale, swapped) for n in found]


def _as_cells(reads: list[Read]) -> list[tuple[str, Callable[[Cell], Cell]]]:
    return [(read.name, read.cell) for read in reads]


def _loops(numbers: random.Random) -> tuple[list[hl.Var], Callable[[Cell], Date], Callable[[hl.Func], object]]:
    """Loops of the output, the outermost first, the dates that they give elements, and the directives."""
    choice = numbers.randint(0, 4)
    if choice == 1:
        return [x, y], lambda c: c, lambda f: f.reorder(y, x)
    if choice == 2:
        k = numbers.randint(2, 4)
        return [yo, yi, x], lambda c: (c[1] // k, c[1] % k, c[0]), lambda f: f.split(y, yo, yi, k, T.GuardWithIf)
    if choice == 3:
        return (
            [yo, xo, yi, xi],
            lambda c: (c[1] // 2, c[0] // 3, c[1] % 2, c[0] % 3),
            lambda f: f.tile(x, y, xo, yo, xi, yi, 3, 2, T.GuardWithIf),
        )
    if choice == 4:
        return [u], lambda c: (c[1] * SIZE[0] + c[0],), lambda f: f.fuse(x, y, u)
    return [y, x], lambda c: (c[1], c[0]), lambda _f: None


def _producer(name: str, reads: list[Read], depth: int, numbers: random.Random) -> Producer:
    compute = numbers.choice([0, *range(depth + 1)])
    store = numbers.choice([compute, 0, numbers.randint(0, depth)])
    fold = {}
    if numbers.random() < 0.4 and store < compute:  # elsewhere folds are left alone, with a warning
        fold = {numbers.choice([0, 1, 1]): numbers.randint(1, 6)}
    return Producer(name, _as_cells(reads), compute, store, fold, is_inlined=numbers.random() < 0.15)


@dataclass(frozen=True)
class _Own:
    """An update of a producer, if it has one, the loops of the producer, and whether they keep what it computes."""

    schedule: Callable[[hl.Func], object] = lambda _f: None
    define: Callable[[hl.Func], None] = lambda _f: None
    is_legal: bool = True
    tiles: tuple[int, int] = (1, 1)
    tail: hl.TailStrategy = T.GuardWithIf

    def on(self, made: Producer) -> Producer:
        """The producer with these loops. Shifted tiles are whole ones, and rounded ones come in whole numbers."""
        made = replace(made, keeps_updates=self.is_legal)
        if self.tail is T.ShiftInwards:
            return replace(made, least=self.tiles)
        return replace(made, multiple=self.tiles) if self.tail is T.RoundUp else made


def _own_loops(made: Producer, numbers: random.Random) -> _Own:
    tail = numbers.choice([T.GuardWithIf, T.ShiftInwards, T.RoundUp])
    choice = numbers.randint(0, 9)
    if choice == 5:
        keeps = tail is not T.ShiftInwards
        return _Own(lambda f: f.update().vectorize(x, 4, tail), _doubled, keeps, (4, 1), tail)
    if choice == 6:
        keeps = numbers.random() < 0.5
        return _Own(lambda f: _reordered(f.update()) if keeps else f.update().parallel(r.x), _summed, keeps)
    if made.is_inlined or choice > 6:
        return _Own()
    if choice < 2:
        return _Own(lambda f: f.vectorize(x, 4, tail), tiles=(4, 1), tail=tail)
    if choice < 4:
        return _Own(lambda f: f.tile(x, y, xi, yi, 2, 2, tail), tiles=(2, 2), tail=tail)
    return _Own(lambda f: f.parallel(y))


def _doubled(f: hl.Func) -> None:
    f[x, y] = f[x, y] * 2 + x


def _summed(f: hl.Func) -> None:
    f[x, y] = f[x, y] * 2 + r.x


def _reordered(s: hl.Stage) -> None:
    s.reorder(x, r.x)


def _place(funcs: dict[str, hl.Func], made: Producer, loops: list[hl.Var]) -> None:
    f, out = funcs[made.name], funcs["out"]
    if made.is_inlined:
        return
    f.compute_at(out, loops[made.compute - 1]) if made.compute else f.compute_root()
    if made.store != made.compute:
        f.store_at(out, loops[made.store - 1]) if made.store else f.store_root()
    for d, factor in made.fold.items():
        f.fold_storage((x, y)[d], factor)
    if made.shares_with:
        f.compute_with(funcs[made.shares_with], y)
