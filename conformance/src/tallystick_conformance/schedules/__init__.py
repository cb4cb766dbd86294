"""Systematic schedules: small programs whose workers are pre-empted at each step. Importing this registers them."""

from . import drawn, pairs, scenarios, setups, sharing

__all__ = ["drawn", "pairs", "scenarios", "setups", "sharing"]
