"""What it costs to prove a schedule: of each app, and of chains of stencils, beside what lowering costs.

legality      of directives that the quick rules doubt, when they are given
validation    that the finished loops compute what the algorithm says, in full
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from apps.cases import APPS, cases_of

CHAINS = ("chain:root:100", "chain:sliding:100", "chain:strips:100")
RUNS = 3
_PROOF = {"legality": "legality", "loops": "check_dataflow", "printed": "check_printed"}  # in halopy's report
_LATER = ("print_c", "print_opencl")
_LINE = re.compile(r"^\s*([\d.]+) ms\s+\d+x  (\s*)(\S.*)$")


def names() -> list[str]:
    """The pipelines, by the names of cases that halopy has a schedule for, and chains."""
    cases = (case for app in APPS for case in cases_of(app) if "hand" in case.schedules and "halopy" in case.engines)
    return [*(case.name for case in cases), *CHAINS]


def measure(pipelines: Sequence[str]) -> list[dict[str, Any]]:
    """Each pipeline in turn, `RUNS` times, each in a new process; and once more to count what is proved."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(RUNS):
        for name in pipelines:
            found.setdefault(name, []).append(seconds(_run(name, "compile", HALOPY_TIME="1", HALOPY_VERIFY="full")[1]))
    return [{"pipeline": name, "runs": runs, **_statuses(name)} for name, runs in found.items()]


def seconds(timings: str) -> dict[str, float]:
    """Lowering and each part of the proof, of what halopy says of the time of each pass."""
    matches = [match.groups() for match in map(_LINE.match, timings.splitlines()) if match]
    parts = [(float(milliseconds) / 1e3, indent, name) for milliseconds, indent, name in matches]
    proof = {kind: sum(time for time, _, part in parts if part == name) for kind, name in _PROOF.items()}
    whole = sum(time for time, indent, name in parts if not indent and name not in _LATER)
    return {"lowering": whole - sum(proof.values()), **proof}


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """Median seconds, what proof takes for each second of lowering, and how many obligations are proved."""
    lines = ["| pipeline | lowering | " + " | ".join(_PROOF) + " | proof : lowering | proved |", "|---" * 7 + "|"]
    for entry in found:
        lowering, *proof = (median(run[part] for run in entry["runs"]) for part in ("lowering", *_PROOF))
        told = " | ".join(f"{time:.3f} s" for time in (lowering, *proof))
        proved = f"{entry['proved']} of {entry['obligations']}"
        lines.append(f"| {entry['pipeline']} | {told} | {sum(proof) / lowering:.2f} | {proved} |")
    return "\n".join([*lines, ""])


def _statuses(name: str) -> dict[str, int]:
    statuses: list[str] = json.loads(_run(name, "verify", HALOPY_VERIFY="off")[0])
    return {"obligations": len(statuses), "proved": statuses.count("proved")}


def _run(name: str, task: str, **settings: str) -> tuple[str, str]:
    command = [sys.executable, "-m", "apps.rivals.proof", name, task]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **settings})
    return done.stdout, done.stderr
