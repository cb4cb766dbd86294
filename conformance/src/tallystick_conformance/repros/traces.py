"""Store programs that broke a clause as versioned JSON files, so that later runs can replay them first."""

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
"""Fields that are stored as plain JSON."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A program that broke a clause.

    Args:
        clause_id: The clause.
        expected: The expected value, or a phrase.
        observed: The observed value, or a phrase.
        steps: The calls; empty if only the clause itself, with `profile` and `seed`, reproduces the violation.
        program: The calls as shown to people.
        profile: The profile of the run.
        seed: The seed of the run.
        schedule: The schedule of interleaved calls as data, if there was one.
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
        """The name of its file."""
        return f"trace-{self.clause_id}.json"

    def to_json(self) -> str:
        """Return the trace as JSON."""
        head = {"schema": SCHEMA, "contract": CONTRACT_VERSION, "clause": self.clause_id}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return json.dumps({**head, **plain, "steps": [_step(step) for step in self.steps]}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the JSON of a trace.

        Raises:
            ValueError: The text is not a trace, or has another version.
        """
        data = json.loads(text)
        try:
            if data.pop("schema") != SCHEMA or data.pop("contract") != CONTRACT_VERSION:
                raise ValueError(f"it does not have schema {SCHEMA} and contract {CONTRACT_VERSION}")
            steps = tuple(map(_made, data.pop("steps")))
            if data["clause"] not in CLAUSES:
                raise ValueError(f"no clause is called {data['clause']!r}")
            return cls(data.pop("clause"), steps=steps, program=tuple(data.pop("program")), **data)
        except (AttributeError, KeyError, TypeError) as exc:
            raise ValueError(f"it does not have the form of a trace: {exc!r}") from exc


def read(folder: Path) -> Iterator[tuple[Path, Trace]]:
    """Yield the traces in a folder.

    Raises:
        ConfigurationError: A trace cannot be read.
    """
    for path in sorted(folder.glob("trace-*.json")):
        try:
            yield path, Trace.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise ConfigurationError(f"this kit cannot replay {path}: {exc}; delete the file") from exc


def keep(trace: Trace, folder: Path) -> None:
    """Store a trace for later runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / trace.file_name).write_text(trace.to_json(), encoding="utf-8")


def _step(step: Step) -> dict[str, Any]:
    args, kwargs = [encoded(arg) for arg in step.args], {name: encoded(value) for name, value in step.kwargs.items()}
    return {"call": step.method, "args": args, "kwargs": kwargs, "refusal": step.refusal}


def _made(data: dict[str, Any]) -> Step:
    args, kwargs = tuple(map(decoded, data["args"])), {name: decoded(value) for name, value in data["kwargs"].items()}
    return Step(data["call"], args, kwargs, refusal=data["refusal"])
