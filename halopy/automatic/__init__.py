"""Schedules without an expert: from a program and the sizes to be expected to directives, as values."""

from .choices import Choice
from .machine import Machine
from .schedule import automatic_schedule

__all__ = ["Choice", "Machine", "automatic_schedule"]
