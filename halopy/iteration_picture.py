"""Draws a witness: iterations around its two, the tiles that loops make of them, and the dependence that is broken.

o--o--o | o--o      points    iterations, in one or two variables, in which source and sink differ
o--S--o | o--o      grey      the order in which one thread, or one lane, runs them
-----\\--+------     dashed    edges of tiles
o--o--\\ | o--o      red       from the source to the sink, which the loops do not run after it
o--o--o | T--o
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from .witness import Instance, Witness

_STEP, _EDGE, _RADIUS = 40, 56, 4  # in pixels
_AROUND, _MOST = 2, 12  # iterations shown around the two, and along an axis without a gap
_RED, _GREY, _PAPER = "#c00", "#aaa", "#fff"

_Point = tuple[int, int]
_Dates = tuple[tuple[int, ...], ...]


def iteration_picture(witness: Witness) -> str:
    """SVG, and what is shown in words; the words alone where the two have no variable in common."""
    names = _axes(witness)
    drawing = _drawing(_Window(witness, names)) if names else ""
    return f"<div>{drawing}{''.join(f'<div>{escape(line)}</div>' for line in _words(witness))}</div>"


def _axes(witness: Witness) -> list[str]:
    """Two variables, of those in which they differ if possible; the innermost first, drawn from left to right."""
    source, sink = witness.source.variables, witness.sink.variables
    common = [name for name in source if name in sink]
    chosen = sorted(common, key=lambda name: source[name] == sink[name])[:2]
    return [name for name in common if name in chosen]


def _words(witness: Witness) -> Iterator[str]:
    yield f"element {witness.cell}"
    does = {True: "writes", False: "reads"}
    for role, instance, writes in (
        ("source", witness.source, witness.source_writes),
        ("sink", witness.sink, witness.sink_writes),
    ):
        yield f"{role}: {instance.stage} {instance} {does[writes]} it"
    if witness.parameters:
        yield "with " + ", ".join(f"{name} = {value}" for name, value in witness.parameters.items())
    if witness.dates is not None:
        yield "loops, the outermost first: " + ", ".join(witness.dates.loops)
        tiles = "; dashed: where tiles meet" if witness.dates.tiles else ""
        yield f"grey: what runs one after the other{tiles}; red: the order that is not kept"


class _Window:
    """The iterations that are shown, by their place in the drawing, with their dates where they are known."""

    def __init__(self, witness: Witness, names: Sequence[str]) -> None:
        self.witness, self.names = witness, names
        source, sink = witness.source.variables, witness.sink.variables
        self.values = [_shown_values(source[name], sink[name]) for name in names]
        self.values += [[0]] * (2 - len(names))
        self.source, self.sink = self._place(witness.source), self._place(witness.sink)
        self.dates = self._dates()
        if self.dates:
            self._trim()

    def _place(self, instance: Instance) -> _Point:
        at = [values.index(instance.variables[name]) for values, name in zip(self.values, self.names, strict=False)]
        return (at[0], at[1]) if len(at) > 1 else (at[0], 0)

    def _dates(self) -> dict[_Point, _Dates]:
        """Of the iterations that there are; none where loops cannot be evaluated."""
        dates, found = self.witness.dates, dict[_Point, _Dates]()
        for row, down in enumerate(self.values[1] if dates else []):
            for column, across in enumerate(self.values[0]):
                at = {**self.witness.source.variables, **dict(zip(self.names, (across, down), strict=False))}
                date = dates(at, self.witness.parameters) if dates else None
                if date is not None:
                    found[column, row] = date
        return found if self.source in found and self.sink in found else {}

    def _trim(self) -> None:
        """Leaves out the ends of axes where there are no iterations."""
        first, last = ((end(p[0] for p in self.dates), end(p[1] for p in self.dates)) for end in (min, max))
        self.values = [v[a : b + 1] for v, a, b in zip(self.values, first, last, strict=True)]
        self.dates = {(c - first[0], r - first[1]): date for (c, r), date in self.dates.items()}
        self.source, self.sink = self._place(self.witness.source), self._place(self.witness.sink)

    def points(self) -> list[_Point]:
        """What is there; without dates, all."""
        return list(self.dates) or [(c, r) for r in range(len(self.values[1])) for c in range(len(self.values[0]))]

    def runs(self) -> list[list[_Point]]:
        """What one thread or lane runs, in its order."""
        runs: dict[_Dates, list[_Point]] = {}
        for point in sorted(self.dates, key=lambda p: self.dates[p]):
            runs.setdefault(self._only(point, self._at_once), []).append(point)
        return [run for run in runs.values() if len(run) > 1]

    def are_apart(self, one: _Point, other: _Point) -> bool:
        """Whether two iterations are in different tiles."""
        return self._only(one, self._tiles) != self._only(other, self._tiles)

    def _only(self, point: _Point, loops: frozenset[int]) -> _Dates:
        return tuple(part for n, part in enumerate(self.dates[point]) if n in loops)

    @property
    def _at_once(self) -> frozenset[int]:
        return self.witness.dates.at_once if self.witness.dates else frozenset()

    @property
    def _tiles(self) -> frozenset[int]:
        return self.witness.dates.tiles if self.witness.dates else frozenset()


def _shown_values(one: int, other: int) -> list[int]:
    """From a little before the first to a little after the last; where they are far apart, with a gap."""
    low, high = min(one, other) - _AROUND, max(one, other) + _AROUND
    if high - low < _MOST:
        return list(range(low, high + 1))
    return [*range(low, low + 2 * _AROUND + 1), *range(high - 2 * _AROUND, high + 1)]


def _drawing(window: _Window) -> str:
    columns, rows = len(window.values[0]), len(window.values[1])
    width, height = 2 * _EDGE + (columns - 1) * _STEP, 2 * _EDGE + (rows - 1) * _STEP
    parts = [*_order(window), *_tile_edges(window), *_dots(window), *_arrow(window), *_labels(window), *_roles(window)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-size="11" fill="#555">'
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>{"".join(parts)}</svg>'
    )


def _labels(window: _Window) -> Iterator[str]:
    """Values along the axes, an ellipsis where some are left out, and the variables' names."""
    for n, (value, marked) in enumerate(_ticks(window.values[0])):
        yield _text(_EDGE + n * _STEP, _EDGE - 34, marked + str(value))
    yield _text(_EDGE + (len(window.values[0]) - 1) * _STEP + 24, _EDGE - 34, window.names[0], "start")
    if len(window.names) > 1:
        for n, (value, marked) in enumerate(_ticks(window.values[1])):
            yield _text(_EDGE - 28, _EDGE + n * _STEP + 4, marked + str(value), "end")
        yield _text(_EDGE - 28, _EDGE + (len(window.values[1]) - 1) * _STEP + 28, window.names[1], "end")


def _ticks(values: Sequence[int]) -> list[tuple[int, str]]:
    first = [(value, "") for value in values[:1]]
    return first + [(late, "" if late == early + 1 else "…") for early, late in pairwise(values)]


def _order(window: _Window) -> Iterator[str]:
    for run in window.runs():
        corners = " ".join(f"{x},{y}" for x, y in map(_at, run))
        yield f'<polyline points="{corners}" fill="none" stroke="{_GREY}" stroke-width="1"/>'


def _tile_edges(window: _Window) -> Iterator[str]:
    half = _STEP // 2
    for column, row in window.dates:
        x, y = _at((column, row))
        for (across, down), (x1, y1, x2, y2) in (
            ((column + 1, row), (x + half, y - half, x + half, y + half)),
            ((column, row + 1), (x - half, y + half, x + half, y + half)),
        ):
            if (across, down) in window.dates and window.are_apart((column, row), (across, down)):
                yield _line(x1, y1, x2, y2, 'stroke="#36c" stroke-width="1.5" stroke-dasharray="4 2"')


def _dots(window: _Window) -> Iterator[str]:
    for point in window.points():
        x, y = _at(point)
        colour = _RED if point in (window.source, window.sink) else "#555"
        yield f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="{colour}"/>'


def _arrow(window: _Window) -> Iterator[str]:
    """From source to sink, broken in the middle, with a head at the sink; a ring where both are one iteration."""
    if window.source == window.sink:
        x, y = _at(window.source)
        yield f'<circle cx="{x}" cy="{y}" r="{2 * _RADIUS}" fill="none" stroke="{_RED}" stroke-width="2"/>'
        return
    arrow = _Arrow(*_at(window.source), *_at(window.sink))
    red = f'stroke="{_RED}" stroke-width="2"'
    for begin, end in ((0.0, 0.42), (0.58, 1.0)):
        yield _line(*arrow.along(begin), *arrow.along(end), red)
    for slant in (-1, 1):
        yield _line(*arrow.along(0.5, -4, 6 * slant), *arrow.along(0.5, 4, -6 * slant), red)
    corners = (arrow.along(1.0, -_RADIUS), arrow.along(1.0, -12, 4), arrow.along(1.0, -12, -4))
    yield f'<polygon points="{" ".join(f"{x},{y}" for x, y in corners)}" fill="{_RED}"/>'


def _roles(window: _Window) -> Iterator[str]:
    """Which is which, on the side where the arrow is not, and on paper, where lines cross it."""
    downwards = window.sink[1] >= window.source[1]
    names = (window.source, "source", downwards), (window.sink, "sink", not downwards)
    for point, name, is_above in names if window.source != window.sink else [(window.source, "twice", True)]:
        x, y = _at(point)
        base, wide = y - 9 if is_above else y + 17, 7 * len(name)
        yield f'<rect x="{x - wide // 2}" y="{base - 9}" width="{wide}" height="12" fill="{_PAPER}" opacity="0.85"/>'
        yield _text(x, base, name, colour=_RED)


@dataclass(frozen=True, slots=True)
class _Arrow:
    x1: int
    y1: int
    x2: int
    y2: int

    def along(self, part: float, further: float = 0, aside: float = 0) -> tuple[int, int]:
        """A place on the way, so many pixels further and aside."""
        dx, dy = self.x2 - self.x1, self.y2 - self.y1
        length = max(1.0, (dx * dx + dy * dy) ** 0.5)
        x = self.x1 + dx * part + (dx * further - dy * aside) / length
        y = self.y1 + dy * part + (dy * further + dx * aside) / length
        return round(x), round(y)


def _at(point: _Point) -> tuple[int, int]:
    return _EDGE + point[0] * _STEP, _EDGE + point[1] * _STEP


def _line(x1: int, y1: int, x2: int, y2: int, style: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style}/>'


def _text(x: int, y: int, text: str, anchor: str = "middle", colour: str = "#555") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
