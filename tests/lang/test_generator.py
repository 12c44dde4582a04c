"""Generators: fields, what stands for them, what `configure` adds, `call` and `compile_to_callable`."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import halopy as hl

x, y, c = hl.vars("x y c")


@hl.generator("test_scaled")
class Scaled:
    """Multiply and add."""

    factor = hl.GeneratorParam(2)

    image = hl.InputBuffer(hl.UInt(8), 2)
    offset = hl.InputScalar(float)

    result = hl.OutputBuffer(hl.Float(32), 2)

    def generate(self):
        self.result[x, y] = hl.f32(self.image[x, y]) * self.factor + self.offset
        self.result.vectorize(x, self.natural_vector_size(hl.Float(32)), hl.TailStrategy.GuardWithIf)


@hl.generator("test_open")
class Open:
    source = hl.InputBuffer(None, None)
    amount = hl.InputScalar(None)
    pair = hl.OutputBuffer(None, None)
    total = hl.OutputScalar(hl.Int(32))

    def generate(self):
        self.pair[hl._] = (self.source[hl._], hl.cast(self.pair.types()[1], self.amount))
        self.total[()] = hl.i32(self.amount)


@hl.generator("test_configured")
class Configured(hl.Generator):
    extra = hl.GeneratorParam("")
    count = hl.GeneratorParam(1)
    first = hl.InputBuffer(int, 1)

    def configure(self):
        if self.extra:
            self.add_input(self.extra, hl.InputBuffer(None, 1))
        for k in range(self.count):
            self.add_output(f"out{k}", hl.OutputBuffer(int, 1))

    def generate(self):
        added = hl.cast(hl.Int(32), getattr(self, self.extra)[x]) if self.extra else 0
        for k in range(self.count):
            getattr(self, f"out{k}")[x] = self.first[x] * k + added


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (7, 13), np.uint8)


def expected(picture, factor, offset):
    return picture.astype(np.float32) * factor + np.float32(offset)


def realized(func, array):
    return np.asarray(func.realize(array.shape[::-1]))


def test_an_input_is_an_array_a_buffer_an_image_param_or_a_func(picture):
    image = hl.ImageParam(hl.UInt(8), 2)
    image.set(hl.Buffer(picture))
    func = hl.Func("func")
    func[x, y] = image[x, y]
    for given in (picture, hl.Buffer(picture), image, func):
        made = Scaled.call(given, 0.5)
        assert isinstance(made, hl.Func)
        assert np.array_equal(realized(made, picture), expected(picture, 2, 0.5))


def test_a_scalar_is_a_number_a_param_or_an_expression(picture):
    param = hl.Param(hl.Float(32), 1.5)
    for given in (1.5, np.float32(1.5), param, hl.f32(1.0) + 0.5):
        assert np.array_equal(realized(Scaled.call(picture, given), picture), expected(picture, 2, 1.5))
    made = Scaled.call(picture, param)
    param.set(4.0)
    assert np.array_equal(realized(made, picture), expected(picture, 2, 4))


def test_inputs_are_given_by_place_and_by_name(picture):
    for made in (
        Scaled.call(picture, 3.0),
        Scaled.call(picture, offset=3.0),
        Scaled.call(offset=3.0, image=picture),
        Scaled.call(offset=3.0, generator_params={"factor": "2"}, image=picture),
    ):
        assert np.array_equal(realized(made, picture), expected(picture, 2, 3))


@pytest.mark.parametrize(
    ("args", "named", "message"),
    [
        ((0, 1, 2), {}, "allows at most 2 positional args, but 3 were specified."),
        ((0,), {}, "requires 2 args, but 1 were specified."),
        ((0,), {"image": 1}, "Input image specified multiple times."),
        ((0,), {"color": 1}, "Unknown input 'color' specified via keyword argument."),
        ((), {"generator_params": [1]}, "generator_params must be a dict"),
        ((), {"generator_params": {"foo": 1}}, "has no GeneratorParam(s) named: ['foo']"),
        ((hl.f32(3), 1.0), {}, "Input image requires an ImageParam or Buffer argument when using call()"),
        ((np.zeros((2, 2), np.uint8), "1"), {}, "Input offset requires a Param (or scalar literal) argument"),
        ((hl.Buffer(), 1.0), {}, "Cannot set the value for image to an undefined value."),
        ((hl.Func("nothing"), 1.0), {}, "Cannot set the value for image to an undefined value."),
        ((np.zeros((2, 2), np.int8), 1.0), {}, "Type mismatch for image:0: expected uint8 saw int8"),
        ((np.zeros(2, np.uint8), 1.0), {}, "Dimensions mismatch for image: expected 2 saw 1"),
        (
            (np.zeros((2, 2), np.uint8), hl.Param(hl.Int(32))),
            {},
            "offset:0: expected float32 saw int32",
        ),
    ],
)
def test_what_does_not_fit_is_refused(args, named, message):
    with pytest.raises(hl.HalideError) as refused:
        Scaled.call(*args, **named)
    assert message in str(refused.value)


def test_the_callable_of_a_generator_takes_inputs_and_outputs(picture):
    with hl.GeneratorContext(hl.get_jit_target_from_environment()):
        made = Scaled({"factor": 3}).compile_to_callable()
    out = np.zeros(picture.shape, np.float32)
    made(picture, 0.25, out)
    assert np.array_equal(out, expected(picture, 3, 0.25))
    made(offset=1.0, result=out, image=picture)
    assert np.array_equal(out, expected(picture, 3, 1))
    with pytest.raises(hl.HalideError, match="Expected at most 3 positional arguments, but saw 4"):
        made(picture, 1.0, out, out)


def test_a_callable_is_made_by_name(picture):
    out = np.zeros(picture.shape, np.float32)
    target = hl.get_jit_target_from_environment()
    hl.create_callable_from_generator(target, "test_scaled", {"factor": "5"})(picture, 0.0, out)
    assert np.array_equal(out, expected(picture, 5, 0))
    hl.create_callable_from_generator(hl.GeneratorContext(target), "test_scaled")(picture, 0.0, out)
    assert np.array_equal(out, expected(picture, 2, 0))
    with pytest.raises(hl.DefinitionError, match="no Generator with the name 'test_unknown'"):
        hl.create_callable_from_generator(target, "test_unknown", {})


def test_open_types_and_dimensions_are_set_by_params(picture):
    params = {
        "source.type": "uint8", "source.dim": "2", "amount.type": hl.Int(16),
        "pair.type": [hl.UInt(8), hl.Float(64)], "pair.dim": 2,
    }  # fmt: skip
    pair, total = Open.call(picture, 9, generator_params=params)
    first, second = pair.realize(picture.shape[::-1])
    assert np.array_equal(first, picture) and np.array_equal(second, np.full(picture.shape, 9, np.float64))
    assert np.asarray(total.realize([])) == 9
    del params["source.dim"]
    with pytest.raises(hl.DefinitionError, match="No dimensionality has been specified for source"):
        Open.call(picture, 9, generator_params=params)
    with pytest.raises(hl.DefinitionError, match="No type has been specified for source"):
        Open.call(picture, 9)
    for param, value in {"image.type": "uint8", "result.dim": 2}.items():
        with pytest.raises(hl.DefinitionError, match=f"Cannot set the GeneratorParam {param}"):
            Scaled.call(picture, 9, generator_params={param: value})


def test_configure_adds_inputs_and_outputs():
    first = np.arange(5, dtype=np.int32)
    extra = np.arange(5, dtype=np.uint8) * 10
    (out,) = (Configured.call(first),)
    assert np.array_equal(realized(out, first), first * 0)
    params = {"extra": "more", "count": 3, "more.type": "uint8"}
    outputs = Configured.call(first, more=extra, generator_params=params)
    for k, out in enumerate(outputs):
        assert np.array_equal(realized(out, first), first * k + extra)


def test_the_arguments_of_a_generator_are_told():
    made = Configured({"extra": "more", "more.type": "int8", "count": 2})
    infos = made._get_arginfos()
    assert [i.name for i in infos] == ["first", "more", "out0", "out1"]
    assert infos[1].types == [hl.Int(8)] and infos[1].dimensions == 1
    assert {i.dir for i in infos[2:]} == {hl.ArgInfoDirection.Output}
    assert infos[0].kind is hl.ArgInfoKind.Buffer and Scaled()._get_arginfos()[1].kind is hl.ArgInfoKind.Scalar
    assert hl.ArgInfo("a", hl.ArgInfoDirection.Input, hl.ArgInfoKind.Scalar, [hl.Int(32)], 0).name == "a"


def made_of(name, **members):
    """A generator that takes one buffer, with these members too."""
    members = {"image": hl.InputBuffer(int, 1), **members, "out": members.get("out", hl.OutputBuffer(int, 1))}
    return hl.generator(f"test_made_{name}")(type("Made", (), members))


def define(self):
    self.out[x] = self.image[x]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"configure": lambda self: self.add_input("out", hl.InputBuffer(int, 1))}, "already has a member"),
        ({"configure": lambda self: self.add_input("generate", hl.InputBuffer(int, 1))}, "already has a member"),
        ({"configure": lambda self: self.add_input("b", hl.OutputBuffer(int, 1))}, "Cannot call add_input()"),
        ({"configure": lambda self: self.add_output("b", hl.InputScalar(int))}, "Cannot call add_output()"),
        ({"configure": lambda self: self.add_output("__b", hl.OutputScalar(int))}, "The name '__b' is not valid"),
        ({"generate": lambda self: self.add_output("b", hl.OutputScalar(int))}, "from the configure() method"),
        ({"generate": lambda self: None}, "Output 'out' was not defined."),
        ({"generate": lambda self: self.out.__setitem__(x, hl.f32(1))}, "values of type"),
        ({"generate": lambda self: self.out.__setitem__((x, y), 1)}, "constrained to have exactly 1 dimensions"),
        ({"out": None}, "must declare at least one output"),
        ({"target": hl.InputScalar(int)}, "a field cannot be called `target`"),
        ({"a__b": hl.InputScalar(int)}, "The name 'a__b' is not valid"),
        ({"_hidden": hl.InputScalar(int)}, "The name '_hidden' is not valid"),
        ({"generator_params": hl.InputScalar(int)}, "The name 'generator_params' is not valid"),
    ],
)
def test_a_wrong_generator_is_refused(members, message, request):
    made = made_of(request.node.name, **{"generate": define, **members})
    with pytest.raises(hl.HalideError) as refused:
        made.call(np.zeros(3, np.int32))
    assert message in str(refused.value)


def test_a_generator_without_generate_is_refused():
    with pytest.raises(hl.DefinitionError, match=r"has no generate\(\)"):
        made_of("without_generate").call(np.zeros(3, np.int32))


def test_fields_are_not_assigned_to():
    def generate(self):
        with pytest.raises(hl.FieldWritten, match="Invalid write to field 'out'"):
            self.out = hl.Func()
        with pytest.raises(AttributeError, match="Invalid write to field 'amount'"):
            self.amount = 7
        self.note = "other attributes are free"
        self.out[x] = self.image[x] + self.amount

    made = made_of("written", generate=generate, amount=hl.GeneratorParam(1))
    assert list(np.asarray(made.call(np.arange(3, dtype=np.int32)).realize([3]))) == [1, 2, 3]


def test_fields_are_inherited_and_replaced():
    class Base:
        scale = hl.GeneratorParam(1)
        image = hl.InputBuffer(int, 1)
        out = hl.OutputBuffer(int, 1)

        def generate(self):
            self.out[x] = self.image[x] * self.scale

    class Derived(Base):
        scale = hl.GeneratorParam(10)
        shift = hl.InputScalar(int)

        def generate(self):
            self.out[x] = self.image[x] * self.scale + self.shift

    with pytest.warns(UserWarning, match="an output before an input"):
        made = hl.generator("test_derived")(Derived).call(np.arange(3, dtype=np.int32), 5)
    assert list(np.asarray(made.realize([3]))) == [5, 15, 25]


def test_the_order_of_fields_may_be_meant(recwarn):
    class Mixed:
        out = hl.OutputBuffer(int, 1)
        image = hl.InputBuffer(int, 1)

        def allow_out_of_order_inputs_and_outputs(self):
            return True

        def generate(self):
            self.out[x] = self.image[x]

    made = hl.generator("test_mixed")(Mixed)
    assert [i.name for i in made()._get_arginfos()] == ["image", "out"]
    assert not recwarn.list


def test_a_requirement_ends_a_run():
    def generate(self):
        self.add_requirement(self.amount > 0, "amounts are positive:", self.amount)
        self.out[x] = self.image[x] // self.amount

    made = made_of("required", generate=generate, amount=hl.InputScalar(int))().compile_to_callable()
    image, out = np.arange(4, dtype=np.int32), np.zeros(4, np.int32)
    made(image, 2, out)
    assert list(out) == [0, 0, 1, 1]
    with pytest.raises(hl.RequirementFailed, match="amounts are positive: -1"):
        made(image, -1, out)


def test_generators_call_each_other():
    def generate(self):
        once = Scaled.call(self.image8, self.amount)
        again = hl.Func("again")
        again[x, y] = hl.u8_sat(once[x, y])
        self.out[x, y] = Scaled.call(again, 1.0, generator_params={"factor": 3})[x, y]
        once.compute_root()

    fields = {"image8": hl.InputBuffer(np.uint8, 2), "amount": hl.InputScalar(hl.Float(32))}
    made = made_of("calling", generate=generate, **fields, image=None, out=hl.OutputBuffer(hl.Float(32), 2))
    picture = np.arange(30, dtype=np.uint8).reshape(5, 6)
    twice = np.clip(picture.astype(np.float32) * 2 + 4, 0, 255) * 3 + 1
    assert np.array_equal(realized(made.call(picture, 4.0), picture), twice)


def test_contexts_nest_and_belong_to_their_thread():
    target = hl.get_host_target()
    with pytest.raises(hl.HalideError, match="There is no active GeneratorContext"):
        hl.active_generator_context()
    outer = hl.GeneratorContext(target)
    inner = hl.GeneratorContext(target.with_feature(hl.TargetFeature.Debug), hl.AutoschedulerParams("A", {"b": 3}))
    with outer as entered:
        assert entered is outer
        with inner, outer, inner:
            assert hl.active_generator_context() is inner
            assert inner.autoscheduler_params().name == "A" and inner.autoscheduler_params().extra == {"b": "3"}
            made = Scaled()
            assert made.target().has_feature(hl.TargetFeature.Debug) and made.using_autoscheduler()
            assert made.context().target() == inner.target()
        assert hl.active_generator_context() is outer
        seen = []
        thread = threading.Thread(target=lambda: seen.append(Scaled().target()))
        thread.start()
        thread.join()
        assert seen == [hl.get_jit_target_from_environment()]
    with pytest.raises(hl.HalideError):
        hl.active_generator_context()


def test_an_instance_changes_neither_its_context_nor_others():
    params = hl.AutoschedulerParams()
    with hl.GeneratorContext(hl.get_host_target(), params) as context:
        made = Scaled({"autoscheduler": "Some", "autoscheduler.parallelism": 8})
        made.target().set_feature(hl.TargetFeature.Debug)
        assert made.autoscheduler().name == "Some" and made.autoscheduler().extra == {"parallelism": "8"}
        assert not Scaled().using_autoscheduler() and not params.name
        assert not context.target().has_feature(hl.TargetFeature.Debug)


def test_an_automatic_schedule_keeps_the_answer():
    def generate(self):
        blurred = hl.Func("blurred")
        clamped = hl.BoundaryConditions.repeat_edge(self.image)
        blurred[x] = clamped[x - 1] + clamped[x] + clamped[x + 1]
        self.out[x] = blurred[x - 1] * blurred[x + 1]
        self.image.set_estimates([(0, 5000)])
        self.out.set_estimates([(0, 5000)])
        assert self.using_autoscheduler()

    made = made_of("scheduled", generate=generate)
    array = np.random.default_rng(2).integers(-99, 99, 5000).astype(np.int32)
    padded = np.pad(array, 2, mode="edge")
    blurred = padded[:-2] + padded[1:-1] + padded[2:]
    out = np.zeros(5000, np.int32)
    made({"autoscheduler": "Mullapudi2016", "autoscheduler.parallelism": "4"}).compile_to_callable()(array, out)
    assert np.array_equal(out, blurred[:-2] * blurred[2:])
    with pytest.raises(hl.HalideError, match="Unknown2000"):
        made({"autoscheduler": "Unknown2000"}).compile_to_callable()
