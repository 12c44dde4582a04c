"""Small faults of passes: one fragment of a function's text is another.

    Fault("slide_windows", "_new_part", "sub(Var(loop), 1)", "sub(Var(loop), 2)", "sliding")

A fault is seeded for one pipeline, named last, in which it shows.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import textwrap
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest


@dataclass(frozen=True)
class Fault:
    """In a module of `halopy.lower`, a function's text with `old` replaced by `new`."""

    module: str
    function: str
    old: str
    new: str
    pipeline: str

    @property
    def name(self) -> str:
        return f"{self.function}: {self.old} is {self.new}"

    def seed(self, patch: pytest.MonkeyPatch) -> None:
        """Until the patch is undone."""
        module = importlib.import_module(f"halopy.lower.{self.module}")
        *owners, name = self.function.split(".")
        owner: Any = reduce(getattr, owners, module)
        text = textwrap.dedent(inspect.getsource(vars(owner)[name]))
        assert self.old in text, f"{self.function} has changed: there is no {self.old!r} to replace"
        defined: dict[str, Any] = {}
        exec("from __future__ import annotations\n" + text.replace(self.old, self.new, 1), vars(module), defined)
        for user in _users(module, owner, name):
            patch.setattr(user, name, defined[name])


def _users(module: Any, owner: Any, name: str) -> list[Any]:
    """Where a function is known by its name: the modules of lowering that import it, too."""
    if owner is not module:
        return [owner]
    function = vars(module)[name]
    return [m for n, m in sys.modules.items() if n.startswith("halopy.lower.") and vars(m).get(name) is function]
