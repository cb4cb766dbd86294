"""`tallystick schedules`."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from tallystick import Backend, Filter, NewSchedule, Schedule

from .conftest import Cli

FIELDS: dict[str, Any] = {"kind": "report", "payload": b'{"n": 1}', "queue": "reports", "meta": {"team": "a"}}


@pytest.fixture
def report(store: Backend) -> Schedule:
    """Store a schedule."""
    return put(store, "report")


def put(store: Backend, name: str, rule: str = "30 3 * * *", **fields: Any) -> Schedule:
    """Store a schedule in Berlin."""
    return store.put_schedules([NewSchedule(name=name, rule=rule, zone="Europe/Berlin", **FIELDS | fields)])[0]


def test_list_shows_one_line_for_each_schedule(cli: Cli, store: Backend, report: Schedule) -> None:
    """`schedules list` shows rule, zone, kind, queue and ticks, and whether a schedule is paused."""
    put(store, "early", "0 0 1 1 *")
    assert cli("schedules", "pause", "early").out == "paused: early\n"
    header, early, late = cli("schedules", "list", COLUMNS="40").out.splitlines()
    assert header.split() == ["schedule", "rule", "zone", "kind", "queue", "last", "tick", "next", "tick"]
    assert early.startswith("early")
    assert early.endswith("paused")
    assert late.startswith("report    30 3 * * *  Europe/Berlin  report  reports  -          in ")
    assert [each["name"] for each in cli("schedules", "list", "--json").json] == ["early", "report"]


def test_show_prints_everything(cli: Cli, report: Schedule) -> None:
    """`schedules show` prints all fields, an explanation of the rule, and the payload as JSON."""
    out = cli("schedules", "show", "report").out
    assert out.startswith("explained")
    assert "\nrule          30 3 * * *\n" in out
    assert "\nmeta          team=a\n" in out
    assert out.endswith('\npayload\n{\n  "n": 1\n}\n')
    shown = cli("schedules", "show", "report", "--json").json
    assert list(shown) == list(Schedule._fields)
    assert (shown["window"], shown["payload"], shown["meta"]) == (86_400, {"n": 1}, {"team": "a"})


def test_pause_resume_and_remove_take_several_names(cli: Cli, store: Backend, report: Schedule) -> None:
    """Each command changes the schedules that exist, and reports the others; a repeat is harmless."""
    put(store, "other")
    result = cli("schedules", "pause", "report", "nope", "other")
    assert (result.code, result.out, result.err) == (
        0,
        "paused: report\npaused: other\n",
        "not paused: nope: no such schedule\n",
    )
    assert [each.paused for each in store.schedules()] == [True, True]
    assert cli("schedules", "resume", "report", "--json").json == ["report"]
    assert cli("schedules", "resume", "report", "--json").json == ["report"]
    assert [each.paused for each in store.schedules()] == [True, False]
    assert cli("schedules", "remove", "other", "report", "--json").json == ["other", "report"]
    result = cli("schedules", "remove", "report")
    assert (result.code, result.out, result.err) == (1, "", "not removed: report: no such schedule\n")


def test_run_inserts_a_job(cli: Cli, store: Backend, report: Schedule) -> None:
    """`schedules run` inserts a job that is due now, and prints its id."""
    id = cli("schedules", "run", "report", "--json").json["id"]
    [job] = store.list(Filter(tags=["schedule:report"]), limit=9)
    assert (str(job.id), job.payload, job.queue) == (id, b'{"n": 1}', "reports")
    assert cli("schedules", "run", "report").out.startswith("inserted job: ")


def test_next_shows_the_next_ticks_in_both_zones(cli: Cli, report: Schedule) -> None:
    """`schedules next` shows five ticks in UTC and in the schedule's zone."""
    ticks = [datetime.fromisoformat(text) for text in cli("schedules", "next", "report", "--json").json]
    assert len(ticks) == 5
    assert ticks[0] == report.next_tick
    assert all(later - earlier >= timedelta(hours=23) for earlier, later in pairwise(ticks))
    header, first = cli("schedules", "next", "report", "--count", 1).out.splitlines()
    assert header.split() == ["UTC", "zone"]
    assert first.startswith(f"{ticks[0].astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    assert " 03:30:00 CE" in first


@pytest.mark.parametrize("command", ["show", "run", "next"])
def test_an_unknown_schedule_is_not_found(cli: Cli, command: str) -> None:
    """A command about a schedule that does not exist exits with 1 and names it."""
    result = cli("schedules", command, "nope")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: schedule 'nope' was not found")
