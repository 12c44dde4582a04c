"""What linked functions answer when they are asked for regions, and what they say when a check fails."""

from __future__ import annotations

import pytest

import halopy as hl

from .programs import SUPPORT, needs_gcc, run

x, y = hl.vars("x y")

HANDLER = """
static char said[4096];
void halide_error(void *user_context, const char *message) {
    (void)user_context;
    strncpy(said, message, sizeof said - 1);
}
"""


def stencil(tail: hl.TailStrategy = hl.TailStrategy.GuardWithIf) -> tuple[hl.Func, hl.ImageParam]:
    image, out = hl.ImageParam(hl.UInt(8), 2, "input"), hl.Func("stencil")
    out[x, y] = image[x - 1, y] + image[x + 2, y + 3]
    out.vectorize(x, 8, tail)
    return out, image


def program_of(body: str, types: str = "1, 8") -> str:
    return (
        '#include "f.h"\n'
        + SUPPORT
        + HANDLER
        + """
static uint8_t memory[4096];
__attribute__((unused)) static void show(const halide_buffer_t *b) {
    for (int d = 0; d < b->dimensions; d++) printf("[%d %d %d]", b->dim[d].min, b->dim[d].extent, b->dim[d].stride);
    printf(" %d:%d\\n", b->type.code, b->type.bits);
}
int main(void) {
    halide_dimension_t p[2] = {0}, q[2] = {0};
    halide_buffer_t a = buffer(p, 2, 0, TYPES), b = buffer(q, 2, memory, 1, 8);
    int code = 0;
    dimension(&q[0], 0, 16, 1);
    dimension(&q[1], 5, 4, 16);
    BODY
    printf("%d %s\\n", code, said);
    return 0;
}
""".replace("TYPES", types).replace("BODY", body)
    )


@needs_gcc
def test_a_buffer_without_memory_gets_the_region_needed(tmp_path):
    out, image = stencil()
    out.compile_to_file(str(tmp_path / "f"), [image], "f")
    answer = run(tmp_path, program_of("code = f(&a, &b); show(&a); show(&b);"), ["f.o"])
    assert answer == "[-1 19 1][5 7 19] 1:8\n[0 16 1][5 4 16] 1:8\n0 \n"


@needs_gcc
def test_an_output_without_memory_gets_the_region_that_is_written(tmp_path):
    out, image = stencil(hl.TailStrategy.RoundUp)
    out.compile_to_file(str(tmp_path / "f"), [image], "f")
    body = "q[0].extent = 11; q[1].extent = 2; b.host = 0; b.type.code = 0; code = f(&a, &b); show(&a); show(&b);"
    answer = run(tmp_path, program_of(body), ["f.o"])
    assert answer == "[-1 19 1][5 5 19] 1:8\n[0 16 1][5 2 16] 1:8\n0 \n"


@needs_gcc
def test_nothing_is_computed_when_regions_are_asked_for(tmp_path):
    out, image = stencil()
    out.compile_to_file(str(tmp_path / "f"), [image], "f")
    body = "memory[0] = 77; code = f(&a, &b) || memory[0] != 77;"
    assert run(tmp_path, program_of(body), ["f.o"]) == "0 \n"


@needs_gcc
def test_promised_shapes_are_part_of_the_answer(tmp_path):
    image, out = hl.ImageParam(hl.UInt(8), 2, "input"), hl.Func("f")
    out[x, y] = image[y, x]
    image.dim(0).set_bounds(0, 640)
    image.dim(1).set_stride(1024)
    out.compile_to_file(str(tmp_path / "f"), [image], "f")
    assert run(tmp_path, program_of("code = f(&a, &b); show(&a);"), ["f.o"]) == "[0 640 1][0 16 1024] 1:8\n0 \n"


FAILURES = {
    "too-small": ("", -4, "Input buffer input holds [0, 15] in dimension 0, but [-1, 17] of it is needed"),
    "wrong-type": (
        "a.type.bits = 16;", -3, "Input buffer input has elements of type (code 1, 16 bits), not (code 1, 8 bits)",
    ),
    "wrong-rank": ("a.dimensions = 1;", -43, "Input buffer input has 1 dimensions, not 2"),
    "negative-extent": ("q[1].extent = -3;", -28, "Output buffer stencil has extent -3 in dimension 1"),
    "sparse-rows": (
        "q[0].stride = 2; p[0].min = -9; p[0].extent = 99; p[1].extent = 99;", -8,
        "Output buffer stencil has stride of dimension 0 2, where 1 is required",
    ),
    "only-on-a-device": ("a.host = 0; a.device = 1;", -34, "Input buffer input has no memory on the host"),
}  # fmt: skip


@needs_gcc
@pytest.mark.parametrize(("change", "code", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failing_check_is_told_and_has_halides_code(tmp_path, change, code, message):
    out, image = stencil()
    out.compile_to_file(str(tmp_path / "f"), [image], "f")
    shape = "a.host = memory; dimension(&p[0], 0, 16, 1); dimension(&p[1], 0, 16, 16);"
    body = f"{shape} {change} code = f(&a, &b);"
    assert run(tmp_path, program_of(body), ["f.o"]) == f"{code} {message}\n"


@needs_gcc
def test_a_parameter_outside_its_range_is_refused(tmp_path):
    param, out = hl.Param(hl.Int(32), "100% param"), hl.Func("f")
    param.set_range(-3, 9)
    out[x, y] = hl.u8(param)
    out.compile_to_file(str(tmp_path / "f"), [param], "f")
    calls = "code = f(-4, &b) * 100000; puts(said); code += f(10, &b) * 100 + f(9, &b);"
    answer = run(tmp_path, program_of(f"(void)a; {calls}"), ["f.o"])
    assert answer == "Parameter 100% param is less than -3\n-901000 Parameter 100% param is greater than 9\n"


@needs_gcc
def test_memory_that_cannot_be_had_is_an_error_inside_parallel_loops_too(tmp_path):
    inner, out = hl.Func("inner"), hl.Func("f")
    inner[x, y] = hl.u8(x)
    out[x, y] = inner[x, y] + inner[x + 1, y]
    inner.compute_at(out, y).store_in(hl.MemoryType.Heap)
    out.parallel(y)
    out.compile_to_file(str(tmp_path / "f"), [], "f")
    none = "void *halide_malloc(void *c, size_t n) { (void)c; (void)n; return 0; }\nint main(void)"
    program = program_of("(void)a; code = f(&b);").replace("int main(void)", none)
    assert run(tmp_path, program, ["f.o"]) == "-11 Out of memory: 17 bytes for inner could not be allocated\n"


@needs_gcc
def test_the_message_goes_to_the_standard_error_stream_when_nobody_handles_it(tmp_path):
    out, image = stencil()
    out.compile_to_file(str(tmp_path / "f"), [image], "f")
    program = program_of("code = f(0, &b);").replace(HANDLER, "static char said[1];\n#include <unistd.h>\n")
    program = program.replace("int code = 0;", "int code = 0; (void)a; dup2(1, 2); setbuf(stdout, 0);")
    assert run(tmp_path, program, ["f.o"]) == "Error: Input buffer input is a null pointer\n-12 \n"


@needs_gcc
def test_functions_describe_themselves(tmp_path):
    out, image = stencil()
    gain = hl.Param(hl.Float(32), "gain")
    gain.set_range(0.5, 2)
    module = out.compile_to_module([image, gain], "f", hl.Target("host-user_context"))
    module.remap_metadata_name("gain", "the gain")
    assert module.get_metadata_name_map() == {"gain": "the gain"}
    module.compile({hl.OutputFileType.c_header: tmp_path / "f.h", hl.OutputFileType.object: tmp_path / "f.o"})
    body = """
    const struct halide_filter_metadata_t *m = f_metadata();
    (void)a; (void)b;
    printf("%d %d %s\\n", m->version, m->num_arguments, m->name);
    for (int k = 0; k < m->num_arguments; k++) {
        const struct halide_filter_argument_t *r = &m->arguments[k];
        printf("%s %d %d %d:%d", r->name, r->kind, r->dimensions, r->type.code, r->type.bits);
        if (r->scalar_min) printf(" %g..%g", r->scalar_min->u.f32, r->scalar_max->u.f32);
        puts("");
    }
"""
    assert run(tmp_path, program_of(body), ["f.o"]).splitlines() == [
        "1 4 f", "__user_context 0 0 3:64", "input 1 2 1:8", "the gain 0 0 2:32 0.5..2", "stencil 2 2 1:8", "0 ",
    ]  # fmt: skip
