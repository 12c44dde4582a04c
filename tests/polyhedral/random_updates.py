"""Small updates of all sorts, and directives for them: what is the same for one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

import halopy as hl
from halopy.dtypes import INT32
from halopy.ir.expr import Const
from halopy.ir.stmt import LoopKind
from halopy.schedule.directives import Directive, Fuse, NestDirective, Reorder, SetKind, Skew, Split
from halopy.schedule.nest import StageNest

from .enumeration import SIZE, Stage

x, y = hl.vars("x y")


@dataclass
class Update:
    """A Func with one update, and as much of it as is touched."""

    func: hl.Func
    sizes: list[int]


def random_update(seed: int, *, is_symbolic: bool = False) -> Update:
    """Indices are shifted so that the elements touched begin at 0."""
    first = _build(random.Random(seed), (0, 0), is_symbolic)
    return first if is_symbolic else _build(random.Random(seed), _least(first.func), is_symbolic)


def touched(func: hl.Func) -> list[tuple[int, ...]]:
    """All elements that the update reads or writes."""
    nest = func._contents.nests[1]
    return [cell for p in Stage(func, 1).points(nest) for cell in (*p.writes, *p.reads)]


def _least(func: hl.Func) -> tuple[int, ...]:
    cells = touched(func)
    return tuple(min((c[d] for c in cells), default=0) for d in range(func.dimensions()))


def _build(rng: random.Random, least: tuple[int, ...], is_symbolic: bool) -> Update:
    rank = rng.choice((1, 2, 2))
    extents = [rng.randint(2, 4) for _ in range(rng.choice((1, 2, 2, 3)))]
    mins = [rng.randint(-1, 2) for _ in extents]
    sizes = [hl.Param(hl.Int(32), f"n{d}") if is_symbolic else extent for d, extent in enumerate(extents)]
    r = hl.RDom(list(zip(mins, sizes, strict=True)), "r")
    f = hl.Func("f")
    args = [x, y][:rank]
    f[tuple(args)] = sum((a * (3 + n) for n, a in enumerate(args)), hl.cast(hl.Int(32), 1))
    if rng.random() < 0.25:
        r.where(_index(rng, r) % 2 == 0 if rng.random() < 0.5 else _index(rng, r) <= 2)
    pure_at = rng.choice((None, None, None, *range(rank))) if rank > 1 else None
    written = [_index(rng, r) for _ in range(rank)]
    shifts = [[rng.choice((-2, -1, -1, 0, 0, 1, 1, 2)) for _ in range(rank)] for _ in range(rng.choice((0, 1, 1, 2)))]
    reads = [[e + by for e, by in zip(written, shift, strict=True)] for shift in shifts]
    if rng.random() < 0.3:
        reads.append([_index(rng, r) for _ in range(rank)])

    def at(index: list[hl.Expr]) -> tuple[hl.Expr, ...]:
        return tuple(args[d] if d == pure_at else e - least[d] for d, e in enumerate(index))

    others = sum((f[at(e)] * (k + 2) for k, e in enumerate(reads)), hl.cast(hl.Int(32), 1) + r[0])
    own = rng.choice(("sum", "assignment", "assignment", "mixture"))
    if own == "sum":
        f[at(written)] += hl.cast(hl.Int(32), 1) + r[0]
    elif own == "assignment":
        f[at(written)] = others
    else:
        f[at(written)] = f[at(written)] * 3 + others
    cells = [] if is_symbolic else touched(f)
    sizes_touched = [max((c[d] for c in cells), default=0) + 1 for d in range(rank)]
    return Update(f, [SIZE if d == pure_at else size for d, size in enumerate(sizes_touched)])


def _index(rng: random.Random, r: hl.RDom) -> hl.Expr:
    e = hl.cast(hl.Int(32), 0) + rng.randint(-1, 1)
    for v in r:
        e = e + v * rng.choice((0, 0, 1, 1, 1, -1, 2))
    kind = rng.random()
    if kind < 0.1:
        return e / 2
    if kind < 0.2:
        return e % rng.choice((2, 3, 5))
    if kind < 0.25:
        return hl.clamp(e, 0, 3)
    return e


def random_directive(rng: random.Random, nest: StageNest, number: int) -> Directive:
    """One that fits the nest as far as names go."""
    return Directive(_action(rng, nest, number), nest.stage, None, "f.update(0).directive()")


def _action(rng: random.Random, nest: StageNest, number: int) -> NestDirective:
    names = list(nest.loop_names)
    rng.shuffle(names)
    kind = rng.random()
    if kind < 0.35:
        return SetKind(
            names[0], rng.choice((LoopKind.PARALLEL, LoopKind.PARALLEL, LoopKind.VECTORIZED, LoopKind.SERIAL))
        )
    if kind < 0.55 and len(names) > 1:
        return Reorder(tuple(names[: rng.randint(2, len(names))]))
    if kind < 0.75 and len(names) < 5:
        return Split(names[0], f"o{number}", f"i{number}", Const(rng.choice((2, 2, 3)), INT32))
    if len(names) > 1:
        if kind < 0.82:
            return Fuse(names[0], names[1], f"f{number}")
        return Skew(names[0], names[1], rng.choice((1, 1, -1, 2)))
    return SetKind(names[0], LoopKind.PARALLEL)
