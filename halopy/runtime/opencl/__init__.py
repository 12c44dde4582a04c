"""Kernels of a pipeline on an OpenCL device, by way of pyopencl. Loaded when a pipeline first needs it."""

from .devices import current_device
from .memory import Memory, is_device_array, memory_of, wrapped
from .program import Program, load_program
from .run import DeviceRun

__all__ = [
    "DeviceRun",
    "Memory",
    "Program",
    "current_device",
    "is_device_array",
    "load_program",
    "memory_of",
    "wrapped",
]
