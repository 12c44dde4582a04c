"""Directives as calls in Python: for each class the method and its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ...errors import SerializationError
from ...ir.expr import Expr
from ...ir.stmt import LoopKind
from ...schedule import directives as d
from ...target_features import DeviceAPI
from ..enums import LoopAlignStrategy, MemoryType, Partition, PrefetchBoundStrategy, TailStrategy


class Scope(Protocol):
    """How things are called where the text stands."""

    def loop(self, name: str) -> str: ...
    def arg(self, name: str) -> str: ...
    def size(self, e: Expr) -> str: ...
    def ref(self, ref: Any) -> str: ...
    def place(self, level: d.LoopLevel) -> str: ...


def call_text(action: Any, scope: Scope) -> str:
    """The call without what it is called on: `split(x, xo, xi, 8)`."""
    form = FORMS.get(type(action))
    if form is None:
        raise SerializationError(f"the directive {type(action).__name__} has no Python form here")
    return form(action, scope)


def _member(cls: Any, value: Any) -> str:
    return f"hl.{cls.__name__}.{cls.of(value).name}"


def _device(name: str) -> str:
    if name not in DeviceAPI.__members__:
        raise SerializationError(f"there is no device {name[:40]!r}")
    return f"hl.DeviceAPI.{name}"


def _split(a: d.Split, s: Scope) -> str:
    loops = f"{s.loop(a.old)}, {s.loop(a.outer)}, {s.loop(a.inner)}"
    tail = "" if a.tail is d.Tail.AUTO else f", {_member(TailStrategy, a.tail)}"
    return f"split({loops}, {s.size(a.factor)}{tail})"


_KINDS = {
    LoopKind.SERIAL: "serial",
    LoopKind.PARALLEL: "parallel",
    LoopKind.VECTORIZED: "vectorize",
    LoopKind.UNROLLED: "unroll",
    LoopKind.GPU_BLOCK: "gpu_blocks",
    LoopKind.GPU_THREAD: "gpu_threads",
    LoopKind.GPU_LANE: "gpu_lanes",
}


def _set_kind(a: d.SetKind, s: Scope) -> str:
    if a.kind.is_on_device:
        return f"{_KINDS[a.kind]}({s.loop(a.loop)}, {_device(a.device)})"
    return f"{'hexagon' if a.device else _KINDS[a.kind]}({s.loop(a.loop)})"


def _on_device(a: d.OnDevice, _: Scope) -> str:
    return "hexagon()" if a.device == "Hexagon" else f"gpu_single_thread({_device(a.device)})"


def _prefetch(a: d.Prefetch, s: Scope) -> str:
    what = f"{s.ref(a.source)}, {s.loop(a.at)}, {s.loop(a.distance)}, {s.size(a.offset)}"
    return f"prefetch({what}, {_member(PrefetchBoundStrategy, a.bound)})"


def _compute_with(a: d.ComputeWith, s: Scope) -> str:
    pairs = ", ".join(f"({s.loop(loop)}, {_member(LoopAlignStrategy, align)})" for loop, align in a.align)
    return f"compute_with({s.place(a.level)}, [{pairs}])"


def _rfactor(a: d.Rfactor, s: Scope) -> str:
    return f"rfactor([{', '.join(f'({s.loop(loop)}, {s.arg(var)})' for loop, var in a.preserved)}])"


def _bound(a: d.Bound, s: Scope) -> str:
    if a.min is None:
        return f"bound_extent({s.arg(a.arg)}, {s.size(a.extent)})"
    return f"bound({s.arg(a.arg)}, {s.size(a.min)}, {s.size(a.extent)})"


def _align_bounds(a: d.AlignBounds, s: Scope) -> str:
    if a.remainder is None:
        return f"align_extent({s.arg(a.arg)}, {s.size(a.modulus)})"
    return f"align_bounds({s.arg(a.arg)}, {s.size(a.modulus)}, {s.size(a.remainder)})"


def _of_dimension(verb: str, field: str) -> Callable[[Any, Scope], str]:
    return lambda a, s: f"{verb}({s.arg(a.arg)}, {s.size(getattr(a, field))})"


def _of_place(verb: str) -> Callable[[Any, Scope], str]:
    return lambda a, s: f"{verb}_root()" if a.level.is_root else f"{verb}_at({s.place(a.level)})"


def _copy_to(a: d.CopyTo, _: Scope) -> str:
    return "copy_to_host()" if a.device == "Host" else f"copy_to_device({_device(a.device)})"


FORMS: dict[type, Callable[[Any, Scope], str]] = {
    d.Split: _split,
    d.Fuse: lambda a, s: f"fuse({s.loop(a.inner)}, {s.loop(a.outer)}, {s.loop(a.fused)})",
    d.Rename: lambda a, s: f"rename({s.loop(a.old)}, {s.loop(a.new)})",
    d.Skew: lambda a, s: f"skew({s.loop(a.loop)}, {s.loop(a.by)}, {a.factor})",
    d.Reorder: lambda a, s: f"reorder({', '.join(map(s.loop, a.loops))})",
    d.SetKind: _set_kind,
    d.SetPartition: lambda a, s: f"partition({s.loop(a.loop)}, {_member(Partition, a.policy)})",
    d.OnDevice: _on_device,
    d.AllowRaceConditions: lambda _a, _s: "allow_race_conditions()",
    d.Atomic: lambda a, _: f"atomic({'True' if a.override_associativity_test else ''})",
    d.Memoize: lambda a, s: f"memoize({'' if a.eviction is None else s.size(a.eviction)})",
    d.Prefetch: _prefetch,
    d.Specialize: lambda a, s: f"specialize({s.size(a.condition)})",
    d.SpecializeFail: lambda a, _: f"specialize_fail({a.message!a})",
    d.ComputeWith: _compute_with,
    d.Rfactor: _rfactor,
    d.Bound: _bound,
    d.AlignBounds: _align_bounds,
    d.ComputeAt: lambda a, s: "compute_inline()" if a.level.is_inlined else _of_place("compute")(a, s),
    d.StoreAt: _of_place("store"),
    d.StoreIn: lambda a, _: f"store_in({_member(MemoryType, a.memory)})",
    d.ReorderStorage: lambda a, s: f"reorder_storage({', '.join(map(s.arg, a.args))})",
    d.FoldStorage: _of_dimension("fold_storage", "factor"),
    d.AlignStorage: _of_dimension("align_storage", "alignment"),
    d.BoundStorage: _of_dimension("bound_storage", "extent"),
    d.HoistStorage: lambda a, s: "hoist_storage_root()" if a.level.is_root else f"hoist_storage({s.place(a.level)})",
    d.RingBuffer: lambda a, s: f"ring_buffer({s.size(a.slots)})",
    d.Async: lambda _a, _s: "async_()",
    d.TraceAccesses: lambda a, _: f"trace_{a.events.value}()",
    d.DebugToFile: lambda a, _: f"debug_to_file({a.filename!a})",
    d.TraceTag: lambda a, _: f"add_trace_tag({a.text!a})",
    d.CopyTo: _copy_to,
}
