"""What a search found, as one HTML page that needs nothing else: how it went, what mattered, and the winner.

halopy tune blur16 --report blur16.html
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from statistics import median
from typing import Any

import halopy as hl
from autotuner.records import StudyKey, Trial
from autotuner.subject import Built
from autotuner.trial import apply_candidate
from autotuner.tune import Progress

_WIDTH, _HEIGHT, _EDGE = 720, 240, 40
_WORST = 8.0  # times the first candidate's: slower ones are drawn here
_FEWEST = 3  # trials of a choice that tell something
_STYLE = (
    "body{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}pre{background:#f4f4f4;padding:1em;"
    "overflow:auto;font-size:13px}table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left;"
    "border-bottom:1px solid #ddd}.beside{display:flex;gap:1em}.beside>div{flex:1;min-width:0}"
)


def report(key: StudyKey, progress: Progress, built: Mapping[int, Built]) -> str:
    """The page. `built` are pipelines to schedule as the first and the best trial say, by their numbers."""
    best, first = progress.best, progress.baseline
    parts = [
        f"<h1>{escape(key.subject)}</h1>",
        f"<p>{escape(key.machine)}<br>{escape(key.compiler)}"
        f"<br>sizes {escape(key.sizes)}, for {escape(key.target)}</p>",
        _verdicts(progress),
    ]
    if best is None or first is None:
        parts.append("<p>Nothing could be measured.</p>")
    else:
        share = best.score or 1.0
        parts += [
            f"<p>The best takes {_milliseconds(best)}; the first, <i>{escape(first.origin)}</i>, takes"
            f" {_milliseconds(first)}: {1 / share:.2f} times as fast, by way of comparisons in the same runs.</p>",
            "<h2>How it went</h2>",
            curve(progress.finished),
            "<h2>What mattered</h2>",
            _mattered(progress.finished),
            "<h2>The winner beside the first</h2>",
            '<div class="beside">'
            + "".join(
                f"<div><b>{escape(t.origin)}</b><pre>{escape(_loops(t, built))}</pre></div>" for t in (best, first)
            )
            + "</div>",
            "<h2>How to apply it</h2>",
            _how(best),
        ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(key.subject)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def curve(finished: Sequence[Trial]) -> str:
    """Each trial as a dot, and the best so far as a line; the first is at 1, and scales are logarithmic."""
    shares = [(at, t.score) for at, t in enumerate(finished) if t.score is not None and t.score > 0]
    low = min([0.5, *(share for _, share in shares)])

    def place(at: int, share: float) -> tuple[float, float]:
        down = math.log(_WORST / min(max(share, low), _WORST)) / math.log(_WORST / low)
        across = at / max(1, len(finished) - 1)
        return _EDGE + across * (_WIDTH - 2 * _EDGE), _EDGE / 2 + down * (_HEIGHT - _EDGE)

    dots, line, best = [], [], math.inf
    for at, share in shares:
        x, y = place(at, share)
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#88a"/>')
        if share < best:
            if line:
                line.append((x, line[-1][1]))
            best = share
            line.append((x, y))
    if line:
        line.append((_WIDTH - _EDGE, line[-1][1]))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
    ticks = [s for s in (8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125) if low <= s <= _WORST]
    labels = "".join(
        f'<text x="2" y="{place(0, s)[1] + 4:.1f}" font-size="11">{s:g}</text>'
        f'<line x1="{_EDGE}" x2="{_WIDTH - _EDGE}" y1="{place(0, s)[1]:.1f}" y2="{place(0, s)[1]:.1f}" stroke="#eee"/>'
        for s in ticks
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" aria-label="time against trials">{labels}'
        f'{"".join(dots)}<polyline points="{path}" fill="none" stroke="#06c" stroke-width="2"/></svg>'
        f"<p>Time of each of {len(finished)} trials as a share of the first's; the line is the best so far.</p>"
    )


def what_mattered(finished: Sequence[Trial]) -> list[tuple[str, str, float, int]]:
    """Choices by how far apart the trials that made them are: what, which, the median share of these, how many."""
    chosen: dict[str, dict[str, list[float]]] = {}
    for trial in finished:
        if trial.score is not None and "plan" in trial.candidate:
            for what, which in _choices(trial.candidate["plan"]):
                chosen.setdefault(what, {}).setdefault(which, []).append(trial.score)
    rows = []
    for what, by_choice in chosen.items():
        enough = {which: shares for which, shares in by_choice.items() if len(shares) >= _FEWEST}
        if len(enough) > 1:
            medians = {which: median(shares) for which, shares in enough.items()}
            spread = max(medians.values()) / min(medians.values())
            best = min(medians, key=lambda which: medians[which])
            worst = max(medians, key=lambda which: medians[which])
            rows.append(
                (spread, what, best, medians[best], len(enough[best]), worst, medians[worst], len(enough[worst]))
            )
    found = []
    for _, what, best, share, count, worst, worse, fewer in sorted(rows, reverse=True)[:10]:
        found += [(what, best, share, count), (what, worst, worse, fewer)]
    return found


def _choices(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, func in plan.items():
        place = func["place"]
        yield f"where {name} is computed", place if isinstance(place, str) else " at ".join(place)
        if func["store"] not in (None, place):
            store = func["store"]
            yield f"where {name} is stored", store if isinstance(store, str) else " at ".join(store)
        for at, stage in enumerate(func["stages"]):
            whose = name + (f".update({at - 1})" if at else "")
            yield f"vectors of {whose}", str(stage["vector"] or "none")
            yield f"threads of {whose}", ", ".join(stage["parallel"]) or "one"
            for dimension, factors in stage["cuts"].items():
                yield f"tiles of {whose} in {dimension}", " x ".join(map(str, factors)) or "whole"


def _mattered(finished: Sequence[Trial]) -> str:
    rows = what_mattered(finished)
    if not rows:
        return "<p>There are too few trials to tell.</p>"
    cells = "".join(
        f"<tr><td>{escape(what)}</td><td>{escape(which)}</td><td>{share:.3f}</td><td>{count}</td></tr>"
        for what, which, share, count in rows
    )
    head = "<tr><th>choice</th><th>best and worst</th><th>median share</th><th>trials</th></tr>"
    return f"<table>{head}{cells}</table>"


def _verdicts(progress: Progress) -> str:
    counts = ", ".join(f"{n} {verdict}" for verdict, n in progress.verdicts().items()) or "none"
    return f"<p>{len(progress.finished)} trials: {escape(counts)}</p>"


def _loops(trial: Trial, built: Mapping[int, Built]) -> str:
    """The loop nest of a trial's schedule."""
    pipeline, text = built[trial.number], io.StringIO()
    try:
        apply_candidate(trial.candidate, pipeline)
        with contextlib.redirect_stderr(text):
            pipeline.pipeline.print_loop_nest()
    except hl.HalideError as refusal:
        return str(refusal)
    return text.getvalue()


def _how(best: Trial) -> str:
    if best.schedule is None:
        return "<p>It cannot be written as data.</p>"
    python = hl.Schedule.from_json(best.schedule).to_python()
    text = 'content = json.loads(Path("FILE.json").read_text())  # what `halopy tune` wrote\n'
    text += 'pipeline.apply_schedule(hl.Schedule.from_json(json.dumps(content["schedule"])))\n'
    return f"<pre>{escape(text)}</pre><p>or, as Python:</p><pre>{escape(python)}</pre>"


def _milliseconds(trial: Trial) -> str:
    return " + ".join(f"{seconds * 1e3:.3f} ms" for seconds in trial.answer["seconds"])
