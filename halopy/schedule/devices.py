"""Whether the target has the devices that a schedule asks for: code is made for the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import UnsupportedTarget
from ..ir.program import Program
from .directives import CopyTo, Directive, OnDevice, SetKind
from .nest import FuncSchedule

_HOST = ("", "None", "Host")


def check_devices(program: Program, schedules: Mapping[str, FuncSchedule], target: str) -> None:
    """Raises UnsupportedTarget where a stage, or a copy, belongs on a device."""
    for name, function in program.functions.items():
        schedule = schedules[name]
        is_inlined = name not in program.outputs and not function.updates and schedule.compute_level.is_inlined
        for directive, device in _devices(schedule) if not is_inlined else ():
            raise UnsupportedTarget(
                directive.text,
                location=directive.location,
                reason=[f"{function.name} is to run or live on a device, {device}, and the target {target} has none"],
                accepted="parallel() and vectorize(), which run on the CPU",
            )


def _devices(schedule: FuncSchedule) -> Iterator[tuple[Directive, str]]:
    """The directives that stand, with the device of each."""
    for directive in schedule.directives:
        if isinstance(directive.action, CopyTo) and directive.action.device not in _HOST:
            yield directive, directive.action.device
    for nest in schedule.nests:
        for directive in nest.directives:
            if isinstance(directive.action, OnDevice) and directive.action.device not in _HOST:
                yield directive, directive.action.device
        for dim in nest.dims:
            if dim.device not in _HOST:
                yield next(d for d in reversed(dim.made_by) if isinstance(d.action, SetKind)), dim.device
