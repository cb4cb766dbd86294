"""The documents about jobs and schedules have what the store has."""

from datetime import timedelta
from typing import get_type_hints

import pytest
from starlette.testclient import TestClient
from tallystick import Record, Runner, Schedule, UniqueUntil
from tallystick_dashboard.control.documents import ErrorDocument, JobDetails, JobDocument
from tallystick_dashboard.control.schedules import ScheduleDocument

from .application import add
from .conftest import BROWSER, Visit

STORES = ("memory",)

OF_ONE_JOB = {"payload", "result", "meta", "errors", "progress"}
"""The fields of a record that only the document of one job has."""

NOT_SHOWN = {"revision", "created_at", "meta"}
"""The fields of a schedule that its document lacks."""


def test_a_job_in_a_list_has_the_fields_and_types_of_its_record() -> None:
    """A new field or another type of `Record` fails this test until the document has it."""
    record, document = get_type_hints(Record), get_type_hints(JobDocument)
    same = {name: type_ for name, type_ in record.items() if name not in OF_ONE_JOB}
    changed = {"tags": list[str], "last_error": ErrorDocument | None}
    assert {name: document[name] for name in JobDocument.model_fields} == same | changed
    assert set(JobDetails.model_fields) > OF_ONE_JOB


def test_a_schedule_has_the_fields_and_types_of_the_store() -> None:
    """A new field or another type of `Schedule` fails this test until the document has it."""
    schedule, document = get_type_hints(Schedule), get_type_hints(ScheduleDocument)
    changed = {"payload": document["payload"], "tags": list[str], "window": float, "declared": bool}
    same = {name: type_ for name, type_ in schedule.items() if name not in NOT_SHOWN}
    assert {name: document.get(name) for name in same} == same | changed


@pytest.mark.parametrize(
    ("until", "english", "german"),
    [
        ("started", "until it is started", "bis er beginnt"),
        ("finished", "until it has finished", "bis er beendet ist"),
        ("purged", "until it is purged", "bis sein Datensatz entfernt wird"),
        (
            timedelta(hours=2),
            "for 2 h from its creation",
            "2 h lang ab seinem Anlegen",
        ),
    ],
)
def test_the_time_of_a_unique_key_is_shown(
    visit: Visit, runner: Runner, until: UniqueUntil, english: str, german: str
) -> None:
    """In the words of the reader's language."""
    id = add(runner.backend, unique_key="k", unique_until=until)
    for language, text in (("en", english), ("de", german)):
        page: TestClient = visit({**BROWSER, "accept-language": language})
        assert text in page.get(f"/jobs/{id}").text.replace("\N{NO-BREAK SPACE}", " ")
