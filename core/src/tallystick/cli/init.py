"""`tallystick init`: write the first module of jobs into a project."""

import json
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from ..urls import redact
from . import show
from .new_files import write_new
from .options import Json, examples

EXAMPLES = examples("tallystick init", "tallystick init src/shop/jobs.py --backend postgresql://localhost/shop")

_DEFAULT = "sqlite:///jobs.db"

_MODULE = '''"""The runner of the application, and its jobs.

Start a worker: tallystick worker {module}:runner
"""

from datetime import timedelta

from tallystick import Context, Job, Runner

# Each setting can also come from the environment: TALLYSTICK_BACKEND, TALLYSTICK_CONCURRENCY and so on.
# `tallystick config show {module}:runner` prints all of them.
runner = Runner({backend}, concurrency=10, timeout=timedelta(minutes=5))


@runner.register
class Greet(Job[str]):
    """Greet a person. A job may run more than once, so make it safe to repeat."""

    kind = "people:greet"
    name: str  # the fields are the payload

    def work(self, ctx: Context) -> str:
        """Return the greeting, which is the result of the job."""
        return f"Hello, {{self.name}}!"
'''

File = Annotated[Path, typer.Argument(metavar="FILE", help="The module to write.", dir_okay=False)]
Backend = Annotated[str, typer.Option(metavar="URL", help="The store of the jobs.")]


def init(file: File = Path("app/jobs.py"), *, backend: Backend = _DEFAULT, as_json: Json = False) -> None:
    """Write a module with a runner and a first job into your project.

    The file is relative to the current directory, which is the root of your
    project; a first part "src" is not part of the module's name. Existing
    files are not changed.

    With --json: an object with the keys files and module.
    """
    if redact(backend) != backend:
        raise ConfigurationError(
            "--backend has a password, which does not belong in code; leave it out here, and set TALLYSTICK_BACKEND"
        )
    module = _module(file)
    packages = [folder for folder in _packages(file) if not folder.exists()]
    texts = {folder / "__init__.py": "" for folder in packages}
    texts[file] = _MODULE.format(module=module, backend=json.dumps(backend, ensure_ascii=False))
    write_new(texts)
    if as_json:
        show.document({"files": [str(each) for each in texts], "module": module})
        return
    command = "PYTHONPATH=src tallystick" if file.parts[0] == "src" else "tallystick"
    typer.echo(f"wrote {show.printable(str(file))}\n\nStart a worker:\n\n    {command} worker {module}:runner\n")
    payload = """'{"name": "Ada"}'"""
    typer.echo("Enqueue the job in another terminal:\n")
    typer.echo(f"    {command} run people:greet --payload {payload} --runner {module}:runner --wait 10")


def _packages(file: Path) -> list[Path]:
    """Return the folders that are packages, the outermost first."""
    start = 1 if file.parts[0] == "src" else 0
    return [Path(*file.parts[: index + 1]) for index in range(start, len(file.parts) - 1)]


def _module(file: Path) -> str:
    if file.is_absolute() or ".." in file.parts or file.suffix != ".py":
        raise ConfigurationError(f"FILE is {file}; it must be a .py file below the current directory, e.g. app/jobs.py")
    parts = [*file.parts[1 if file.parts[0] == "src" else 0 : -1], file.stem]
    if odd := [part for part in parts if not part.isidentifier() or iskeyword(part)]:
        raise ConfigurationError(f"FILE is {file}; {odd[0]!r} cannot be the name of a module or package")
    return ".".join(parts)
