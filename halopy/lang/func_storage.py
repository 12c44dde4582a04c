"""The directives about a Func's memory: of which kind and shape it is, and where it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from ..ir.expr import Expr, const_value
from ..schedule.directives import (
    AlignStorage,
    Async,
    BoundStorage,
    FoldStorage,
    HoistStorage,
    Memoize,
    ReorderStorage,
    RingBuffer,
    StoreIn,
)
from .argument_names import also_called, also_listed
from .enums import MemoryType
from .expressions.conversion import show
from .expressions.expr import ToExpr
from .expressions.var import Var
from .func_scheduling import FuncScheduling
from .loop_level import LoopLevel
from .loop_names import Loop, shown
from .memoization import EvictionKey, to_eviction_key


class FuncStorage(FuncScheduling):
    """Directives that move, shape or share a Func's memory, and never change its values."""

    __slots__ = ()

    def store_in(self, memory_type: MemoryType) -> Self:
        """Which memory holds its values. What does not fit the stack is on the heap; registers need a constant size."""
        text = f"store_in({shown(memory_type)})"
        return self._add(StoreIn(MemoryType.meant(f"{self._contents.name}.{text}", memory_type)), text)

    @also_listed("dims")
    def reorder_storage(self, *dims: Var | Sequence[Var]) -> Self:
        """The order of the named dimensions in memory, the densest first."""
        flat = [v for group in dims for v in (group if isinstance(group, list | tuple) else (group,))]
        text = f"reorder_storage({', '.join(map(shown, flat))})"
        names = tuple(self._argument(text, v) for v in flat)
        if len(names) < 2 or len(set(names)) < len(names):
            raise self._refused(text, "it takes two dimensions or more, each once", ", ".join(self._arguments()))
        return self._add(ReorderStorage(names), text)

    def fold_storage(self, dim: Var, extent: ToExpr, fold_forward: bool = True) -> Self:
        """Only `extent` values are kept in this dimension, in a ring: value i where i % extent is.

        For a Func stored outside the loop in which it is computed. A ring that is too small for the values in use
        at once is refused, where that depends on sizes when the pipeline runs. Whether values are used forwards or
        backwards is found out, so `fold_forward` changes nothing.
        """
        text = f"fold_storage({shown(dim)}, {shown(extent)}{'' if fold_forward else ', False'})"
        return self._add(FoldStorage(self._argument(text, dim), self._positive(text, "factor", extent)), text)

    def align_storage(self, dim: Var, alignment: ToExpr) -> Self:
        """The extent in memory grows to a multiple of `alignment`, and so do the strides of dimensions further out."""
        text = f"align_storage({shown(dim)}, {shown(alignment)})"
        return self._add(AlignStorage(self._argument(text, dim), self._positive(text, "alignment", alignment)), text)

    def bound_storage(self, dim: Var, bound: ToExpr) -> Self:
        """Memory has room for `bound` values in this dimension; a run that needs more is refused."""
        text = f"bound_storage({shown(dim)}, {shown(bound)})"
        return self._add(BoundStorage(self._argument(text, dim), self._positive(text, "bound", bound)), text)

    @also_called(f="loop_level", var="rvar")
    def hoist_storage(self, f: FuncScheduling | LoopLevel, var: Loop | None = None) -> Self:
        """Its memory is taken at a loop around the one where it lives, once, large enough for each iteration.

        Iterations cannot see each other's values, as they can with store_at.
        """
        return self._place_at(HoistStorage, "hoist_storage", f, var)

    def hoist_storage_root(self) -> Self:
        """Its memory is taken outside all loops, once."""
        return self._place(HoistStorage, "hoist_storage_root()", LoopLevel.root())

    def ring_buffer(self, extent: ToExpr) -> Self:
        """Its memory is there `extent` times; iterations between hoist_storage and store_at use the parts in turn."""
        text = f"ring_buffer({shown(extent)})"
        return self._add(RingBuffer(self._positive(text, "extent", extent)), text)

    def memoize(self, eviction_key: EvictionKey | ToExpr | None = None) -> Self:
        """Its results are kept from run to run, and used again where all that they depend on is the same.

        That is the algorithm, the region, the values of Params, and the contents of the inputs that it reads, which
        are looked through in each run; `hl.memoize_tag` names what stands for them instead. Results kept under an
        eviction key, an integer, can be dropped together (`hl.memoization_cache_evict`).
        """
        key = to_eviction_key(eviction_key)
        return self._add(Memoize(key), f"memoize({'' if key is None else show(key)})")

    def async_(self) -> Self:
        """It is computed by a thread of its own, ahead of its consumers, who wait for what they need.

        Stored outside a serial loop along which it slides, it runs ahead until the next value would take the place of
        one in use: without end in memory that is not folded, by `factor` minus what is in use after `fold_storage`, by
        `extent - 1` iterations in a `ring_buffer`. Stored where it is computed, it runs beside what else is computed
        there. Its values are the same; where nothing could run meanwhile, the consumer's thread computes it.
        """
        return self._add(Async(), "async_()")

    def _positive(self, text: str, what: str, value: ToExpr) -> Expr:
        size = self._size(text, value)
        constant = const_value(size)
        if constant is not None and constant < 1:
            raise self._refused(text, f"the {what} is {constant}", f"{_article(what)} of 1 or more")
        return size


def _article(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"
