"""A pipeline as a function for other programs: its arguments matched with what it reads, its name checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..codegen.c.linked_text import Constant, LinkedUnit
from ..codegen.c.names import is_taken_in_c
from ..codegen.interface import Exports, Interface, Parameter, Role
from ..compile import compile_linked
from ..errors import DefinitionError, UnsupportedTarget
from ..ir.expr import is_const
from ..ir.kernel import LoweredKernel
from ..ir.program import Image, Program, Scalar, output_buffers
from ..ir.refs import ImageRef
from ..source import caller
from ..target import Target
from ..target_features import TargetFeature, TargetOS
from .advise import advise_about
from .argument import Argument, region_estimate
from .buffers.contents import BufferContents
from .func_contents import FuncContents
from .image_ref import ImageParamRef
from .output_files import LinkageType
from .shown_names import printable
from .snapshot import Snapshot

_EXPORTS = {
    LinkageType.External: Exports.FUNCTION,
    LinkageType.ExternalPlusArgv: Exports.ARGV,
    LinkageType.ExternalPlusMetadata: Exports.METADATA,
    LinkageType.Internal: Exports.NONE,
}


@dataclass(frozen=True, slots=True)
class LinkedFunction:
    """A function and what it was printed from."""

    unit: LinkedUnit
    lowered: LoweredKernel

    @property
    def interface(self) -> Interface:
        return self.unit.interface

    def with_metadata_names(self, names: dict[str, str]) -> LinkedFunction:
        """The same, calling arguments otherwise where it describes itself."""
        return replace(self, unit=replace(self.unit, metadata_names=names))


def linked_function(
    now: Snapshot,
    arguments: Sequence[Argument],
    name: str,
    target: Target,
    linkage: LinkageType = LinkageType.ExternalPlusMetadata,
) -> LinkedFunction:
    """Lower and print. Raises DefinitionError for a name or arguments that do not do, and what compiling raises."""
    _check_target(target)
    mangled = target.has(TargetFeature.CPlusPlusMangling)
    namespaces, own = _checked_name(name, mangled)
    advise_about(now, target)
    program = now.program
    inputs = _matched(program, arguments)
    outputs = _outputs(program)
    interface = Interface(
        own,
        (*(a._parameter() for a in arguments), *outputs.values()),
        namespaces,
        mangled=mangled,
        user_context=target.has(TargetFeature.UserContext),
        exports=_EXPORTS[linkage],
    )
    made = compile_linked(program, now.schedules, target, strided_buffers(program), f"{own}_kernel")
    unit = LinkedUnit(
        made.kernel,
        interface,
        {**inputs, **outputs},
        {n: _constant(i) for n, i in program.images.items() if n not in inputs},
        str(target),
        with_runtime=not target.has(TargetFeature.NoRuntime),
        answers_queries=not target.has(TargetFeature.NoBoundsQuery),
        wide_long=target.bits == 64 and target.os not in (TargetOS.Windows, TargetOS.OSX, TargetOS.IOS),
    )
    return LinkedFunction(unit, made.lowered)


def strided_buffers(program: Program) -> frozenset[str]:
    """The buffers whose dimension 0 need not be dense: those with another promise about its stride, or without any."""
    promises = {image.name: image.constraints for image in program.images.values()} | dict(program.promises)
    promised = {
        name
        for name, made in promises.items()
        if any((p.property, p.dim) == ("stride", 0) and not is_const(p.value, 1) for p in made)
    }
    refs: dict[str, ImageRef] = {image.name: image.ref for image in program.images.values()} | output_refs_of(program)
    return frozenset(promised | {n for n, ref in refs.items() if isinstance(ref, ImageParamRef) and ref.any_stride})


def output_refs_of(program: Program) -> dict[str, ImageRef]:
    """What stands behind the output buffers, where the user asked for it."""
    found: dict[str, ImageRef] = {}
    for ref, name in program.names.items():
        if name in program.outputs and isinstance(ref, FuncContents):
            buffers = output_buffers(name, len(program.functions[name].dtypes))
            found |= dict(zip(buffers, ref.output_refs, strict=False))
    return found


def _check_target(target: Target) -> None:
    if target.has_gpu:
        raise UnsupportedTarget(
            f"functions for other programs run on the CPU only, but the target is `{target}`",
            location=caller(),
            accepted="a target without a GPU",
        )


def _checked_name(name: str, mangled: bool) -> tuple[tuple[str, ...], str]:
    """Namespaces and the name itself. Raises DefinitionError where C or C++ has no such name."""
    parts = name.split("::")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", part) or is_taken_in_c(part):
            raise DefinitionError(
                f"{name!r} cannot be the name of a function in C",
                location=caller(),
                accepted="letters, digits and _, not starting with a digit; no word of C or its library",
            )
    if len(parts) > 1 and not mangled:
        raise DefinitionError(
            f"{name!r} has namespaces, which functions have in C++ only",
            location=caller(),
            accepted="a plain name, or a target with c_plus_plus_name_mangling",
        )
    return tuple(parts[:-1]), parts[-1]


def _matched(program: Program, arguments: Sequence[Argument]) -> dict[str, Parameter]:
    """The argument for each input, by the program's names; constant buffers may have none."""
    found: dict[str, Parameter] = {}
    inputs: list[Image | Scalar] = [*program.images.values(), *program.scalars.values()]
    for needed in inputs:
        argument = next((a for a in arguments if a._ref is needed.ref), None)
        argument = argument or next((a for a in arguments if a.name == needed.ref.name), None)
        if argument is None and isinstance(needed, Image) and isinstance(needed.ref.constant, BufferContents):
            continue
        if argument is None:
            raise _missing(needed, arguments, [i.ref.name for i in inputs])
        if not _fits(argument, needed):
            raise _misfit(argument, needed)
        found[needed.name] = argument._parameter()
    return found


def _fits(argument: Argument, needed: Image | Scalar) -> bool:
    rank = needed.rank if isinstance(needed, Image) else 0
    return argument.type.dtype is needed.dtype and argument.dimensions == rank


def _misfit(argument: Argument, needed: Image | Scalar) -> DefinitionError:
    rank = f" with {needed.rank} dimensions" if isinstance(needed, Image) else ""
    given = f" with {argument.dimensions} dimensions" if argument.is_buffer() else ""
    return DefinitionError(
        f"the argument `{printable(argument.name)}` has type {argument.type.dtype}{given}, but the pipeline reads it"
        f" as {needed.dtype}{rank}",
        location=caller(),
        accepted=f"the Param or ImageParam `{printable(needed.ref.name)}` itself",
    )


def _missing(needed: Image | Scalar, arguments: Sequence[Argument], names: Sequence[str]) -> DefinitionError:
    kind = "buffer" if isinstance(needed, Image) else "parameter"
    return DefinitionError(
        f"the pipeline reads the {kind} `{printable(needed.ref.name)}` of type {needed.dtype}, "
        "which is not in the list of arguments",
        location=caller(),
        reason=(f"the list has: {', '.join(printable(a.name) for a in arguments) or 'nothing'}",),
        accepted=f"a list with {', '.join(map(printable, names))}",
    )


def _outputs(program: Program) -> dict[str, Parameter]:
    shown = {name: ref.name for ref, name in program.names.items()}
    refs = output_refs_of(program)
    found = {}
    for name in program.outputs:
        function = program.functions[name]
        for buffer, dtype in zip(output_buffers(name, len(function.dtypes)), function.dtypes, strict=True):
            label = shown[name] + buffer.removeprefix(name)
            estimate = region_estimate(refs.get(buffer))
            found[buffer] = Parameter(label, Role.OUTPUT_BUFFER, dtype, function.rank, region_estimate=estimate)
    return found


def _constant(image: Image) -> Constant:
    contents = image.ref.constant
    assert isinstance(contents, BufferContents), "what has no argument is a Buffer"
    return Constant(np.ascontiguousarray(contents.read()).reshape(contents.array.shape), contents.mins)
