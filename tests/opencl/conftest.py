"""What tests on a device share."""

from __future__ import annotations

import pytest

import halopy as hl


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
