"""Systematic schedules: small programs whose workers are pre-empted at each step. Importing this registers them."""

from . import drawn, scenarios

__all__ = ["drawn", "scenarios"]
