"""`generator` and `alias`: the decorators that give generators names, by which the command line finds them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable as Function
from collections.abc import Mapping
from typing import TypeVar

from ...errors import DefinitionError
from ...source import caller
from ..argument_names import also_called
from ..callable import Callable
from ..targets.target import Target
from .arguments import check_name
from .context import GeneratorContext
from .generator import Generator

_generators: dict[str, type[Generator]] = {}
_Class = TypeVar("_Class", bound=type)


def generator(name: str | None = None) -> Function[[type], type[Generator]]:
    """A decorator that makes a class a generator of this name; without one, it has the name of the class.

    @hl.generator("brighten")
    class Brighten:
        amount = hl.GeneratorParam(10)
        input = hl.InputBuffer(hl.UInt(8), 2)
        output = hl.OutputBuffer(hl.UInt(8), 2)

        def generate(self):
            x, y = hl.vars("x y")
            self.output[x, y] = self.input[x, y] + self.amount
    """
    if name is not None and not isinstance(name, str):
        raise DefinitionError(f"{name!r} is no name of a generator", location=caller(), accepted="@hl.generator()")

    def decorated(cls: type) -> type[Generator]:
        if not inspect.isclass(cls):
            raise DefinitionError("@generator can only be used on classes.", location=caller(), accepted="class ...:")
        own = name or _full_name(cls)
        bases = (cls,) if issubclass(cls, Generator) else (cls, Generator)
        return _register(own, cls.__name__, bases, {})

    return decorated


def alias(**kwargs: Mapping[str, object]) -> Function[[_Class], _Class]:
    """A decorator that gives a generator further names, under which GeneratorParams have other values.

    @hl.alias(brighten_much={"amount": 100})
    @hl.generator("brighten")
    class Brighten: ...
    """

    def decorated(cls: _Class) -> _Class:
        if not (isinstance(cls, type) and issubclass(cls, Generator) and cls._registered_name):
            raise DefinitionError("@alias can only be used in conjunction with @generator.", location=caller())
        for name, params in kwargs.items():
            check_name(name)
            if not isinstance(params, dict):
                raise DefinitionError(
                    f"The Generator alias {name} specifies something other than a dict.",
                    location=caller(),
                    accepted=f'{name}={{"parameter": value}}',
                )
            _register(name, name, (cls,), {"_alias_params": dict(params)})
        return cls

    return decorated


def generator_names() -> list[str]:
    """In the order in which they were written."""
    return list(_generators)


def create_generator(name: str, context: GeneratorContext, params: Mapping[str, object]) -> Generator:
    """A new instance. Raises DefinitionError where none has the name."""
    cls = _generators.get(name)
    if cls is None:
        raise DefinitionError(
            f"There is no Generator with the name '{name}' currently available.",
            accepted=", ".join(_generators) or "nothing: no generator is defined",
        )
    with context:
        return cls(params)


@also_called(target="context")
def create_callable_from_generator(
    target: Target | GeneratorContext, name: str, generator_params: Mapping[str, object] | None = None
) -> Callable:
    """The pipeline of a generator as a function, compiled now."""
    context = target if isinstance(target, GeneratorContext) else GeneratorContext(target)
    return create_generator(name, context, generator_params or {}).compile_to_callable()


def _register(name: str, class_name: str, bases: tuple[type, ...], members: dict[str, object]) -> type[Generator]:
    if name in _generators and not hasattr(sys, "ps1"):  # at a prompt, a generator may be written again
        raise DefinitionError(
            f"The Generator name {name} is already in use.", location=caller(), accepted="a name of its own"
        )
    first = bases[0]
    about = {"__module__": first.__module__, "__qualname__": class_name, "__doc__": first.__doc__}
    made = type(class_name, bases, {**about, **members, "_registered_name": name})
    assert issubclass(made, Generator), "generators are made of Generator"
    _generators[name] = made
    return made


def _full_name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ in ("__main__", "builtins") else f"{cls.__module__}.{cls.__qualname__}"
