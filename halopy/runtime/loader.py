"""From kernel text to a kernel in memory, by way of the cache."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import platform
import warnings
from collections.abc import Callable, Iterable
from functools import cache as once

from .. import instrument
from ..codegen.device import DeviceProgram
from ..codegen.kernel import Kernel
from ..errors import CompilerFailed
from .cache import Cache, private_cache, user_cache
from .compilers import Compiler, compile_library, compiler_flags, find_compiler, openmp_flags
from .kernel import LoadedKernel, Program
from .threads import open_library

_LAYOUT = "1"  # of cache entries and of the kernel's entry point; a new number forgets all entries


_loaded: dict[str, ctypes.CDLL] = {}  # libraries are never unmapped, so each is opened once


def load(kernel: Kernel, checks: Iterable[Callable[[], None]] = ()) -> LoadedKernel:
    """Compile a kernel, unless the cache has it, and load it. Raises CompilerNotFound and CompilerFailed.

    `checks` run while the C compiler does; what they raise, this raises, and what did not pass is not kept.
    """
    check = _each_once(checks)
    cache = user_cache()
    compiler = find_compiler(cache)
    flags, libraries = _flags(kernel, compiler, cache), ("-lm",) if kernel.needs_math else ()
    name = _entry_name(kernel.text, flags, libraries, compiler)
    library = _loaded.get(name) or _cached(cache, name, kernel.needs_openmp)
    if library is None:
        with instrument.timed("C compiler"):
            code = compile_library(compiler, kernel.text, flags, libraries, cache, check)
        library = _stored(cache, name, code, compiler, kernel.needs_openmp)
    check()  # of what need not be compiled
    _loaded[name] = library
    return LoadedKernel(kernel, library, None if kernel.device is None else _device_program(kernel.device))


def _each_once(checks: Iterable[Callable[[], None]]) -> Callable[[], None]:
    waiting = list(checks)

    def check() -> None:
        while waiting:
            waiting[0]()
            del waiting[0]  # what raises is asked again

    return check


def _device_program(program: DeviceProgram) -> Program:
    """The kernels on the device that the environment names."""
    opencl = importlib.import_module(".opencl", __package__)  # OpenCL takes long to load, and may be absent
    loaded: Program = opencl.load_program(opencl.current_device(), program)
    return loaded


def _flags(kernel: Kernel, compiler: Compiler, cache: Cache) -> tuple[str, ...]:
    flags = compiler_flags(compiler, kernel.text) + (("-pthread",) if kernel.needs_threads else ())
    if not kernel.needs_openmp:
        return flags
    openmp = openmp_flags(compiler, cache)
    if not openmp:
        _warn_serial(compiler)
    return flags + (openmp or ("-Wno-unknown-pragmas",))


@once
def _warn_serial(compiler: Compiler) -> None:
    warnings.warn(
        f"`{compiler}` has no OpenMP, so parallel loops run serially; `apt-get install gcc` or `libomp-dev` brings it",
        RuntimeWarning,
        stacklevel=2,
    )


def _entry_name(text: str, flags: tuple[str, ...], libraries: tuple[str, ...], compiler: Compiler) -> str:
    """A name that differs whenever the library might."""
    content = repr((_LAYOUT, text, flags, libraries, compiler.command, compiler.identity, _processor()))
    return hashlib.sha256(content.encode()).hexdigest() + ".so"


@once
def _processor() -> str:
    """What `-march=native` depends on: the first processor's model and features."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            first = file.read(1 << 14).split(b"\n\n")[0].decode(errors="replace")
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    lines = [line for line in first.splitlines() if not line.startswith(("cpu MHz", "processor", "bogomips"))]
    return "\n".join([platform.machine(), *lines])


def _cached(cache: Cache, name: str, needs_openmp: bool) -> ctypes.CDLL | None:
    with instrument.timed("load"):
        path = cache.find(name)
        try:
            return None if path is None else open_library(str(path), needs_openmp)
        except OSError:  # it vanished, or lacks a library it was linked with
            return None


def _stored(cache: Cache, name: str, code: bytes, compiler: Compiler, needs_openmp: bool) -> ctypes.CDLL:
    """The library, loaded from the cache, or from a private one when the cache is full, read-only or not executable."""
    reason = ""
    for place in (cache, private_cache):
        try:
            path = (place if isinstance(place, Cache) else place()).store(name, code)
            return open_library(str(path), needs_openmp)
        except OSError as error:
            reason = str(error)
    raise CompilerFailed(f"what the C compiler `{compiler}` made cannot be loaded", reason=(reason,))
