"""README and manual are run: each Python block is executed, in the order of its page, in an empty folder."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sybil import Sybil
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

collect_ignore = ["docs/examples"]
"""A distribution of its own, with tests of its own: `tests/test_example_backend.py` installs and proves it."""

_before: list[Any] = []


def _enter_empty_folder(namespace: dict[str, Any]) -> None:
    folder = TemporaryDirectory()
    _before.append((Path.cwd(), folder))
    os.chdir(folder.name)


def _leave_folder(namespace: dict[str, Any]) -> None:
    was, folder = _before.pop()
    os.chdir(was)
    folder.cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=_enter_empty_folder,
    teardown=_leave_folder,
).pytest()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the blocks of a page in their order: each goes on from the one before."""
    examples = [item for item in items if isinstance(item, SybilItem)]
    others = [item for item in items if not isinstance(item, SybilItem)]
    items[:] = sorted(examples, key=lambda item: (item.path, item.example.line)) + others
