"""Names of what a kernel on a device knows about where it runs, as Vars of its body."""

from __future__ import annotations

from ...ir.expr import Expr, Var

MOST_DIMENSIONS = 3  # of blocks, and of threads, that devices number


def group(dim: int) -> Expr:
    """The number of the block in this dimension, from 0."""
    return Var(f"device.group.{dim}")


def thread(dim: int) -> Expr:
    """The number of the thread in its block, in this dimension, from 0."""
    return Var(f"device.thread.{dim}")


def threads_of(dim: int) -> Expr:
    """How many threads the block has in this dimension."""
    return Var(f"device.threads.{dim}")


def is_device_name(name: str) -> bool:
    return name.startswith("device.")
