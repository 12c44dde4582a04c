"""Compile kernel text, keep the result, call it on NumPy arrays."""

from .buffer import RawBuffer, empty
from .kernel import LoadedKernel, Scalar
from .loader import load
from .services import Handlers, collect_events
from .trace import TraceEvent

__all__ = ["Handlers", "LoadedKernel", "RawBuffer", "Scalar", "TraceEvent", "collect_events", "empty", "load"]
