"""Everything that is public says what it promises, and has types."""

import enum
import inspect
from pathlib import Path

import pytest

import halopy as hl


def functions(owner):
    """The public functions of a class or module, with the names by which users reach them."""
    for name in dir(owner):
        if not name.startswith("_"):
            found = inspect.getattr_static(owner, name)
            found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
            if inspect.isfunction(found) and found.__module__.startswith("halopy"):
                yield name, found


def public():
    for name in hl.__all__:
        value = getattr(hl, name)
        if inspect.isclass(value) or inspect.ismodule(value):
            yield name, value
            if not (inspect.isclass(value) and issubclass(value, enum.Enum)):
                yield from ((f"{name}.{inner}", function) for inner, function in functions(value))
        elif inspect.isfunction(value):
            yield name, value


EVERYTHING = dict(public())


def test_there_is_much_to_look_at():
    assert {"Func.realize", "Buffer.fill", "imageio.imread", "Target.bits", "lerp", "Tuple"} <= set(EVERYTHING)


@pytest.mark.parametrize("name", EVERYTHING)
def test_it_has_a_docstring(name):
    assert inspect.getdoc(EVERYTHING[name])


@pytest.mark.parametrize("name", [n for n, value in EVERYTHING.items() if inspect.isfunction(value)])
def test_its_arguments_and_result_have_types(name):
    signature = inspect.signature(EVERYTHING[name])
    assert signature.return_annotation is not signature.empty
    assert all(p.annotation is not p.empty for p in signature.parameters.values() if p.name not in ("self", "cls"))


def test_the_package_tells_type_checkers_that_it_has_types():
    assert (Path(hl.__file__).parent / "py.typed").exists()
