"""The rows of algebra that the other modules do not compute. Each holds wherever its guard does."""

from __future__ import annotations

from .patterns import c0, c1, equal, f, false, maximum, minimum, rules, select, t, true, unequal, w, x, y, z

# Operands of min, max, and, or are tried in both orders.

MIN = rules(
    (minimum(maximum(x, y), x),                 x, lambda dtype: dtype.is_integer),
    (minimum(maximum(y, x), x),                 x, lambda dtype: dtype.is_integer),
    (minimum(maximum(x, y), maximum(x, z)),     maximum(minimum(y, z), x), lambda dtype: dtype.is_integer),
    (minimum(maximum(y, x), maximum(z, x)),     maximum(minimum(y, z), x), lambda dtype: dtype.is_integer),
    (minimum(maximum(y, x), maximum(x, z)),     maximum(minimum(y, z), x), lambda dtype: dtype.is_integer),
    (minimum(select(t, x, y), select(t, z, w)), select(t, minimum(x, z), minimum(y, w))),
    (minimum(select(t, c0, y), c1),             select(t, minimum(c0, c1), minimum(y, c1))),
    (minimum(select(t, y, c0), c1),             select(t, minimum(y, c1), minimum(c0, c1))),
)  # fmt: skip

MAX = rules(
    (maximum(minimum(x, y), x),                 x, lambda dtype: dtype.is_integer),
    (maximum(minimum(y, x), x),                 x, lambda dtype: dtype.is_integer),
    (maximum(minimum(x, y), minimum(x, z)),     minimum(maximum(y, z), x), lambda dtype: dtype.is_integer),
    (maximum(minimum(y, x), minimum(z, x)),     minimum(maximum(y, z), x), lambda dtype: dtype.is_integer),
    (maximum(minimum(y, x), minimum(x, z)),     minimum(maximum(y, z), x), lambda dtype: dtype.is_integer),
    (maximum(select(t, x, y), select(t, z, w)), select(t, maximum(x, z), maximum(y, w))),
    (maximum(select(t, c0, y), c1),             select(t, maximum(c0, c1), maximum(y, c1))),
    (maximum(select(t, y, c0), c1),             select(t, maximum(y, c1), maximum(c0, c1))),
)  # fmt: skip

SELECT = rules(
    (select(~t, x, y),                   select(t, y, x)),
    (select(t, true, false),             t),
    (select(t, select(t, x, y), z),      select(t, x, z)),
    (select(t, x, select(t, y, z)),      select(t, x, z)),
    (select(t, x, select(f, x, y)),      select(t | f, x, y)),
    (select(t, select(f, x, y), y),      select(t & f, x, y)),
    (select(x < y, x, y),                minimum(x, y)),
    (select(x < y, y, x),                maximum(y, x), lambda dtype: dtype.is_integer),
    (select(x <= y, x, y),               minimum(x, y), lambda dtype: dtype.is_integer),
    (select(x <= y, y, x),               maximum(x, y), lambda dtype: dtype.is_integer),
    (select(equal(x, y), x, y),          y, lambda dtype: dtype.is_integer),
    (select(equal(x, y), y, x),          x, lambda dtype: dtype.is_integer),
    (select(unequal(x, y), x, y),        x, lambda dtype: dtype.is_integer),
    (select(unequal(x, y), y, x),        y, lambda dtype: dtype.is_integer),
)  # fmt: skip

AND = rules(
    (x & (x | y),                 x),
    (x & (y | x),                 x),
    (x & ~x,                      false),
    ((x < c0) & (x < c1),         x < minimum(c0, c1), lambda x: x.dtype.is_integer),
    ((x > c0) & (x > c1),         x > maximum(c0, c1), lambda x: x.dtype.is_integer),
    ((x <= c0) & (x <= c1),       x <= minimum(c0, c1), lambda x: x.dtype.is_integer),
    ((x >= c0) & (x >= c1),       x >= maximum(c0, c1), lambda x: x.dtype.is_integer),
    ((x < y) & (y < x),           false),
    ((x < y) & (y <= x),          false),
    (equal(x, y) & unequal(x, y), false),
)  # fmt: skip

OR = rules(
    (x | (x & y),                 x),
    (x | (y & x),                 x),
    (x | ~x,                      true),
    ((x < c0) | (x < c1),         x < maximum(c0, c1), lambda x: x.dtype.is_integer),
    ((x > c0) | (x > c1),         x > minimum(c0, c1), lambda x: x.dtype.is_integer),
    ((x <= c0) | (x <= c1),       x <= maximum(c0, c1), lambda x: x.dtype.is_integer),
    ((x >= c0) | (x >= c1),       x >= minimum(c0, c1), lambda x: x.dtype.is_integer),
    ((x < y) | (y <= x),          true, lambda x: x.dtype.is_integer),
    (equal(x, y) | unequal(x, y), true),
)  # fmt: skip

TABLES = {"min": MIN, "max": MAX, "select": SELECT, "and": AND, "or": OR}
