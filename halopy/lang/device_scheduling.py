"""Directives that place loops on a device: recorded, and refused when compiled for a target without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from ..errors import ScheduleError
from ..ir.stmt import LoopKind
from ..schedule.directives import OnDevice, Reorder, SetKind
from ..source import caller
from ..target_features import DeviceAPI
from .enums import TailStrategy
from .expressions.var import Var
from .loop_names import LOOPS, Loop, loop_name
from .scheduling import StageScheduling

_TILES: tuple[tuple[str, ...], ...] = (
    ("x", "bx", "tx", "x_size"),
    ("x", "tx", "x_size"),
    ("x", "y", "bx", "by", "tx", "ty", "x_size", "y_size"),
    ("x", "y", "tx", "ty", "x_size", "y_size"),
    ("x", "y", "z", "bx", "by", "bz", "tx", "ty", "tz", "x_size", "y_size", "z_size"),
    ("x", "y", "z", "tx", "ty", "tz", "x_size", "y_size", "z_size"),
)
_BLOCKS = tuple(tuple(f"block_{d}" for d in "xyz"[:n]) for n in (1, 2, 3))
_THREADS = tuple(tuple(f"thread_{d}" for d in "xyz"[:n]) for n in (1, 2, 3))
_BOTH = tuple((*b, *t) for b, t in zip(_BLOCKS, _THREADS, strict=True))


class DeviceScheduling(StageScheduling):
    """Directives on the loops of a stage that is to run on a device."""

    __slots__ = ()

    def gpu_threads(self, *args: object, **named: object) -> Self:
        """gpu_threads(thread_x[, thread_y[, thread_z]][, device_api]): the loops are threads of a block."""
        return self._on_device("gpu_threads", _THREADS, args, named)

    def gpu_blocks(self, *args: object, **named: object) -> Self:
        """gpu_blocks(block_x[, block_y[, block_z]][, device_api]): the loops are blocks of threads."""
        return self._on_device("gpu_blocks", _BLOCKS, args, named)

    def gpu(self, *args: object, **named: object) -> Self:
        """gpu(block_x, thread_x[, device_api]), and for two and three of each: blocks, and threads in them."""
        return self._on_device("gpu", _BOTH, args, named)

    def gpu_lanes(self, thread_x: Loop, device_api: DeviceAPI = DeviceAPI.Default_GPU) -> Self:
        """The loop is the lanes of a group of threads that run in step."""
        text = self._text("gpu_lanes", thread_x)
        return self._record(text, SetKind(self._existing(text, thread_x), LoopKind.GPU_LANE, device_api.name))

    def gpu_single_thread(self, device_api: DeviceAPI = DeviceAPI.Default_GPU) -> Self:
        """The whole stage is one thread on a device."""
        return self._record(self._text("gpu_single_thread"), OnDevice(device_api.name))

    def hexagon(self, x: Loop | None = None) -> Self:
        """The loop, or the whole stage, runs on a Hexagon processor."""
        if x is None or loop_name(x) == Var.outermost().name():
            return self._record(self._text("hexagon"), OnDevice(DeviceAPI.Hexagon.name))
        text = self._text("hexagon", x)
        return self._record(text, SetKind(self._existing(text, x), LoopKind.SERIAL, DeviceAPI.Hexagon.name))

    def gpu_tile(self, *args: object, **named: object) -> Self:
        """Split one, two or three loops into blocks outside and threads inside.

        gpu_tile(x, bx, tx, x_size)                     gpu_tile(x, tx, x_size): blocks are called x
        gpu_tile(x, y, bx, by, tx, ty, x_size, y_size)  gpu_tile(x, y, tx, ty, x_size, y_size)
        and the same with z; then a TailStrategy and a DeviceAPI, if wanted
        """
        text = self._text("gpu_tile", *args, *named.values())
        bound, tail, device = _bound(text, _TILES, args, named)
        axes = [d for d in "xyz" if d in bound]
        old, inner = [bound[d] for d in axes], [bound[f"t{d}"] for d in axes]
        outer = [bound.get(f"b{d}", bound[d]) for d in axes]
        sizes = [bound[f"{d}_size"] for d in axes]
        splits = [
            self._split(text, o, b, t, size, tail) for o, b, t, size in zip(old, outer, inner, sizes, strict=True)
        ]
        marks = [
            *(SetKind(loop_name(v), LoopKind.GPU_THREAD, device) for v in inner),
            *(SetKind(loop_name(v), LoopKind.GPU_BLOCK, device) for v in outer),
        ]
        return self._record(text, *splits, Reorder(tuple(map(loop_name, (*inner, *outer)))), *marks)

    def _on_device(
        self, verb: str, forms: Sequence[Sequence[str]], args: Sequence[object], named: Mapping[str, object]
    ) -> Self:
        text = self._text(verb, *args, *named.values())
        bound, _, device = _bound(text, forms, args, named)
        kinds = {"t": LoopKind.GPU_THREAD, "b": LoopKind.GPU_BLOCK}
        marks = (SetKind(self._existing(text, var), kinds[name[0]], device) for name, var in bound.items())
        return self._record(text, *marks)


def _bound(
    text: str, forms: Sequence[Sequence[str]], args: Sequence[object], named: Mapping[str, object]
) -> tuple[dict[str, Any], TailStrategy, str]:
    """Arguments by name, the tail, and the device. Raises ScheduleError where no form fits."""
    options = [a for a in (*args, *named.values()) if isinstance(a, TailStrategy | DeviceAPI)]
    tail = next((a for a in options if isinstance(a, TailStrategy)), TailStrategy.Auto)
    device = next((a for a in options if isinstance(a, DeviceAPI)), DeviceAPI.Default_GPU)
    plain = [a for a in args if a not in options]
    others = {name: value for name, value in named.items() if name not in ("tail", "device_api")}
    for form in forms:
        bound = dict(zip(form, plain, strict=False)) | others
        fits = len(plain) + len(others) == len(form) == len(bound) and bound.keys() == set(form)
        if fits and all(name.endswith("_size") != isinstance(v, LOOPS) for name, v in bound.items()):
            return bound, tail, device.name
    raise ScheduleError(
        text,
        location=caller(),
        reason=["these arguments fit no form of it"],
        accepted="; ".join(f"({', '.join(form)})" for form in forms),
    )
