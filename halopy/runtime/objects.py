"""Compile C texts to objects, assembly and LLVM's formats, for this machine or another.

This machine's objects are made by the compiler that kernels are compiled with. For other machines, and for what only
LLVM can write, clang is needed: `clang` on the path, or the one in the ziglang wheel.
"""

from __future__ import annotations

import enum
import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from .. import instrument
from ..errors import CompilerFailed, UnsupportedTarget
from ..target import Target, host_target
from .cache import private_cache, user_cache
from .compilers import FLAGS, compiler_flags, find_clang, find_compiler, first_errors
from .programs import run

_OF_LIBRARIES = ("-march=native", "-shared")  # what objects for others are not made with
_SECONDS = 120


class Form(enum.Enum):
    """What is made of a C text; the values are the compilers' arguments."""

    OBJECT = ("-c",)
    ASSEMBLY = ("-S",)
    BITCODE = ("-c", "-emit-llvm")
    LLVM_ASSEMBLY = ("-S", "-emit-llvm")


_NEED_CLANG = (Form.BITCODE, Form.LLVM_ASSEMBLY)
_ARCHITECTURES = {
    ("x86", 32): "i386", ("x86", 64): "x86_64", ("arm", 32): "armv7", ("arm", 64): "aarch64",
    ("riscv", 32): "riscv32", ("riscv", 64): "riscv64", ("powerpc", 64): "powerpc64le", ("wasm", 32): "wasm32",
}  # fmt: skip
_SYSTEMS = {
    "linux": "linux-gnu", "android": "linux-android", "windows": "windows-gnu", "osx": "apple-macos",
    "ios": "apple-ios",    "noos": "unknown-none", "wasmrt": "unknown-unknown",
}  # fmt: skip
# Not -march=znver4, which is younger than many a compiler.
_ZEN4 = (
    "-march=cannonlake", "-mavx512vnni", "-mavx512bf16", "-mavx512bitalg", "-mavx512vbmi2", "-mavx512vpopcntdq",
)  # fmt: skip
_FLAGS = {
    "sse41": ("-msse4.1",), "avx": ("-mavx",), "avx2": ("-mavx2",), "fma": ("-mfma",), "f16c": ("-mf16c",),
    "fma4": ("-mfma4",), "avx512": ("-mavx512f", "-mavx512cd"),
    "avx512_skylake": ("-march=skylake-avx512",), "avx512_cannonlake": ("-march=cannonlake",),
    "avx512_zen4": _ZEN4, "avx512_zen5": _ZEN4,
    "avx512_sapphirerapids": ("-march=sapphirerapids",), "sve2": ("-march=armv8.2-a+sve2",),
    "arm_dot_prod": ("-march=armv8.2-a+dotprod",), "rvv": ("-march=rv64gcv",), "vsx": ("-mvsx",),
}  # fmt: skip


def compile_text(text: str, form: Form, target: Target) -> bytes:
    """The text in another form. Raises UnsupportedTarget where no compiler here can make it, CompilerFailed."""
    command = _command(form, target)
    flags = [flag for flag in _flags(form, target, text) if flag not in _OF_LIBRARIES]
    return build([*command, *flags, *_machine_flags(target), *form.value], {"unit.c": text})


def join_objects(objects: Sequence[bytes], target: Target) -> bytes:
    """One object that holds all of them."""
    if len(objects) == 1:
        return objects[0]
    command = [*_command(Form.OBJECT, target), "-r", "-nostdlib"]
    return build(command, {f"part{k}.o": data for k, data in enumerate(objects)})


def build(command: Sequence[str], inputs: dict[str, str | bytes], libraries: Sequence[str] = ()) -> bytes:
    """What the command makes of these files, by name, and libraries. Raises CompilerFailed."""
    try:
        folder = user_cache().build_folder()
    except OSError:
        folder = private_cache().build_folder()
    try:
        return _in_folder(command, inputs, libraries, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_folder(command: Sequence[str], inputs: dict[str, str | bytes], libraries: Sequence[str], folder: Path) -> bytes:
    made = folder / "made"
    for name, data in inputs.items():
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode(errors="backslashreplace"))
    seconds = instrument.number("HALOPY_CC_SECONDS", least=1, default=_SECONDS)
    files = [str(folder / name) for name in inputs]
    code, output = run([*command, *files, *libraries, "-o", str(made)], seconds, folder.parent)
    if code != 0 or not made.is_file():
        output = output.replace(f"{folder}{os.sep}", "")
        raise CompilerFailed(f"the C compiler `{shlex.join(command)}` failed", log=output, reason=first_errors(output))
    return made.read_bytes()


def _flags(form: Form, target: Target, text: str) -> tuple[str, ...]:
    if is_for_this_machine(target) and form not in _NEED_CLANG:
        return compiler_flags(find_compiler(user_cache()), text)
    return FLAGS


def _command(form: Form, target: Target) -> tuple[str, ...]:
    """The compiler, told which machine the code is for."""
    if is_for_this_machine(target) and form not in _NEED_CLANG:
        return find_compiler(user_cache()).command
    clang = find_clang()
    if clang is None:
        what = "LLVM's formats" if form in _NEED_CLANG else f"code for `{target}`"
        raise UnsupportedTarget(
            f"{what} can only be made by clang, which was not found",
            accepted="`pip install ziglang`, or clang on the path; the C source and the header need no compiler",
        )
    return clang if is_for_this_machine(target) else (*clang, f"--target={_triple(target)}", "-ffreestanding")


def is_for_this_machine(target: Target) -> bool:
    """Whether this machine can run code for the target, but for its features."""
    host = host_target()
    return (target.arch, target.bits, target.os) == (host.arch, host.bits, host.os)


def _triple(target: Target) -> str:
    architecture, system = _ARCHITECTURES.get((target.arch.text, target.bits)), _SYSTEMS.get(target.os.text)
    if architecture is None or system is None:
        raise UnsupportedTarget(
            f"there is no code for the target `{target}`",
            accepted="x86, arm, riscv, powerpc or wasm, for linux, android, windows, osx, ios or noos",
        )
    if architecture == "armv7":
        names = {feature.text for feature in target.features}
        architecture = "armv7s" if "armv7s" in names else "armv7"
        system = {"linux-gnu": "linux-gnueabihf", "linux-android": "linux-androideabi"}.get(system, system)
    return f"{architecture}-{system}"


def _machine_flags(target: Target) -> tuple[str, ...]:
    """Features that the code may use: all of this machine's where the target has them all, else those of the target."""
    host = host_target()
    if is_for_this_machine(target) and target.features >= host.features:
        return ("-march=native",)
    names = {feature.text for feature in target.features}
    return tuple(flag for name, flags in _FLAGS.items() if name in names for flag in flags)
