"""What measurements depend on besides the schedule: the processor and its threads, the compiler, the algorithm."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import halopy as hl


def machine() -> str:
    """The processor, and how many threads it is asked to run."""
    return f"{_processor()}, {threads()} threads, {hl.get_host_target().to_string()}"


def threads() -> int:
    """How many run a parallel loop."""
    for name in ("HL_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "")
        if text.isdecimal() and int(text) > 0:
            return int(text)
    return len(os.sched_getaffinity(0))


def compiler() -> str:
    """The C compiler."""
    return hl.c_compiler()


def algorithm(build: Callable[[], hl.Pipeline]) -> str:
    """A digest of what a pipeline computes, about which nothing was said. Names that change are not part of it."""
    documents = [json.loads(hl.serialize_pipeline(build())) for _ in range(2)]
    first, second = ([row["name"] for row in document["functions"]] for document in documents)
    unnamed = {name: f"#{at}" for at, name in enumerate(first) if name != second[at]}
    text = json.dumps(_lasting(documents[0], unnamed), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _lasting(data: Any, unnamed: Mapping[str, str]) -> Any:
    """Without the lines at which things are written, and names that change."""
    if isinstance(data, dict):
        return {key: _lasting(value, unnamed) for key, value in data.items() if key != "location"}
    if isinstance(data, list):
        return [_lasting(each, unnamed) for each in data]
    return unnamed.get(data, data) if isinstance(data, str) else data


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
