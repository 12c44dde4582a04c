"""Plans made by rule, to begin the search with: strips in which all slides, tiles, everything at the root."""

from __future__ import annotations

from collections.abc import Iterator

from autotuner.plan import GUARD, INLINE, ROOT, FuncPlan, Plan, StagePlan, loops_of
from autotuner.space import Space, rowwise, tiled

_MANY = 9  # places at which a Func may be read to be inlined by rule, a square's


def seeds(space: Space) -> dict[str, Plan]:
    """By what they are."""
    found = {}
    for strip, rows, reads in ((32, 1, 1), (32, 4, 1), (64, 1, _MANY), (10, 6, _MANY), (16, 4, _MANY)):
        found[f"strips of {strip} by {rows} rows, inlining {reads} reads"] = _strips(space, strip, rows, reads)
    for width, height in ((128, 32), (256, 64)):
        found[f"tiles of {width}x{height}"] = _tiles(space, width, height)
    found["all at the root"] = _placed(space, dict(_heads(space, 32, 1)), None, None)
    return found


def _strips(space: Space, strip: int, rows: int, reads: int) -> Plan:
    return _placed(space, dict(_heads(space, strip, rows)), 0, -1, reads)


def _heads(space: Space, strip: int, rows: int) -> Iterator[tuple[str, FuncPlan]]:
    """Outputs in strips of rows that run in parallel."""
    for name in space.names:
        shape = space.shapes[name]
        if shape.is_output and len(shape.args) > 1:
            cuts = {shape.args[0]: (shape.lanes,), shape.args[1]: (rows, strip) if rows > 1 else (strip,)}
            yield name, _head(space, name, cuts, unrolled=rows > 1, is_tiled=False)


def _tiles(space: Space, width: int, height: int) -> Plan:
    heads = {}
    for name in space.names:
        shape = space.shapes[name]
        if shape.is_output and len(shape.args) > 1:
            cuts = {shape.args[0]: (shape.lanes, max(2, width // shape.lanes)), shape.args[1]: (height,)}
            heads[name] = _head(space, name, cuts, unrolled=False, is_tiled=True)
    return _placed(space, heads, -2, -2)


def _head(space: Space, name: str, cuts: dict[str, tuple[int, ...]], *, unrolled: bool, is_tiled: bool) -> FuncPlan:
    shape = space.shapes[name]
    cuts = {d: space.fitting(shape, d, factors) for d, factors in cuts.items()}
    cuts = {d: factors for d, factors in cuts.items() if factors}
    dims = shape.args
    loops = {d: loops_of(d, 0, cuts.get(d, ())) for d in dims}
    vector = loops[dims[0]][0] if dims[0] in cuts else None
    order = tiled(loops, vector) if is_tiled else rowwise(loops, vector)
    row = loops[dims[1]][0]
    if unrolled and row in order and len(loops[dims[1]]) > 2:
        order.remove(row)
        order.insert(1 if vector else 0, row)
    outer = loops[dims[1]][-1]
    order = [*(loop for loop in order if loop != outer), outer]
    further = [loop for d in dims[2:] for loop in loops[d][-1:]]
    order = [*(loop for loop in order if loop not in further), *further]
    stage = StagePlan(
        cuts, tuple(order), vector, (row,) if unrolled and len(loops[dims[1]]) > 2 else (), (outer,), GUARD
    )
    return FuncPlan(ROOT, None, (stage, *space.plain_stages(name)[1:]))


def _placed(space: Space, heads: dict[str, FuncPlan], compute: int | None, store: int | None, most: int = 1) -> Plan:
    """Everything else as far inside the heads as they say: counting loops from the innermost, or from the outermost."""
    plan: dict[str, FuncPlan] = {}
    for name in space.names:
        shape = space.shapes[name]
        if name in heads:
            plan[name] = heads[name]
        elif shape.is_output:
            plan[name] = FuncPlan(ROOT, None, space.plain_stages(name))
        elif space.can_inline(plan, name) and _is_cheap(space, name, most):
            plan[name] = FuncPlan(INLINE)
        else:
            plan[name] = _inside(space, plan, name, heads, compute, store)
    return plan


def _is_cheap(space: Space, name: str, most: int) -> bool:
    """Whether it is read at so few places."""
    reads = [stage[name] for stages in space.reads.values() for stage in stages if name in stage]
    return sum(reads) <= most


def _inside(
    space: Space, plan: Plan, name: str, heads: dict[str, FuncPlan], compute: int | None, store: int | None
) -> FuncPlan:
    stages = space.plain_stages(name)
    levels = [level for level in space.levels(plan, name) if level[0] in heads]
    if compute is None or store is None or not levels:
        return FuncPlan(ROOT, None, stages)
    row = space.shapes[levels[0][0]].args[1]
    unrolled = heads[levels[0][0]].stages[0].unrolled
    rows = [n for n, (_, k) in enumerate(levels) if (k == row or k.startswith(f"{row}_")) and k not in unrolled]
    at = rows[-1] if compute >= 0 and rows else max(0, len(levels) + compute)
    at = min(at, len(levels) - 1)
    stores = space.stores(plan, tuple(levels), at)
    return FuncPlan(levels[at], stores[-1] if store == -1 else levels[at], stages)
