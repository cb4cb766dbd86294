"""Check the prose of comments, docstrings and pages: `python docs/prose.py` fails if a pattern is too frequent.

Each pattern marks a sentence without an actor or with a private word. The budgets are the highest rates of codebases
with good prose: Solid Queue, Oban, River, APScheduler, zarr and PgQueuer.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Pattern(NamedTuple):
    """Words to avoid, and how often they may occur in 10,000 words."""

    name: str
    words: re.Pattern[str]
    budget: float


PATTERNS = (
    Pattern("headless what is/was/has", re.compile(r"\bwhat (is|was|has|have|are|were|had)\b", re.IGNORECASE), 5),
    Pattern("tell/told/tells", re.compile(r"\b(tell|tells|told|telling)\b", re.IGNORECASE), 1),
    Pattern("nobody/somebody/whoever", re.compile(r"\b(nobody|somebody|whoever)\b", re.IGNORECASE), 1),
    Pattern("meanwhile", re.compile(r"\bmeanwhile\b", re.IGNORECASE), 1),
)
PER = 10_000
_CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file that people read, each with the line that it begins at."""
    text = path.read_text()
    match path.suffix:
        case ".md":
            yield 1, _CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
        case ".sql":
            for number, line in enumerate(text.splitlines(), 1):
                if line.lstrip().startswith("--"):
                    yield number, line
        case ".py":
            yield from _docstrings(text)
            yield from _comments(text)


def _docstrings(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def main() -> int:
    """Print each pattern's rate, and where it occurs if that is too often."""
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md", "*.sql"], capture_output=True, text=True, check=True)
    found: dict[Pattern, list[str]] = {pattern: [] for pattern in PATTERNS}
    words = 0
    for path in map(Path, listed.stdout.split()):
        for start, text in prose(path):
            words += len(_WORD.findall(text))
            for pattern, places in found.items():
                for hit in pattern.words.finditer(text):
                    line = start + text.count("\n", 0, hit.start())
                    places.append(f"{path}:{line}: {text.splitlines()[line - start].strip()}")
    too_many = False
    for pattern, places in found.items():
        rate = len(places) * PER / words
        print(f"{pattern.name}: {rate:.1f} in {PER:,} words, at most {pattern.budget}")
        if rate > pattern.budget:
            too_many = True
            print(*places, sep="\n")
    return too_many


if __name__ == "__main__":
    sys.exit(main())
