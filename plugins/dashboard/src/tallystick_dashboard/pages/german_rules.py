"""The rule of a schedule in German words, made from its English ones phrase by phrase.

cronsim explains a rule in English only. cron-descriptor has German texts, but takes the names of days and months from
the locale of the machine.
"""

import re
from collections.abc import Callable, Iterator

_DAYS = {
    "Monday": "Montag", "Tuesday": "Dienstag", "Wednesday": "Mittwoch", "Thursday": "Donnerstag", "Friday": "Freitag",
    "Saturday": "Samstag", "Sunday": "Sonntag",
}  # fmt: skip
_MONTHS = {
    "January": "Januar", "February": "Februar", "March": "März", "April": "April", "May": "Mai", "June": "Juni",
    "July": "Juli", "August": "August", "September": "September", "October": "Oktober", "November": "November",
    "December": "Dezember",
}  # fmt: skip
_NAMES = _DAYS | _MONTHS
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_UNITS = {"second": "Sekunde", "minute": "Minute", "hour": "Stunde"}
_PLURALS = {"second": "Sekunden", "minute": "Minuten", "hour": "Stunden", "day": "Tage", "week": "Wochen"}
_EVERY = {"at every": "zu jeder", "past every": "in jeder", "of every": "jeder", "every": "jede"}
_AT = {"at": "zur ", "past": "in der ", "and": "und ", None: ""}
_LAST = {"day": "Tag", "weekday": "Werktag"}
_AT_MANY = {"at": "zu den", "past": "in den"}

_UNIT = "(second|minute|hour)"
_ORDINAL = rf"(\d+th|last|{'|'.join(_ORDINALS)})"
_DAY = f"({'|'.join(_DAYS)})"
_MONTH = f"({'|'.join(_MONTHS)})"
_TIME = r"\d\d:\d\d(?::\d\d)?"
_VALUE = rf"(\d+|{'|'.join(_NAMES)})"

_PHRASES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (rf"at ({_TIME}(?:(?:, and |, | and ){_TIME})*)", lambda m: f"um {_listed(m[1])} Uhr"),
    (rf"from ({_TIME}) through ({_TIME})", lambda m: f"von {m[1]} bis {m[2]} Uhr"),
    ("at the start of every hour", lambda _: "zu jeder vollen Stunde"),
    (r"every (\d+) (\w+)s", lambda m: f"alle {m[1]} {_PLURALS[m[2]]}"),
    (rf"of every(?: {_ORDINAL})? month", lambda m: f"jedes {_counted(m[1])}Monats"),
    (rf"(?:in )?every(?: {_ORDINAL})? month", lambda m: f"in jedem {_counted(m[1])}Monat"),
    (rf"(at every|past every|of every|every)(?: {_ORDINAL})? {_UNIT}",
     lambda m: f"{_EVERY[m[1]]} {_counted(m[2])}{_UNITS[m[3]]}"),
    (rf"(at|past|and)? ?{_UNIT} (\d+)", lambda m: f"{_AT[m[1]]}{_UNITS[m[2]]} {m[3]}"),
    (rf"(at|past) {_UNIT}s (\d+(?:(?:, and |, | and )\d+)*)",
     lambda m: f"{_AT_MANY[m[1]]} {_PLURALS[m[2]]} {_listed(m[3])}"),
    (rf"from {_VALUE} through {_VALUE}", lambda m: f"von {_name(m[1])} bis {_name(m[2])}"),
    (rf"on {_MONTH} (\d+)", lambda m: f"am {m[2]}. {_NAMES[m[1]]}"),
    (r"(?:on )?the last (day|weekday) of the month", lambda m: f"am letzten {_LAST[m[1]]} des Monats"),
    (r"on the last (day|weekday)", lambda m: f"am letzten {_LAST[m[1]]}"),
    (rf"(?:on )?the {_ORDINAL} {_DAY} of the month", lambda m: f"am {_counted(m[1])}{_NAMES[m[2]]} des Monats"),
    (rf"(?:on )?(the {_ORDINAL}(?:(?:, and |, | and )the {_ORDINAL})*) day of month",
     lambda m: f"am {_listed(re.sub(f'the {_ORDINAL}', lambda each: _counted(each[1]).strip(), m[1]))} Tag des Monats"),
    (rf"on the {_ORDINAL} day", lambda m: f"am {_counted(m[1])}Tag"),
    (rf"(?:on )?every(?: {_ORDINAL})? day of month", lambda m: f"an jedem {_counted(m[1])}Tag des Monats"),
    (rf"(?:on )?every(?: {_ORDINAL})? day of week", lambda m: f"an jedem {_counted(m[1])}Wochentag"),
    (r"every (day|week)", lambda m: {"day": "jeden Tag", "week": "jede Woche"}[m[1]]),
    (rf"if it's on {_DAY} through {_DAY}", lambda m: f"sofern {_NAMES[m[1]]} bis {_NAMES[m[2]]}"),
    (r"if it's(?: on(?= [A-Z]))?", lambda _: "sofern"),
    (rf"(on )?{_DAY} through {_DAY}", lambda m: f"{'von ' if m[1] else ''}{_NAMES[m[2]]} bis {_NAMES[m[3]]}"),
    (rf"on {_DAY}", lambda m: f"am {_NAMES[m[1]]}"),
    (rf"(?:in|of) {_MONTH}", lambda m: f"im {_NAMES[m[1]]}"),
    (rf"{_DAY}|{_MONTH}", lambda m: _NAMES[m[0]]),
    ("and", lambda _: "und"),
]  # fmt: skip


def german(english: str) -> str | None:
    """Return the German words of a rule; None if one of its phrases is not known."""
    words = [*_phrases(english[:1].lower() + english[1:])]
    if None in words:
        return None
    text = "".join(filter(None, words)).replace(" sofern ", ", sofern ")
    return text[:1].upper() + text[1:]


def _phrases(rest: str) -> Iterator[str | None]:
    while rest:
        for pattern, replacement in _PHRASES:
            if match := re.match(rf"(?:{pattern})(?![\w:])", rest):
                yield replacement(match)
                rest = rest[match.end() :]
                break
        else:
            yield None
            return
        separator = re.match(r", (?=and )|, | |", rest)
        assert separator is not None
        yield " " if rest.startswith(", and ") else separator[0]
        rest = rest[separator.end() :]


def _listed(english: str) -> str:
    """Return a list of values with the German conjunction."""
    return english.replace(", and ", " und ").replace(" and ", " und ")


def _counted(ordinal: str | None) -> str:
    """Return an English ordinal as digits with a full stop and a space."""
    if ordinal is None or ordinal == "last":
        return "" if ordinal is None else "letzten "
    number = _ORDINALS.index(ordinal) + 1 if ordinal in _ORDINALS else int(ordinal.removesuffix("th"))
    return f"{number}. "


def _name(value: str) -> str:
    return _NAMES.get(value, value)
