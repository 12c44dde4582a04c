"""What Funcs, pipelines and their parts show of themselves."""

from html.parser import HTMLParser

import pytest

import halopy as hl

X, Y = hl.vars("x y")


def blur():
    photo = hl.ImageParam(hl.UInt(16), 2, "photo")
    rows, both = hl.Func("rows"), hl.Func("both")
    rows[X, Y] = photo[X, Y] + photo[X + 1, Y]
    both[X, Y] = rows[X, Y] + rows[X, Y + 1]
    rows.compute_at(both, Y)
    return both


def test_a_func_shows_its_definition():
    f = hl.Func("f")
    assert repr(f) == str(f) == "<halopy.Func 'f'>"
    f[X, Y] = X + Y * 2
    assert repr(f) == "<halopy.Func 'f': f(x, y) = (x + (y*2))>"
    f[X, 0] += 1
    f[0, Y] = 3
    assert repr(f) == "<halopy.Func 'f': f(x, y) = (x + (y*2)), then 2 updates>"
    assert str(f) == "<halopy.Func 'f'>"
    assert repr(f.update(1)) == "<halopy.Stage 'f.update(1)': f(0, y) = 3>"


def test_several_values_stand_in_parentheses():
    g, e = hl.Func("g"), hl.Tuple(X, X + 1)
    g[X] = e
    assert repr(g) == "<halopy.Func 'g': g(x) = (x, (x + 1))>"
    assert repr(e) == "<halopy.Tuple of size 2: (x, (x + 1))>"


def test_a_long_definition_is_elided():
    f, value = hl.Func("f"), hl.Expr(X)
    for n in range(12):
        value = value + hl.Var("x") * n
    f[X] = value
    assert len(repr(f)) < 150 and repr(f).endswith("…>")
    g = hl.Func("g")
    for _ in range(100):
        value = value * value
    g[X] = value
    assert repr(g) == "<halopy.Func 'g': g(x) = <a long expression>>"


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ("<halopy.Var 'x'>", X),
        ("<halopy.Expr of type int32: (x + 1)>", X + 1),
        ("<undefined halopy.Expr>", hl.Expr()),
        ("<halopy.RDom RDom(r$x(0, 3), r$y(1, 4))>", hl.RDom([(0, 3), (1, 4)], "r")),
        ("<halopy.RVar r$x(0, 3)>", hl.RDom([(0, 3)], "r").x),
        ("<halopy.Buffer of type uint8 shape:[[0,3,1],[0,2,3]]>", hl.Buffer(hl.UInt(8), [3, 2])),
        ("<halopy.BufferDimension [0,2,3]>", hl.Buffer(hl.UInt(8), [3, 2]).dim(1)),
        ("<halopy.ImageParam 'im', dims: 2, type: uint8>", hl.ImageParam(hl.UInt(8), 2, "im")),
        ("<halopy.Dimension 1 of 'im'>", hl.ImageParam(hl.UInt(8), 2, "im").dim(1)),
        ("<halopy.Param 'p' type int32>", hl.Param(hl.Int(32), "p")),
        ("<halopy.Range 0, (x + 1)>", hl.Range(0, X + 1)),
        ("<halopy.Range undefined, undefined>", hl.Range()),
        ("<halopy.Type uint8>", hl.UInt(8)),
        ("<halopy.Target x86-64-linux-avx>", hl.Target("x86-64-linux-avx")),
        ("<halopy.Pipeline ['both']>", hl.Pipeline(blur())),
        ("<halopy.Callable (photo: uint16, both: uint16)>", None),
    ],
)
def test_every_handle_shows_what_it_is(shown, value):
    if value is None:
        value = hl.Pipeline(both := blur()).compile_to_callable(both.infer_arguments())
    assert repr(value) == shown


class Outline(HTMLParser):
    """The text of each element, indented by how deep it folds; fails where elements do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.lines, self.tags = [], [], set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.lines.append("  " * (self.open.count("details") - (self.open[-1] == "summary")) + data)


@pytest.mark.parametrize("output", [blur(), hl.Pipeline(blur())])
def test_a_notebook_shows_the_loop_nest_as_a_tree(output, capsys):
    output.print_loop_nest()
    nest = capsys.readouterr().err.splitlines()
    shown = Outline(output._repr_html_())
    assert shown.lines[1] == "both(x, y) = (rows(x, y) + rows(x, (y + 1)))"
    assert shown.lines[2:] == nest and len(nest) > 5
    assert shown.tags == {"div", "b", "details", "summary"}


def test_names_in_a_notebook_are_text():
    f = hl.Func("<script>alert(1)</script>")
    f[hl.Var("<b>")] = 1
    assert "script" not in Outline(f._repr_html_()).tags
    assert "for <b>:" in [line.strip() for line in Outline(f._repr_html_()).lines]


def test_showing_changes_nothing():
    f = hl.Func("f")
    assert "f" in f._repr_html_()
    f[X] = X
    f._repr_html_()
    f[X] += 1
    assert f.realize([2])[1] == 2


def test_a_notebook_shows_why_there_are_no_loops():
    f, g = hl.Func("f"), hl.Func("g")
    f[X], g[X] = X, X
    f.compute_at(g, X)
    h = hl.Func("h")
    h[X] = f[X]
    shown = Outline(h._repr_html_())
    assert "pre" in shown.tags and any("f.compute_at(g, x)" in line for line in shown.lines)


def test_a_tree_without_end_is_cut():
    f = hl.Func("f")
    f[X] = X
    for _ in range(200):
        g = hl.Func()
        g[X] = f[X] + 1
        f.compute_root()
        f = g
    assert any("lines more" in line for line in Outline(f._repr_html_()).lines)
