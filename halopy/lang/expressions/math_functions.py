"""Mathematical functions of floats. Other types are computed in float32, float16 and float64 stay."""

from __future__ import annotations

from ...dtypes import BOOL, FLOAT16, FLOAT32, DType
from ...errors import TypeMismatch
from ...ir import expr as nodes
from ...source import caller
from . import operators
from .conversion import cast, typed
from .expr import Expr, ToExpr, to_expr, to_node

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "cos", "cosh", "erf", "exp", "fast_cos",
    "fast_exp", "fast_inverse", "fast_inverse_sqrt", "fast_log", "fast_pow", "fast_sin", "floor", "fma", "fract",
    "hypot", "is_finite", "is_inf", "is_nan", "log", "pow", "round", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
]  # fmt: skip


def _float_function(name: str, x: ToExpr) -> Expr:
    return Expr(operators.float_call(name, to_node(x)))


def sin(x: ToExpr) -> Expr:
    """The sine of an angle in radians."""
    return _float_function("sin", x)


def cos(x: ToExpr) -> Expr:
    """The cosine of an angle in radians."""
    return _float_function("cos", x)


def tan(x: ToExpr) -> Expr:
    """The tangent of an angle in radians."""
    return _float_function("tan", x)


def asin(x: ToExpr) -> Expr:
    """The angle from -pi/2 to pi/2 with this sine."""
    return _float_function("asin", x)


def acos(x: ToExpr) -> Expr:
    """The angle from 0 to pi with this cosine."""
    return _float_function("acos", x)


def atan(x: ToExpr) -> Expr:
    """The angle from -pi/2 to pi/2 with this tangent."""
    return _float_function("atan", x)


def sinh(x: ToExpr) -> Expr:
    """The hyperbolic sine."""
    return _float_function("sinh", x)


def cosh(x: ToExpr) -> Expr:
    """The hyperbolic cosine."""
    return _float_function("cosh", x)


def tanh(x: ToExpr) -> Expr:
    """The hyperbolic tangent."""
    return _float_function("tanh", x)


def asinh(x: ToExpr) -> Expr:
    """The number with this hyperbolic sine."""
    return _float_function("asinh", x)


def acosh(x: ToExpr) -> Expr:
    """The non-negative number with this hyperbolic cosine."""
    return _float_function("acosh", x)


def atanh(x: ToExpr) -> Expr:
    """The number with this hyperbolic tangent."""
    return _float_function("atanh", x)


def sqrt(x: ToExpr) -> Expr:
    """The square root; not a number for negative ones."""
    return _float_function("sqrt", x)


def exp(x: ToExpr) -> Expr:
    """e to the power of the expression."""
    return _float_function("exp", x)


def log(x: ToExpr) -> Expr:
    """The natural logarithm."""
    return _float_function("log", x)


def floor(x: ToExpr) -> Expr:
    """Rounded down."""
    return _float_function("floor", x)


def ceil(x: ToExpr) -> Expr:
    """Rounded up."""
    return _float_function("ceil", x)


def trunc(x: ToExpr) -> Expr:
    """Rounded towards zero."""
    return _float_function("trunc", x)


def round(x: ToExpr) -> Expr:
    """The nearest integer, as a float; halves go to the even one."""
    e = to_node(x)
    e = e if e.dtype.is_float else cast(FLOAT32, e)
    return Expr(nodes.Call("round", (e,), e.dtype))


def fract(x: ToExpr) -> Expr:
    """The part after the point, with the sign of x."""
    return to_expr(x) - trunc(x)


def atan2(y: ToExpr, x: ToExpr) -> Expr:
    """The angle of the point (x, y), in y's float type."""
    a = to_node(y)
    return Expr(_binary_call("atan2", operators.float_type(a.dtype), a, to_node(x)))


def pow(x: ToExpr, y: ToExpr) -> Expr:
    """x to the power y; a literal integer y multiplies, in x's type."""
    return Expr(operators.power(to_node(x), to_node(y)))


def hypot(x: ToExpr, y: ToExpr) -> Expr:
    """The length of the vector (x, y)."""
    a, b = to_expr(x), to_expr(y)
    return sqrt(a * a + b * b)


def fma(a: ToExpr, b: ToExpr, c: ToExpr) -> Expr:
    """a * b + c, rounded once."""
    x, y = operators.match_types(to_node(a), to_node(b))
    x, z = operators.match_types(x, to_node(c))
    x, y = operators.match_types(x, y)
    _require_float("fma", x)
    return Expr(nodes.Call("fma", (x, y, z), x.dtype))


def erf(x: ToExpr) -> Expr:
    """The error function of a float32."""
    return _of_types("erf", x, (FLOAT32,))


def fast_exp(x: ToExpr) -> Expr:
    """exp of a float32, approximately."""
    return _of_types("fast_exp", x, (FLOAT32,))


def fast_log(x: ToExpr) -> Expr:
    """log of a float32, approximately."""
    return _of_types("fast_log", x, (FLOAT32,))


def fast_pow(x: ToExpr, y: ToExpr) -> Expr:
    """pow in float32, approximately; a literal integer y multiplies, in x's type."""
    base, exponent = to_node(x), to_node(y)
    if isinstance(exponent, nodes.Const) and exponent.dtype.is_int:
        return Expr(operators.power(base, exponent))
    return Expr(_binary_call("fast_pow", FLOAT32, base, exponent))


def fast_sin(x: ToExpr) -> Expr:
    """sin, where an approximation will do."""
    return sin(x)


def fast_cos(x: ToExpr) -> Expr:
    """cos, where an approximation will do."""
    return cos(x)


def fast_inverse(x: ToExpr) -> Expr:
    """1 / x of a float16 or float32, approximately."""
    return _of_types("fast_inverse", x, (FLOAT16, FLOAT32))


def fast_inverse_sqrt(x: ToExpr) -> Expr:
    """1 / sqrt(x) of a float16 or float32, approximately."""
    return _of_types("fast_inverse_sqrt", x, (FLOAT16, FLOAT32))


def is_nan(x: ToExpr) -> Expr:
    """Whether it is not a number."""
    return _test("is_nan", x)


def is_inf(x: ToExpr) -> Expr:
    """Whether it is plus or minus infinity."""
    return _test("is_inf", x)


def is_finite(x: ToExpr) -> Expr:
    """Whether x is neither infinite nor NaN."""
    return _test("is_finite", x)


def _test(name: str, x: ToExpr) -> Expr:
    e = to_node(x)
    _require_float(name, e)
    operand = cast(operators.float_type(e.dtype), e)
    return Expr(nodes.Call(name, (operand,), BOOL.with_lanes(e.dtype.lanes)))


def _binary_call(name: str, dtype: DType, a: nodes.Expr, b: nodes.Expr) -> nodes.Expr:
    return nodes.Call(name, (cast(dtype, a), cast(dtype, b)), dtype)


def _of_types(name: str, x: ToExpr, dtypes: tuple[DType, ...]) -> Expr:
    e = to_node(x)
    if e.dtype.element not in dtypes:
        raise TypeMismatch(
            f"hl.{name} of {typed(e)}", location=caller(), accepted=" or ".join(map(str, dtypes)) + "; cast to it"
        )
    return Expr(nodes.Call(name, (e,), e.dtype))


def _require_float(name: str, e: nodes.Expr) -> None:
    if not e.dtype.is_float:
        raise TypeMismatch(f"hl.{name} of {typed(e)}", location=caller(), accepted="floats")
