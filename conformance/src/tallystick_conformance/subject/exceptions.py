"""Describe exceptions: their text, their causes and where the backend raised them."""

from collections.abc import Iterator
from pathlib import Path
from traceback import FrameSummary, extract_tb, format_exception_only


def origin(exc: BaseException) -> str:
    """Return where an exception was raised, in short form."""
    last = _deepest(exc, ())
    return f"at {Path(last.filename).name}:{last.lineno} in {last.name}" if last else "at an unknown line"


def described(exc: BaseException, sources: tuple[str, ...] = ()) -> str:
    """Describe an exception and its causes, each with its text, its notes and where it was raised.

    Args:
        exc: The exception.
        sources: Path prefixes of the backend's files. The deepest frame in these files counts as the origin.
    """
    return "\n".join(line for one in _chain(exc) for line in _lines(one, sources))


def _lines(exc: BaseException, sources: tuple[str, ...]) -> Iterator[str]:
    yield from "".join(format_exception_only(exc)).rstrip().splitlines()
    if last := _deepest(exc, sources):
        yield f"  at {last.filename}:{last.lineno} in {last.name}"


def _deepest(exc: BaseException, sources: tuple[str, ...]) -> FrameSummary | None:
    frames = extract_tb(exc.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(sources)] if sources else []
    return next(reversed(own or frames), None)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, each once."""
    seen: list[BaseException] = []
    one: BaseException | None = exc
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def is_interrupt(exc: BaseException | None) -> bool:
    """Return whether this is an interrupt or the end of a generator, or was raised while one of them was handled."""
    return exc is not None and (isinstance(exc, KeyboardInterrupt | GeneratorExit) or is_interrupt(exc.__context__))
