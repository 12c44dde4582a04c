"""Run-time checks before anything is computed: shapes of inputs and outputs, and splits that do not fit.

Types, ranks and missing memory are checked by the code that reads the buffers' headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from ..dtypes import INT64
from ..errors import DefinitionError
from ..ir.branches import condition_of
from ..ir.build import add, as_expr, eq, ge, le, logical_and, logical_not, logical_or, mod, sub
from ..ir.expr import FALSE, TRUE, Expr, const, is_const
from ..ir.interval import Interval
from ..ir.program import Constraint, Program, buffer_address, buffer_property
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..ir.stmt import Assert, ErrorSite, Stmt, block
from ..schedule.directives import Split, Tail
from .place_functions import ROOT_LEVEL
from .regions import Regions, output_buffer


def root_checks(regions: Regions) -> Stmt:
    """All checks that the root can make."""
    checks: list[Stmt] = []
    for name in regions.placement.program.outputs:
        checks += _split_checks(regions, name)
        checks += _output_checks(regions, name)
    checks += regions.checks.get(ROOT_LEVEL, [])
    for image in regions.placement.program.images.values():
        for d, interval in enumerate(regions.image_box(image.name, image.rank)):
            if image.name in regions.readers:
                checks.append(_input_check(regions, image.name, d, interval))
    return block(*checks)


def is_empty(regions: Regions) -> Expr:
    """Whether some output has no elements, so that there is nothing to compute."""
    conditions = [
        le(buffer_property(output_buffer(regions.functions[name], 0), "extent", d), 0)
        for name in regions.placement.program.outputs
        for d in range(regions.functions[name].rank)
    ]
    empty = conditions[0] if conditions else FALSE
    for condition in conditions[1:]:
        empty = logical_or(empty, condition)
    return empty


def _split_checks(regions: Regions, func: str) -> list[Stmt]:
    """An output cannot be computed past its end, so a tail that overruns needs a fitting extent."""
    checks: list[Stmt] = []
    for stage in range(len(regions.functions[func].definitions)):
        if regions.fails(func, stage):
            continue
        texts = {d.action.old: d.text for d in regions.nest(func, stage).directives if isinstance(d.action, Split)}
        branch = regions.functions[func].definitions[stage].branch
        unused = logical_not(condition_of(branch.path if branch else ()))
        for reach in regions.loops(func, stage).tails():
            if reach.tail is Tail.ROUND_UP:
                fits = eq(mod(reach.extent, reach.factor), 0)
            else:
                fits = ge(reach.extent, reach.factor)
            names = (func, reach.loop, texts.get(reach.loop, ""))
            checks.append(
                Assert(logical_or(unused, fits), ErrorSite.SPLIT_TOO_SMALL, names, (reach.factor, reach.extent))
            )
    return checks


def _output_checks(regions: Regions, func: str) -> list[Stmt]:
    """Every element buffer of an output holds all that its stages, and other stages, touch."""
    checks: list[Stmt] = []
    function = regions.functions[func]
    for element in range(len(function.dtypes)):
        buffer = output_buffer(function, element)
        for d, interval in enumerate(regions.touched(func)):
            checks.append(_covers(buffer, d, interval, function.args[d]))
    return checks


def _input_check(regions: Regions, name: str, dim: int, needed: Interval) -> Stmt:
    if needed.lo is None or needed.hi is None:
        readers = sorted({func for func, _ in regions.readers[name]})
        raise DefinitionError(
            f"input `{name}` is read without bounds in dimension {dim}",
            location=regions.functions[readers[0]].location,
            reason=[f"it is read by {', '.join(f'`{r}`' for r in readers)} at an index that may have any value"],
            accepted="an index inside clamp(), or a boundary condition on the input",
        )
    return _covers(name, dim, needed, "", regions.read_when(name))


def _covers(buffer: str, dim: int, needed: Interval, variable: str, when: Expr = TRUE) -> Stmt:
    lo, hi = needed.lo, needed.hi
    assert lo is not None and hi is not None, "boxes have ends"
    least = buffer_property(buffer, "min", dim)
    most = sub(add(least, buffer_property(buffer, "extent", dim)), 1)
    inside = logical_and(ge(lo, least), le(hi, most))
    names = (buffer, str(dim), variable) if variable else (buffer, str(dim))
    return Assert(logical_or(logical_not(when), inside), ErrorSite.REGION_TOO_SMALL, names, (lo, hi, least, most))


def constraint_checks(program: Program) -> list[Stmt]:
    """Inputs and outputs have the shapes and alignments that were promised."""
    checks: list[Stmt] = []
    for buffer, promise in _promises(program):
        given = buffer_property(buffer, promise.property, promise.dim)
        names = (buffer, promise.property, str(promise.dim))
        checks.append(Assert(eq(given, promise.value), ErrorSite.WRONG_CONSTRAINT, names, (given, promise.value)))
    for buffer, alignment in program.alignments.items():
        past = mod(buffer_address(buffer), const(alignment, INT64))
        what = (buffer, f"address modulo {alignment}")
        checks.append(Assert(eq(past, const(0, INT64)), ErrorSite.WRONG_CONSTRAINT, what, (past, const(0, INT64))))
    return checks


def tuple_shape_checks(program: Program) -> list[Stmt]:
    """The values of an output cover one region: a kernel loops over that of the first."""
    checks: list[Stmt] = []
    for function in (program.functions[name] for name in program.outputs):
        first, *others = (output_buffer(function, element) for element in range(len(function.dtypes)))
        for buffer, dim, what in product(others, range(function.rank), ("min", "extent")):
            given, wanted = (buffer_property(b, what, dim) for b in (buffer, first))
            checks.append(
                Assert(eq(given, wanted), ErrorSite.WRONG_CONSTRAINT, (buffer, what, str(dim)), (given, wanted))
            )
    return checks


def promised_shapes(program: Program) -> dict[str, Expr]:
    """The shape symbols that may be replaced by what `constraint_checks` makes sure of; by numbers where possible."""
    promised = {buffer_property(buffer, p.property, p.dim).name: p.value for buffer, p in _promises(program)}
    numbers: dict[str, Expr] = {}
    while new := {name: value for name, value in promised.items() if is_const(value) and name not in numbers}:
        numbers |= new
        promised = {name: simplify(substitute(value, numbers)) for name, value in promised.items()}
    return promised


def _promises(program: Program) -> Iterator[tuple[str, Constraint]]:
    for image in program.images.values():
        yield from ((image.name, promise) for promise in image.constraints)
    for buffer, promises in program.promises.items():
        yield from ((buffer, promise) for promise in promises)


def dense_check(buffer: str) -> Stmt:
    """The innermost dimension is dense, as the kernel assumes."""
    stride = buffer_property(buffer, "stride", 0)
    dense = logical_or(eq(stride, 1), le(buffer_property(buffer, "extent", 0), 1))
    return Assert(dense, ErrorSite.WRONG_CONSTRAINT, (buffer, "stride", "0"), (stride, as_expr(1)))
