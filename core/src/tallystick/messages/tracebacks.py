"""The part of a traceback that a user wants to see."""

from types import TracebackType

_OURS = "tallystick."


def traceback_of(exc: BaseException) -> TracebackType | None:
    """Return the traceback of an exception, from the first frame that is not Tallystick's. If all are, return all.

    So the traceback of a handler begins in the handler, and costs less to format.
    """
    whole: TracebackType | None = BaseException.__getattribute__(exc, "__traceback__")
    rest = whole
    while rest is not None and str(rest.tb_frame.f_globals.get("__name__")).startswith(_OURS):
        rest = rest.tb_next
    return whole if rest is None else rest
