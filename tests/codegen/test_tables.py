"""Small tables of 32-bit values are looked up in registers, whatever their size, and again where the table changes."""

import numpy as np
import pytest

import halopy as hl

KEYS = np.random.default_rng(2).integers(-300, 600, (5, 333)).astype(np.int16)
x, y = hl.Var("x"), hl.Var("y")


def looked_up(size, lanes, dtype):
    """A table at the root, and a Func that looks up clamped keys in it, `lanes` at a time."""
    keys, table, out = hl.ImageParam(hl.Int(16), 2, "keys"), hl.Func("table"), hl.Func("out")
    keys.set(hl.Buffer(KEYS))
    table[x] = hl.cast(dtype, x * 100_003 + x // 11) * 7
    out[x, y] = table[hl.clamp(keys[x, y], 0, size - 1)]
    table.compute_root()
    out.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
    return out, [keys]


CASES = [(256, 64), (256, 16), (255, 128), (100, 48), (1, 64), (257, 64)]


@pytest.mark.parametrize(("size", "lanes"), CASES)
@pytest.mark.parametrize("dtype", [hl.Int(32), hl.UInt(32), hl.Float(32)], ids=str)
def test_lookups_find_what_the_table_holds(size, lanes, dtype):
    out, _ = looked_up(size, lanes, dtype)
    kind = {"int32": np.int32, "uint32": np.uint32, "float32": np.float32}[str(dtype)]
    at = np.clip(KEYS.astype(np.int64), 0, size - 1)
    expected = (at * 100_003 + at // 11).astype(kind) * kind(7)
    np.testing.assert_array_equal(np.asarray(out.realize([333, 5])), expected)


def test_a_table_is_laid_out_once_before_the_loops_that_look_up_in_it(tmp_path):
    def text(size):
        out, arguments = looked_up(size, 64, hl.Int(32))
        target = hl.Target("x86-64-linux-avx-avx2-avx512-avx512_skylake-avx512_cannonlake-f16c-fma-sse41")
        out.compile_to_c(str(tmp_path / "out.c"), arguments, "out", target)
        return (tmp_path / "out.c").read_text()

    within = text(256)
    assert within.count("= table_i32(") == 1
    assert within.index("= table_i32(") < within.index("for (int64_t out_s0_y")
    assert "table_i32" not in text(257)


def test_a_table_that_changes_between_is_laid_out_for_each_time():
    table, out = hl.Func("table"), hl.Func("out")
    keys = hl.ImageParam(hl.Int(16), 2, "keys")
    keys.set(hl.Buffer(KEYS))
    table[x, y] = x * 3 + y * 1000
    out[x, y] = table[hl.clamp(keys[x, y], 0, 99), y]
    table.compute_at(out, y)
    out.vectorize(x, 64, hl.TailStrategy.GuardWithIf)
    expected = np.clip(KEYS, 0, 99).astype(np.int32) * 3 + np.arange(5)[:, None] * 1000
    np.testing.assert_array_equal(np.asarray(out.realize([333, 5])), expected)
