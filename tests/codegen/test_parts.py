"""Long runs of lines are cut into functions, with the same results; short ones are left as they are."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.codegen.c.parts import LONGEST_RUN, in_parts
from halopy.compile import compile_pipeline
from halopy.lang.snapshot import snapshot
from halopy.target import host_target

x = hl.Var("x")


def fresh_names() -> Any:
    numbers = count()
    return lambda wanted: f"{wanted}_{next(numbers)}"


def chain(length: int) -> tuple[list[str], dict[str, str]]:
    """Constants, each made of the one before, of the first, and of a pointer."""
    lines = [f"        const float t{k} = in[{k}] + t{k - 1} * t0 * {'9' * 80}.0f;" for k in range(1, length)]
    types = {f"t{k}": "float" for k in range(length)} | {"in": "const float *"}
    return ["    {", "        const float t0 = 1.0f;", *lines, f"        out[0] = t{length - 1};", "    }"], types


def long_expression(steps: int) -> tuple[Any, np.ndarray]:
    values = (np.arange(100) * 7 + 3).astype(np.int32)
    source = hl.Buffer(values, "source")
    e: Any = source[x]
    expected = values[:64].copy()
    for k in range(steps):
        e = hl.abs(e - source[x + k % 30] * (k % 11 + 1))
        e = hl.i32(e)
        expected = np.abs(expected - values[k % 30 : k % 30 + 64] * np.int32(k % 11 + 1))
    return e, expected


def c_text(output: hl.Func) -> str:
    taken = snapshot([output._contents])
    return compile_pipeline(taken.program, taken.schedules, host_target()).text


def test_lines_that_are_not_very_long_stay() -> None:
    lines, types = chain(100)
    assert in_parts(lines, types, fresh_names()) == (lines, [])


def test_a_very_long_run_becomes_calls_between_what_stood_around_it() -> None:
    lines, types = chain(LONGEST_RUN // 100)
    written, above = in_parts(lines, types, fresh_names())
    assert (written[0], written[-1]) == (lines[0], lines[-1])
    assert "        shared_1.in = in;" in written
    assert written.count("        part_2(&shared_1);") == 1
    assert all(len(text) < LONGEST_RUN // 5 for text in above)
    kept = [line.strip() for text in above for line in text.splitlines()]
    assert all(line.strip() in kept + written for line in lines[1:-2])


def test_what_parts_do_not_share_is_in_no_struct() -> None:
    lines, types = chain(LONGEST_RUN // 100)
    struct = in_parts(lines, types, fresh_names())[1][0]
    assert "float t0;" in struct
    assert len(struct.splitlines()) < len(lines) // 10


def test_a_run_ends_where_a_block_begins() -> None:
    lines, types = chain(LONGEST_RUN // 100)
    middle = len(lines) // 2
    lines[middle:middle] = ["        if (t1) {", "            return 1;", "        }"]
    assert in_parts(lines, types, fresh_names()) == (lines, [])


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("parallel", [False, True], ids=["serial", "parallel"])
def test_long_expressions_have_the_values_of_numpy(lanes: int, parallel: bool) -> None:
    e, expected = long_expression(1500)
    f, y = hl.Func("f"), hl.Var("y")
    f[x, y] = e + y
    if lanes > 1:
        f.vectorize(x, lanes)
    if parallel:
        f.parallel(y)
    assert "OUTLINE void part(" in c_text(f)
    assert np.array_equal(np.asarray(f.realize([64, 3])), expected + np.arange(3, dtype=np.int32)[:, None])


def test_a_sum_of_floats_may_be_very_long() -> None:
    values = np.ones(2100, np.float32)
    source = hl.Buffer(values, "source")
    e: Any = source[x]
    for k in range(1, 2000):
        e = e + source[x + k]
    f = hl.Func("f")
    f[x] = e
    assert np.array_equal(np.asarray(f.realize([64])), np.full(64, 2000, np.float32))
