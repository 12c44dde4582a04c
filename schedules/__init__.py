"""Schedules for the apps, written by hand; the reasons stand in the docstrings."""
