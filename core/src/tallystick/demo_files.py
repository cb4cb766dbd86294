"""The jobs of `tallystick demo`: each reads one Python source file. The jobs of an application look the same."""

import ast
import sysconfig
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from .jobs.context import Context
from .jobs.job_base import Job
from .jobs.retry import Exponential

MAX_ATTEMPTS = 3


class Reading(BaseModel):
    """The counts of one file."""

    package: str
    path: str
    lines: int
    tokens: int
    functions: int
    longest_function: str | None = None
    longest_lines: int = 0


class ReadSource(Job[Reading]):
    """Tokenize and parse one file. A file that does not parse fails, is retried soon, and is discarded in the end."""

    kind = "demo:read_source"
    queue = "demo"
    max_attempts = MAX_ATTEMPTS
    retry = Exponential(base=timedelta(seconds=0.2), cap=timedelta(seconds=1))

    root: Path
    path: Path

    def work(self, ctx: Context) -> Reading:
        """Read the file."""
        source = (self.root / self.path).read_bytes()
        tokens = sum(1 for _ in tokenize.tokenize(BytesIO(source).readline))
        functions = list(_functions(ast.parse(source, filename=str(self.path))))
        name, length = max(functions, key=lambda function: function[1], default=(None, 0))
        return Reading(
            package=self.path.parts[0].removesuffix(".py"),
            path=str(self.path),
            lines=source.count(b"\n"),
            tokens=tokens,
            functions=len(functions),
            longest_function=name,
            longest_lines=length,
        )


def _functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def standard_library() -> Path:
    """Return the folder of this Python's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def find_sources(root: Path) -> list[ReadSource]:
    """Return a job for each `.py` file in a folder and its subfolders, except installed packages."""
    found = (path.relative_to(root) for path in sorted(root.rglob("*.py")))
    return [ReadSource(root=root, path=path) for path in found if "site-packages" not in path.parts]


@dataclass(slots=True)
class Totals:
    """The sums of many readings, by package."""

    files: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    longest: Reading | None = None

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> Self:
        """Return the sums of some readings."""
        totals = cls()
        for reading in readings:
            totals.files[reading.package] += 1
            totals.lines[reading.package] += reading.lines
            totals.functions[reading.package] += reading.functions
            if totals.longest is None or reading.longest_lines > totals.longest.longest_lines:
                totals.longest = reading
        return totals
