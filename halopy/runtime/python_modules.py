"""Modules for the Python that runs, made of a C text and an object."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from ..errors import UnsupportedTarget
from ..target import Target
from .cache import user_cache
from .compilers import compiler_flags, find_compiler
from .objects import build, is_for_this_machine


def compile_python_module(text: str, data: bytes, target: Target) -> bytes:
    """The shared library. Raises UnsupportedTarget where Python's headers are missing, or for another machine."""
    headers = sysconfig.get_path("include")
    if not is_for_this_machine(target):
        raise UnsupportedTarget(f"modules for Python are made for this machine, not for `{target}`")
    if not (Path(headers) / "Python.h").is_file():
        raise UnsupportedTarget(
            "a module for Python is compiled with Python's headers, which are not installed",
            reason=[f"there is no Python.h in {headers}"],
            accepted="the package that has them, such as python3-dev; the text of the module needs none",
        )
    compiler = find_compiler(user_cache())
    command = [*compiler.command, *compiler_flags(compiler, text), f"-I{headers}"]
    return build(command, {"module.c": text, "functions.o": data}, ["-lm", "-lpthread"])
