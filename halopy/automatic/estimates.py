"""The numbers that symbols of a program are expected to be, and what to write where one is missing.

by.min.0 = 0    by.extent.0 = 1536    input.extent.1 = 2560    levels = 8
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..dtypes import INT32, DType
from ..errors import ScheduleError
from ..ir.expr import Const, Expr
from ..ir.program import Program, output_buffers
from ..ir.rewrite import free_vars, substitute
from ..ir.simplify import simplify

Estimates: TypeAlias = "Mapping[str, int | float]"
_PROPERTIES = ("min", "extent", "stride")


class Expected:
    """Expressions of a program in numbers, as far as they do not depend on where in a Func one is."""

    def __init__(self, program: Program, estimates: Estimates) -> None:
        self.program = program
        self.estimates = estimates
        self._constants = {
            name: Const(value, dtype)
            for name, dtype in _symbols(program).items()
            if (value := estimates.get(name)) is not None
        }

    def numbers(self, e: Expr, variables: frozenset[str]) -> Expr:
        """The expression with numbers for its symbols. Raises ScheduleError where one has no estimate."""
        for name in sorted(free_vars(e) - variables - self._constants.keys()):
            raise self.missing(name)
        replaced: Expr = simplify(substitute(e, self._constants))
        return replaced

    def missing(self, symbol: str) -> ScheduleError:
        """The error for a symbol without an estimate: whose it is, and what to write."""
        if symbol in self.program.scalars:
            what, accepted = f"the value of Param `{symbol}`", f"{symbol}.set_estimate(value)"
        else:
            what, accepted = self._of_buffer(symbol)
        return ScheduleError(
            f"the pipeline cannot be scheduled automatically without an estimate of {what}",
            reason=["a schedule is chosen by the sizes to be expected"],
            accepted=f"{accepted} before apply_autoscheduler(...)",
        )

    def _of_buffer(self, symbol: str) -> tuple[str, str]:
        parts = symbol.rsplit(".", 2)
        if len(parts) != 3 or parts[1] not in _PROPERTIES:
            return f"`{symbol}`", "an algorithm of numbers, Params and the shapes of inputs and outputs"
        name, prop, dim = parts
        if name in self.program.images:
            return f"the {prop} of input `{name}` in dimension {dim}", f"{name}.dim({dim}).set_estimate(min, extent)"
        func = next(o for o in self.program.outputs if name == o or name.startswith(f"{o}."))
        arg = self.program.functions[func].args[int(dim)]
        return (
            f"the {prop} of output `{func}` in dimension {dim}, `{arg}`",
            f"{func}.set_estimate({arg}, min, extent)",
        )

    def output_box(self, func: str) -> tuple[tuple[int, int], ...]:
        """The region of an output that is expected to be asked for. Raises ScheduleError where it is not known."""
        function = self.program.functions[func]
        buffer = output_buffers(func, len(function.dtypes))[0]
        box = []
        for d in range(function.rank):
            ends = []
            for prop in ("min", "extent"):
                symbol = f"{buffer}.{prop}.{d}"
                if symbol not in self.estimates:
                    raise self.missing(symbol)
                ends.append(int(self.estimates[symbol]))
            box.append((ends[0], ends[0] + ends[1] - 1))
        return tuple(box)


def _symbols(program: Program) -> dict[str, DType]:
    """The symbols that expressions of a program may speak of, with their types."""
    ranks = {image.name: image.rank for image in program.images.values()}
    for name in program.outputs:
        function = program.functions[name]
        ranks |= dict.fromkeys(output_buffers(name, len(function.dtypes)), function.rank)
    shapes = {f"{name}.{prop}.{d}": INT32 for name, rank in ranks.items() for d in range(rank) for prop in _PROPERTIES}
    return shapes | {scalar.name: scalar.dtype for scalar in program.scalars.values()}
