"""Search the text of stored errors.

An error is stored as ASCII JSON, `{"type": "...", "message": "...", "traceback": "..."}`, which keeps NUL and lone
surrogates. The server cannot decode these, so it searches the JSON itself: by a pattern that begins at a character of
the type or the message.
"""

import json
import re

_CHARACTER = r'(?:[^"\\]|\\[^u]|\\u....)'
_PAIR = r"\\ud[89ab]..\\ud[c-f].."
_PAIR_OR_CHARACTER = rf'(?:[^"\\]|\\[^u]|{_PAIR}|\\u(?!{_PAIR[3:]})....)'
_NO_LOW_SURROGATE = r"(?!\\ud[c-f])"


def part(text: str) -> str:
    """Return a text as a part of stored JSON. Each error that contains the text contains this part."""
    return json.dumps(text)[1:-1]


def pattern(text: str) -> str:
    """Return a regular expression of PostgreSQL for the stored errors with a text in their type or message."""
    escaped = re.sub(r"([^0-9A-Za-z])", r"\\\1", part(text))
    character, end = _CHARACTER, ""
    if any(_is_surrogate(each) for each in text):  # it must not match half of a pair
        character = _PAIR_OR_CHARACTER
        end = _NO_LOW_SURROGATE if "\ud800" <= text[-1] < "\udc00" else ""
    return rf'^\{{"type": "(?:{character}*", "message": ")?{character}*{escaped}{end}'


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
