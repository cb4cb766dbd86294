"""The text of a traceback."""

import logging
import sys
from collections.abc import Callable
from traceback import format_exception

import pytest
from tallystick.messages import tracebacks
from tallystick.messages.tracebacks import format_traceback

Raise = Callable[[], object]


@pytest.fixture(autouse=True)
def texts(monkeypatch: pytest.MonkeyPatch) -> dict[object, object]:
    """Begin without texts of stacks."""
    texts: dict[object, object] = {}
    monkeypatch.setattr(tracebacks, "_texts", texts)
    return texts


class Odd(Exception):
    """Has a message of several lines, and attributes."""

    def __str__(self) -> str:
        return "one\ntwo\x0cthree\u2028four"


class Broken(Exception):
    """Has no message."""

    def __str__(self) -> str:
        raise ValueError


def plain() -> None:
    """Raise an error."""
    raise ValueError("plain")


def in_expression() -> object:
    """Raise an error in a part of a line, which gets position markers."""
    values = {"a": {"b": None}}
    return len(values["a"]["b"]["c"])  # type: ignore[index]


def caused() -> None:
    """Raise an error with a cause."""
    try:
        plain()
    except ValueError as exc:
        raise KeyError("caused") from exc


def with_context() -> None:
    """Raise an error while another one is handled."""
    try:
        caused()
    except KeyError:
        in_expression()


def without_context() -> None:
    """Raise an error that hides the one that was handled."""
    try:
        plain()
    except ValueError:
        raise Odd from None


def noted() -> None:
    """Raise an error with notes."""
    try:
        plain()
    except ValueError as exc:
        exc.add_note("a note\nof two lines")
        exc.__notes__.append(3)  # type: ignore[arg-type]
        raise


def group() -> None:
    """Raise a group that contains a group, and errors with and without a traceback."""
    errors: list[Exception] = [Odd()]
    for one in (plain, with_context, noted, without_context):
        try:
            one()
        except Exception as exc:
            errors.append(exc)
    raise ExceptionGroup("outer", [ExceptionGroup("inner", errors), *errors])


def caused_by_group() -> None:
    """Raise an error whose cause is a group."""
    try:
        group()
    except ExceptionGroup as exc:
        raise OSError(2, "no file", "name") from exc


def recursive(depth: int = 50) -> None:
    """Raise an error below many equal frames."""
    if depth == 0:
        plain()
    recursive(depth - 1)


def endless() -> None:
    """Raise a RecursionError."""
    endless()


def misspelled() -> object:
    """Raise a NameError with a suggestion, which comes from the variables of the frame."""
    spelled = 1
    return speled + spelled  # type: ignore[name-defined]  # noqa: F821


def syntax() -> None:
    """Raise a SyntaxError with its own line."""
    compile("a = = 1", "<input>", "exec")


def generated() -> None:
    """Raise an error in code without source."""
    exec("def f():\n    raise ValueError('generated')\nf()")


def cyclic() -> None:
    """Raise two errors, each of which is the cause of the other."""
    first, second = ValueError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    raise first


def broken() -> None:
    """Raise an error whose message raises."""
    raise Broken


def exits() -> None:
    """Raise a SystemExit."""
    sys.exit(3)


SHAPES = (
    plain,
    in_expression,
    caused,
    with_context,
    without_context,
    noted,
    group,
    caused_by_group,
    recursive,
    endless,
    misspelled,
    syntax,
    generated,
    cyclic,
    broken,
    exits,
)


def _error(raises: Raise) -> BaseException:
    try:
        raises()
    except BaseException as exc:
        return exc
    raise AssertionError


@pytest.mark.parametrize("raises", SHAPES)
def test_the_text_is_that_of_the_standard_library(raises: Raise) -> None:
    """The text of an exception equals that of `traceback` and of `logging`, the first time and the next ones."""
    for _ in range(3):
        exc = _error(raises)
        info = (type(exc), exc, exc.__traceback__)
        assert format_traceback(exc, exc.__traceback__) == "".join(format_exception(*info))
        assert format_traceback(exc, exc.__traceback__).removesuffix("\n") == logging.Formatter().formatException(info)


@pytest.mark.parametrize("raises", SHAPES)
def test_the_text_of_a_part_of_the_traceback(raises: Raise) -> None:
    """The text with fewer frames, or with none, equals that of `traceback`."""
    exc = _error(raises)
    assert exc.__traceback__ is not None
    for rest in (exc.__traceback__.tb_next, None):
        assert format_traceback(exc, rest) == "".join(format_exception(type(exc), exc, rest))


def test_texts_are_kept_by_code_and_place(texts: dict[object, object]) -> None:
    """Errors of equal stacks share one text; other lines and equal code of another file have their own."""
    for _ in range(3):
        format_traceback(exc := _error(plain), exc.__traceback__)
    assert len(texts) == 1
    for name in ("first.py", "second.py"):
        function: dict[str, Raise] = {}
        exec(compile("def same():\n    raise ValueError", name, "exec"), function)
        exc = _error(function["same"])
        assert f'File "{name}", line 2, in same' in format_traceback(exc, exc.__traceback__)
    assert len(texts) == 3


def test_few_texts_are_kept(texts: dict[object, object]) -> None:
    """The number of texts is limited, and the text of a deep stack is not kept."""
    for number in range(tracebacks._MOST_TEXTS + 10):
        function: dict[str, Raise] = {}
        exec(compile("def same():\n    raise ValueError", f"{number}.py", "exec"), function)
        format_traceback(exc := _error(function["same"]), exc.__traceback__)
    assert 0 < len(texts) <= tracebacks._MOST_TEXTS
    texts.clear()
    format_traceback(exc := _error(endless), exc.__traceback__)
    assert not texts
