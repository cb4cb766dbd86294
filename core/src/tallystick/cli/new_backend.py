"""`tallystick new backend`: write the distribution of a backend that passes the first clauses of the kit."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from ..hooks.plugins import installed
from . import show
from .new_files import write_new
from .options import Json, examples

_SCHEME = re.compile(r"[a-z][a-z0-9]{0,31}")
_SOURCES = ("__init__.py", "plugin.py", "backend.py", "store.py")
_OTHERS = {
    "pyproject.toml": "pyproject.toml.template",
    "README.md": "README.md.template",
    "tests/test_conformance.py": "test_conformance.py.template",
}

Scheme = Annotated[
    str, typer.Argument(metavar="NAME", help="The scheme of its URLs: acme for acme://...", show_default=False)
]
Folder = Annotated[
    Path | None, typer.Option("--path", metavar="DIR", file_okay=False, help="By default tallystick-NAME.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        "backend",
        epilog=examples("tallystick new backend acme", "tallystick new backend acme --path plugins/acme"),
    )(new_backend)


def new_backend(name: Scheme, *, path: Folder = None, as_json: Json = False) -> None:
    """Write a backend that passes the first clauses, to complete it.

    The distribution has the entry point, the methods of the contract, and a
    test with the conformance kit. It keeps jobs in memory until you replace
    its store. Its README lists the next steps.

    With --json: an object with the key files.
    """
    if not _SCHEME.fullmatch(name):
        raise ConfigurationError(f"{name!r} cannot be the scheme of a URL; use 1 to 32 of a-z and 0-9, e.g. acme")
    if taken := [offer.distribution for offer in installed().offers if offer.scheme == name]:
        raise ConfigurationError(f"{taken[0]} serves {name}:// already; choose another name")
    folder = path or Path(f"tallystick-{name}")
    texts = {folder / file: text for file, text in _texts(name).items()}
    write_new(texts)
    if as_json:
        show.document({"files": [str(file) for file in texts]})
        return
    typer.echo(f"wrote {len(texts)} files in {show.printable(str(folder))}\n\nInstall it, and run its tests:\n")
    typer.echo(f'    cd {show.printable(str(folder))}\n    pip install --editable ".[test]"\n    pytest\n')
    typer.echo("Then write the missing methods. README.md lists the next steps.")


def _texts(name: str) -> dict[str, str]:
    """Return the texts of the files, with the name in place of "acme"."""
    package = f"src/tallystick_{name}"
    templates = {f"{package}/{source}": source for source in _SOURCES} | _OTHERS
    template = files(__package__) / "backend_template"
    texts = {file: (template / source).read_text(encoding="utf-8") for file, source in templates.items()}
    named = {file: text.replace("acme", name).replace("Acme", name.capitalize()) for file, text in texts.items()}
    return {**named, f"{package}/py.typed": ""}
