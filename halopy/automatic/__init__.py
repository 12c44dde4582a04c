"""Schedules without an expert: from a program and the sizes to be expected to directives, as values."""

from .choices import Choice, Large
from .cost import Cost, LoopCost, NestCost, StageCost, predicted_cost
from .limits import CacheLimit, Limits
from .machine import Machine
from .schedule import automatic_schedule

__all__ = [
    "CacheLimit",
    "Choice",
    "Cost",
    "Large",
    "Limits",
    "LoopCost",
    "Machine",
    "NestCost",
    "StageCost",
    "automatic_schedule",
    "predicted_cost",
]
