"""Where halopy is, and what cannot be added to it."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import UnsupportedTarget
from ..runtime.cache import user_cache
from ..runtime.compilers import find_compiler
from ..source import caller
from .autoscheduler_params import GPU_NAME, NAMES

_AUTOSCHEDULERS = tuple(f"autoschedule_{name.lower()}" for name in (*NAMES, GPU_NAME) if name != "halopy")


def install_dir() -> str:
    """The folder of the package."""
    return str(Path(__file__).resolve().parent.parent)


def c_compiler() -> str:
    """What the C compiler of runs says of its version. Raises CompilerNotFound."""
    return find_compiler(user_cache()).identity.splitlines()[0]


def load_plugin(lib_name: str) -> None:
    """Nothing is loaded: the names of Halide's automatic schedulers are known already, and mean halopy's own.

    Raises UnsupportedTarget for other plugins, which are machine code for Halide's own compiler.
    """
    name = re.sub(r"^lib|\.(so|dll|dylib)$", "", re.split(r"[/\\]", lib_name)[-1])
    if name not in _AUTOSCHEDULERS:
        raise UnsupportedTarget(
            f"the plugin `{lib_name}` cannot be loaded",
            location=caller(),
            reason=["plugins are libraries of machine code for Halide's own compiler, and halopy is not made of it"],
            accepted=", ".join(_AUTOSCHEDULERS),
        )
