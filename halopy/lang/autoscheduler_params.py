"""`AutoschedulerParams`: which automatic scheduler, and what it is told of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..automatic import Machine
from ..errors import ScheduleError, UnsupportedTarget
from ..source import caller
from ..target import Target

# Halide's names stand for halopy's own scheduler, so that programs written for them run.
NAMES = ("Adams2019", "Li2018", "Mullapudi2016", "halopy")
GPU_NAME = "Anderson2021"
_NUMBERS = ("balance", "last_level_cache_size", "parallelism")


class AutoschedulerParams:
    """The name of an automatic scheduler, and its settings, kept as texts.

    `halopy`, `Mullapudi2016`, `Adams2019` and `Li2018` all are the one that halopy has. Settings:
    `parallelism`             threads to schedule for, 16 unless said
    `last_level_cache_size`   bytes that they share, 16 MiB unless said
    `balance`                 cost of bringing a value from memory, in simple operations, 40 unless said
    """

    __slots__ = ("extra", "name")

    def __init__(self, name: str = "", extra: Mapping[object, object] | None = None) -> None:
        self.name = name
        self.extra: dict[str, str] = {str(key): str(value) for key, value in (extra or {}).items()}

    def __repr__(self) -> str:
        return f"<halopy.AutoschedulerParams '{self.name}'>"


def machine(params: AutoschedulerParams, target: Target) -> Machine:
    """What the settings say of the machine. Raises ScheduleError for a scheduler or a setting that there is not."""
    if params.name == GPU_NAME:
        raise UnsupportedTarget(
            f"the automatic scheduler `{GPU_NAME}` is for graphics processors",
            location=caller(),
            reason=["halopy schedules automatically for processors with vectors and threads"],
            accepted=", ".join(NAMES),
        )
    if params.name not in NAMES:
        said = f"there is no automatic scheduler `{params.name}`" if params.name else "no automatic scheduler is named"
        raise ScheduleError(said, location=caller(), accepted=", ".join(NAMES))
    made = Machine(target)
    for key, text in params.extra.items():
        made = _with_setting(made, key, text)
    return made


def _with_setting(made: Machine, key: str, text: str) -> Machine:
    match key:
        case "parallelism":
            return replace(made, parallelism=_number(key, text))
        case "last_level_cache_size":
            return replace(made, last_level_cache_size=_number(key, text))
        case "balance":
            return replace(made, balance=_number(key, text))
    raise ScheduleError(
        f"the automatic scheduler has no setting `{key}`", location=caller(), accepted=", ".join(_NUMBERS)
    )


def _number(key: str, text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 1 <= value < 1 << 62:
        raise ScheduleError(
            f"the setting `{key}` of the automatic scheduler is `{text}`",
            location=caller(),
            accepted="a number of 1 or more",
        )
    return int(value)
