"""A Func that keeps what a reduction overwrites, so that the way back can see every value.

f[x] = 1                           kept[x, k] = 1
f[x] = f[x] * g[x, r]        ->    kept[x, k + 1] = kept[x, k] * g[x, k]        f[x] is kept[x, n] in the end

where `k` counts the iterations that change one place. Only a reduction that reads of `f` just what it writes can be
one in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ...ir import build
from ...ir.expr import Expr, FuncAccess, ImageAccess, Var, const
from ...ir.function import Definition, ReductionVar
from ...ir.rewrite import free_vars, substitute
from ...ir.simplify import simplify
from ..expressions.expr import Expr as Handle
from ..expressions.leaves import replace_leaves
from ..func import Func
from ..func_contents import FuncContents
from .adjoint import domain_values
from .inversion import Variables, is_injective

STEP = "step.of"  # the argument that counts; no argument of a user has a dot


@dataclass(frozen=True, slots=True)
class KeptSteps:
    """`steps` has the Func's arguments, and last the number of iterations passed, of which there are `count`."""

    steps: FuncContents
    count: Expr


def keep_steps(
    func: FuncContents, definition: Definition, variables: Variables, before: FuncContents
) -> KeptSteps | None:
    """The values of a Func in all steps of its update; None where its places are mixed. `before` has the first."""
    rdom = definition.rdom
    if rdom is None or not _is_in_place(func, definition):
        return None
    used = {name for e in definition.index for name in free_vars(e)}
    where = [v for v in rdom.vars if v.name in used]  # each place goes its own way
    over = [v for v in rdom.vars if v.name not in used]
    alone = {name: i for name, i in variables.items() if name not in {v.name for v in over}}
    if not over or (where and not is_injective(definition.index, alone)):
        return None
    count: Expr = reduce(build.mul, (v.extent for v in over))
    kept = Func(f"{func.name}_steps__")
    args, dtypes = func.defined_function.args, func.defined_function.dtypes
    first = tuple(map(Var, args))
    kept[tuple(map(Handle, (*first, Var(STEP))))] = tuple(
        Handle(FuncAccess(before, first, e, t)) for e, t in enumerate(dtypes)
    )
    lo = over[0].min if len(over) == 1 else const(0)
    domain = domain_values([*((v.min, v.extent) for v in where), (lo, simplify(count))], None)
    number = domain[f"sum.{len(where)}"]
    passed = build.sub(number, lo)
    at = _of_number(over, number) | {v.name: domain[f"sum.{n}"] for n, v in enumerate(where)}

    def read(a: FuncAccess) -> Expr:
        if a.ref is func:
            return FuncAccess(kept._contents, (*a.index, passed), a.element, a.dtype)
        return FuncAccess(a.ref, tuple(replace_leaves(i, FuncAccess, read) for i in a.index), a.element, a.dtype)

    def of_step(e: Expr) -> Expr:
        result: Expr = substitute(replace_leaves(e, FuncAccess, read), at)
        return result

    index = tuple(map(of_step, definition.index))
    old = [FuncAccess(kept._contents, (*index, passed), e, t) for e, t in enumerate(dtypes)]
    values = list(map(of_step, definition.values))
    if rdom.predicate is not None:
        values = [build.select(of_step(rdom.predicate), new, o) for new, o in zip(values, old, strict=True)]
    kept[tuple(map(Handle, (*index, build.add(passed, 1))))] = tuple(map(Handle, values))
    kept.compute_root()  # or each derivative would go through all steps again
    kept._contents.frozen = True
    return KeptSteps(kept._contents, simplify(count))


def _is_in_place(func: FuncContents, definition: Definition) -> bool:
    """Whether each iteration reads of the Func only what it writes."""
    if any(e.has(FuncAccess, ImageAccess) for e in definition.index):
        return False
    assert definition.rdom is not None, "asked of reductions"
    predicate = definition.rdom.predicate
    stack = [*definition.values, *([] if predicate is None else [predicate])]
    while stack:
        top = stack.pop()
        if isinstance(top, FuncAccess) and top.ref is func and top.index != definition.index:
            return False
        stack.extend(c for c in top.children() if isinstance(c, Expr) and c.has(FuncAccess))
    return True


def _of_number(variables: Sequence[ReductionVar], number: Expr) -> dict[str, Expr]:
    """The reduction variables in the iteration of that number, the first running fastest."""
    if len(variables) == 1:
        return {variables[0].name: number}
    found: dict[str, Expr] = {}
    for at, v in enumerate(variables):
        is_last = at == len(variables) - 1
        place = number if is_last else build.mod(number, v.extent)
        found[v.name] = simplify(build.add(place, v.min))
        number = build.div(number, v.extent)
    return found
