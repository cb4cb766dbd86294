"""Write the files of a template into a project."""

from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigurationError


def write_new(texts: Mapping[Path, str]) -> None:
    """Write new files. Write none if one exists.

    Raises:
        ConfigurationError: a file exists, or cannot be written.
    """
    if existing := [str(file) for file in texts if file.exists()]:
        raise ConfigurationError(f"{existing[0]} exists already, and no file was written; move it, or use another name")
    for file, text in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise ConfigurationError(f"{file} cannot be written: {exc.strerror}") from exc
