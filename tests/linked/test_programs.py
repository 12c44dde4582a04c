"""Functions for other programs: called from C and C++, with and without Halide's headers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import halopy as hl

from .programs import SUPPORT, needs_gcc, needs_gxx, run

x, y = hl.vars("x y")
Out = hl.OutputFileType


def brighter(name: str = "brighter") -> tuple[hl.Func, hl.ImageParam, hl.Param]:
    """Sums of neighbours, by a Func computed apart, plus a parameter; vectors, threads, tails."""
    image, offset = hl.ImageParam(hl.UInt(8), 2, "input"), hl.Param(hl.UInt(8), "offset")
    sums, out = hl.Func("sums"), hl.Func(name)
    sums[x, y] = hl.u16(image[x, y]) + image[x + 1, y]
    out[x, y] = hl.u8((sums[x, y] + sums[x, y + 1]) / 4) + offset
    sums.compute_root().parallel(y).vectorize(x, 8, hl.TailStrategy.GuardWithIf)
    out.parallel(y).vectorize(x, 8, hl.TailStrategy.GuardWithIf)
    return out, image, offset


def expected(width: int, height: int, offset: int) -> int:
    """A checksum of what the function makes of the programs' picture."""
    out, image, param = brighter()
    rows, columns = np.mgrid[0 : height + 1, 0 : width + 1]
    image.set((rows * 31 + columns * 7).astype(np.uint8))
    param.set(offset)
    values = np.asarray(out.reference([width, height])).astype(np.uint64)
    return int((values.ravel() * np.arange(1, values.size + 1, dtype=np.uint64)).sum())


MAIN = """
#define W 301
#define H 203
static uint8_t in[H + 1][W + 1], out[H][W];
int main(void) {
    halide_dimension_t in_shape[2], out_shape[2];
    dimension(&in_shape[0], 0, W + 1, 1);
    dimension(&in_shape[1], 0, H + 1, W + 1);
    dimension(&out_shape[0], 0, W, 1);
    dimension(&out_shape[1], 0, H, W);
    for (int y = 0; y <= H; y++) for (int x = 0; x <= W; x++) in[y][x] = (uint8_t)(y * 31 + x * 7);
    halide_buffer_t a = buffer(in_shape, 2, in, 1, 8), b = buffer(out_shape, 2, out, 1, 8);
    int code = NAME(&a, 5, &b);
    unsigned long long sum = 0;
    for (int k = 0; k < W * H; k++) sum += (unsigned long long)(&out[0][0])[k] * (k + 1u);
    printf("%d %llu\\n", code, sum);
    return 0;
}
"""


@needs_gcc
def test_a_c_program_links_the_static_library(tmp_path):
    out, image, offset = brighter()
    out.compile_to_static_library(str(tmp_path / "lib"), [image, offset], "brighten")
    assert shutil.which("nm") is None or b"brighten" in subprocess.check_output(["nm", str(tmp_path / "lib.a")])
    program = '#include "lib.h"\n' + SUPPORT + MAIN.replace("NAME", "brighten")
    assert run(tmp_path, program, ["lib.a"]) == f"0 {expected(301, 203, 5)}\n"


@needs_gxx
def test_a_cpp_program_links_the_object(tmp_path):
    out, image, offset = brighter()
    out.compile_to_file(str(tmp_path / "file"), [image, offset], "brighten")
    program = '#include "file.h"\n' + SUPPORT + MAIN.replace("NAME", "brighten")
    assert run(tmp_path, program, ["file.o"], "g++") == f"0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_the_c_source_compiles_alone_without_warnings(tmp_path):
    out, image, offset = brighter()
    out.compile_to({Out.c_source: tmp_path / "f.c", Out.c_header: tmp_path / "f.h"}, [image, offset], "brighten")
    program = '#include "f.h"\n' + SUPPORT + MAIN.replace("NAME", "brighten")
    assert run(tmp_path, program, ["f.c"]) == f"0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_two_functions_live_in_one_program(tmp_path):
    for name in ("one", "two"):
        out, image, offset = brighter()
        out.compile_to_file(str(tmp_path / name), [image, offset], name)
    program = (
        '#include "one.h"\n#include "two.h"\n'
        + SUPPORT
        + MAIN.replace("NAME(&a, 5, &b)", "one(&a, 5, &b) + two(&a, 5, &b)")
    )
    assert run(tmp_path, program, ["one.o", "two.o"]) == f"0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_modules_link_into_one_object(tmp_path):
    modules = []
    for name in ("one", "two"):
        out, image, offset = brighter()
        modules.append(out.compile_to_module([image, offset], name))
    hl.link_modules("both", modules).compile({Out.object: tmp_path / "both.o", Out.c_header: tmp_path / "both.h"})
    program = '#include "both.h"\n' + SUPPORT + MAIN.replace("NAME(&a, 5, &b)", "one(&a, 5, &b) + two(&a, 5, &b)")
    assert run(tmp_path, program, ["both.o"]) == f"0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_arguments_are_taken_in_the_order_given(tmp_path):
    out, image, offset = brighter()
    unused = hl.Param(hl.Float(32), "unused")
    out.compile_to_file(str(tmp_path / "f"), [offset, unused, image], "brighten")
    program = '#include "f.h"\n' + SUPPORT + MAIN.replace("NAME(&a, 5, &b)", "brighten(5, 1.0f, &a, &b)")
    assert run(tmp_path, program, ["f.o"]) == f"0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_the_form_with_pointers_calls_the_function(tmp_path):
    out, image, offset = brighter()
    out.compile_to_file(str(tmp_path / "f"), [image, offset], "brighten")
    call = "brighten_argv((void *[]){&a, &(uint8_t){5}, &b})"
    program = '#include "f.h"\n' + SUPPORT + MAIN.replace("NAME(&a, 5, &b)", call)
    assert run(tmp_path, program, ["f.o"]) == f"0 {expected(301, 203, 5)}\n"


def _halide_headers() -> Path | None:
    spec = importlib.util.find_spec("halide")
    places = [Path(p) / "include" for p in (spec.submodule_search_locations or [])] if spec else []
    return next((p for p in places if (p / "HalideBuffer.h").exists()), None)


@needs_gxx
@pytest.mark.parametrize("ours_first", [True, False])
def test_halides_own_headers_fit(tmp_path, ours_first):
    headers = _halide_headers()
    if headers is None:
        pytest.skip("no Halide headers")
    out, image, offset = brighter()
    out.compile_to_file(str(tmp_path / "f"), [image, offset], "brighten")
    includes = ['#include "f.h"', '#include "HalideBuffer.h"']
    program = (
        "\n".join(includes if ours_first else includes[::-1])
        + """
#include <cstdio>
using Halide::Runtime::Buffer;
int main() {
    Buffer<uint8_t> in(nullptr, 0, 0), out(301, 203);
    if (brighten(in, 5, out)) return 1;      // asks for the region
    in.allocate();
    in.for_each_element([&](int x, int y) { in(x, y) = (uint8_t)(y * 31 + x * 7); });
    int code = brighten(in, 5, out);
    unsigned long long sum = 0, k = 0;
    for (int y = 0; y < 203; y++) for (int x = 0; x < 301; x++) sum += ++k * out(x, y);
    printf("%d %d %d %llu\\n", code, in.width(), in.height(), sum);
}
"""
    )
    flags = ["-isystem", str(headers)]
    assert run(tmp_path, program, ["f.o"], "g++", flags) == f"0 302 204 {expected(301, 203, 5)}\n"


@needs_gxx
def test_functions_with_cpp_names_have_namespaces(tmp_path):
    out, image, offset = brighter()
    target = hl.Target("host-c_plus_plus_name_mangling-user_context")
    out.compile_to_file(str(tmp_path / "f"), [image, offset], "deep::inside::brighten", target)
    call = "deep::inside::brighten(nullptr, &a, 5, &b)"
    program = '#include "f.h"\n' + SUPPORT + MAIN.replace("NAME(&a, 5, &b)", call)
    program = program.replace("int code =", 'printf("%s ", deep::inside::brighten_metadata()->name); int code =')
    assert run(tmp_path, program, ["f.o"], "g++") == f"deep::inside::brighten 0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_the_user_context_reaches_the_handlers(tmp_path):
    out, image, offset = brighter()
    out.compile_to_file(str(tmp_path / "f"), [image, offset], "brighten", hl.Target("host-user_context"))
    handlers = """
#include <stdlib.h>
static int taken, given, tasks;
void *halide_malloc(void *context, size_t bytes) {
    taken += *(int *)context;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
void halide_free(void *context, void *memory) { given += *(int *)context; free(memory); }
int halide_do_par_for(void *context, halide_task_t task, int min, int size, uint8_t *closure) {
    tasks += *(int *)context;
    for (int k = min + size - 1; k >= min; k--) if (task(context, k, closure)) return 1;
    return 0;
}
"""
    call = 'brighten(&(int){7}, &a, 5, &b); printf("%d %d %d ", taken, given, tasks)'
    program = '#include "f.h"\n' + SUPPORT + handlers + MAIN.replace("NAME(&a, 5, &b)", call)
    assert run(tmp_path, program, ["f.o"]) == f"7 7 14 0 {expected(301, 203, 5)}\n"


@needs_gcc
def test_a_runtime_of_its_own_serves_functions_without_one(tmp_path):
    out, image, offset = brighter()
    out.compile_to_file(str(tmp_path / "f"), [image, offset], "brighten", hl.Target("host-no_runtime"))
    hl.compile_standalone_runtime(str(tmp_path / "runtime.o"), hl.get_host_target())
    program = '#include "f.h"\n' + SUPPORT + MAIN.replace("NAME", "brighten")
    assert run(tmp_path, program, ["f.o", "runtime.o"]) == f"0 {expected(301, 203, 5)}\n"
    with pytest.raises(AssertionError, match="halide_error"):
        run(tmp_path, program, ["f.o"])


def test_the_standalone_runtime_says_what_it_wrote(tmp_path):
    wanted = {Out.static_library: str(tmp_path / "r.a"), Out.c_header: str(tmp_path / "r.h")}
    assert hl.compile_standalone_runtime(wanted, hl.get_host_target()) == {Out.static_library: str(tmp_path / "r.a")}
    assert (tmp_path / "r.a").read_bytes().startswith(b"!<arch>\n") and not (tmp_path / "r.h").exists()


@needs_gcc
def test_buffers_that_are_no_arguments_come_along(tmp_path):
    values = np.array([[1, -2, 3], [4, 5, 2**31 - 1]], np.int32)
    out = hl.Func("out")
    out[x, y] = hl.Buffer(values)[x, y] + hl.Buffer(np.array([0.5, 1e-30, 7], np.float32))[x]
    out.compile_to_file(str(tmp_path / "f"), [], "table")
    program = (
        '#include "f.h"\n'
        + SUPPORT
        + """
int main(void) {
    float out[6];
    halide_dimension_t shape[2];
    dimension(&shape[0], 0, 3, 1);
    dimension(&shape[1], 0, 2, 3);
    halide_buffer_t b = buffer(shape, 2, out, 2, 32);
    printf("%d", table(&b));
    for (int k = 0; k < 6; k++) printf(" %.17g", out[k]);
    return 0;
}
"""
    )
    floats = [float(v) for v in run(tmp_path, program, ["f.o"]).split()]
    assert floats == [0, *map(float, np.asarray(out.realize([3, 2])).ravel())]


@needs_gcc
def test_tuples_and_scalars_of_every_type_are_passed(tmp_path):
    types = [
        hl.Bool(),
        *(kind(bits) for kind in (hl.Int, hl.UInt) for bits in (8, 16, 32, 64)),
        hl.Float(32),
        hl.Float(64),
    ]
    params = [hl.Param(t, f"p{k}") for k, t in enumerate(types)]
    total = hl.f64(0)
    for k, p in enumerate(params):
        total = total + hl.f64(p) * (k + 1)
    out = hl.Func("out")
    out[x] = (total, x)
    out.compile_to_file(str(tmp_path / "f"), params, "all_types")
    values = [1, -3, -300, -70000, -(2**40), 200, 60000, 4000000000, 2**50, 0.25, -1.5]
    program = (
        '#include "f.h"\n'
        + SUPPORT
        + """
int main(void) {
    double total[1];
    int32_t place[1];
    halide_dimension_t shape[1];
    dimension(&shape[0], 9, 1, 1);
    halide_buffer_t a = buffer(shape, 1, total, 2, 64), b = buffer(shape, 1, place, 0, 32);
    printf("%d ", all_types(VALUES, &a, &b));
    printf("%.17g %d", total[0], place[0]);
    return 0;
}
""".replace("VALUES", ", ".join(map(str, values)))
    )
    code, total_value, place = run(tmp_path, program, ["f.o"]).split()
    assert (int(code), float(total_value), int(place)) == (0, sum(v * (k + 1) for k, v in enumerate(values)), 9)


TARGETS = ["x86-64-linux-avx-avx2-sse41", "x86-64-linux-sse41", "x86-64-linux"]


@needs_gcc
@pytest.mark.skipif(hl.get_host_target().arch is not hl.TargetArch.X86, reason="targets of x86")
@pytest.mark.parametrize("as_library", [True, False])
def test_a_function_for_several_targets_fits_the_processor(tmp_path, as_library):
    out, image, offset = brighter("brighten")
    targets = [hl.Target(text) for text in TARGETS]
    if as_library:
        out.compile_to_multitarget_static_library(tmp_path / "f", [image, offset], targets)
        objects = ["f.a"]
    else:
        out.compile_to_multitarget_object_files(tmp_path / "f", [image, offset], targets, ["a", "b", "-c"])
        objects = sorted(p.name for p in tmp_path.glob("*.o"))
        assert objects == ["f--c.o", "f-a.o", "f-b.o", "f_runtime.o", "f_wrapper.o"]
    program = '#include "f.h"\n' + SUPPORT + MAIN.replace("NAME", "brighten")
    assert run(tmp_path, program, objects) == f"0 {expected(301, 203, 5)}\n"


def test_several_targets_are_for_one_kind_of_machine(tmp_path):
    out, image, offset = brighter()
    targets = [hl.Target("x86-64-linux-avx2"), hl.Target("arm-64-linux")]
    with pytest.raises(hl.HalideError, match="one architecture"):
        out.compile_to_multitarget_static_library(tmp_path / "f", [image, offset], targets)
    assert list(tmp_path.iterdir()) == []
