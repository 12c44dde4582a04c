"""`propagate_adjoints` and `Derivative`: the derivative of a pipeline by all that it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ...dtypes import DType
from ...errors import DefinitionError, NotDifferentiable, TypeMismatch
from ...ir import build
from ...ir import expr as nodes
from ...ir.expr import Expr, FuncAccess, ImageAccess
from ...ir.interval import Interval
from ...ir.node import find
from ...ir.program import expressions
from ...ir.refs import ImageRef, ScalarRef
from ...ir.simplify import simplify
from ...source import caller
from ..boundary import constant_exterior
from ..buffers.buffer import Buffer
from ..expressions.casts import cast
from ..expressions.expr import Expr as Handle
from ..expressions.types import Type
from ..func import Func
from ..func_contents import FuncContents
from ..image_param import InputImage
from ..param import Param
from ..region import Range, ToRange, region_of, to_region
from .adjoint import Adjoint, contribution
from .forward import History
from .regions import Box, producers_first, required_boxes
from .stages import Passed, StageAdjoint

__all__ = ["Derivative", "propagate_adjoints"]

Input: TypeAlias = "ImageRef | ScalarRef"


class Derivative:
    """What `propagate_adjoints` found, as Funcs that can be scheduled like any other.

    d[f]          of the values that f's first definition gives it
    d[f, 0]       of the values that its update 0 leaves
    d[buffer], d[image_param], d[param]

    An undefined Func where the output does not depend on it.
    """

    __slots__ = ("_of_inputs", "_of_stages")

    def __init__(self, of_stages: Mapping[tuple[FuncContents, int], Func], of_inputs: Mapping[Input, Func]) -> None:
        self._of_stages, self._of_inputs = dict(of_stages), dict(of_inputs)

    def __getitem__(self, key: Func | Buffer | InputImage | Param | tuple[Func, int] | tuple[Func, int, bool]) -> Func:
        func, update = (key[0], key[1]) if isinstance(key, tuple) else (key, -1)  # 0 outside in any case: `bounded`
        found: Func | None = None
        if isinstance(func, Func):
            found = self._of_stages.get((func._contents, int(update) + 1))
        elif isinstance(func, Buffer):
            found = self._of_inputs.get(func._contents.image)
        elif isinstance(func, InputImage | Param):
            found = self._of_inputs.get(func._ref)
        else:
            raise TypeError(f"a Derivative has no {type(func).__name__}: index it with a Func, an input or a Param")
        return Func() if found is None else found


def propagate_adjoints(
    output: Func, adjoint: Func | Buffer | None = None, output_bounds: Sequence[ToRange] | None = None
) -> Derivative:
    """The derivative of sum(output * adjoint) by every Func, input and Param that the output depends on.

    The sum is over `output_bounds`, (min, extent) pairs, or over the adjoint Buffer; without an adjoint it is the
    output's one element, at 0. Adjoints of Funcs that are computed at the root are, too, unless scheduled otherwise.
    Raises NotDifferentiable.
    """
    _check_output(output)
    region = _region(output, adjoint, output_bounds)
    return _Sweep(output, _start(output, adjoint, region), tuple(map(_interval, region))).derivative()


def _check_output(output: Func) -> None:
    if not isinstance(output, Func):
        raise TypeMismatch(f"{output!r} has no derivatives", location=caller(), accepted="a Func")
    if not output.defined():
        raise DefinitionError(f"Func `{output.name()}` is not defined", location=caller(), accepted="a defined Func")
    for type_ in output.types():
        if not type_.is_float():
            raise NotDifferentiable(
                f"Func `{output.name()}` of type {type_} has no derivative",
                location=caller(),
                reason=["only floats depend smoothly on something"],
                accepted=f"an output of floats, for example hl.f32({output.name()}[...])",
            )


def _region(output: Func, adjoint: Func | Buffer | None, bounds: Sequence[ToRange] | None) -> list[Range]:
    if adjoint is None:
        if bounds is not None:
            raise _wrong("output_bounds without an adjoint", "an adjoint too, or neither")
        return [Range(0, 1)] * output.dimensions()
    if adjoint.dimensions() != output.dimensions():
        raise _wrong(
            f"the adjoint has {adjoint.dimensions()} dimensions, Func `{output.name()}` {output.dimensions()}",
            "an adjoint for each element of the output",
        )
    if bounds is None:
        if isinstance(adjoint, Func):
            raise _wrong("an adjoint Func needs output_bounds", "[(min, extent), ...], one pair per dimension")
        return region_of(adjoint)
    region = to_region(bounds)
    if len(region) != output.dimensions():
        raise _wrong(f"{len(region)} output_bounds for {output.dimensions()} dimensions", "one pair per dimension")
    return region


def _wrong(summary: str, accepted: str) -> DefinitionError:
    return DefinitionError(f"propagate_adjoints: {summary}", location=caller(), accepted=accepted)


def _interval(range_: Range) -> Interval:
    lo, extent = range_.min.node, range_.extent.node
    return Interval(lo, simplify(build.sub(build.add(lo, extent), 1)))


def _start(output: Func, adjoint: Func | Buffer | None, region: Sequence[Range]) -> Func:
    """The adjoint of the output: as given, and 0 outside of the region."""
    types = output.types()
    inside: Func | Buffer
    if adjoint is None:
        if len(types) > 1:
            raise _wrong(f"Func `{output.name()}` has {len(types)} values", "an adjoint Func of as many values")
        inside = Func("adjoint")
        inside[tuple(output.args())] = Handle(nodes.const(1, output._contents.defined_function.dtypes[0]))
    elif isinstance(adjoint, Func):
        inside = _of_types("adjoint", adjoint, types)
    else:
        inside = Func("adjoint")
        args = tuple(output.args())
        inside[args] = Handle(adjoint[args] if args else _only_element(adjoint))
        inside = _of_types("adjoint", inside, types)
    if not output.dimensions():
        return inside
    zeros = tuple(Handle(nodes.const(0, t)) for t in output._contents.defined_function.dtypes)
    return constant_exterior(inside, zeros, list(region))


def _only_element(buffer: Buffer) -> Expr:
    """The element of a buffer without dimensions."""
    return ImageAccess(buffer._contents.image, ())


def _of_types(name: str, func: Func, types: Sequence[Type]) -> Func:
    """The Func's values as those types."""
    if len(func.types()) != len(types):
        raise _wrong(f"{len(func.types())} adjoints for {len(types)} values", "one for each value")
    if all(a == b for a, b in zip(func.types(), types, strict=True)):
        return func
    args = tuple(func.args())
    values = [func[args]] if len(types) == 1 else list(func[args])
    converted = Func(name)
    converted[args] = tuple(cast(t, v) for t, v in zip(types, values, strict=True))
    return converted


class _Sweep:
    """From the output back to the inputs."""

    def __init__(self, output: Func, start: Func, box: Box) -> None:
        self.order = producers_first(output._contents)
        self.boxes = required_boxes(self.order, box)
        self.of_stages: dict[tuple[FuncContents, int], Func] = {}
        self.of_inputs: dict[Input, Adjoint] = {}
        self.of_funcs = {func: self._of_func(func) for func in self.order}
        last = self.of_funcs[output._contents]
        place = tuple(map(nodes.Var, last.coordinates))
        last.start = [FuncAccess(start._contents, place, e, t) for e, t in enumerate(last.dtypes)]
        for func in self.order:
            self._add_inputs(func)

    def _of_func(self, func: FuncContents) -> Adjoint:
        function = func.defined_function
        return Adjoint(f"{func.name}_{len(function.updates)}_d_def__", function.args, function.dtypes)

    def _add_inputs(self, func: FuncContents) -> None:
        for root in expressions(func.defined_function):
            for node in find(root, ImageAccess, nodes.Param):
                assert isinstance(node, ImageAccess | nodes.Param), "only these are looked for"
                rank = node.ref.rank if isinstance(node.ref, ImageRef) else 0
                self.of_inputs.setdefault(node.ref, _of_input(node.ref.name, node.dtype, rank))

    def derivative(self) -> Derivative:
        for func in reversed(self.order):
            self._through(func)
        return Derivative(self.of_stages, {ref: adjoint.func() for ref, adjoint in self.of_inputs.items()})

    def _through(self, func: FuncContents) -> None:
        after = self.of_funcs[func].func()
        if func.schedule().compute_level.is_root:
            after.compute_root()  # inlined in one another, the adjoints of n stages would be of n * n places
        history = History(func)
        for stage in reversed(range(len(func.defined_function.definitions))):
            passed = StageAdjoint(history, stage, self.boxes[func], after).passed()
            self.of_stages[func, stage] = passed.handle
            self._give(passed)
            if passed.before is not None:
                after = passed.before

    def _give(self, passed: Passed) -> None:
        for leaf, share in passed.shares.items():
            target, index, element = self._target(leaf)
            given = contribution(passed.instances, index, element, share, target.coordinates)
            target.contributions.append(given)

    def _target(self, leaf: Expr) -> tuple[Adjoint, tuple[Expr, ...], int]:
        if isinstance(leaf, FuncAccess):
            assert isinstance(leaf.ref, FuncContents), "user-level programs are made of Funcs"
            return self.of_funcs[leaf.ref], leaf.index, leaf.element
        assert isinstance(leaf, ImageAccess | nodes.Param), "adjoints flow to what is read"
        return self.of_inputs[leaf.ref], leaf.index if isinstance(leaf, ImageAccess) else (), 0


def _of_input(name: str, dtype: DType, rank: int) -> Adjoint:
    coordinates = ["x", "y", "z", "w"][:rank] if rank <= 4 else [f"x{d}" for d in range(rank)]
    return Adjoint(f"{name}_d__", coordinates, (dtype,))
