"""The house keeps its floors: who may import whom, and what may stand where. Read from the source, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 600

# Lowest first. Units on one floor do not know each other, except on the ground floor.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "errors",
            "dtypes",
            "source",
            "target",
            "target_features",
            "host_features",
            "imageio",
            "instrument",
            "recursion",
            "witness",
            "proof",
            "iteration_picture",
            "markup",
        }
    ),
    frozenset({"ir"}),
    frozenset({"schedule", "arithmetic"}),
    frozenset({"codegen", "polyhedral"}),
    frozenset({"runtime", "lower", "reference"}),
    frozenset({"automatic", "compile"}),
    frozenset({"lang"}),
    frozenset({"command"}),
    frozenset({"__init__", "__main__"}),
)
FLOOR_OF = {unit: floor for floor, units in enumerate(FLOORS) for unit in units}

# Imports inside a function: the lazy printer (it stands above the nodes it prints), and what is optional.
LAZY = {
    ("halopy/imageio.py", "imageio.v2"),
    ("halopy/ir/expr.py", "halopy.ir.printer"),
    ("halopy/ir/stmt.py", "halopy.ir.printer"),
}
ONLY_IN = {"islpy": ("halopy/polyhedral/",), "pyopencl": ("halopy/runtime/opencl/", "apps/rivals/")}
SAFE_HOME_OF_ENVIRONMENT = "halopy/instrument.py"


class Import(NamedTuple):
    module: str  # absolute, e.g. "halopy.ir.expr"
    names: tuple[str, ...]  # from module import names
    lazy: bool  # inside a function


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> list[str]:
    return list(path.relative_to(ROOT).with_suffix("").parts)


@cache
def imports(path: Path) -> tuple[Import, ...]:
    inside = {
        id(node)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    return tuple(found for node in ast.walk(tree(path)) for found in _imports_of(node, path, id(node) in inside))


def _imports_of(node: ast.AST, path: Path, lazy: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, (), lazy) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = dotted(path)[: -node.level] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        names = tuple(alias.name for alias in node.names)
        if node.module is None:  # from . import a, b: each may be a module
            yield from (Import(f"{module}.{name}", (), lazy) for name in names)
        else:
            yield Import(module, names, lazy)


def unit_of(module: str) -> str:
    """The package or module directly under halopy: halopy.ir.expr -> ir."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def inner_imports(path: Path) -> Iterator[str]:
    """Units of halopy that a module of halopy imports from outside its own unit."""
    own = unit_of(".".join(dotted(path)))
    for found in imports(path):
        if found.module.split(".")[0] == "halopy" and unit_of(found.module) != own:
            yield unit_of(found.module)


HALOPY = sources("halopy")
AROUND = sources("apps", "schedules", "autotuner")
ALL = HALOPY + AROUND + sources("tests")


@pytest.mark.parametrize("path", HALOPY, ids=relative)
def test_a_module_imports_from_its_own_package_and_floors_below(path):
    own = unit_of(".".join(dotted(path)))
    assert own in FLOOR_OF, f"{own} stands on no floor: give it one in FLOORS, with its reason in ARCHITECTURE.md"
    for unit in inner_imports(path):
        together_on_the_ground = FLOOR_OF[own] == FLOOR_OF[unit] == 0
        assert FLOOR_OF[unit] < FLOOR_OF[own] or together_on_the_ground, f"{own} must not import {unit}"


def test_no_two_units_import_each_other():
    edges = {(unit_of(".".join(dotted(path))), unit) for path in HALOPY for unit in inner_imports(path)}
    assert {(a, b) for a, b in edges if (b, a) in edges} == set()


@pytest.mark.parametrize("path", HALOPY + AROUND, ids=relative)
def test_imports_stand_at_the_top(path):
    lazy = {found.module for found in imports(path) if found.lazy}
    assert {module for module in lazy if (relative(path), module) not in LAZY} == set()


def test_every_lazy_import_allowed_is_in_use():
    existing = {(relative(path), found.module) for path in HALOPY for found in imports(path) if found.lazy}
    assert {entry for entry in LAZY if (ROOT / entry[0]).exists()} <= existing


@pytest.mark.parametrize("path", HALOPY + AROUND, ids=relative)
def test_a_guarded_library_is_imported_in_its_place_only(path):
    for library, places in ONLY_IN.items():
        if any(found.module.split(".")[0] == library for found in imports(path)):
            assert relative(path).startswith(places)


@pytest.mark.parametrize("path", HALOPY, ids=relative)
def test_the_environment_is_read_in_instrument_only(path):
    if relative(path) == SAFE_HOME_OF_ENVIRONMENT:
        return
    attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    names = {name for found in imports(path) if found.module == "os" for name in found.names}
    assert not {"environ", "getenv", "environb", "putenv"} & (attributes | names)


@pytest.mark.parametrize("path", HALOPY + AROUND, ids=relative)
def test_nothing_runs_text_as_code_or_through_a_shell(path):
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    called = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
    assert not called & {"eval", "exec"}
    assert not any(keyword.arg == "shell" for node in calls for keyword in node.keywords)
    assert not any(ast.unparse(node.func) in {"os.system", "os.popen"} for node in calls)
    assert not {"pickle", "marshal", "shelve"} & {found.module for found in imports(path)}


@pytest.mark.parametrize("path", HALOPY, ids=relative)
def test_halopy_knows_nothing_of_what_is_built_on_it(path):
    assert not {found.module.split(".")[0] for found in imports(path)} & {"apps", "schedules", "autotuner", "tests"}


@pytest.mark.parametrize("path", AROUND, ids=relative)
def test_what_is_built_on_halopy_uses_its_public_names(path):
    inner = {found.module for found in imports(path) if found.module.startswith("halopy.")}
    assert inner == set(), "import halopy as hl, and what halopy/__init__.py exports"


@pytest.mark.parametrize("path", ALL, ids=relative)
def test_no_file_is_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", HALOPY + AROUND, ids=relative)
def test_a_module_opens_with_its_caption(path):
    empty = not tree(path).body
    assert (empty and path.name == "__init__.py") or ast.get_docstring(tree(path)), "say in one line what it holds"


@pytest.mark.parametrize("path", ALL, ids=relative)
def test_no_star_imports(path):
    assert not any("*" in found.names for found in imports(path))


def test_the_floors_are_told_apart():
    assert all(not low & high for low, high in pairwise(FLOORS))
