"""The public names are those of Halide's Python, with its argument names, numbers and kinds of errors."""

import contextlib
import inspect
import io
import re

import numpy as np
import pytest

import halopy as hl

x, y, xo, xi = hl.vars("x y xo xi")

# What Halide's module has for its own use, and what Python's own `_pybind11` objects have.
NOT_FOR_USERS = re.compile(r"_.*|halide_|user_context_value")


def chain():
    """A producer and the Func that reads it."""
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x, y] * 2
    return f, g


def sums():
    """A Func with an update over an RDom."""
    f, r = hl.Func("f"), hl.RDom([(0, 4), (0, 5)], "r")
    f[x] = 0
    f[x] += r.x + r.y
    return f, r


def loops(f):
    """The loop nest as text."""
    text = io.StringIO()
    with contextlib.redirect_stderr(text):
        f.print_loop_nest()
    return text.getvalue()


# -- against the wheel -----------------------------------------------------------------------------------------------


def test_every_public_name_of_halide_is_here():
    halide = pytest.importorskip("halide")
    missing = [name for name in dir(halide) if not NOT_FOR_USERS.fullmatch(name) and not hasattr(hl, name)]
    assert missing == []


def test_every_public_method_and_member_of_halide_is_here():
    halide = pytest.importorskip("halide")
    classes = [name for name, value in vars(halide).items() if isinstance(value, type) and hasattr(hl, name)]
    made_by = {"Argument": hl.Argument, "ArgumentEstimates": hl.ArgumentEstimates, "ArgInfo": hl.ArgInfo}
    missing = []
    for name in classes:
        ours = made_by[name]() if name in made_by else getattr(hl, name)  # attributes may be those of objects
        names = [member for member in dir(getattr(halide, name)) if not NOT_FOR_USERS.fullmatch(member)]
        if hasattr(ours, "__members__"):
            names = list(getattr(halide, name).__members__)
        missing += [f"{name}.{member}" for member in names if not hasattr(ours, member)]
    assert missing == []


def test_members_of_enumerations_have_the_numbers_of_halide():
    halide = pytest.importorskip("halide")
    enumerations = [name for name, value in vars(halide).items() if hasattr(value, "__members__")]
    assert len(enumerations) > 10
    for name in enumerations:
        for member, value in getattr(halide, name).__members__.items():
            ours = getattr(hl, name)[member]
            assert (int(ours), ours.value, str(ours)) == (int(value), value.value, str(value))
            assert getattr(hl, name)(int(value)) is ours


def _forms(function):
    """The names of the arguments of each form of a function of the wheel, without those that have none."""
    for line in (function.__doc__ or "").splitlines():
        form = re.match(rf"\s*(?:\d+\. )?{re.escape(function.__name__)}\((.*)\)\s*->", line)
        if form:
            yield [name for name in re.findall(r"(?:^|, )(\w+): ", form[1]) if name != "self"]


def _accepts(function, names):
    """Whether the arguments can be given by these names; `also_called` and its kin know further ones."""
    known = {*inspect.signature(function).parameters, *getattr(function, "also", ())}
    variadic = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())
    return variadic or known.issuperset(name for name in names if not re.fullmatch(r"arg\d", name))


def test_arguments_have_the_names_that_they_have_in_halide():
    halide = pytest.importorskip("halide")
    odd = {"AutoschedulerParams.__init__", "Derivative.__getitem__", "HalideError.__init__"}
    wrong = []
    for kind in (name for name, value in vars(halide).items() if isinstance(value, type) and hasattr(hl, name)):
        if hasattr(getattr(halide, kind), "__members__"):
            continue
        for name, theirs in inspect.getmembers(getattr(halide, kind), callable):
            ours = getattr(getattr(hl, kind), name, None)
            is_public = not NOT_FOR_USERS.fullmatch(name) or name == "__init__"
            if is_public and inspect.isfunction(ours) and f"{kind}.{name}" not in odd:
                wrong += [f"{kind}.{name}{names}" for names in _forms(theirs) if not _accepts(ours, names)]
    for name, theirs in inspect.getmembers(halide, inspect.isroutine):
        if hasattr(hl, name) and inspect.isfunction(getattr(hl, name)):
            wrong += [f"{name}{names}" for names in _forms(theirs) if not _accepts(getattr(hl, name), names)]
    assert wrong == []


# -- other names of arguments ----------------------------------------------------------------------------------------


def test_places_may_be_named_as_halide_names_them():
    expected = loops(chain_with(lambda f, g: f.compute_at(g, y)))
    assert expected == loops(chain_with(lambda f, g: f.compute_at(f=g, var=y)))
    assert expected == loops(chain_with(lambda f, g: f.compute_at(loop_level=hl.LoopLevel(g, y))))
    f, _ = sums()
    h = hl.Func("h")
    h[x] = f[x]
    g, s = sums()
    g[x] += h[s.x + s.y]
    assert "compute" not in loops(g)
    h.compute_at(f=g, rvar=s.x)
    assert "produce h" in loops(g)


def chain_with(schedule):
    """The consumer of a chain that is scheduled."""
    f, g = chain()
    schedule(f, g)
    return g


def test_loops_may_be_given_as_one_named_list():
    f, g = chain()
    assert loops(g.reorder(vars=[y, x])) == loops(chain()[1].reorder(y, x))
    g.never_partition(vars=[x, y]).always_partition(vars=[x])
    f.compute_root().reorder_storage(dims=[y, x])
    assert np.asarray(g.realize([3, 2])).tolist() == [[0, 2, 4], [2, 4, 6]]


def test_wrappers_prefetches_and_factored_reductions_have_halides_argument_names():
    f, g = chain()
    assert f.in_(fs=[g]).name().startswith("f_")
    image = hl.ImageParam(hl.Int(32), 2, "image")
    h = hl.Func("h")
    h[x, y] = image[x, y]
    h.prefetch(image=image, at=y, **{"from": y}, offset=2)
    image.set(np.array([[1, 2], [3, 4]], np.int32))
    assert np.asarray(h.realize([2, 2])).tolist() == [[1, 2], [3, 4]]
    s, r = sums()
    s.update().rfactor(preserved=[(r.y, xo)]).compute_root()
    assert np.asarray(s.realize([2])).tolist() == [70, 70]


def test_buffers_change_their_shape_under_halides_argument_names():
    b = hl.Buffer(np.arange(12, dtype=np.uint8).reshape(4, 3))
    assert np.asarray(b.cropped(rect=[(1, 2), (0, 2)])).tolist() == [[1, 2], [4, 5]]
    assert b.translated(delta=[5, 6]).dim(1).min() == 6
    assert np.asarray(b.transposed(order=[1, 0])).tolist() == np.asarray(b).T.tolist()
    b.crop(rect=[(1, 1), (0, 4)])
    assert np.asarray(b).tolist() == [[1], [4], [7], [10]]


def test_an_argument_may_be_named_for_what_it_is():
    image, p = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Param(hl.Int(32), "p")
    buffer = hl.Buffer(hl.UInt(8), [2], "b")
    assert [a.name for a in (hl.Argument(im=image), hl.Argument(param=p), hl.Argument(buffer=buffer))] == [
        "image",
        "p",
        "b",
    ]
    module = hl.Module("m", hl.get_host_target())
    module.append(buffer=buffer)
    module.append(module=hl.Module("n", hl.get_host_target()))
    assert (len(module.buffers()), len(module.submodules())) == (1, 1)
    p.parameter().set_scalar(value_type=hl.Int(32), value=7)
    assert p.get() == 7
    assert hl.Parameter(p=p.parameter()).same_as(p.parameter())


def test_an_unknown_name_is_still_refused():
    f, g = chain()
    with pytest.raises(TypeError, match="rvars"):
        f.compute_at(g, rvars=y)
    with pytest.raises(TypeError, match="loops"):
        g.reorder(loops=[x, y])


# -- wrong kinds of arguments ----------------------------------------------------------------------------------------

MISTYPED = {
    "a text for a loop": lambda f, g: g.split("x", xo, xi, 2),
    "a number for a loop": lambda f, g: g.fuse(x, y, 3),
    "a text for a strategy": lambda f, g: g.vectorize(x, 8, "RoundUp"),
    "a text for a policy": lambda f, g: g.partition(x, "Never"),
    "a number for memory": lambda f, g: f.store_in(3),
    "a text for a bound": lambda f, g: f.prefetch(f, x, x, 1, "Clamp"),
    "a number for a Func": lambda f, g: f.compute_at(3, x),
    "no loop": lambda f, g: f.compute_at(g),
    "a text for a dimension": lambda f, g: g.bound("x", 0, 3),
    "a number for a range": lambda f, g: g.set_estimates([3, 4]),
    "too few tile arguments": lambda f, g: g.tile(x, y, xo, 3),
    "a text for sizes": lambda f, g: g.realize("3"),
    "a fraction for a size": lambda f, g: g.realize([3.5, 2]),
    "an array for sizes": lambda f, g: g.realize(np.zeros((2, 2), np.int32)),
    "a number for arguments": lambda f, g: g.compile_to_callable([3]),
    "a number for a consumer": lambda f, g: f.in_(3),
    "a number for a tag": lambda f, g: f.add_trace_tag(3),
    "a number for a message": lambda f, g: g.specialize_fail(3),
    "a number for a source": lambda f, g: g.prefetch(3, x, x, 2),
    "a number for a name": lambda f, g: hl.Var(3),
    "numbers for a domain": lambda f, g: hl.RDom([0, 3]),
    "a text for a number": lambda f, g: hl.Param(hl.Int(32), "p", "a"),
    "no sizes": lambda f, g: hl.Buffer(hl.UInt(8)),
    "a fraction for an extent": lambda f, g: hl.Buffer(hl.UInt(8), [3.5]),
    "a list for memory": lambda f, g: hl.Buffer([1, 2]),
    "a number to copy": lambda f, g: hl.Buffer(hl.UInt(8), [3]).copy_from(3),
    "a number for a buffer's name": lambda f, g: hl.Buffer(hl.UInt(8), [3]).set_name(3),
    "a number for a place": lambda f, g: hl.LoopLevel(3),
    "a number for a level": lambda f, g: hl.LoopLevel.root().set(3),
    "a number for a part": lambda f, g: hl.Module("m", hl.get_host_target()).append(3),
    "a Func for a Pipeline": lambda f, g: hl.serialize_pipeline(f, "f.hlpipe"),
    "a number for an output": lambda f, g: hl.propagate_adjoints(3),
    "a text for a target": lambda f, g: hl.GeneratorContext("host"),
    "a text for a feature": lambda f, g: hl.Target("x86-64-linux").with_feature("avx2"),
    "no dimensions": lambda f, g: hl.ImageParam(hl.UInt(8)),
    "a Type for a code": lambda f, g: hl.Type(hl.Int(8)),
}


@pytest.mark.parametrize("call", MISTYPED.values(), ids=MISTYPED.keys())
def test_arguments_of_another_kind_are_type_errors_as_in_halide(call):
    with pytest.raises(TypeError) as refused:
        call(*chain())
    assert isinstance(refused.value, hl.HalideError)
    assert __file__.rsplit("/", 1)[1] in str(refused.value)  # it says where


def test_a_mistyped_directive_is_an_error_of_the_schedule_too():
    _, g = chain()
    with pytest.raises(hl.ScheduleError):
        g.split("x", xo, xi, 2)
    with pytest.raises(hl.BufferError):
        hl.Buffer([1, 2])
    g.split(x, xo, xi, 2)
    hl.Buffer(np.zeros(2, np.uint8))


def test_a_boolean_is_nothing_but_false_and_true():
    p = hl.Param(hl.Bool(), "p", True)
    p.set(0)
    assert p.get() is False
    with pytest.raises(hl.ParamError):
        p.set(2)


# -- what parameters know --------------------------------------------------------------------------------------------


def known(*exprs):
    """Numbers; None for undefined ones."""
    return [hl.evaluate(e) if e.defined() else None for e in exprs]


def test_a_parameter_lists_what_is_promised_of_its_dimensions():
    image = hl.ImageParam(hl.UInt(8), 2)
    image.dim(0).set_bounds(0, 32)
    image.dim(1).set_stride(40).set_estimate(1, 30)
    first, second = image.parameter().buffer_constraints()
    assert known(first.min, first.extent, first.stride) == [0, 32, 1]
    assert known(second.min, second.extent, second.stride) == [None, None, 40]
    assert known(second.min_estimate, second.extent_estimate) == [1, 30]
    with pytest.raises(hl.DefinitionError, match="is a scalar"):
        hl.Param(hl.Int(32)).parameter().buffer_constraints()


def test_a_parameter_has_the_estimates_of_its_argument():
    image, p = hl.ImageParam(hl.UInt(8), 1), hl.Param(hl.Int(32), "p", 3)
    image.dim(0).set_estimate(2, 30)
    p.set_range(1, 10)
    p.set_estimate(4)
    (region,) = image.parameter().get_argument_estimates().buffer_estimates
    assert known(region.min, region.extent) == [2, 30]
    scalar = p.parameter().get_argument_estimates()
    assert known(scalar.scalar_min, scalar.scalar_max, scalar.scalar_estimate, scalar.scalar_def) == [1, 10, 4, None]
    assert repr(scalar).startswith("<halopy.ArgumentEstimates scalar_min=")
