"""What a proof shows of two iterations: the points around them, tiles, order, and the broken dependence."""

from __future__ import annotations

import re
import xml.etree.ElementTree as tree
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

import halopy as hl
from halopy.iteration_picture import iteration_picture
from halopy.proof import REFUTED, Obligation, Proof
from halopy.witness import Cell, Instance, Witness

x, y = hl.vars("x y")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(html: str) -> tree.Element:
    return tree.fromstring(re.findall("<svg.*?</svg>", html, re.DOTALL)[0])


def texts(svg: tree.Element) -> list[str]:
    return [t.text or "" for t in svg.iter(f"{SVG}text")]


def tiled_table() -> hl.Func:
    f, r = hl.Func("sat"), hl.RDom([(1, 9), (1, 9)], "r")
    f[x, y] = x + y
    f[r.x, r.y] = f[r.x - 1, r.y] + f[r.x, r.y - 1]
    xo, yo, xi, yi = (hl.RVar(n) for n in ("xo", "yo", "xi", "yi"))
    f.update(0).allow_race_conditions().tile(r.x, r.y, xo, yo, xi, yi, 2, 2).parallel(yo)
    return f


def test_a_race_is_drawn_with_tiles_and_order() -> None:
    proof = tiled_table().verify()
    svg = drawn(proof.to_html())
    dots = list(svg.iter(f"{SVG}circle"))
    assert [dot.get("fill") for dot in dots].count("#c00") == 2
    assert {"r.x", "r.y", "source", "sink"} <= set(texts(svg))
    assert any(line.get("stroke-dasharray") for line in svg.iter(f"{SVG}line"))  # edges of tiles
    assert len(list(svg.iter(f"{SVG}polyline"))) > 1  # rows of tiles run at once, each in its order
    assert "loops, the outermost first: parallel yo, xo, yi, xi" in proof.to_html()
    assert proof._repr_html_() == proof.to_html()


def test_iterations_outside_the_domain_are_not_drawn() -> None:
    f, r = hl.Func("f"), hl.RDom([(1, 3)], "r")
    f[x] = x
    f[r.x] = f[r.x - 1] + 1
    f.update(0).allow_race_conditions().parallel(r.x)
    svg = drawn(f.verify().to_html())
    assert len(list(svg.iter(f"{SVG}circle"))) == 3
    assert sorted(texts(svg)) == ["1", "2", "3", "r.x", "sink", "source"]


def test_a_refused_directive_has_a_picture_too() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 100)], "r")
    f[x] = 0
    f[r.x % 7] += r.x
    with pytest.raises(hl.IllegalSchedule) as refused:
        f.update(0).parallel(r.x)
    assert refused.value.witness is not None
    assert "f(0)" in iteration_picture(refused.value.witness)


def witness(**sink: int) -> Witness:
    return Witness(
        Instance("<i>f</i>", {"a<b": 0, "c": 0}), Instance("g", sink), Cell("<u>", (1, 2)), {"n&m": 3}, sink_writes=True
    )


def test_far_iterations_are_drawn_with_a_gap_and_without_dates() -> None:
    html = iteration_picture(witness(**{"a<b": 1000, "c": -7}))
    svg = drawn(html)
    assert len(list(svg.iter(f"{SVG}circle"))) < 150
    assert "…998" in texts(svg) and "a<b" in texts(svg)
    assert "&lt;i&gt;f" in html and "&lt;u&gt;(1, 2)" in html and "n&amp;m = 3" in html and "<i>" not in html


def test_iterations_that_have_no_variable_in_common_are_told_in_words() -> None:
    html = iteration_picture(witness(z=1))
    assert "<svg" not in html and "sink: g (z=1) writes it" in html


def test_an_iteration_that_runs_twice_has_a_ring() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = x
    f[x] = f[x] * 2 + 1
    g[x] = f[x]
    with pytest.raises(hl.IllegalSchedule) as refused:
        f.update(0).vectorize(x, 4, hl.TailStrategy.ShiftInwards)
    assert refused.value.witness is not None
    svg = drawn(iteration_picture(refused.value.witness))
    assert "twice" in texts(svg) and not {"source", "sink"} & set(texts(svg))
    assert [c.get("fill") for c in svg.iter(f"{SVG}circle")].count("none") == 1
    assert not list(svg.iter(f"{SVG}polygon"))


def test_what_is_refuted_comes_first_and_all_text_is_escaped() -> None:
    proof = Proof(
        (
            Obligation("order", ("f",), "proved", "fine"),
            Obligation("<k>", ("<s>",), REFUTED, "<script>alert(1)</script>", witness(**{"a<b": 0, "c": 1})),
        )
    )
    html = proof.to_html()
    assert html.index("refuted</td>") < html.index("fine")
    assert "<script" not in html and "<k>" not in html and "<s>" not in html
    opened: list[str] = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

    Balanced().feed(html)
    assert opened == []


def upwards() -> hl.Func:
    f, r = hl.Func("f"), hl.RDom([(1, 5), (1, 4)], "r")
    f[x, y] = x + y
    f[r.x, r.y] = f[r.x - 1, r.y + 1] + 1
    f.update(0).allow_race_conditions().reorder(r.y, r.x)
    return f


def boxes(svg: tree.Element) -> list[tuple[str, float, float, float, float]]:
    """About where each text lies."""
    found = []
    for t in svg.iter(f"{SVG}text"):
        text, wide, at, base = t.text or "", 7.0 * len(t.text or ""), float(t.get("x", 0)), float(t.get("y", 0))
        left = at - {"middle": wide / 2, "end": wide, "start": 0.0}[t.get("text-anchor", "start")]
        found.append((text, left, left + wide, base - 9, base + 2))
    return found


@pytest.mark.parametrize("make", [tiled_table, upwards])
def test_labels_lie_apart_inside_the_picture_and_off_the_arrow(make: Callable[[], hl.Func]) -> None:
    svg = drawn(make().verify().to_html())
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    labels = boxes(svg)
    for n, (_, left, right, top, bottom) in enumerate(labels):
        assert left >= 0 and right <= width and top >= 0 and bottom <= height
        for _, other_left, other_right, other_top, other_bottom in labels[:n]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top
    (source, sink) = (next(b for b in labels if b[0] == name) for name in ("source", "sink"))
    red = [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in svg.iter(f"{SVG}circle") if c.get("fill") == "#c00"]
    (one, other) = sorted(red, key=lambda p: abs(p[0] - (source[1] + source[2]) / 2) + abs(p[1] - source[3]))
    assert (source[4] < one[1]) == (other[1] >= one[1]), "the label is on the side where the arrow is not"
    assert (sink[4] < other[1]) == (other[1] < one[1])
    (head,) = (p.get("points", "").split()[0].split(",") for p in svg.iter(f"{SVG}polygon"))
    assert abs(float(head[0]) - other[0]) + abs(float(head[1]) - other[1]) < 8, "the arrow ends at the sink"
