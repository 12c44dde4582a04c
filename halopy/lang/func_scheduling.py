"""The directives about a whole Func: where it is computed and stored, and over which region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from ..dtypes import INT32
from ..errors import MistypedDirective, ScheduleError
from ..ir.expr import Const, Expr, Mod, const_value
from ..schedule.directives import (
    INLINED,
    AlignBounds,
    Bound,
    ComputeAt,
    CopyTo,
    Directive,
    FuncDirective,
    HoistStorage,
    StoreAt,
)
from ..source import caller
from ..target_features import DeviceAPI
from .argument_names import also_called
from .expressions.expr import ToExpr
from .expressions.var import Var
from .func_contents import FuncContents, Placement
from .func_outputs import output_refs
from .loop_level import LoopLevel
from .loop_names import Loop, shown
from .region import ToRange, to_region
from .sizes import size_expression
from .stage import StageVersions
from .wrappers import is_plain_copy, wrapped


class FuncScheduling(StageVersions):
    """Directives on a Func as a whole; those on loops apply to its pure definition."""

    __slots__ = ()

    def compute_root(self) -> Self:
        """All of it that is needed is computed before its consumers."""
        return self._place(ComputeAt, "compute_root()", LoopLevel.root())

    def compute_inline(self) -> Self:
        """It is substituted into its consumers. This is the default."""
        return self._place(ComputeAt, "compute_inline()", LoopLevel.inlined())

    @also_called(f="loop_level", var="rvar")
    def compute_at(self, f: FuncScheduling | LoopLevel, var: Loop | None = None) -> Self:
        """It is computed at each iteration of a consumer's loop, as much as is needed there."""
        return self._place_at(ComputeAt, "compute_at", f, var)

    def store_root(self) -> Self:
        """Its memory lives as long as the pipeline runs."""
        return self._place(StoreAt, "store_root()", LoopLevel.root())

    @also_called(f="loop_level", var="rvar")
    def store_at(self, f: FuncScheduling | LoopLevel, var: Loop | None = None) -> Self:
        """Its memory lives inside a loop around the one where it is computed, so values can be reused."""
        return self._place_at(StoreAt, "store_at", f, var)

    def bound(self, var: Var, min: ToExpr, extent: ToExpr) -> Self:
        """The dimension is computed over [min, min + extent), and nothing else may be asked for."""
        text = f"bound({shown(var)}, {shown(min)}, {shown(extent)})"
        low, size = self._size(text, min), self._size(text, extent)
        return self._add(Bound(self._argument(text, var), low, size), text)

    def bound_extent(self, var: Var, extent: ToExpr) -> Self:
        """The dimension has this extent, wherever it starts."""
        text = f"bound_extent({shown(var)}, {shown(extent)})"
        return self._add(Bound(self._argument(text, var), None, self._size(text, extent)), text)

    def align_bounds(self, var: Var, modulus: ToExpr, remainder: ToExpr = 0) -> Self:
        """The computed region grows until min % modulus == remainder and the extent is a multiple of modulus."""
        text = f"align_bounds({shown(var)}, {shown(modulus)}, {shown(remainder)})"
        size, offset = self._modulus(text, modulus), self._size(text, remainder)
        known = const_value(size), const_value(offset)
        offset = Const(int(known[1]) % int(known[0]), INT32) if None not in known else Mod(offset, size)  # type: ignore[arg-type]
        return self._add(AlignBounds(self._argument(text, var), size, offset), text)

    def align_extent(self, var: Var, modulus: ToExpr) -> Self:
        """The computed extent grows to a multiple of modulus; the min stays."""
        text = f"align_extent({shown(var)}, {shown(modulus)})"
        return self._add(AlignBounds(self._argument(text, var), self._modulus(text, modulus), None), text)

    def set_estimate(self, var: Var, min: ToExpr, extent: ToExpr) -> Self:
        """The range to expect, for automatic scheduling: without effect on results."""
        name = self._argument(f"set_estimate({shown(var)}, {shown(min)}, {shown(extent)})", var)
        for ref in output_refs(self._contents):
            ref.expect("min", self._arguments().index(name), min)
            ref.expect("extent", self._arguments().index(name), extent)
        return self

    def set_estimates(self, estimates: Sequence[ToRange]) -> Self:
        """The ranges to expect in all dimensions: without effect on results."""
        region = to_region(estimates)
        if len(region) != len(self._arguments()):
            raise self._refused(
                f"set_estimates({shown(list(estimates))})",
                f"{len(region)} ranges for {len(self._arguments())} dimensions",
                "one range per dimension",
            )
        for name, (low, extent) in zip(self._arguments(), region, strict=True):
            self.set_estimate(Var(name), low, extent)
        return self

    def copy_to_host(self) -> Self:
        """The Func, which only reads another, is a copy of it in the memory of the host."""
        return self._copy("copy_to_host()", DeviceAPI.Host)

    def copy_to_device(self, device_api: DeviceAPI = DeviceAPI.Default_GPU) -> Self:
        """The Func, which only reads another, is a copy of it in the memory of a device."""
        shown_api = "" if device_api is DeviceAPI.Default_GPU else f"DeviceAPI.{device_api.name}"
        return self._copy(f"copy_to_device({shown_api})", device_api)

    def _copy(self, text: str, device_api: DeviceAPI) -> Self:
        self._nest()
        if not is_plain_copy(self._contents.defined_function):
            reason = "it does more than read another Func at the same place"
            raise self._refused(text, reason, f"a Func like {self._contents.name}.in_()")
        return self._add(CopyTo(device_api.name), text)

    @also_called(f="fs")
    def in_(self, f: FuncScheduling | Sequence[FuncScheduling] | None = None) -> Self:
        """A Func that reads this one, and is read in its place by `f`: one Func, several, or all."""
        text = wrapper_text(self._contents.name, "in_", f)
        return self._of(wrapped(self._contents, consumers_of(text, f), text))

    @also_called(f="fs")
    def clone_in(self, f: FuncScheduling | Sequence[FuncScheduling]) -> Self:
        """A Func of the same definition, and at first the same schedule, that `f` reads instead of this one."""
        text = wrapper_text(self._contents.name, "clone_in", f)
        return self._of(wrapped(self._contents, consumers_of(text, f), text, clone=True))

    @classmethod
    def _of(cls, contents: FuncContents) -> Self:
        raise NotImplementedError

    def _arguments(self) -> tuple[str, ...]:
        self._nest()
        return self._contents.defined_function.args

    def _argument(self, text: str, var: Var) -> str:
        names = self._arguments()
        if not isinstance(var, Var):
            raise self._mistyped(text, f"{var!r} is no Var", ", ".join(names))
        if var.name() not in names:
            raise self._refused(text, f"`{shown(var)}` is no dimension of {self._contents.name}", ", ".join(names))
        return var.name()

    def _size(self, text: str, value: ToExpr) -> Expr:
        return size_expression(f"{self._contents.name}.{text}", value)

    def _modulus(self, text: str, value: ToExpr) -> Expr:
        modulus = self._size(text, value)
        constant = const_value(modulus)
        if constant is not None and constant < 1:
            raise self._refused(text, f"the modulus is {constant}", "a modulus of 1 or more")
        return modulus

    def _place_at(
        self, kind: type[ComputeAt | StoreAt | HoistStorage], verb: str, f: FuncScheduling | LoopLevel, var: Loop | None
    ) -> Self:
        if isinstance(f, LoopLevel):
            return self._place(kind, f"{verb}({f.shown()})", f)
        text = f"{verb}({shown(f)}, {shown(var)})"
        if not isinstance(f, FuncScheduling) or var is None:
            raise self._mistyped(text, "the place is not a Func and a loop of it", f"{verb}(func, var), a LoopLevel")
        if f._contents is self._contents:
            raise self._refused(text, "a Func has no place inside its own loops", "a loop of a Func that uses it")
        return self._place(kind, text, LoopLevel._at(f._contents, var))

    def _place(self, kind: type[ComputeAt | StoreAt | HoistStorage], text: str, level: LoopLevel) -> Self:
        self._contents.add(Placement(Directive(kind(INLINED), 0, caller(), f"{self._contents.name}.{text}"), level))
        return self

    def _add(self, action: FuncDirective, text: str) -> Self:
        self._nest()
        self._contents.add(Directive(action, 0, caller(), f"{self._contents.name}.{text}"))
        return self

    def _mistyped(self, text: str, reason: str, accepted: str) -> MistypedDirective:
        return MistypedDirective(f"{self._contents.name}.{text}", location=caller(), reason=[reason], accepted=accepted)

    def _refused(self, text: str, reason: str, accepted: str) -> ScheduleError:
        return ScheduleError(f"{self._contents.name}.{text}", location=caller(), reason=[reason], accepted=accepted)


def wrapper_text(name: str, verb: str, f: object) -> str:
    """The directive as the user wrote it."""
    return f"{name}.{verb}({'' if f is None else shown(f)})"


def consumers_of(text: str, f: object) -> list[FuncContents] | None:
    """The Funcs named as readers; None where none are, which means all."""
    if f is None:
        return None
    funcs = list(f) if isinstance(f, list | tuple) else [f]
    for func in funcs:
        if not isinstance(func, FuncScheduling):
            raise MistypedDirective(
                text, location=caller(), reason=[f"{func!r} is not a Func"], accepted="a Func, or a list of Funcs"
            )
    return [func._contents for func in funcs if isinstance(func, FuncScheduling)]
