"""Small pipelines with a producer that slides, and folds of its memory: what is the same for one seed.

Whether a fold keeps all values is told by running the loops: a read is right where the last store to its place was of
the same element.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import halopy as hl
from halopy import TraceKind as Kind
from halopy.witness import Witness

x, y, xo, xi, yo, yi = hl.vars("x y xo xi yo yi")
T = hl.TailStrategy


@dataclass
class Folded:
    """`f` is read by `out`, or by what `out` reads."""

    f: hl.Func
    out: hl.Func


def random_pipeline(seed: int) -> tuple[Folded, dict[str, int]]:
    """A pipeline that is scheduled but for its fold, which is given by argument."""
    numbers = random.Random(seed)
    made = _algorithm(numbers)
    loops = _loops(made.out, numbers)
    at = numbers.randrange(len(loops))
    store = numbers.choice([len(loops), len(loops), numbers.randint(at, len(loops))])
    made.f.compute_at(made.out, loops[at])
    if store > at:
        made.f.store_root() if store == len(loops) else made.f.store_at(made.out, loops[store])
    if numbers.random() < 0.2:
        made.f.vectorize(x, 4, numbers.choice([T.GuardWithIf, T.ShiftInwards, T.RoundUp]))
    arguments = numbers.choice([["y"], ["y"], ["x"], ["x", "y"]])
    return made, {name: numbers.randint(1, 5) for name in arguments}


def _algorithm(numbers: random.Random) -> Folded:
    f, g, out = hl.funcs("f g out")
    f[x, y] = x * 3 + y * y
    if numbers.random() < 0.2:
        f[x, y] += f[x, y] * 2 + x
        f.update().unscheduled()
    total = hl.i32(0)
    stride = numbers.choice([1, 1, 1, 2])
    for _ in range(numbers.randint(1, 3)):
        total += f[x + numbers.choice([0, 0, 1, -1]), y * stride + numbers.randint(-1, 2)] * numbers.randint(1, 5)
    if numbers.random() < 0.2:
        g[x, y] = x + y
        total += g[x, y + numbers.randint(-1, 1)]
    out[x, y] = total
    return Folded(f, out)


def _loops(out: hl.Func, numbers: random.Random) -> list[hl.Var]:
    tail = numbers.choice([T.GuardWithIf, T.GuardWithIf, T.ShiftInwards, T.RoundUp])
    choice = numbers.randint(0, 4)
    if choice == 1:
        out.reorder(y, x)
        return [y, x]
    if choice == 2:
        out.split(y, yo, yi, numbers.randint(2, 4), tail)
        return [x, yi, yo]
    if choice == 3:
        out.tile(x, y, xo, yo, xi, yi, 3, 2, tail)
        return [xi, yi, xo, yo]
    return [x, y]


def with_folds(made: Folded, folds: Mapping[str, int]) -> None:
    for name, factor in folds.items():
        made.f.fold_storage(hl.Var(name), factor)


def keeps_all(made: Folded, folds: Mapping[str, int], sizes: list[int]) -> bool:
    """Whether each read finds its element, by the order in which the loops, without folds, store and load."""
    target = hl.get_jit_target_from_environment()
    for feature in (hl.TargetFeature.TraceLoads, hl.TargetFeature.TraceStores):
        target.set_feature(feature)
    names = [v.name() for v in made.f.args()]
    kept: dict[tuple[int, ...], tuple[int, ...]] = {}
    with hl.trace() as events:
        made.out.realize(hl.Buffer(made.out.type(), sizes), target)
    for event in events:
        if event.func != "f" or event.event not in (Kind.LOAD, Kind.STORE):
            continue
        for cell in event.coordinates:
            place = tuple(c % folds.get(name, 1 << 20) for c, name in zip(cell, names, strict=True))
            if event.event is Kind.STORE:
                kept[place] = cell
            elif kept.get(place) != cell:
                return False
    return True


def share_a_place(witness: Witness, folds: Mapping[str, int]) -> bool:
    """Whether the writer's element lies where the reader's does, and is another one."""
    cell, writer = witness.cell.coordinates, witness.sink.variables
    written = tuple(writer[name] for name in ("x", "y"))
    places = [
        tuple(c % folds.get(name, 1 << 20) for c, name in zip(at, ("x", "y"), strict=True)) for at in (cell, written)
    ]
    return written != cell and places[0] == places[1]
