"""The program and the schedules behind some Funcs, as values, at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import DefinitionError
from ..ir.expr import Call, Expr, ImageProperty, Param, Random, TargetQuery, Var
from ..ir.groups import GROUP
from ..ir.program import Constraint, Image, Program, Scalar, buffer_property, output_buffers, output_of, program_of
from ..ir.refs import ImageRef, ScalarRef
from ..ir.rewrite import Rewriter
from ..ir.target_queries import answer, answer_target_queries
from ..schedule.directives import (
    ROOT,
    AlignBounds,
    AlignStorage,
    Bound,
    BoundStorage,
    ComputeAt,
    Directive,
    FoldStorage,
    FuncDirective,
    HoistStorage,
    LoopStep,
    Memoize,
    NestDirective,
    Prefetch,
    RingBuffer,
    Split,
    StoreAt,
)
from ..schedule.fused_nests import OUTERMOST
from ..schedule.nest import FuncSchedule, StageNest
from ..target import Target, host_target
from .func_contents import FuncContents
from .groups import outside_definitions
from .image_ref import ImageParamRef
from .wrappers import Redirected


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `compile_pipeline` takes: `schedules` by the program's function names."""

    program: Program
    schedules: Mapping[str, FuncSchedule]


def snapshot(
    outputs: Sequence[FuncContents], target: Target | None = None, requirements: Sequence[Expr] = ()
) -> Snapshot:
    """For the host, unless a target is given.

    Raises DefinitionError where a Func is not defined, ScheduleError where a place was never decided.
    """
    target = target or host_target()
    redirected = Redirected()
    program = answer_target_queries(program_of(outputs, redirected), target)
    redirected.check(list(program.names), [image.ref for image in program.images.values()])
    to_names = _ToNames(program, target)
    schedules = {}
    for ref, name in program.names.items():
        assert isinstance(ref, FuncContents), "user-level programs are made of Funcs"
        schedule = ref.schedule()
        directives = tuple(_outside_loops(d, outputs) for d in schedule.directives)
        schedules[name] = _named(replace(schedule, directives=directives), to_names)
    required = tuple(map(to_names, requirements))
    return Snapshot(_with_promises(to_names, replace(program, requirements=required), outputs), schedules)


def _with_promises(to_names: _ToNames, program: Program, outputs: Sequence[FuncContents]) -> Program:
    """The program with all its inputs, and what is promised about its outputs."""
    refs = {to_names.output(ref): ref for func in outputs for ref in func.output_refs}
    promises = {buffer: to_names.promised(ref) for buffer, ref in refs.items() if ref.constraints}
    program = to_names.completed(program)  # last: promises may have brought inputs
    refs |= {image.name: image.ref for image in program.images.values() if isinstance(image.ref, ImageParamRef)}
    alignments = {buffer: r.host_alignment for buffer, r in refs.items() if r.host_alignment > r.dtype.bytes}
    return replace(program, promises=promises, alignments=alignments)


def _outside_loops(directive: Directive, outputs: Sequence[FuncContents]) -> Directive:
    """A place around all loops of a Func, `Var.outermost()`, as the place where that Func itself is computed."""
    action = directive.action
    while isinstance(action, ComputeAt | StoreAt | HoistStorage) and action.level.loop == OUTERMOST:
        func = action.level.func
        assert isinstance(func, FuncContents), "a loop belongs to a Func"
        level = ROOT if func in outputs else func.schedule().compute_level
        if level.is_inlined:
            break
        action = type(action)(level)
    return directive if action is directive.action else replace(directive, action=action)


def _named(schedule: FuncSchedule, to_names: _ToNames) -> FuncSchedule:
    nests = tuple(_named_nest(nest, to_names) for nest in schedule.nests)
    return replace(schedule, nests=nests, directives=tuple(_named_directive(d, to_names) for d in schedule.directives))


def _named_nest(nest: StageNest, to_names: _ToNames) -> StageNest:
    versions = tuple(
        replace(s, condition=to_names(s.condition), nest=_named_nest(s.nest, to_names)) for s in nest.specializations
    )
    steps = tuple(_named_step(step, to_names) for step in nest.steps)
    prefetches = tuple(_named_directive(d, to_names) for d in nest.prefetches)
    return replace(nest, steps=steps, specializations=versions, prefetches=prefetches)


def _named_step(step: LoopStep, to_names: _ToNames) -> LoopStep:
    return replace(step, factor=to_names(step.factor)) if isinstance(step, Split) else step


def _named_directive(directive: Directive, to_names: _ToNames) -> Directive:
    action = directive.action
    if isinstance(action, Bound):
        low = None if action.min is None else to_names(action.min)
        return replace(directive, action=replace(action, min=low, extent=to_names(action.extent)))
    if isinstance(action, AlignBounds):
        remainder = None if action.remainder is None else to_names(action.remainder)
        return replace(directive, action=replace(action, modulus=to_names(action.modulus), remainder=remainder))
    if isinstance(action, Memoize):
        eviction = None if action.eviction is None else to_names(action.eviction)
        return replace(directive, action=replace(action, eviction=eviction))
    size = _SIZES.get(type(action))
    return directive if size is None else replace(directive, action=_with_size(action, size, to_names))


_SIZES = {
    FoldStorage: "factor",
    AlignStorage: "alignment",
    BoundStorage: "extent",
    RingBuffer: "slots",
    Prefetch: "offset",
}


def _with_size(action: NestDirective | FuncDirective, field: str, to_names: _ToNames) -> NestDirective | FuncDirective:
    """The directive with its one expression by the program's names."""
    return replace(action, **{field: to_names(getattr(action, field))})


class _ToNames(Rewriter):
    """Parameters and image shapes by the program's names; new names for those that only directives have.

    Facts about the target become numbers.
    """

    only = (Call, ImageProperty, Param, Random, TargetQuery)

    def __init__(self, program: Program, target: Target) -> None:
        super().__init__()
        self.target = target
        self.images = {image.ref: image for image in program.images.values()}
        self.scalars = {scalar.ref: scalar for scalar in program.scalars.values()}
        self.outputs = {
            ref: output_buffers(program.names[ref], len(program.functions[program.names[ref]].dtypes))
            for ref in program.names
            if program.names[ref] in program.outputs
        }
        self.taken = {*program.functions, *program.images, *program.scalars}

    def completed(self, program: Program) -> Program:
        """The program with the inputs that only directives use, and what is promised about the shapes of inputs."""
        for image in list(self.images.values()):
            is_traced = isinstance(image.ref, ImageParamRef) and image.ref.is_traced
            constraints = self.promised(image.ref)
            self.images[image.ref] = replace(image, constraints=constraints, is_traced=is_traced)
        images = {image.name: image for image in self.images.values()}
        return replace(program, images=images, scalars={scalar.name: scalar for scalar in self.scalars.values()})

    def promised(self, ref: ImageRef) -> tuple[Constraint, ...]:
        promises = ref.constraints if isinstance(ref, ImageParamRef) else {}
        return tuple(Constraint(what, dim, self(value)) for (what, dim), value in promises.items())

    def rewrite_Param(self, param: Param) -> Expr:
        if param.ref not in self.scalars:
            self.scalars[param.ref] = Scalar(self._unused(param.ref), param.dtype, param.ref)
        return Var(self.scalars[param.ref].name, param.dtype)

    def output(self, ref: ImageRef) -> str:
        """The name of an output buffer."""
        return output_of(ref, self.outputs)

    def rewrite_ImageProperty(self, p: ImageProperty) -> Expr:
        if p.ref.output is not None:
            return buffer_property(self.output(p.ref), p.property, p.dim)
        if p.ref not in self.images:
            self.images[p.ref] = Image(self._unused(p.ref), p.ref.dtype, p.ref.rank, p.ref)
        return buffer_property(self.images[p.ref].name, p.property, p.dim)

    def rewrite_TargetQuery(self, query: TargetQuery) -> Expr:
        return answer(query, self.target)

    def rewrite_Call(self, call: Call) -> Expr:
        if call.name == GROUP:
            raise outside_definitions()
        rebuilt: Expr = self.rebuild(call)
        return rebuilt

    def rewrite_Random(self, _: Random) -> Expr:
        raise DefinitionError(
            "a random value stands in a schedule or requirement, where it has no place to depend on",
            accepted="random values in the definitions of Funcs",
        )

    def _unused(self, ref: ImageRef | ScalarRef) -> str:
        base = "".join(c if c.isascii() and c.isalnum() else "_" for c in ref.name)
        name = next(n for k in range(len(self.taken) + 1) if (n := f"{base}_{k}" if k else base) not in self.taken)
        self.taken.add(name)
        return name
