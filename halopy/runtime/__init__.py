"""Compile kernel text, keep the result, call it on NumPy arrays."""

from .buffer import RawBuffer, empty
from .kernel import LoadedKernel, Scalar
from .loader import load

__all__ = ["LoadedKernel", "RawBuffer", "Scalar", "empty", "load"]
