"""Find a C compiler and drive it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache as once

from .. import instrument
from ..codegen.c.registers import SUMS
from ..errors import CompilerFailed, CompilerNotFound
from .cache import Cache, private_cache
from .programs import nothing, run

FLAGS = (
    "-std=gnu11", "-O3", "-march=native", "-fwrapv", "-fno-math-errno", "-ffp-contract=off", "-fno-trapping-math",
    "-shared", "-fPIC", "-pipe",
)  # fmt: skip
# A loop that reads many rows: gcc would step one pointer per row, and move loads away from the sums that need them.
_GCC_FLAGS = ("-fno-schedule-insns2", "--param=iv-max-considered-uses=12")
# Where sums stay in registers, a row costs more as an address that is computed than as a pointer.
_GCC_FLAGS_FOR_SUMS = ("-fno-schedule-insns2", "--param=iv-max-considered-uses=30")
_LONG_FUNCTION = 120_000  # characters, as of 70 stages in one loop: over five seconds at -O3
# What gcc does for longer ones: two seconds, and code about as fast. (-O1 takes 3.6, and compares lane by lane.)
_GCC_SOON = (
    "-O2", "-ftree-vectorize", "-fira-region=one", "-fno-thread-jumps", "-fno-tree-vrp", "-fno-tree-pre", "-fno-gcse",
)  # fmt: skip
_SECONDS = 120
_VERSION_SECONDS = 20
_SHOWN_ERRORS = 4
_OPENMP_TRIAL = "#include <omp.h>\nint trial(void);\nint trial(void) { return omp_get_max_threads(); }\n"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A command that compiles C. `identity` tells it from every other compiler and version."""

    command: tuple[str, ...]
    identity: str

    def __str__(self) -> str:
        return shlex.join(self.command)


def find_compiler(cache: Cache) -> Compiler:
    """The first of: HALOPY_CC, CC, gcc, clang, cc, the ziglang wheel. Raises CompilerNotFound.

    What it says of itself is remembered in `cache`, so that a later process need not ask.
    """
    named, usual = instrument.setting("HALOPY_CC"), instrument.setting("CC")
    command = _find_command(named, usual, tuple(instrument.search_path()))
    return Compiler(command, _remembered(command, "version", cache))


@once
def _find_command(named: str | None, usual: str | None, path: tuple[str, ...]) -> tuple[str, ...]:
    if named is not None:
        return _named_command(named, path)
    # gcc and clang make equally fast code of our vector loops; gcc takes half the time, and brings OpenMP
    for words in (_words(usual), ["gcc"], ["clang"], ["cc"]):
        program = _program(words[0], path) if words else None
        if program is not None:
            return (program, *words[1:])
    zig = _zig()
    if zig is not None:
        return zig
    raise CompilerNotFound(
        "no C compiler was found (looked for HALOPY_CC, CC, gcc, clang, cc, and the Python package ziglang)",
        accepted="any of: `pip install ziglang`, `apt-get install gcc`, HALOPY_CC=/path/to/compiler",
    )


def _named_command(named: str, path: tuple[str, ...]) -> tuple[str, ...]:
    words = _words(named)
    program = _program(words[0], path) if words else None
    if program is None:
        raise CompilerNotFound(
            f"HALOPY_CC is {named!r}, which names no program on this machine",
            accepted="a C compiler, with arguments if need be, such as HALOPY_CC=gcc; or unset HALOPY_CC",
        )
    return (program, *words[1:])


def _words(command: str | None) -> list[str]:
    try:
        return shlex.split(command or "")
    except ValueError:  # an open quotation
        return []


def _program(name: str, path: tuple[str, ...]) -> str | None:
    candidates = [name] if os.path.dirname(name) else [os.path.join(folder, name) for folder in path]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return os.path.abspath(candidate)
    return None


def _zig() -> tuple[str, ...] | None:
    """clang from the ziglang wheel, without the sanitizers that it adds."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    program = _program(os.path.join(os.path.dirname(spec.origin), "zig"), ())
    return None if program is None else (program, "cc", "-fno-sanitize=all")


def compiler_flags(compiler: Compiler, text: str) -> tuple[str, ...]:
    """What makes fast code that keeps every bit, from this compiler; of a very long function, soon."""
    is_gcc = "Free Software Foundation" in compiler.identity
    flags = FLAGS + (_GCC_FLAGS_FOR_SUMS if SUMS in text else _GCC_FLAGS) if is_gcc else FLAGS
    if max(map(len, text.split("\n}\n"))) <= _LONG_FUNCTION:
        return flags
    return (*(f for f in flags if f != "-O3"), *(_GCC_SOON if is_gcc else ("-O1",)))


def find_clang() -> tuple[str, ...] | None:
    """A clang, which makes code for any machine: HALOPY_CC where it is one, `clang`, or that of the ziglang wheel."""
    path = tuple(instrument.search_path())
    for words in (_words(instrument.setting("HALOPY_CC")), ["clang"]):
        program = _program(words[0], path) if words and "clang" in os.path.basename(words[0]) else None
        if program is not None:
            return (program, *words[1:])
    zig = _zig()
    if zig is None:
        return None
    # `zig clang` is the bare compiler; it does not know where its own headers lie.
    return (zig[0], "clang", "-isystem", os.path.join(os.path.dirname(zig[0]), "lib", "include"))


def openmp_flags(compiler: Compiler, cache: Cache) -> tuple[str, ...]:
    """What makes this compiler obey OpenMP pragmas; nothing when it cannot (found by trying, and remembered)."""
    return ("-fopenmp",) if _remembered(compiler.command, "openmp", cache) == "yes" else ()


@once
def _remembered(command: tuple[str, ...], question: str, cache: Cache) -> str:
    """What the compiler answers, kept in the cache under its path, size and time."""
    name = hashlib.sha256(repr((command, question, _stamps(command))).encode()).hexdigest() + ".txt"
    known = cache.read(name)
    if known is not None:
        return known.decode()
    answer = _ask_version(command, cache) if question == "version" else _try_openmp(command, cache)
    with suppress(OSError):  # asked again next time
        cache.store(name, answer.encode())
    return answer


def _stamps(command: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Path, size and time of every file the command names, so that another version counts as another compiler."""
    files = [os.path.realpath(word) for word in command if os.path.isfile(word)]
    return [(file, os.stat(file).st_size, os.stat(file).st_mtime_ns) for file in files]


def _ask_version(command: tuple[str, ...], cache: Cache) -> str:
    code, output = run([*command, "--version"], _VERSION_SECONDS, cache.folder)
    if code != 0:
        raise CompilerFailed(
            f"`{shlex.join(command)} --version` failed, so it cannot be used as C compiler",
            log=output,
            reason=first_errors(output),
        )
    return output


def _try_openmp(command: tuple[str, ...], cache: Cache) -> str:
    try:
        _compile(command, _OPENMP_TRIAL, (*FLAGS, "-fopenmp"), (), cache)
    except (CompilerFailed, OSError):
        return "no"
    return "yes"


def compile_library(
    compiler: Compiler,
    text: str,
    flags: Sequence[str],
    libraries: Sequence[str],
    cache: Cache,
    meanwhile: Callable[[], None] = nothing,
) -> bytes:
    """The shared object of a C text. Raises CompilerFailed with the first errors and where the text was kept.

    `meanwhile` runs beside the compiler, which is stopped by what it raises. It may be called again.
    """
    try:
        return _compile(compiler.command, text, flags, libraries, cache, meanwhile)
    except OSError:  # the cache's folder is full or gone
        cache = private_cache()
        return _compile(compiler.command, text, flags, libraries, cache, meanwhile)
    except CompilerFailed as failure:
        if "No space left" in failure.log and cache is not private_cache():
            return compile_library(compiler, text, flags, libraries, private_cache(), meanwhile)
        raise CompilerFailed(failure.summary, log=failure.log, reason=(*failure.reason, *_keep(text, cache))) from None


def _compile(
    command: Sequence[str],
    text: str,
    flags: Sequence[str],
    libraries: Sequence[str],
    cache: Cache,
    meanwhile: Callable[[], None] = nothing,
) -> bytes:
    """Raises CompilerFailed, and OSError when the cache's folder cannot be written."""
    folder = cache.build_folder()
    source, library = folder / "kernel.c", folder / "kernel.so"
    try:
        source.write_bytes(_encoded(text))
        seconds = instrument.number("HALOPY_CC_SECONDS", least=1, default=_SECONDS)
        words = [*command, *flags, str(source), "-o", str(library), *libraries]
        code, output = run(words, seconds, cache.folder, meanwhile)
        output = output.replace(f"{folder}{os.sep}", "")
        if code != 0 or not library.is_file():
            what = "failed" if code else "ended well but left no library"
            raise CompilerFailed(
                f"the C compiler `{shlex.join(command)}` {what}", log=output, reason=first_errors(output)
            )
        return library.read_bytes()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _encoded(text: str) -> bytes:
    return text.encode(errors="backslashreplace")  # names of files may hold what UTF-8 cannot say


def first_errors(output: str) -> tuple[str, ...]:
    """The lines that say `error`, or else the last ones; cut to a readable length."""
    lines = [line.strip()[:200] for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return tuple(errors[:_SHOWN_ERRORS] or lines[-_SHOWN_ERRORS:])


def _keep(text: str, cache: Cache) -> tuple[str, ...]:
    """Keep a text that did not compile, and say where."""
    try:
        path = cache.store(f"failed-{hashlib.sha256(_encoded(text)).hexdigest()[:16]}.c", _encoded(text))
    except OSError:
        return ()
    return (f"the C text was kept in {path}",)
