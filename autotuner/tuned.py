"""Tuned schedules as files: the schedule as data, and beside it where, when and how it was measured.

hl.Schedule.from_json(json.dumps(json.load(file)["schedule"]))
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import halopy as hl
from autotuner.records import StudyKey
from autotuner.tune import Progress

FORMAT, VERSION = "halopy tuned schedule", 1


def default_path(name: str) -> Path:
    """Beside the schedules written by hand, where there are such; else in this folder."""
    file = re.sub(r"\W+", "_", name) + ".json"
    folder = Path("schedules", "tuned")
    return folder / file if folder.is_dir() else Path(file)


def write_tuned(path: Path, key: StudyKey, progress: Progress) -> None:
    """Write the best schedule, whole or not at all."""
    best, baseline = progress.best, progress.baseline
    assert best is not None and best.schedule is not None and baseline is not None, "something was measured"
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "subject": key.subject,
        "target": key.target,
        "algorithm": key.algorithm,
        "machine": key.machine,
        "compiler": key.compiler,
        "sizes": key.sizes,
        "measured": {
            "on": time.strftime("%Y-%m-%d", time.gmtime(best.finished)),
            "seconds": best.answer["seconds"],
            "baseline": baseline.origin,
            "baseline_seconds": baseline.answer["seconds"],
            "share_of_baseline": best.score,
            "trials": len(progress.finished),
        },
        "python": hl.Schedule.from_json(best.schedule).to_python().splitlines(),
        "schedule": json.loads(best.schedule),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)
