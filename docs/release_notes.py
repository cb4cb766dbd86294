"""Print the changelog's section of a release: `python docs/release_notes.py v1.2.3`.

The release workflow runs it with the tag. It fails if the tag is not the version, or the changelog has no such section.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of a release, without its heading.

    Raises:
        ValueError: The tag is not the version, or the changelog has no dated section for it.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but core/src/tallystick/_version.py has {version}: tag v{version}")
    section = re.search(rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if section is None:
        raise ValueError(f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD': rename 'Unreleased'")
    return section[1].strip() + "\n"


def main() -> None:
    """Print the notes of the tag that is given."""
    [tag] = sys.argv[1:]
    [version] = re.findall(r'__version__ = "(.+)"', (ROOT / "core/src/tallystick/_version.py").read_text())
    try:
        print(notes(tag, version, (ROOT / "CHANGELOG.md").read_text()), end="")
    except ValueError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
