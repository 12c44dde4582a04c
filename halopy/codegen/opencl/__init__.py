"""Kernels of a device as OpenCL C."""

from .program_text import print_opencl

__all__ = ["print_opencl"]
