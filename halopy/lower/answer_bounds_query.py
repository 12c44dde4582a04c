"""Let a kernel also tell which regions it would touch, instead of computing anything.

    if query.extent > 0:
        query[0], query[1], query[2] = min, extent and stride of in's dimension 0, ...
    else:
        the kernel

The numbers go into one more buffer, QUERY, three for each dimension of each buffer of the kernel, in order. Without
memory and with extent 0, that buffer asks for nothing. Only kernels for linking into other programs have it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dtypes import INT32
from ..ir.build import add, as_expr, div, lt, maximum, mul, sub
from ..ir.expr import Expr, Load
from ..ir.interval import Interval
from ..ir.kernel import BufferArg
from ..ir.program import Program, buffer_property
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..ir.stmt import If, Stmt, Store, block, let_all
from ..schedule.directives import Tail
from .check_buffers import promised_shapes
from .place_functions import ROOT_LEVEL
from .regions import Regions, output_buffer
from .stage_loops import TileReach

QUERY = BufferArg("halopy.query", INT32, 1, is_output=True)

Shape = list[tuple[Expr, Expr, Expr]]  # min, extent and stride by dimension


def answer_bounds_query(stmt: Stmt, regions: Regions, buffers: Sequence[BufferArg]) -> Stmt:
    """`stmt` behind the question, whether only regions are asked for."""
    outputs = _outputs(regions.placement.program)
    stores: list[Stmt] = []
    for buffer in buffers:
        for numbers in _needed(regions, buffer, outputs):
            stores += [Store(QUERY.name, as_expr(len(stores) + k), e) for k, e in enumerate(numbers)]
    answer: Stmt = let_all(regions.scope(ROOT_LEVEL).bindings, block(*stores))
    promised = promised_shapes(regions.placement.program)
    answer = substitute(answer, {**_fitting_extents(regions), **promised})
    return If(lt(as_expr(0), buffer_property(QUERY.name, "extent", 0)), simplify(answer), stmt)


def _fitting_extents(regions: Regions) -> dict[str, Expr]:
    """For the extents of outputs, the next ones that tails which pass the end accept."""
    program = regions.placement.program
    found: dict[str, Expr] = {}
    for function in (program.functions[name] for name in program.outputs):
        # Loops know the shape of an output by its first buffer; all of them are alike.
        given = [buffer_property(output_buffer(function, 0), "extent", d) for d in range(function.rank)]
        fitting = list[Expr](given)
        reaches = [r for s in range(len(function.definitions)) for r in regions.loops(function.name, s).tails()]
        for reach in reaches:
            extent = simplify(regions.expand(reach.extent, ROOT_LEVEL))
            if extent in given:
                d = given.index(extent)
                fitting[d] = _fitting(fitting[d], reach)
        for element in range(len(function.dtypes)):
            buffer = output_buffer(function, element)
            found |= {buffer_property(buffer, "extent", d).name: e for d, e in enumerate(fitting) if e is not given[d]}
    return found


def _fitting(extent: Expr, reach: TileReach) -> Expr:
    if reach.tail is not Tail.ROUND_UP:
        return maximum(extent, reach.factor)
    return mul(div(add(extent, sub(reach.factor, 1)), reach.factor), reach.factor)


def _outputs(program: Program) -> dict[str, str]:
    """The buffers of the outputs, with the Funcs they hold."""
    functions = [program.functions[name] for name in program.outputs]
    return {output_buffer(f, element): f.name for f in functions for element in range(len(f.dtypes))}


def _needed(regions: Regions, buffer: BufferArg, outputs: dict[str, str]) -> Shape:
    if buffer.name in outputs:
        box: Sequence[Interval] = regions.touched(outputs[buffer.name])
    elif buffer.name in regions.readers:
        box = regions.image_box(buffer.name, buffer.rank)
    else:
        box = [Interval(None, None)] * buffer.rank
    program = regions.placement.program
    images = program.images
    made = images[buffer.name].constraints if buffer.name in images else program.promises.get(buffer.name, ())
    promises = {(p.property, p.dim): p.value for p in made}
    shape, dense = [], as_expr(1)
    for dim, interval in enumerate(box):
        low, extent = _ends(buffer.name, dim, interval)
        low, extent = promises.get(("min", dim), low), promises.get(("extent", dim), extent)
        stride = promises.get(("stride", dim), dense)
        shape.append((low, extent, stride))
        dense = mul(stride, extent)
    return shape


def _ends(buffer: str, dim: int, interval: Interval) -> tuple[Expr, Expr]:
    """Min and extent; those that the buffer has where the region is not known without its data."""
    low, high = interval.lo, interval.hi
    if low is None or high is None or low.has(Load) or high.has(Load):
        return buffer_property(buffer, "min", dim), buffer_property(buffer, "extent", dim)
    return low, maximum(add(sub(high, low), 1), 0)
