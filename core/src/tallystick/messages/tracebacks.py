"""The part of a traceback that a user wants to see, as text."""

from traceback import StackSummary, TracebackException, format_tb
from types import CodeType, TracebackType
from typing import Any

_OURS = "tallystick."

_HEADER = "Traceback (most recent call last):\n"

_MOST_TEXTS = 256
"""The maximum number of stacks whose text is kept."""

_DEEPEST = 100
"""The maximum number of frames of a stack whose text is kept."""


def traceback_of(exc: BaseException) -> TracebackType | None:
    """Return the traceback of an exception, from the first frame that is not Tallystick's. If all are, return all.

    So the traceback of a handler begins in the handler, and costs less to format.
    """
    whole: TracebackType | None = BaseException.__getattribute__(exc, "__traceback__")
    rest = whole
    while rest is not None and str(rest.tb_frame.f_globals.get("__name__")).startswith(_OURS):
        rest = rest.tb_next
    return whole if rest is None else rest


def format_traceback(exc: BaseException, traceback: TracebackType | None) -> str:
    """Format an exception exactly as the standard library does, but faster if the same lines raised one before.

    The texts of recent stacks are kept. So they show the source as it was when the first exception was formatted.
    Causes, groups, notes and messages are formatted each time.

    Raises:
        BaseException: The exception's own code or a module's loader raised it.
    """
    formatted = TracebackException(type(exc), exc, traceback, limit=0, compact=True)
    if traceback is not None and not (formatted.__cause__ or formatted.__context__ or formatted.exceptions):
        return "".join((_HEADER, _text_of(traceback), *formatted.format_exception_only()))
    _add_stacks(formatted, exc, traceback)
    return "".join(formatted.format())


def _add_stacks(formatted: TracebackException, exc: BaseException, traceback: TracebackType | None) -> None:
    unfinished = [(formatted, exc, traceback)]
    while unfinished:
        part, source, its_traceback = unfinished.pop()
        if its_traceback is not None:
            part.stack = _FormattedStack([_text_of(its_traceback)])  # type: ignore[list-item]
        parts = [(part.__cause__, source.__cause__), (part.__context__, source.__context__)]
        if part.exceptions is not None and isinstance(source, BaseExceptionGroup):
            parts += zip(part.exceptions, source.exceptions, strict=True)
        unfinished += [(part, source, source.__traceback__) for part, source in parts if part and source is not None]


class _FormattedStack(StackSummary):
    """A stack whose only item is its text, in place of the frames."""

    def format(self, **options: Any) -> list[str]:
        """Return the text."""
        return list(map(str, self))


_texts: dict[tuple[int, ...], tuple[str, list[CodeType]]] = {}
"""Texts of stacks by the ids of their code, and the instructions there. No other code gets these ids, as it is kept."""


def _text_of(traceback: TracebackType) -> str:
    places: list[int] = []
    codes: list[CodeType] = []
    rest: TracebackType | None = traceback
    while rest is not None:
        codes.append(rest.tb_frame.f_code)
        places += id(codes[-1]), rest.tb_lasti
        rest = rest.tb_next
    key = tuple(places)
    if found := _texts.get(key):
        return found[0]
    text = "".join(format_tb(traceback))
    if len(codes) <= _DEEPEST:
        if len(_texts) >= _MOST_TEXTS:
            _texts.clear()
        _texts[key] = text, codes
    return text
