"""What broke a clause once, as JSON, so that later runs look there first. The format is our own, and has a version."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tallystick import CONTRACT_VERSION, ConfigurationError

from ..clauses import CLAUSES
from ..history.codec import decoded, encoded
from ..tracing import Step

SCHEMA = 1

_PLAIN = ("expected", "observed", "profile", "seed", "program", "schedule")
"""What JSON knows without being told how."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A program that broke a clause.

    Args:
        clause_id: The clause.
        expected: What should have been, in words or as a value.
        observed: What was.
        steps: The calls; none where the clause itself must be run again: by `profile` and `seed`.
        program: The calls as they were shown.
        profile: How much was tested.
        seed: What the run's drawing began from.
        schedule: What a schedule of interleaved calls was, as data, where there was one.
    """

    clause_id: str
    expected: str
    observed: str
    steps: tuple[Step, ...]
    program: tuple[str, ...]
    profile: str
    seed: int
    schedule: Any = None

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"trace-{self.clause_id}.json"

    def to_json(self) -> str:
        """Write as JSON."""
        told = {"schema": SCHEMA, "contract": CONTRACT_VERSION, "clause": self.clause_id}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return json.dumps({**told, **plain, "steps": [_step(step) for step in self.steps]}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is not that, or of another version.
        """
        told = json.loads(text)
        try:
            if told.pop("schema") != SCHEMA or told.pop("contract") != CONTRACT_VERSION:
                raise ValueError("it is of another version")
            steps = tuple(map(_made, told.pop("steps")))
            if told["clause"] not in CLAUSES:
                raise ValueError(f"no clause is called {told['clause']!r}")
            return cls(told.pop("clause"), steps=steps, program=tuple(told.pop("program")), **told)
        except (AttributeError, KeyError, TypeError) as exc:
            raise ValueError(f"it has not the form of a trace: {exc!r}") from exc


def read(folder: Path) -> Iterator[tuple[Path, Trace]]:
    """Yield the traces that are kept in a folder.

    Raises:
        ConfigurationError: One cannot be read.
    """
    for path in sorted(folder.glob("trace-*.json")):
        try:
            yield path, Trace.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise ConfigurationError(f"{path} is no trace that this kit can replay: {exc}; delete it") from exc


def keep(trace: Trace, folder: Path) -> None:
    """Keep a trace for later runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / trace.file_name).write_text(trace.to_json(), encoding="utf-8")


def _step(step: Step) -> dict[str, Any]:
    args, kwargs = [encoded(arg) for arg in step.args], {name: encoded(value) for name, value in step.kwargs.items()}
    return {"call": step.method, "args": args, "kwargs": kwargs, "refusal": step.refusal}


def _made(told: dict[str, Any]) -> Step:
    args, kwargs = tuple(map(decoded, told["args"])), {name: decoded(value) for name, value in told["kwargs"].items()}
    return Step(told["call"], args, kwargs, refusal=told["refusal"])
