"""Where halopy is, and what cannot be added to it."""

from __future__ import annotations

from pathlib import Path

from ..errors import UnsupportedTarget
from ..source import caller


def install_dir() -> str:
    """The folder of the package."""
    return str(Path(__file__).resolve().parent.parent)


def load_plugin(lib_name: str) -> None:
    """Raises UnsupportedTarget: plugins are machine code for Halide's own compiler."""
    raise UnsupportedTarget(
        f"the plugin `{lib_name}` cannot be loaded",
        location=caller(),
        reason=["plugins are libraries of machine code for Halide's own compiler, and halopy is not made of it"],
    )
