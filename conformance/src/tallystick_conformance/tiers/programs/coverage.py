"""Coverage of the table of state transitions by generated programs."""

from collections.abc import Mapping
from uuid import UUID

from tallystick import OnConflict, Record

from ...contract.eligibility import meets
from ...contract.ways import WAYS, Way
from ...subject.tracing import TracedCall


class Ways:
    """Collects the covered transitions. It observes the model, so a wrong backend does not change the coverage."""

    def __init__(self) -> None:
        self.taken: set[Way] = set()
        self._records: Mapping[UUID, Record] = {}

    def look(self, records: Mapping[UUID, Record], step: str | None) -> None:
        """Compare the records with those of the previous call of this method; `step` is the call made in between."""
        before, self._records = self._records, dict(records)
        if not isinstance(step, TracedCall):
            return
        for id in before.keys() | records.keys():
            old, new = before.get(id), records.get(id)
            if old is not new:
                way = Way(old and old.state, _by(step, old), new and new.state)
                if way in WAYS:
                    self.taken.add(way)


def _policy(step: TracedCall, record: Record) -> OnConflict | None:
    met = [new.on_conflict for new in step.args[0] if new.unique_key == record.unique_key and meets(record, new)]
    return met[-1] if met else None


def _by(step: TracedCall, record: Record | None) -> str:
    if step.method == "insert" and record is not None:
        return f"insert {_policy(step, record)}"
    if step.method != "settle" or record is None:
        return step.method
    outcome = next((outcome for outcome in step.args[0] if outcome.claim == record.claim), None)
    return f"settle {type(outcome).__name__}"
