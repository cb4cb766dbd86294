"""The messages of errors: what happened, the value, and what to do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tallystick

ROOT = Path(__file__).parents[3]
FILES = sorted(
    [*(ROOT / "core" / "src").rglob("*.py"), *(ROOT / "plugins").glob("*/src/**/*.py")],
    key=str,
)
ERRORS = {
    name
    for name in tallystick.__all__
    if isinstance(getattr(tallystick, name), type) and issubclass(getattr(tallystick, name), tallystick.TallystickError)
}
ADVICE = re.compile(
    r"; |\b(must|needs)\b|\b(write|pass|select|install|choose|use|fork) |did you mean|e\.g\.|unknown_option",
    re.IGNORECASE,
)
"""A part that says what to do: an imperative, or the values that are allowed."""

WRAPPED = re.compile(r"(^|[:,] )\{(safe_str\()?(str\()?(exc|problem|problems|text|wrong|why)\b[^}]*\}$")
"""A message that ends with the text of another error, which says what is wrong. Its cause is chained."""

OF_OTHERS = {
    "_unavailable(exc, location)",
    "self._unknown(scheme)",
    "handlers.never_awaited(self.kind, result)",
    "_blocked(blocked)",
    "message.failure.type}: {message.failure.message",  # an exception of a handler
}
"""Values that are the whole message."""


def messages() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each message in the code, with each value as an expression in braces."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS and node.args:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", "".join(_parts(node.args[0]))


def _parts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            for value in values:
                yield from _parts(value)
        case ast.BinOp(left=left, right=right):
            yield from _parts(left)
            yield from _parts(right)
        case ast.FormattedValue(value=value):
            yield f"{{{ast.unparse(value)}}}"
        case _:
            yield f"{{{ast.unparse(node)}}}"


def test_each_message_says_what_to_do() -> None:
    """Each message has advice, or ends with the text of another error."""
    silent = [
        f"{place} {text}"
        for place, text in messages()
        if not ADVICE.search(text) and not WRAPPED.search(text) and text.strip("{}") not in OF_OTHERS
    ]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("text", ["x is 7", "job {id} was not found", "the {exc} failed"])
def test_a_silent_message_is_found(text: str) -> None:
    """The check rejects messages without advice."""
    assert not ADVICE.search(text)
    assert not WRAPPED.search(text)
