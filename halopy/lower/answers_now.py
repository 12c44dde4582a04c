"""What functions of extern stages answer to the questions that stand in statements, asked now rather than in a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ..ir.expr import Effect, Expr, const, const_value
from ..ir.program import buffer_property
from ..ir.services import AskedEnd, AskExtern

_Region: TypeAlias = Sequence[tuple[int, int]]
_Shapes: TypeAlias = Mapping[str, Sequence[tuple[int, int, int]]]
_Found: TypeAlias = dict[tuple[int, int, int], int]
AskFunction: TypeAlias = Callable[[AskExtern, Sequence[int | float], _Region, _Region, _Shapes], _Found]


class Answers:
    """Asks functions. `known` are the symbols for shapes as constants, so far as they are known."""

    def __init__(self, known: Mapping[str, Expr], ask_function: AskFunction) -> None:
        self.known, self.ask_function = known, ask_function
        self.found: dict[str, _Found] = {}  # by the name of the question

    def of(self, value: Expr) -> Expr:
        """The value, or the answer that it stands for; what it is made of are constants."""
        service = value.service if isinstance(value, Effect) else None
        if isinstance(value, Effect) and isinstance(service, AskExtern):
            self.found[service.name] = self._asked(service, [_number(e) for e in value.args])
        elif isinstance(service, AskedEnd):
            return const(self.found[service.question][service.argument, service.dim, service.end])
        return value

    def _asked(self, service: AskExtern, operands: Sequence[int | float]) -> _Found:
        arguments = service.call.arguments
        numbers = sum(not a.name for a in arguments)
        ends = [int(e) for e in operands[numbers:]]
        regions = list(zip(ends[::2], ends[1::2], strict=True))
        images = {a.name: [self._row(a.name, d) for d in range(a.rank)] for a in arguments if a.position >= 0}
        own, outer = regions[: service.rank], regions[service.rank :]
        return self.ask_function(service, operands[:numbers], own, outer, images)

    def _row(self, image: str, dim: int) -> tuple[int, int, int]:
        low, extent, stride = (self.known.get(buffer_property(image, p, dim).name) for p in ("min", "extent", "stride"))
        return _known(low), _known(extent), _known(stride)


def _known(e: Expr | None) -> int:
    return 0 if e is None else int(_number(e))


def _number(e: Expr) -> int | float:
    value = const_value(e)
    assert value is not None, f"numbers are known before a pipeline runs, unlike {e}"
    return value
