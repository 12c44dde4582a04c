"""How long compiling to C text takes: chains of three-tap stencils, each tiled and stored at root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

STAGES = (10, 50, 100, 200)
SYSTEMS = ("halopy", "halide")
RUNS = 3


def measure(systems: Sequence[str] = SYSTEMS) -> list[dict[str, Any]]:
    """Every system and length in turn, `RUNS` times, each in a new process."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(RUNS):
        for stages in STAGES:
            for system in systems:
                found.setdefault((system, stages), []).append(_run(system, stages)["to_c"])
    return [{"system": system, "stages": stages, "seconds": seconds} for (system, stages), seconds in found.items()]


def passes(stages: int) -> str:
    """What halopy says of the time of each pass, from one more run."""
    return _process("halopy", stages, {"HALOPY_TIME": "1"}).stderr


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """Median seconds to C text, by system and number of stages."""
    systems = list(dict.fromkeys(entry["system"] for entry in found))
    lines = [
        "| chain of tiled stencils, seconds to C text | " + " | ".join(f"{stages} stages" for stages in STAGES) + " |",
        "|---" * (len(STAGES) + 1) + "|",
    ]
    for system in systems:
        times = [f"{median(entry['seconds']):.2f}" for entry in found if entry["system"] == system]
        lines.append(f"| {system} | " + " | ".join(times) + " |")
    return "\n".join([*lines, ""])


def _run(system: str, stages: int) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(_process(system, stages, {}).stdout)
    return reply


def _process(system: str, stages: int, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "apps.rivals.chain", system, str(stages)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **settings})
