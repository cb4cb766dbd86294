"""Rules of schedules, the ticks that follow from them, and the values that a store keeps.

Everything here is pure. A store compares and stores times; it never reads a rule.
"""

from .advance import MOST_TICKS, Advance
from .due import ON_TIME, Due, due_ticks
from .new_schedule import Missed, NewSchedule
from .parsing import LONGEST_RULE, parse_rule
from .rule import Rule
from .schedule import Schedule, tick_of
from .tick_ids import tick_id

__all__ = [
    "LONGEST_RULE",
    "MOST_TICKS",
    "ON_TIME",
    "Advance",
    "Due",
    "Missed",
    "NewSchedule",
    "Rule",
    "Schedule",
    "due_ticks",
    "parse_rule",
    "tick_id",
    "tick_of",
]
