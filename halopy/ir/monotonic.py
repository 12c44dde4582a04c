"""Whether an integer expression only rises or only falls as a variable grows."""

from __future__ import annotations

import enum

from .expr import Add, Call, Div, Expr, Max, Min, Mul, Sub, Var, const_value
from .rewrite import free_vars


class Trend(enum.Enum):
    """How a value changes while a variable grows. RISING and FALLING include standing still."""

    CONSTANT = 0
    RISING = 1
    FALLING = -1
    UNKNOWN = 2

    def reversed(self) -> Trend:
        return {Trend.RISING: Trend.FALLING, Trend.FALLING: Trend.RISING}.get(self, self)

    def joined(self, other: Trend) -> Trend:
        """The trend of a sum, minimum or maximum of two values."""
        if self is other or other is Trend.CONSTANT:
            return self
        return other if self is Trend.CONSTANT else Trend.UNKNOWN


def trend(e: Expr, variable: str) -> Trend:
    """The trend of an int32 or wider expression, by structure; UNKNOWN says nothing."""
    if isinstance(e, Var):
        return Trend.RISING if e.name == variable else Trend.CONSTANT
    if isinstance(e, Add | Min | Max) and e.dtype.is_index_like:
        return trend(e.a, variable).joined(trend(e.b, variable))
    if isinstance(e, Sub) and e.dtype.is_index_like:
        return trend(e.a, variable).joined(trend(e.b, variable).reversed())
    if isinstance(e, Mul | Div) and e.dtype.is_index_like and const_value(e.b) is not None:
        own = trend(e.a, variable)
        return own.reversed() if (const_value(e.b) or 0) < 0 else own
    if isinstance(e, Call) and e.name in ("likely", "likely_if_innermost"):
        return trend(e.args[0], variable)
    return Trend.UNKNOWN if variable in free_vars(e) else Trend.CONSTANT
