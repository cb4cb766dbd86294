"""`tallystick new job`: write a typed job and its test into a project."""

import json
import re
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ..contract import validation
from ..errors import ConfigurationError
from ..user_warnings import is_usual_kind
from . import new_backend, show
from .new_files import write_new
from .options import Json, examples

app = typer.Typer(no_args_is_help=True, help="Write a job and its test into your project, or a new backend.")

_IMPORTED = ("Job", "Context")

_JOB = '''"""The job {kind}."""

from tallystick import Context, Job


class {name}(Job[str]):
    """Say here what the job does."""

    kind = {kind}
{queue}
    subject: str  # the fields of the payload

    {define} work(self, ctx: Context) -> str:
        """Do the work, and return a result. A job may run more than once, so make it safe to repeat."""
        return f"done: {{self.subject}}"
'''

_TEST = '''"""Tests of the job {kind}."""

from tallystick.testing import run_job

from {module} import {name}


def test_{function}() -> None:
    """The job returns its result. Payload and result pass through JSON, as in a store."""
    assert run_job({name}(subject="first")) == "done: first"
'''


class Names(NamedTuple):
    """The names that follow from a kind: of the module and of the class."""

    module: str
    class_: str

    @classmethod
    def of(cls, kind: str) -> "Names":
        """Return the names for a kind.

        Raises:
            ConfigurationError: the kind has no words of ASCII letters and digits, or begins with a digit.
        """
        words = re.findall(r"[A-Za-z0-9]+", kind)
        if not words or not words[0][0].isalpha() or not kind.isascii():
            raise ConfigurationError(
                f"no class can be named after the kind {kind!r}; use ASCII letters, e.g. reports:generate"
            )
        class_ = "".join(word[0].upper() + word[1:] for word in words)
        if iskeyword(class_) or class_ in _IMPORTED:
            class_ += "Job"
        return cls("_".join(words).lower() + ("_job" if len(words) == 1 else ""), class_)


@app.command(
    "job",
    epilog=examples(
        "tallystick new job reports:generate --queue reports",
        "tallystick new job mail:send --path src/app/jobs --async",
    ),
)
def new_job(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind, as category:action.", show_default=False)],
    *,
    queue: Annotated[str, typer.Option(metavar="QUEUE", help="The queue of the job.")] = "default",
    path: Annotated[Path, typer.Option(metavar="DIR", help="The package of the job.", file_okay=False)] = Path("jobs"),
    tests: Annotated[Path, typer.Option(metavar="DIR", help="Where its test goes.", file_okay=False)] = Path("tests"),
    is_async: Annotated[bool, typer.Option("--async", help="Write an async handler.")] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Warn if the kind is not category:action.", show_default=False)
    ] = True,
    as_json: Json = False,
) -> None:
    """Write a typed job and its test. Existing files are not changed.

    The directories are relative to the current one, which is the root of your
    project; a first part "src" is not part of the module's name.

    With --json: an object with the keys kind, job and test (the files), and
    module.
    """
    validation.name(kind, "kind")
    validation.name(queue, "queue")
    names = Names.of(kind)
    module = _module(path, names)
    files = {
        path / f"{names.module}.py": _job(kind, queue, names, is_async=is_async),
        tests / f"test_{names.module}.py": _TEST.format(
            kind=json.dumps(kind), module=module, name=names.class_, function=names.module
        ),
    }
    if not path.exists():
        files[path / "__init__.py"] = '"""The jobs of the application."""\n'
    write_new(files)
    if check and not is_usual_kind(kind):
        typer.echo(
            f"warning: the kind {show.one_line(kind)} is not category:action, e.g. reports:generate; --no-check turns "
            "this warning off",
            err=True,
        )
    job, test, *_ = map(str, files)
    if as_json:
        show.document({"kind": kind, "job": job, "test": test, "module": module})
        return
    package, _, name = module.rpartition(".")
    typer.echo(f"wrote {job} and {test}\n\nRegister the job with your runner:\n")
    typer.echo(f"    {f'from {package} ' if package else ''}import {name}\n    runner.include({name})\n")
    typer.echo("Then run its test: python -m pytest " + test)


def _job(kind: str, queue: str, names: Names, *, is_async: bool) -> str:
    return _JOB.format(
        kind=json.dumps(kind),
        name=names.class_,
        queue="" if queue == "default" else f"    queue = {json.dumps(queue, ensure_ascii=False)}\n",
        define="async def" if is_async else "def",
    )


def _module(path: Path, names: Names) -> str:
    if path.is_absolute() or ".." in path.parts:
        raise ConfigurationError(f"--path is {path}; it must be below the current directory, e.g. app/jobs")
    parts = path.parts[1:] if path.parts[:1] == ("src",) else path.parts
    if odd := [part for part in parts if not part.isidentifier()]:
        raise ConfigurationError(f"--path is {path}; {odd[0]!r} cannot be the name of a package")
    return ".".join((*parts, names.module))


new_backend.register(app)
