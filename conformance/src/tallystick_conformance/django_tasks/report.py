"""The results of the clauses on one backend."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .clauses import CLAUSES

Status = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """The status of each clause, and for each clause that did not pass, the reason."""

    target: str
    statuses: dict[str, Status]
    reasons: dict[str, str]

    @property
    def passed(self) -> bool:
        """Whether each clause was tested, and none failed."""
        return self.statuses.keys() == CLAUSES.keys() and "failed" not in self.statuses.values()

    def to_json(self) -> str:
        """Serialize."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "TaskReport":
        """Parse the JSON of `to_json`."""
        read: dict[str, Any] = json.loads(text)
        return cls(**read)

    def to_markdown(self) -> str:
        """Return a table with a row for each clause."""
        rows = "\n".join(
            f"| {id} | {CLAUSES[id].text} | {status} | {_cell(self.reasons.get(id, ''))} |"
            for id, status in self.statuses.items()
        )
        return f"| id | clause | {self.target} | reason |\n|---|---|---|---|\n{rows}\n"


def _cell(text: str) -> str:
    return text.splitlines()[0].replace("|", "\\|") if text else ""
