"""Whether the target has the devices that a schedule asks for: code is made for the processor, and for OpenCL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..errors import UnsupportedTarget
from ..ir.program import Program
from ..target import Target
from ..target_features import TargetFeature
from .directives import CopyTo, Directive, OnDevice, SetKind
from .nest import FuncSchedule

_HOST = ("", "None", "Host")
_OPENCL = ("Default_GPU", "OpenCL")


def check_devices(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> None:
    """Raises UnsupportedTarget where a stage, or a copy, belongs on a device that the target has not."""
    here = (*_HOST, *_OPENCL) if target.has(TargetFeature.OpenCL) else _HOST
    for name, function in program.functions.items():
        schedule = schedules[name]
        is_inlined = name not in program.outputs and not function.updates and schedule.compute_level.is_inlined
        for directive, device in _devices(schedule, here) if not is_inlined else ():
            raise UnsupportedTarget(
                directive.text,
                location=directive.location,
                reason=[f"{function.name} is to run or live on a device, {device}, and the target {target} has none"],
                accepted='parallel() and vectorize(), which run on the processor, or hl.Target("host-opencl")',
            )


def _devices(schedule: FuncSchedule, here: Collection[str]) -> Iterator[tuple[Directive, str]]:
    """The directives that stand and ask for a device that is not here, with its name."""
    for directive in schedule.directives:
        if isinstance(directive.action, CopyTo) and directive.action.device not in here:
            yield directive, directive.action.device
    for nest in schedule.nests:
        for directive in nest.directives:
            if isinstance(directive.action, OnDevice) and directive.action.device not in here:
                yield directive, directive.action.device
        for dim in nest.dims:
            if dim.device not in here:
                yield next(d for d in reversed(dim.made_by) if isinstance(d.action, SetKind)), dim.device
