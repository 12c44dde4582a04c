"""Which files are written, how they look, and what is refused."""

from __future__ import annotations

import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import halopy as hl
from halopy.codegen.c.mangling import ARGV, BUFFER, CONTEXT, mangled
from halopy.dtypes import FLOAT32, INT64, UINT8
from halopy.ir.node import walk
from halopy.ir.stmt import For, LoopKind
from halopy.runtime.archive import Member, archive
from tests.lang.messages import without_place

from .programs import needs_clang, needs_gcc, needs_gxx, run

x, y = hl.vars("x y")
Out = hl.OutputFileType


def simple(name: str = "f") -> hl.Func:
    f = hl.Func(name)
    f[x, y] = x + 2 * y
    f.vectorize(x, 4).parallel(y)
    return f


def with_inputs() -> tuple[hl.Func, hl.ImageParam, hl.Param]:
    f, image, param = hl.Func("f"), hl.ImageParam(hl.UInt(8), 1, "image"), hl.Param(hl.Int(32), "param")
    f[x] = image[x] + param
    return f, image, param


def test_only_texts_are_written_without_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("HALOPY_CC", "no-such-compiler")
    f = simple()
    kinds = {Out.c_source: "f.c", Out.c_header: "f.h", Out.stmt: "f.stmt", Out.stmt_html: "f.html",
             Out.conceptual_stmt: "f.loops", Out.conceptual_stmt_html: "f.loops.html"}  # fmt: skip
    f.compile_to({kind: tmp_path / name for kind, name in kinds.items()}, [], "my_function")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kinds.values())
    assert "int my_function(struct halide_buffer_t *_f_buffer)" in (tmp_path / "f.c").read_text()
    with pytest.raises(hl.CompilerNotFound):
        f.compile_to({Out.c_source: tmp_path / "again.c", Out.object: tmp_path / "f.o"}, [], "my_function")
    assert not (tmp_path / "again.c").exists()


@needs_gcc
def test_each_kind_of_file_has_its_format(tmp_path):
    f = simple()
    f.compile_to_object(tmp_path / "f.o", [], "f")
    f.compile_to_assembly(tmp_path / "f.s", [], hl.get_host_target())
    f.compile_to_static_library(tmp_path / "lib", [])
    f.compile_to_header(tmp_path / "f.h", [], "other")
    assert "int other(" in (tmp_path / "f.h").read_text()
    assert (tmp_path / "f.o").read_bytes()[1:4] == b"ELF"
    assert b".globl\tf_argv" in (tmp_path / "f.s").read_bytes()
    assert (tmp_path / "lib.a").read_bytes().startswith(b"!<arch>\n") and (tmp_path / "lib.h").exists()
    bytes_of = np.asarray(f.compile_to_module([], "f").compile_to_buffer())
    assert bytes_of.dtype == np.uint8 and bytes_of[1:4].tobytes() == b"ELF"


@needs_clang
def test_clang_writes_bitcode(tmp_path):
    f = simple()
    f.compile_to_bitcode(tmp_path / "f.bc", [], "f")
    f.compile_to_llvm_assembly(tmp_path / "f.ll", [], "f")
    assert (tmp_path / "f.bc").read_bytes()[:2] == b"BC" and "define" in (tmp_path / "f.ll").read_text()


MAGIC = {
    "arm-32-android": (".o", b"\x7fELF\x01\x01\x01"),
    "arm-64-linux": (".o", b"\x7fELF\x02\x01\x01"),
    "x86-64-windows-avx-sse41": (".obj", b"\x64\x86"),
    "arm-32-ios-armv7s": (".o", bytes.fromhex("cefaedfe0c0000000b00000001000000")),
}


@needs_clang
@pytest.mark.parametrize(("target", "ending", "magic"), [(t, *m) for t, m in MAGIC.items()], ids=MAGIC)
def test_objects_are_made_for_other_machines(tmp_path, target, ending, magic):
    f, image, param = with_inputs()
    f.compile_to_file(tmp_path / "f", [image, param], "f", hl.Target(target))
    assert (tmp_path / f"f{ending}").read_bytes().startswith(magic) and (tmp_path / "f.h").exists()


def test_other_machines_need_clang(tmp_path, monkeypatch, golden):
    monkeypatch.setattr("halopy.runtime.objects.find_clang", lambda: None)
    f = simple()
    f.compile_to_c(tmp_path / "f.c", [], "f", hl.Target("arm-64-linux"))
    with pytest.raises(hl.UnsupportedTarget) as refused:
        f.compile_to_object(tmp_path / "f.o", [], "f", hl.Target("arm-64-linux"))
    assert str(refused.value) == golden


def test_an_archive_has_an_index(tmp_path):
    data = archive([Member("a rather long name.o", b"12345", ("one", "two")), Member("b.o", b"67", ("three",))])
    (tmp_path / "l.a").write_bytes(data)
    assert data.index(b"one\0two\0three\0") < data.index(b"12345\n") < data.index(b"67")
    try:
        listed = subprocess.run(["ar", "t", str(tmp_path / "l.a")], check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return
    assert listed.stdout == "a rather long name.o\nb.o\n"


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        assert not {"src", "href"} & dict(attrs).keys()
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("conceptual", [False, True])
def test_statements_are_a_page_whose_blocks_fold(tmp_path, conceptual):
    f = hl.Func("f")
    f[x, y] = hl.select(x < y, 1, 2)
    f.vectorize(x, 4).parallel(y)
    write = f.compile_to_conceptual_stmt if conceptual else f.compile_to_lowered_stmt
    write(tmp_path / "f.html", [], hl.StmtOutputFormat.HTML)
    page = _Balance()
    page.feed((tmp_path / "f.html").read_text())
    assert page.open == [] and "parallel (f.s0.y" in page.text and "<" in page.text


def test_lowered_statements_are_text_and_values(tmp_path):
    f = simple()
    f.compile_to_lowered_stmt(str(tmp_path / "f.stmt"), [])
    stmt = f.lowered_stmt()
    assert str(stmt) in (tmp_path / "f.stmt").read_text()
    loops = [node for node in walk(stmt) if isinstance(node, For)]
    assert LoopKind.PARALLEL in {loop.kind for loop in loops}
    assert f.compile_to_module([], "f").lowered()["f"] is stmt
    assert hl.Pipeline(f).lowered_stmt() is stmt
    f.compile_to_conceptual_stmt(str(tmp_path / "f.loops"), [])
    assert "vectorized (f.s0.x" in (tmp_path / "f.loops").read_text()


def test_arguments_are_inferred_buffers_first():
    f, image, param = with_inputs()
    other = hl.Param(hl.UInt(16), "a")
    f = hl.Func("g")
    f[x] = image[x] + param + other + hl.Buffer(hl.UInt(8), [9])[x]
    found = hl.Pipeline(f).infer_arguments()
    assert [(a.name, a.kind) for a in found] == [
        ("image", hl.ArgumentKind.InputBuffer),
        ("a", hl.ArgumentKind.InputScalar),
        ("param", hl.ArgumentKind.InputScalar),
    ]
    assert found[1].type == hl.UInt(16) and found[0].dimensions == 1 and f.infer_arguments()[0].is_buffer()


def test_modules_know_their_parts():
    f = simple()
    target = hl.Target("host-no_runtime")
    module, inner = f.compile_to_module([], "own", target), hl.Module("inner", target)
    inner.append(simple("g").compile_to_module([], "other", target))
    module.append(inner)
    module.append(hl.Buffer(hl.UInt(8), [4], "table"))
    assert module.name() == "own" and module.target() == target and inner.name() == "inner"
    assert [m.name() for m in module.submodules()] == ["inner"] and len(module.buffers()) == 1
    assert module.functions() == ["own"] and module.resolve_submodules().functions() == ["own", "other"]
    with pytest.raises(hl.UnsupportedTarget, match="buffers of its own"):
        module.compile({Out.c_source: "never.c"})


def test_cpp_symbols_follow_the_rules_of_the_platform():
    assert mangled([], "f", [BUFFER, UINT8, BUFFER]) == "_Z1fP15halide_buffer_thS0_"
    assert mangled(["a", "b"], "f", [CONTEXT, BUFFER, INT64, BUFFER]) == "_ZN1a1b1fEPKvP15halide_buffer_tlS4_"
    assert mangled(["a"], "f_argv", [ARGV]) == "_ZN1a6f_argvEPPv" and mangled([], "m", []) == "_Z1mv"
    assert mangled([], "f", [INT64, FLOAT32], wide_long=False) == "_Z1fxf"


REFUSED = {
    "name-with-space": lambda f, a, d: f.compile_to_c(d / "f.c", a, "my function"),
    "name-with-digit": lambda f, a, d: f.compile_to_c(d / "f.c", a, "1st"),
    "name-of-c": lambda f, a, d: f.compile_to_c(d / "f.c", a, "int"),
    "name-of-libc": lambda f, a, d: f.compile_to_c(d / "f.c", a, "malloc"),
    "name-that-injects": lambda f, a, d: f.compile_to_object(d / "f.o", a, 'f(void){} __asm__("")'),
    "namespace-in-c": lambda f, a, d: f.compile_to_c(d / "f.c", a, "a::f"),
    "missing-argument": lambda f, a, d: f.compile_to_c(d / "f.c", a[:1], "f"),
    "argument-twice": lambda f, a, d: f.compile_to_c(d / "f.c", [*a, a[0]], "f"),
    "argument-of-other-type": lambda f, a, d: f.compile_to_c(d / "f.c", [a[0], hl.Param(hl.UInt(8), "param")], "f"),
    "no-argument": lambda f, a, d: f.compile_to_c(d / "f.c", [*a, 3], "f"),
    "gpu": lambda f, a, d: f.compile_to_object(d / "f.o", a, "f", hl.Target("x86-64-linux-cuda")),
    "kind-not-made": lambda f, a, d: f.compile_to({Out.device_code: d / "f.x"}, a, "f"),
    "kind-of-text": lambda f, a, d: f.compile_to({"object": "f.o"}, a, "f"),
    "format-of-text": lambda f, a, d: f.compile_to_lowered_stmt(d / "f.stmt", a, "html"),
    "two-functions-of-one-name": lambda f, a, d: hl.link_modules("m", [f.compile_to_module(a, "f")] * 2),
    "modules-for-two-targets": lambda f, a, d: hl.link_modules(
        "m", [f.compile_to_module(a, "f"), f.compile_to_module(a, "g", hl.Target("arm-64-linux"))]
    ),
}  # fmt: skip


@pytest.mark.parametrize("write", REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_would_be_accepted(tmp_path, write, golden):
    f, image, param = with_inputs()
    with pytest.raises(hl.HalideError) as refused:
        write(f, [image, param], tmp_path)
    assert without_place(refused.value).replace(str(hl.get_host_target()), "HOST") == golden
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no/such/folder/f.c", "", "folder"])
def test_a_file_that_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    f = simple()
    with pytest.raises(hl.UserError, match=r"cannot be written|names no file"):
        f.compile_to_c(f"{tmp_path}/{name}" if name else "", [], "f")
    f.compile_to_c(tmp_path / "folder" / "strange ; name & 'more'.c", [], "f")
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["strange ; name & 'more'.c"]


def test_names_of_helpers_can_be_names_of_functions(tmp_path):
    f = simple()
    f.compile_to_c(tmp_path / "f.c", [], "check_buffers")
    assert '__asm__(LABEL_PREFIX(__USER_LABEL_PREFIX__) "check_buffers")' in (tmp_path / "f.c").read_text()


@pytest.mark.parametrize("feature", ["avx512_zen4", "avx512_zen5", "avx512_cannonlake"])
def test_objects_are_made_for_processors_younger_than_the_compiler(feature, tmp_path):
    f, x = hl.Func("f"), hl.Var("x")
    f[x] = x
    target = hl.Target(f"x86-64-linux-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake-{feature}")
    f.vectorize(x, 16).compile_to_object(tmp_path / "f.o", [], "f", target)
    assert (tmp_path / "f.o").read_bytes().startswith(b"\x7fELF")


def two_outputs() -> tuple[hl.Func, list[object]]:
    x, y = hl.vars("x y")
    image, p, q = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Param(hl.Float(32), "p"), hl.Param(hl.Bool(), "q")
    f = hl.Func("f")
    f[x, y] = (hl.f32(image[x, y]) * p, hl.select(q, 1, x))
    return f, [p, image, q]


@needs_gxx
def test_a_program_can_look_at_arguments_while_it_is_compiled(tmp_path):
    f, arguments = two_outputs()
    kind = hl.OutputFileType.function_info_header
    f.compile_to({kind: tmp_path / "f.function_info.h"}, arguments, "f")
    f.compile_to(
        {kind: tmp_path / "g.function_info.h", hl.OutputFileType.c_header: tmp_path / "g.h"},
        arguments,
        "a::g",
        hl.Target("host-c_plus_plus_name_mangling"),
    )
    source = r"""
#include "f.function_info.h"
#include "g.function_info.h"
#include "g.h"
#include <stdio.h>
constexpr auto found = f_argument_info();
static_assert(found.size() == 5 && found[1].kind == HalideFunctionInfo::InputBuffer && found[1].dimensions == 2, "");
static_assert(found[2].type.code == halide_type_uint && found[2].type.bits == 1, "");
static_assert(a::g_argument_info().size() == 5, "");
int main() {
    for (const auto &a : found)
        printf("%s %d %d %d %d\n", a.name.data(), a.kind, a.dimensions, a.type.code, a.type.bits);
}
"""
    assert run(tmp_path, source, [], "g++").split("\n")[:5] == [
        "p 0 0 2 32", "image 1 2 1 8", "q 0 0 1 1", "f.0 2 2 2 32", "f.1 2 2 0 32",
    ]  # fmt: skip


def test_a_pipeline_is_written_as_data_beside_its_other_files(tmp_path):
    f, arguments = two_outputs()
    arguments[0].set(0.5)
    arguments[2].set(False)
    kinds = hl.OutputFileType
    f.compile_to({kinds.hlpipe: tmp_path / "f.hlpipe", kinds.c_source: tmp_path / "f.c"}, arguments, "f")
    assert (tmp_path / "f.c").exists()
    hl.Pipeline(f).compile_to({kinds.hlpipe: tmp_path / "g.hlpipe"}, arguments, "f")
    assert (tmp_path / "f.hlpipe").read_bytes() == (tmp_path / "g.hlpipe").read_bytes()
    again = hl.deserialize_pipeline(tmp_path / "f.hlpipe", {"image": arguments[1].parameter()})
    arguments[1].set(np.arange(6, dtype=np.uint8).reshape(2, 3))
    first, second = again.realize([3, 2])
    assert np.asarray(second).tolist() == [[0, 1, 2]] * 2
    assert np.asarray(first).tolist() == [[0, 0.5, 1], [1.5, 2, 2.5]]
