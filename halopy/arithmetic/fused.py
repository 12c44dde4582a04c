"""a*b + c with a single rounding, for arrays of any float type."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..dtypes import DType
from ..host_features import host_multiplies_and_adds_at_once
from .values import Array, as_values


def fused_multiply_add(a: Array, b: Array, c: Array, dtype: DType) -> Array:
    """Exact product and sum, rounded once to `dtype`."""
    if dtype.bits == 64:
        return _by_fractions(a, b, c)
    # The product of two narrow floats is exact in double precision; the sum is rounded to odd
    # there, which makes the second rounding harmless (53 >= 2 * 24 + 2).
    product = a.astype(np.float64) * b.astype(np.float64)
    return as_values(_sum_rounded_to_odd(product, c.astype(np.float64)), dtype)


def multiply_add(a: Array, b: Array, c: Array, dtype: DType) -> Array:
    """Rounded as kernels for this machine round it."""
    if host_multiplies_and_adds_at_once():
        return fused_multiply_add(a, b, c, dtype)
    return as_values(as_values(a * b, dtype) + c, dtype)


def _sum_rounded_to_odd(a: Array, b: Array) -> Array:
    total = np.asarray(a + b)
    part = total - a
    error = np.asarray((a - (total - part)) + (b - part))
    inexact = np.isfinite(total) & (error != 0)
    even = (np.ascontiguousarray(total).view(np.uint64).reshape(total.shape) & np.uint64(1)) == 0
    towards = np.where(error > 0, np.inf, -np.inf)
    return np.where(inexact & even, np.nextafter(total, towards), total)


def _by_fractions(a: Array, b: Array, c: Array) -> Array:
    x, y, z = np.broadcast_arrays(a, b, c)
    cells = zip(np.ravel(x), np.ravel(y), np.ravel(z), strict=True)
    return np.array([_one(float(p), float(q), float(r)) for p, q, r in cells], np.float64).reshape(x.shape)


def _one(a: float, b: float, c: float) -> float:
    if not all(map(np.isfinite, (a, b, c))):
        return a * b + c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return a * b + c
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")
