"""Async Funcs in linked functions: threads by the runtime's functions, which the program may replace."""

from __future__ import annotations

from pathlib import Path

import pytest

import halopy as hl

from .programs import SUPPORT, needs_gcc, run

x, y, xo, yo, xi, yi = map(hl.Var, ("x", "y", "xo", "yo", "xi", "yi"))

CALL = """
#include "chain.h"
%s
%s
static int call(int limit, int width, int height) {
    static int32_t host[64 * 64];
    memset(host, 0, sizeof host);
    halide_dimension_t dim[2];
    dimension(&dim[0], 0, width, 1);
    dimension(&dim[1], 0, height, width);
    halide_buffer_t out = buffer(dim, 2, host, 0, 32);
    const int code = chain(limit, &out);
    if (code) return code;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if (host[y * width + x] != 8 * (x + y)) return 1000 + y;
    return 0;
}
"""


def chain(failing: str) -> tuple[hl.Func, hl.Param]:
    """Eight times x + y, by a chain of async Funcs with loops in threads; one fails in row 20 unless `limit` is 0."""
    limit = hl.Param(hl.Int(32), "limit", 0)
    funcs = [hl.Func(name) for name in ("a", "b", "c", "f")]
    for before, func in zip([None, *funcs], funcs, strict=False):
        value = x + y if before is None else before[x, y - 1] + before[x, y + 1]
        func[x, y] = hl.require((limit == 0) | (y != 20), value, "row", y) if func.name() == failing else value
    *producers, f = funcs
    f.reorder(x, y)
    for producer in producers:
        producer.store_root().compute_at(f, y).parallel(x, 8, hl.TailStrategy.GuardWithIf).async_()
    f.parallel(x, 8, hl.TailStrategy.GuardWithIf)
    return f, limit


def program(text: str, *definitions: str) -> str:
    return CALL % (SUPPORT, "\n".join(definitions)) + f"int main(void) {{ {text} return 0; }}\n"


@needs_gcc
@pytest.mark.parametrize("failing", ["a", "b", "f"])
def test_linked_chain_of_async_funcs_is_right_or_fails_with_its_code(tmp_path: Path, failing: str) -> None:
    f, limit = chain(failing)
    f.compile_to({hl.OutputFileType.c_header: str(tmp_path / "chain.h"),
                  hl.OutputFileType.static_library: str(tmp_path / "chain.a")}, [limit], "chain")  # fmt: skip
    calls = """
        for (int k = 0; k < 20; k++) printf("%d %d %d\\n", call(0, 33, 47), call(1, 33, 47), call(0, 1, 1));
    """
    quiet = "static void quiet(void *context, const char *message) { (void)context; (void)message; }"
    text = run(tmp_path, program("halide_set_error_handler(quiet);" + calls, quiet), ["chain.a"])
    assert text == "0 -27 0\n" * 20


@needs_gcc
def test_a_program_may_bring_its_own_threads(tmp_path: Path) -> None:
    """Here none start, which is an error that the caller sees."""
    f, limit = chain("none")
    f.compile_to({hl.OutputFileType.c_header: str(tmp_path / "chain.h"),
                  hl.OutputFileType.static_library: str(tmp_path / "chain.a")}, [limit], "chain")  # fmt: skip
    own = """
        int halopy_start_task(struct halopy_task *task) { (void)task; return 1; }
        static void show(void *context, const char *message) { (void)context; puts(message); }
    """
    text = run(tmp_path, program('halide_set_error_handler(show); printf("%d\\n", call(0, 9, 9));', own), ["chain.a"])
    assert text == "No thread could be started for an async Func\n-1\n"


@needs_gcc
def test_a_ring_in_a_linked_function(tmp_path: Path) -> None:
    limit = hl.Param(hl.Int(32), "limit", 0)
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = x + y + limit
    f[x, y] = 2 * (g[x - 1, y - 1] + 2 * g[x, y] + g[x + 1, y + 1])
    f.tile(x, y, xo, yo, xi, yi, 8, 8, hl.TailStrategy.GuardWithIf).parallel(yo)
    g.compute_at(f, xo).hoist_storage(f, yo).ring_buffer(2).async_()
    f.compile_to({hl.OutputFileType.c_header: str(tmp_path / "chain.h"),
                  hl.OutputFileType.static_library: str(tmp_path / "chain.a")}, [limit], "chain")  # fmt: skip
    assert run(tmp_path, program('printf("%d\\n", call(0, 33, 47));'), ["chain.a"]) == "0\n"
