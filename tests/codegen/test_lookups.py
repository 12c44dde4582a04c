"""Small tables of bytes are looked up in registers, whatever their size and the type of what is looked up."""

import numpy as np
import pytest

import halopy as hl

SIZES = (1, 63, 64, 65, 128, 200, 256, 257, 1000, 1024)
KEYS = np.random.default_rng(2).integers(-3000, 3000, 384).astype(np.int16)


def tables(lanes, dtype):
    """For each size a table at the root, and a Func that looks up clamped keys in it, `lanes` at a time."""
    keys, x = hl.ImageParam(hl.Int(16), 1, "keys"), hl.Var("x")
    keys.set(hl.Buffer(KEYS))
    found = []
    for size in SIZES:
        table, out = hl.Func(f"table_{size}"), hl.Func(f"out_{size}")
        table[x] = hl.cast(dtype, x * 37 + x // 11)
        out[x] = table[hl.clamp(keys[x], 0, size - 1)]
        table.compute_root()
        out.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
        found.append(out)
    return hl.Pipeline(found)


def expected(size, dtype):
    at = np.clip(KEYS.astype(np.int64), 0, size - 1)
    return (at * 37 + at // 11).astype(dtype)


KINDS = [(64, hl.UInt(8), np.uint8), (16, hl.Int(8), np.int8), (128, hl.Int(8), np.int8), (48, hl.UInt(8), np.uint8)]


@pytest.mark.parametrize(("lanes", "dtype", "as_numpy"), KINDS)
def test_lookups_find_what_the_table_holds(lanes, dtype, as_numpy):
    outputs = tables(lanes, dtype).realize([len(KEYS)])
    for size, output in zip(SIZES, outputs, strict=True):
        np.testing.assert_array_equal(np.asarray(output), expected(size, as_numpy))


def looked_up(size, tmp_path):
    """Whether 64 lanes of a table's bytes are looked up in registers."""
    table, out, x, keys = hl.Func("table"), hl.Func("out"), hl.Var("x"), hl.ImageParam(hl.Int(16), 1, "keys")
    table[x] = hl.u8(x * 7)
    out[x] = table[hl.clamp(keys[x], 0, size - 1)]
    table.compute_root()
    out.vectorize(x, 64)
    path = tmp_path / "out.c"
    target = hl.Target("x86-64-linux-avx-avx2-avx512-avx512_skylake-avx512_cannonlake-f16c-fma-sse41")
    out.compile_to_c(str(path), [keys], "out", target)
    return "lookup_" in path.read_text()


def test_tables_of_up_to_1024_bytes_are(tmp_path):
    assert looked_up(1024, tmp_path)
    assert not looked_up(1025, tmp_path)
