"""The command line of generators: what it writes, and what it says of mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import halopy as hl

from . import generators  # defines the generators
from .programs import SUPPORT, needs_clang, needs_gcc, needs_gxx, run

assert generators.Shifted


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command line: its exit status, what it prints, and what it says of errors."""

    def ran(*arguments):
        monkeypatch.setattr(sys, "argv", ["generators.py", *map(str, arguments)])
        status = 0
        try:
            hl.main()
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return ran


def program(script, *arguments):
    """A program of generators in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(hl.install_dir()).parent)}
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


PROGRAM = """
#include "fast.h"
#include "slow.h"
%s
int main(void) {
    uint8_t in[6] = {1, 2, 3, 4, 5, 6};
    int32_t one[6], two[6];
    halide_dimension_t dim[2];
    dimension(&dim[0], 0, 3, 1);
    dimension(&dim[1], 0, 2, 3);
    halide_buffer_t a = buffer(dim, 2, in, 1, 8), b = buffer(dim, 2, one, 0, 32), c = buffer(dim, 2, two, 0, 32);
    int failed = fast(&a, 10, &b) + slow(&a, 10, &c);
    for (int k = 0; k < 6; k++) printf("%%d %%d ", one[k], two[k]);
    printf("%%d %%s %%s\\n", failed, fast_metadata()->name, fast_metadata()->arguments[1].name);
    return 0;
}
"""


@needs_gcc
def test_a_program_is_linked_with_what_the_command_writes(tmp_path):
    for name, params in {"fast": ["-g", "shifted", "fast=true"], "slow": ["-g", "shifted_much"]}.items():
        arguments = ["-o", str(tmp_path), "-f", name, "target=host", "image.type=uint8", *params]
        ran = program(generators.__file__, *arguments)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    ends = (".a", ".h", ".registration.cpp")
    assert names(tmp_path) == [f"{name}{end}" for name in ("fast", "slow") for end in ends]
    printed = run(tmp_path, PROGRAM % SUPPORT, ["fast.a", "slow.a"])
    values = " ".join(f"{10 * k + 1} {10 * k + 100}" for k in range(1, 7))
    assert printed == f"{values} 0 fast factor\n"


@needs_gxx
def test_a_registration_tells_of_its_function(tmp_path, command):
    assert command("-g", "shifted", "-o", tmp_path, "image.type=uint8")[0] == 0
    main = """
        #include <cstdio>
        #include "shifted.h"
        #include "shifted.registration.cpp"
        static const char *seen = "nothing";
        extern "C" void halide_register_argv_and_metadata(int (*)(void **), const halide_filter_metadata_t *about,
                                                          const char *const *) { seen = about->name; }
        int main() { std::printf("%s\\n", seen); }
    """
    assert run(tmp_path, main, ["shifted.a"], "g++") == "shifted\n"


def test_each_kind_has_its_name(tmp_path, command):
    kinds = "c_source,c_header,stmt,stmt_html,conceptual_stmt,conceptual_stmt_html,python_extension,registration"
    status, out, err = command("-g", "shifted", "-o", tmp_path, "-n", "n", "-e", kinds, "-v", "1", "image.type=uint8")
    ends = "c h stmt stmt.html conceptual.stmt conceptual.stmt.html py.cpp registration.cpp".split()
    assert names(tmp_path) == sorted(f"n.{end}" for end in ends)
    assert (status, err) == (0, "")
    assert out == "".join(f"Generated file: {tmp_path}/n.{end}\n" for end in ends)
    assert "int shifted(struct halide_buffer_t *_image_buffer, int32_t _factor" in (tmp_path / "n.h").read_text()


def test_kinds_have_short_names_and_the_environment_adds_some(tmp_path, command, monkeypatch):
    monkeypatch.setenv("HL_EXTRA_OUTPUTS", "stmt,h")
    assert command("-g", "numbers", "-o", tmp_path, "-e", "h,cpp,py.c")[0] == 0
    assert names(tmp_path) == ["numbers.c", "numbers.h", "numbers.py.cpp", "numbers.stmt"]


def test_a_pipeline_is_written_and_read_again(tmp_path, command):
    assert command("-g", "shifted", "-o", tmp_path, "-e", "hlpipe", "image.type=uint8") == (0, "", "")
    read = hl.deserialize_pipeline(str(tmp_path / "shifted.hlpipe"))
    picture, out = np.arange(6, dtype=np.uint8).reshape(2, 3), np.zeros((2, 3), np.int32)
    read.compile_to_callable(read.infer_arguments())(picture, 5, out)
    assert np.array_equal(out, picture.astype(np.int32) * 5 + 1)


@needs_gcc
def test_a_runtime_is_written_alone(tmp_path, command):
    assert command("-r", "runtime", "-o", tmp_path, "-e", "object,c_header", "target=host")[0] == 0
    assert names(tmp_path) == ["runtime.o"]


@needs_gcc
def test_a_function_for_several_targets_is_one_library(tmp_path, command):
    host = hl.get_host_target()
    plain = f"{host.arch.name.lower()}-{host.bits}-{host.os.name.lower()}"
    if plain != "x86-64-linux":
        pytest.skip("for x86")
    targets = f"target={plain}-sse41-avx,{plain}"
    arguments = ["-g", "shifted", "-o", tmp_path, targets, "image.type=uint8"]
    kinds = "static_library,c_header,registration,function_info_header,stmt"
    assert command(*arguments, "-f", "fast", "-e", kinds) == (0, "", "")
    stmts = ["fast-x86_64_linux.stmt", "fast-x86_64_linux_avx_sse41.stmt"]
    assert {name for name in names(tmp_path) if name.endswith(".stmt")} == {*stmts}
    assert {"fast.a", "fast.h", "fast.registration.cpp", "fast.function_info.h"} <= {*names(tmp_path)}
    assert command(*arguments, "-f", "slow", "amount=100")[0] == 0
    printed = run(tmp_path, PROGRAM % SUPPORT, ["fast.a", "slow.a"])
    assert printed.startswith("11 110 21 120") and " 160 0 fast" in printed
    for kinds in ("c_header", "object,static_library", "static_library,c_source", "object,python_module"):
        status, _, err = command(*arguments, "-e", kinds)
        assert status == 1 and "written for several targets" in err


@needs_clang
def test_other_machines_are_targets_too(tmp_path, command):
    status = command("-g", "numbers", "-o", tmp_path, "-e", "object,llvm_assembly", "target=arm-64-linux")[0]
    assert status == 0 and (tmp_path / "numbers.o").read_bytes()[18] == 183  # AArch64
    assert "aarch64" in (tmp_path / "numbers.ll").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Either -g <name> or -r must be specified; available Generators are:\n"),
        (["-g", "shifty", "-o", "."], "Generator not found: shifty\nDid you mean:\n"),
        (["-g", "shifted"], "-o must name the folder"),
        (["-q", "1"], "Unknown flag: -q"),
        (["--help"], "Unknown flag: --help"),
        (["-g"], "-g stands without a value"),
        (["shifted"], "'shifted' is neither a flag nor PARAMETER=VALUE"),
        (["-g", "shifted", "-o", ".", "image.type="], "is neither a flag nor PARAMETER=VALUE"),
        (["-g", "shifted", "-o", "."], "No type has been specified for image"),
        (["-g", "shifted", "-o", ".", "image.type=uint8", "color=1"], "has no GeneratorParam(s) named: ['color']"),
        (["-g", "shifted", "-o", ".", "image.type=uint8", "amount=1.5"], "the GeneratorParam amount cannot be '1.5'"),
        (["-g", "numbers", "-o", ".", "target=quux"], "quux"),
        (["-g", "numbers", "-o", ".", "-e", "tarball"], "Unrecognized emit option: tarball"),
        (["-g", "numbers", "-o", ".", "-e", "pytorch_wrapper"], "files of type pytorch_wrapper are not made"),
        (["-g", "numbers", "-o", ".", "-e", "schedule"], "about an automatic schedule, but none was asked for"),
        (["-g", "numbers", "-o", "no/such/folder", "-e", "h"], "there is no folder"),
        (["-g", "numbers", "-o", ".", "-f", "a/b"], "-f is a name, not a path: 'a/b'"),
        (["-g", "numbers", "-o", ".", "-f", "1st", "-e", "h"], "'1st' cannot be the name of a function in C"),
        (["-g", "numbers", "-o", ".", "-d", "1"], "modules for gradient descent (-d 1) are not made"),
        (["-g", "numbers", "-o", ".", "-v", "2"], "-v must be 0 or 1"),
        (["-g", "numbers", "-o", ".", "-t", "soon"], "-t must be a number of seconds"),
        (["-g", "numbers", "-o", ".", "auto_schedule=true"], "specify autoscheduler=NAME instead"),
        (["-g", "broken", "-o", "."], "Output 'out' was not defined."),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(arguments, message, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = command(*arguments)
    assert (status, out) == (1, "") and err.startswith("Error: ") and message in err
    assert "available" not in err or "\n    shifted\n    shifted_much\n" in err
    assert names(tmp_path) == []


def test_an_automatic_schedule_is_written(tmp_path, command):
    arguments = ["-g", "scheduled", "-o", tmp_path, "-p", "autoschedule_mullapudi2016", "-e", "schedule,c_header"]
    assert command(*arguments, "autoscheduler=Mullapudi2016", "autoscheduler.parallelism=4") == (0, "", "")
    assert names(tmp_path) == ["scheduled.h", "scheduled.schedule.py"]
    assert "def " in (tmp_path / "scheduled.schedule.py").read_text()
    status, _, err = command(*arguments[:-3], "some_plugin.so")
    assert status == 1 and "the plugin `some_plugin.so` cannot be loaded" in err


def test_a_limit_of_time_ends_the_program(tmp_path):
    script = tmp_path / "slow.py"
    script.write_text(
        "import time\nimport halopy as hl\n\n"
        "@hl.generator('slow')\nclass Slow:\n    out = hl.OutputScalar(int)\n\n"
        "    def generate(self):\n        time.sleep(60)\n\nhl.main()\n"
    )
    ran = program(script, "-g", "slow", "-o", tmp_path, "-t", "1")
    assert ran.returncode == 1 and "did not end within 1 seconds" in ran.stderr
