"""Each sentence of the contract, and the clauses that test it.

The sentences are read from the docstrings of the core; `promises.toml` ties each to clauses, or says why it is nothing
that a store could break. A sentence that is changed or added is tied to nothing, and a test tells.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from pathlib import Path
from types import ModuleType

from tallystick import BackendError, backend, errors, outcomes, records

from .clauses import CLAUSES

TABLE = Path(__file__).with_name("promises.toml")
NOTHING = "-"
"""What the tie of a sentence that no clause tests begins with; the reason follows."""

_ERRORS = (
    "InvalidArgument",
    "PayloadTooLarge",
    "ConfigurationError",
    *(e.__name__ for e in BackendError.__subclasses__()),
)
"""The errors of stores; the others are raised by the runner."""

_HEADING = re.compile(r"(Args|Returns|Raises):$")
_BEGINNING = re.compile(r"- |[A-Z][a-z]+: | {4}`?\w+`?: ")
_NEXT = re.compile(r"(?<=[.])\s+(?=[A-Z`*])")


def sentences() -> dict[str, list[str]]:
    """Return the sentences of each part of the contract, in the order in which they are written."""
    raised = (part for part in _parts(errors) if part[0] in _ERRORS)
    parts = [*_parts(backend), *_parts(records), *_parts(outcomes), *raised]
    return {name: list(_sentences(doc)) for name, doc in parts}


def _parts(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield what has a docstring, methods and fields included, by its name."""
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    yield module.__name__.rpartition(".")[2], ast.get_docstring(tree) or ""
    yield from _members(tree.body, "")


def _members(body: list[ast.stmt], of: str) -> Iterator[tuple[str, str]]:
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            if doc := ast.get_docstring(node):
                yield f"{of}{node.name}", doc
            if isinstance(node, ast.ClassDef):
                yield from _members(node.body, f"{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and (doc := _text(after)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield f"{of}{ast.unparse(target)}", doc


def _text(node: ast.stmt | None) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def _sentences(doc: str) -> Iterator[str]:
    for unit in _units(cleandoc(doc)):
        yield from _NEXT.split(unit)


def _units(doc: str) -> Iterator[str]:
    """Yield paragraphs, items of a list and the entries of each section, each as one line."""
    lines: list[str] = []
    for line in [*doc.splitlines(), ""]:
        ends = not line.strip() or _HEADING.match(line) or _BEGINNING.match(line)
        if ends and lines:
            yield " ".join(lines).removeprefix("- ")
            lines = []
        if line.strip() and not _HEADING.match(line):
            lines.append(line.strip())


@cache
def ties() -> dict[str, dict[str, str]]:
    """Return the table: of each part, what each sentence is tied to."""
    return tomllib.loads(TABLE.read_text("utf-8"))


def clauses_of(tie: str) -> list[str]:
    """Return the clauses that a tie names, families written out as `CLAIM-*`."""
    if tie.startswith(NOTHING):
        return []
    return [
        id for word in tie.split() for id in CLAUSES if id == word or (word.endswith("*") and id.startswith(word[:-1]))
    ]


def promised_by() -> dict[str, list[str]]:
    """Return of each clause the parts of the contract that promise it."""
    found: dict[str, list[str]] = {id: [] for id in CLAUSES}
    for part, tied in ties().items():
        for tie in tied.values():
            for id in clauses_of(tie):
                if part not in found[id]:
                    found[id].append(part)
    return found
