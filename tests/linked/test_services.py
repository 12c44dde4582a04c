"""Linked functions print, require and report what they do through the functions of Halide's runtime."""

from __future__ import annotations

import re

import halopy as hl

from .programs import SUPPORT, needs_gcc, run

MAIN = """
int main(void) {
    static int32_t out[4 * 3];
    halide_dimension_t dim[2];
    dimension(&dim[0], 0, 4, 1);
    dimension(&dim[1], 0, 3, 4);
    halide_buffer_t b = buffer(dim, 2, out, 0, 32);
    const int first = f(9, &b), second = f(2, &b);
    printf("%d %d %d\\n", first, second, out[7]);
    return 0;
}
"""


@needs_gcc
def test_lines_events_and_requirements_come_from_linked_functions(tmp_path):
    x, y, limit = hl.Var("x"), hl.Var("y"), hl.Param(hl.Int(32), "limit")
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = hl.print_when(x == y, x * 10 + y, "on the diagonal")
    f[x, y] = hl.require(x < limit, g[x, y], "at", x, y)
    g.compute_root().trace_stores().vectorize(x, 4)
    f.parallel(y).trace_loads()
    f.compile_to_static_library(tmp_path / "f", [limit], "f")
    source = f"""
#include "f.h"
{SUPPORT}
static void say(void *context, const char *text) {{ (void)context; printf("said %s", text); }}
static void complain(void *context, const char *text) {{ (void)context; printf("error %s", text); }}
static halide_trace_t ordinary;
static int32_t watch(void *context, const halide_trace_event_t *event) {{
    if (event->event == 1 && (event->type.lanes != 4 || event->dimensions != 8 || event->parent_id <= 0)) return -1;
    return ordinary(context, event);
}}
static void handlers(void) {{
    ordinary = halide_set_custom_trace(watch);
    setvbuf(stdout, 0, _IONBF, 0);
    halide_set_custom_print(say);
    halide_set_error_handler(complain);
}}
{MAIN.replace("const int first", "handlers(); const int first")}
"""
    lines = run(tmp_path, source, ["f.a"]).splitlines()
    assert lines[-1] == "0 -27 31"
    once = lines[: lines.index("said End pipeline f.0()") + 1]
    assert [line for line in once if "diagonal" in line] == [f"said {n} on the diagonal" for n in (0, 11, 22)]
    stores = [line for line in once if "Store" in line]
    assert stores == [
        f"said Store g.0(<0, 1, 2, 3>, <{y}, {y}, {y}, {y}>) = <{y}, {10 + y}, {20 + y}, {30 + y}>" for y in range(3)
    ]
    assert not any("error" in line for line in once)
    errors = [line for line in lines if line.startswith("error")]
    assert errors and all(re.fullmatch(r"error Requirement Failed: \(false\) 2\d at 2 \d", line) for line in errors)


@needs_gcc
def test_events_of_all_types_are_printed_alike(tmp_path, capsys):
    x, f = hl.Var("x"), hl.Func("f")
    types = [*(hl.Int(b) for b in (8, 16, 32, 64)), *(hl.UInt(b) for b in (1, 8, 16, 32, 64))]
    types += [hl.Float(16), hl.Float(32), hl.Float(64), hl.BFloat(16)]
    f[x] = tuple(hl.cast(t, hl.f64(x) * 37.25 - 40) for t in types)
    f.trace_stores().vectorize(x, 2)
    f.realize([4])
    wanted = capsys.readouterr().out
    f.compile_to_static_library(tmp_path / "f", [], "f")
    buffers = "".join(
        f"static int64_t out{k}[4]; halide_buffer_t b{k} = buffer(&dim, 1, out{k}, {int(t.code())}, {t.bits()});\n"
        for k, t in enumerate(types)
    )
    source = f"""
#include "f.h"
{SUPPORT}
static void say(void *context, const char *text) {{ (void)context; printf("%s", text); }}
int main(void) {{
    halide_dimension_t dim;
    dimension(&dim, 0, 4, 1);
    {buffers}
    halide_set_custom_print(say);
    return f({", ".join(f"&b{k}" for k in range(len(types)))});
}}
"""
    assert run(tmp_path, source, ["f.a"]) == wanted


@needs_gcc
def test_services_that_only_a_parallel_loop_needs_reach_it(tmp_path):
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = hl.print_when(x == 2, x + 10 * y, "here")
    f.parallel(y)
    f.compile_to_file(tmp_path / "f", [hl.Param(hl.Int(32), "unused")], "f")
    handler = "void halide_print(void *c, const char *s) { (void)c; fputs(s, stdout); }\n"
    said = run(tmp_path, '#include "f.h"\n' + SUPPORT + handler + MAIN, ["f.o"])
    assert sorted(said.splitlines()) == sorted(["0 0 13", *["2 here", "12 here", "22 here"] * 2])
