"""Extern stages in linked functions: the program brings the functions."""

from __future__ import annotations

from pathlib import Path

import pytest

import halopy as hl

from .programs import SUPPORT, needs_gcc, needs_gxx, run

x, y, xo, yo, xi, yi = hl.vars("x y xo yo xi yi")
INT = hl.Int(32)

FUNCTION = """
static int asked, called;
static int32_t *at(const halide_buffer_t *b, int x, int y) {
    return (int32_t *)b->host + (x - b->dim[0].min) * b->dim[0].stride + (y - b->dim[1].min) * b->dim[1].stride;
}
int shift(halide_buffer_t *f, halide_buffer_t *image, int32_t dx, double factor, halide_buffer_t *out) {
    if (!f->host || !image->host) {
        __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
        for (int d = 0; d < 2; d++) {
            f->dim[d].min = image->dim[d].min = out->dim[d].min + (d ? 0 : dx);
            f->dim[d].extent = image->dim[d].extent = out->dim[d].extent;
        }
        return factor < 0 ? 5 : 0;
    }
    __atomic_add_fetch(&called, 1, __ATOMIC_RELAXED);
    for (int y = out->dim[1].min; y < out->dim[1].min + out->dim[1].extent; y++)
        for (int x = out->dim[0].min; x < out->dim[0].min + out->dim[0].extent; x++)
            *at(out, x, y) = *at(f, x + dx, y) + (int32_t)(factor * *at(image, x + dx, y));
    return factor > 100 && out->dim[1].min > 3 ? 6 : 0;
}
"""

MAIN = """
static char said[4096];
#ifdef __cplusplus
extern "C"
#endif
void halide_error(void *user_context, const char *message) {
    (void)user_context;
    strncpy(said, message, sizeof said - 1);
}
static int32_t in[20 * 20], result[16 * 9];
int main(void) {
    halide_dimension_t p[2], q[2];
    memset(p, 0, sizeof p);
    halide_buffer_t a = buffer(p, 2, 0, 0, 32), b = buffer(q, 2, result, 0, 32);
    dimension(&q[0], 0, 16, 1);
    dimension(&q[1], 0, 9, 16);
    int code = NAME(&a, 2.0, &b);
    printf("%d: [%d %d] [%d %d]\\n", code, p[0].min, p[0].extent, p[1].min, p[1].extent);
    for (int k = 0; k < 400; k++) in[k] = k;
    a.host = (uint8_t *)in;
    dimension(&p[0], 0, 20, 1);
    dimension(&p[1], 0, 20, 20);
    code = NAME(&a, 2.0, &b);
    int wrong = 0;
    for (int y = 0; y < 9; y++)
        for (int x = 0; x < 16; x++)
            wrong += result[x + 16 * y] != (x + 3) * 10 + y + 2 * (x + 3 + 20 * y) + 1;
    printf("%d: %d wrong, called: %d\\n", code, wrong, called);
    code = NAME(&a, -2.0, &b);
    printf("%d %s", code != 0, said);
    code = NAME(&a, 200.0, &b);
    printf("%d %s", code != 0, said);
    return 0;
}
"""


def pipeline(mangling: hl.NameMangling, name: str = "shift") -> tuple[hl.Func, list[object]]:
    image, factor = hl.ImageParam(INT, 2, "image"), hl.Param(hl.Float(64), "factor")
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x, y] = x * 10 + y
    g.define_extern(name, [f, image, 3, factor], INT, [x, y], mangling)
    h[x, y] = g[x, y] + 1
    h.parallel(y)
    g.compute_at(h, y)
    f.compute_at(h, y)
    return h, [image, factor]


SAYS = """\
0: [3 16] [0 9]
0: 0 wrong, called: 9
1 extern stage `g`: {name}, asked which regions it needs, returned 5
1 extern stage `g`: {name} returned 6
"""


@needs_gcc
@pytest.mark.parametrize("split", [False, True])
def test_a_linked_function_calls_the_programs_function_in_each_thread(tmp_path: Path, split: bool):
    h, arguments = pipeline(hl.NameMangling.Default)
    if split:
        h.split(x, xo, xi, 32, hl.TailStrategy.GuardWithIf)  # one more loop around, and one tile
    h.compile_to_file(str(tmp_path / "f"), arguments, "f")
    text = '#include "f.h"\n' + SUPPORT + FUNCTION + MAIN.replace("NAME", "f")
    assert run(tmp_path, text, ["f.o"]) == SAYS.format(name="shift")


@needs_gxx
@pytest.mark.parametrize("namespaced", [False, True])
def test_functions_of_cpp_are_found_by_what_they_are_given(tmp_path: Path, namespaced: bool):
    name = "one::two::shift" if namespaced else "shift"
    h, arguments = pipeline(hl.NameMangling.CPlusPlus, name)
    h.compile_to_file(str(tmp_path / "f"), arguments, "f")
    opened, closed = ("namespace one { namespace two {", "} }\nusing namespace one::two;") if namespaced else ("", "")
    text = '#include "f.h"\n' + SUPPORT + opened + FUNCTION + closed + MAIN.replace("NAME", "f")
    assert run(tmp_path, text, ["f.o"], "g++") == SAYS.format(name=name)


@needs_gcc
def test_loops_of_the_stage_itself_are_run_by_the_programs_threads(tmp_path: Path):
    image, factor = hl.ImageParam(INT, 2, "image"), hl.Param(hl.Float(64), "factor")
    text = '#include "f.h"\n' + SUPPORT + FUNCTION + MAIN.replace("NAME", "f")
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x * 10 + y + 1
    g.define_extern("shift", [f, image, 3, factor], INT, [x, y])
    g.serial(y).parallel(y)
    f.compute_at(g, y)
    g.compile_to_file(str(tmp_path / "f"), [image, factor], "f")
    assert run(tmp_path, text, ["f.o"]) == SAYS.format(name="shift")
