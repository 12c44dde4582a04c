"""What all tests share: golden texts, and a compile cache of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import halopy as hl

_TESTS = Path(__file__).parent

settings.register_profile("halopy", deadline=None, derandomize=True, max_examples=50, print_blob=True)
settings.load_profile("halopy")


class Golden(str):
    """The text expected, kept in a file. Comparing with it rewrites the file under --update-golden.

    A subclass of str, so that pytest shows a difference line by line; as the subclass it is asked first by `==`.
    """

    path: Path
    update: bool

    @classmethod
    def at(cls, path: Path, *, update: bool) -> Golden:
        golden = cls(path.read_text(encoding="utf-8").removesuffix("\n") if path.exists() else "")
        golden.path, golden.update = path, update
        return golden

    def __eq__(self, other: object) -> bool:
        if self.update and isinstance(other, str):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(other + "\n", encoding="utf-8")
            return True
        if not self.path.exists():
            pytest.fail(f"no golden text {self.path.relative_to(_TESTS)}; write it with: pytest --update-golden")
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden; review the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """The text of this test, in tests/golden/<module>/<test>.txt: `assert str(result) == golden`. One text per test."""
    module = request.path.relative_to(_TESTS).with_suffix("")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", request.node.name).strip("-")
    return Golden.at(_TESTS / "golden" / module / f"{name}.txt", update=request.config.getoption("--update-golden"))


@pytest.fixture(scope="session", autouse=True)
def _cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads what an earlier run compiled; parallel workers of one run share one cache."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HALOPY_CACHE_DIR", str(shared / "halopy-cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _validated() -> Iterator[None]:
    """Every compilation of every test is validated in full, unless the caller asks for less."""
    with pytest.MonkeyPatch.context() as environment:
        if not os.environ.get("HALOPY_VERIFY"):
            environment.setenv("HALOPY_VERIFY", "full")
        yield


@pytest.fixture
def unvalidated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compilations are not validated: for tests that count what the compiler alone does."""
    monkeypatch.setenv("HALOPY_VERIFY", "off")


@pytest.fixture(scope="session")
def opencl() -> hl.Target:
    """The host with OpenCL, where there is a device: PoCL's comes with `halopy[test]`."""
    cl = pytest.importorskip("pyopencl")
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        pytest.skip(f"no OpenCL platform: {error}")
    if not any(platform.get_devices() for platform in platforms):
        pytest.skip("no OpenCL device")
    return hl.Target("host-opencl")
