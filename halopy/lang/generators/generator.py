"""`Generator`: a class that describes a pipeline by its fields and makes it, for a target and with parameters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from ...errors import DefinitionError, FieldWritten
from ...source import caller
from ..argument import Argument
from ..autoscheduler_params import AutoschedulerParams
from ..expressions.expr import ToExpr
from ..expressions.types import Type
from ..func import Func
from ..image_param import OutputImageParam
from ..param import Param
from ..pipeline import Pipeline
from ..targets.target import Target
from .arguments import ArgInfo, ArgInfoDirection, check_name
from .context import GeneratorContext, context_of_new_generators
from .declarations import declared, described, given_inputs
from .fields import Field, InputBuffer, InputScalar, OutputBuffer
from .param import GeneratorParam
from .products import GeneratorProducts


class Generator(GeneratorProducts):
    """Base of the classes that `hl.generator` decorates. An instance makes one pipeline, once.

    Values of GeneratorParams are set first, then `configure` may add inputs and outputs, then each field becomes what
    it describes, then `generate` defines the outputs.
    """

    _registered_name: ClassVar[str] = ""
    _alias_params: ClassVar[Mapping[str, object]] = {}

    def __init__(self, generator_params: Mapping[str, object] | None = None) -> None:
        context = context_of_new_generators()
        self._target = context.target()
        self._autoscheduler = context.autoscheduler_params()
        self._requirements: list[tuple[ToExpr, tuple[ToExpr | str, ...]]] = []
        self._infos: dict[str, ArgInfo] = {}
        self._fields: dict[str, Field] = {}
        self._given: dict[str, object] = {}  # for inputs, by the caller
        self._about_fields: dict[str, object] = {}  # values of NAME.type, NAME.dim and of nothing known
        self._configured = self._is_configuring = False
        self._pipeline: Pipeline | None = None
        fields = declared(type(self))
        for name in fields:
            _check_free(name)
        self._params = {name: field for name, field in fields.items() if isinstance(field, GeneratorParam)}
        self._values = {name: param._read(name, param._value) for name, param in self._params.items()}
        for params in (self._alias_params, generator_params or {}):
            self._set_params(params)

    def generate(self) -> None:
        """Define the outputs. Each generator has its own."""
        raise DefinitionError(
            f"Generator {self._get_name()} has no generate()", location=caller(), accepted="def generate(self): ..."
        )

    def configure(self) -> None:
        """Add inputs and outputs that depend on GeneratorParams. By default, none."""

    def allow_out_of_order_inputs_and_outputs(self) -> bool:
        """Whether an input may stand after an output without a warning: functions take all inputs first anyway."""
        return False

    def context(self) -> GeneratorContext:
        """The target and the autoscheduler, for generators that this one calls."""
        return GeneratorContext(self._target, self._autoscheduler)

    def target(self) -> Target:
        """What the pipeline is for."""
        return self._target

    def autoscheduler(self) -> AutoschedulerParams:
        """The autoscheduler that will schedule the pipeline; without a name if none will."""
        return self._autoscheduler

    def using_autoscheduler(self) -> bool:
        """Whether the pipeline will be scheduled automatically, so that `generate` need not."""
        return bool(self._autoscheduler.name)

    def natural_vector_size(self, type: Type) -> int:
        """Elements of the type in one vector register of the target."""
        return self._target.natural_vector_size(type)

    def add_requirement(self, condition: ToExpr, *args: ToExpr | str) -> None:
        """A run ends with an error that shows `args` unless the condition holds."""
        if self._pipeline is not None:
            raise DefinitionError(
                f"Generator {self._get_name()} has made its pipeline already",
                location=caller(),
                accepted="add_requirement(...) in configure() or generate()",
            )
        self._requirements.append((condition, args))

    def add_input(self, name: str, io: InputBuffer | InputScalar) -> None:
        """One more input, in `configure`."""
        self._add(name, io, "add_input", (InputBuffer, InputScalar))

    def add_output(self, name: str, io: OutputBuffer) -> None:
        """One more output, in `configure`."""
        self._add(name, io, "add_output", (OutputBuffer,))

    @classmethod
    def call(cls, *args: object, **kwargs: object) -> Func | tuple[Func, ...]:
        """The outputs for these inputs, given by place or name: one Func, or a tuple of them.

        `generator_params={...}` sets GeneratorParams. A buffer may be an ImageParam, a Buffer, an array or a Func, a
        scalar a number, a Param or an Expr.
        """
        made = cls(_checked_params(kwargs.pop("generator_params", {})))
        inputs = [info.name for info in made._get_arginfos() if _is_input(info)]
        made._given = given_inputs(made._get_name(), inputs, args, kwargs)
        outputs = made._build_pipeline().outputs()
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def __setattr__(self, name: str, value: object) -> None:
        if name in self.__dict__.get("_infos", {}) or name in self.__dict__.get("_params", {}):
            raise FieldWritten(
                f"Invalid write to field '{name}'", location=caller(), accepted=f"self.{name}[...] = ..., for an output"
            )
        super().__setattr__(name, value)

    # -- parameters --------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return self._registered_name or type(self).__qualname__

    def _set_params(self, params: Mapping[str, object]) -> None:
        for name, value in _checked_params(params).items():
            self._set_param(name, value)

    def _set_param(self, name: str, value: object) -> None:
        """Give a GeneratorParam its value. Raises DefinitionError for a value that it cannot have."""
        if name == "target":
            raise DefinitionError(
                "The GeneratorParam named target cannot be set here",
                location=caller(),
                accepted="with hl.GeneratorContext(target): ...",
            )
        if name in self._params:
            self._values[name] = self._params[name]._read(name, value)
        elif name == "autoscheduler":
            self._autoscheduler.name = str(value)
        elif name.startswith("autoscheduler."):
            self._autoscheduler.extra[name.removeprefix("autoscheduler.")] = str(value)
        else:
            self._about_fields[name] = value

    # -- fields ------------------------------------------------------------------------------------------------

    def _get_arginfos(self) -> list[ArgInfo]:
        """Inputs, then outputs."""
        self._configure()
        return [i for i in self._infos.values() if _is_input(i)] + [i for i in self._infos.values() if not _is_input(i)]

    def _configure(self) -> None:
        """Decide on parameters and fields. Raises DefinitionError where something is missing or unknown."""
        if self._configured:
            return
        self.__dict__.update(self._values)
        self._declare_all()
        self._is_configuring = True
        try:
            self.configure()
        finally:
            self._is_configuring = False
        self._configured = True
        if self._about_fields:
            raise DefinitionError(
                f"Generator {self._get_name()} has no GeneratorParam(s) named: {list(self._about_fields)}",
                location=caller(),
                accepted=", ".join([*self._params, "autoscheduler", "autoscheduler.NAME"]),
            )
        if all(map(_is_input, self._infos.values())):
            raise DefinitionError(
                f"Generator '{self._get_name()}' must declare at least one output.",
                location=caller(),
                accepted="output = hl.OutputBuffer(type, dimensions)",
            )

    def _declare_all(self) -> None:
        fields = {n: f for n, f in declared(type(self)).items() if not isinstance(f, GeneratorParam)}
        inputs = [isinstance(field, InputBuffer | InputScalar) for field in fields.values()]
        if inputs != sorted(inputs, reverse=True) and not self.allow_out_of_order_inputs_and_outputs():
            where = caller()
            warnings.warn_explicit(
                f"Generator {self._get_name()} declares an output before an input; its functions take all inputs "
                "first. allow_out_of_order_inputs_and_outputs() can say that this is meant",
                UserWarning,
                where.file,
                where.line,
            )
        for name, field in fields.items():
            self._declare(name, field)

    def _declare(self, name: str, field: Field) -> None:
        self._infos[name] = described(self._get_name(), name, field, self._about_fields)
        self._fields[name] = field

    def _add(self, name: str, io: Field, asked: str, kinds: tuple[type, ...]) -> None:
        if not self._is_configuring:
            raise DefinitionError(f"Can only call {asked}() from the configure() method.", location=caller())
        check_name(name)
        if hasattr(self, name) or name in self._infos:
            raise DefinitionError(
                f"Cannot call {asked}('{name}') because the class already has a member of that name.",
                location=caller(),
                accepted="a name of its own",
            )
        if not isinstance(io, kinds):
            raise DefinitionError(
                f"Cannot call {asked}() with an object of type '{type(io).__name__}'.",
                location=caller(),
                accepted=" or ".join(f"hl.{kind.__name__}" for kind in kinds),
            )
        self._declare(name, io)

    # -- the pipeline ------------------------------------------------------------------------------------------

    def _build_pipeline(self) -> Pipeline:
        """The pipeline, made once. Raises DefinitionError where an output is not defined."""
        if self._pipeline is not None:
            return self._pipeline
        self._configure()
        made = {name: self._realized(name, info) for name, info in self._infos.items()}
        self.__dict__.update(made)
        with self.context():
            self.generate()
        outputs = [made[name] for name, info in self._infos.items() if not _is_input(info)]
        for func in outputs:
            if not func.defined():
                raise DefinitionError(
                    f"Output '{func.name()}' was not defined.",
                    location=caller(),
                    accepted=f"generate() assigns to self.{func.name()}[...]",
                )
        pipeline = Pipeline(outputs)
        for condition, message in self._requirements:
            pipeline.add_requirement(condition, *message)
        self._pipeline = pipeline
        return pipeline

    def _realized(self, name: str, info: ArgInfo) -> Any:
        """What the field is in `generate`."""
        field = self._fields[name]
        if name in self._given and not isinstance(field, OutputBuffer):
            return field._bound(info, self._given[name])
        return field._made(info)

    def _arguments(self) -> list[Argument]:
        """The inputs as a compiled function takes them."""
        inputs = [self.__dict__[name] for name, info in self._infos.items() if _is_input(info)]
        return [Argument(i) for i in inputs if isinstance(i, OutputImageParam | Param)]


def _is_input(info: ArgInfo) -> bool:
    return info.dir is ArgInfoDirection.Input


def _check_free(name: str) -> None:
    check_name(name)
    if hasattr(Generator, name):
        raise DefinitionError(
            f"a field cannot be called `{name}`, which is a method of generators",
            location=caller(),
            accepted="another name",
        )


def _checked_params(params: object) -> Mapping[str, object]:
    if not isinstance(params, Mapping):
        raise DefinitionError(
            f"generator_params must be a dict, not {params!r}", location=caller(), accepted='{"offset": 42}'
        )
    return params
