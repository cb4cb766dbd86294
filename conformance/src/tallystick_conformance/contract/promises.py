"""Tie each sentence of the contract to the clauses that test it.

The sentences are read from the docstrings of the core. `promises.toml` has an entry for each part of the contract: a
module, a class, a method or a field. The entry lists the ties of each unit of the docstring, in the order of its
sentences. A unit is a labelled item such as `When`, an argument, an error, `Returns`, or `text` for everything else.

You can reword a sentence freely. If you add or remove one, a test fails until its unit has a tie for each sentence.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from pathlib import Path
from types import ModuleType

from tallystick import BackendError, errors
from tallystick.contract import (
    attempt_errors,
    backend,
    changes,
    failure,
    filters,
    meta,
    outcomes,
    progress,
    progress_report,
    records,
    registers,
    schedules,
)

from .clauses import CLAUSES

TABLE = Path(__file__).with_name("promises.toml")
NOTHING = "-"
"""Prefix of the tie of a sentence that no clause tests. The reason follows."""

Units = dict[str, list[str]]
"""The sentences of a docstring, or their ties, by unit."""

_ERRORS = (
    "InvalidArgument",
    "PayloadTooLarge",
    "ConfigurationError",
    *(e.__name__ for e in BackendError.__subclasses__()),
)
"""The errors that a backend raises. The runner raises the others."""

_MODULES = (
    backend,
    records,
    filters,
    failure,
    attempt_errors,
    meta,
    outcomes,
    progress,
    progress_report,
    changes,
    schedules.new_schedule,
    schedules.schedule,
    schedules.advance,
    schedules.tick_ids,
    registers.workers,
    registers.meters,
)

_TEXT = "text"
_HEADING = re.compile(r"(Args|Returns|Raises):$")
_LABEL = re.compile(r"- (?:\*(\w+)\.\*)?|([A-Z][a-z]+): | {4}`?(\w+)`?: ")
_NEXT = re.compile(r"(?<=[.])\s+(?=[A-Z`*])")


def sentences() -> dict[str, Units]:
    """Return the sentences of each part of the contract by unit, in the order in which they are written."""
    raised = (part for part in _parts(errors) if part[0] in _ERRORS)
    parts = [part for module in _MODULES for part in _parts(module)] + list(raised)
    return {name: _by_unit(cleandoc(doc)) for name, doc in parts}


def _parts(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the name and docstring of a module and its public classes, functions, methods and fields."""
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
        elif isinstance(node, ast.Assign | ast.AnnAssign) and (doc := _string(after)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield f"{of}{ast.unparse(target)}", doc


def _string(node: ast.stmt | None) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def _by_unit(doc: str) -> Units:
    found: Units = {}
    for unit, text in _paragraphs(doc):
        found.setdefault(unit, []).extend(_NEXT.split(text))
    return found


def _paragraphs(doc: str) -> Iterator[tuple[str, str]]:
    """Yield each paragraph, list item and entry of a section as one line, with the unit that it belongs to."""
    unit = _TEXT
    lines: list[str] = []
    for line in [*doc.splitlines(), ""]:
        heading, label = _HEADING.match(line), _LABEL.match(line)
        if lines and (heading or label or not line.strip()):
            yield unit, " ".join(lines).removeprefix("- ")
            lines, unit = [], _TEXT
        if heading:
            unit = heading[1]
        elif line.strip():
            unit = next(filter(None, label.groups()), _TEXT) if label else unit
            lines.append(line.strip())


@cache
def ties() -> dict[str, Units]:
    """Return the table: for each part, the ties of each unit."""
    return tomllib.loads(TABLE.read_text("utf-8"))


def ties_of(part: str) -> list[str]:
    """Return the ties of a part of the contract, in the order of its sentences."""
    return [tie for unit in ties().get(part, {}).values() for tie in unit]


def tied_sentences() -> dict[str, list[tuple[str, str]]]:
    """Return each sentence of each part with its tie."""
    return {
        part: [pair for unit, written in units.items() for pair in zip(written, ties()[part][unit], strict=True)]
        for part, units in sentences().items()
    }


def clauses_of(tie: str) -> list[str]:
    """Return the clauses that a tie names. `CLAIM-*` names every clause of the family."""
    if tie.startswith(NOTHING):
        return []
    return [
        id for word in tie.split() for id in CLAUSES if id == word or (word.endswith("*") and id.startswith(word[:-1]))
    ]


def promised_by() -> dict[str, list[str]]:
    """Return the parts of the contract that promise each clause."""
    found: dict[str, list[str]] = {id: [] for id in CLAUSES}
    for part in ties():
        for tie in ties_of(part):
            for id in clauses_of(tie):
                if part not in found[id]:
                    found[id].append(part)
    return found
