"""One snapshot for all viewers, metrics, and the timeout of a page."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient
from tallystick import NewRecord, Runner
from tallystick_dashboard.control.shared import KEPT, SharedReads

from .application import add, add_attempts, discard
from .conftest import PROGRAM, Visit


def test_all_viewers_share_one_read_per_interval() -> None:
    """A hundred calls within the interval read the store once; without viewers, nothing is read."""
    reads: list[float] = []
    clock = [0.0]
    shared = SharedReads(timedelta(seconds=5), clock=lambda: clock[0])
    for moment in (0.0, 1.0, 4.9, 5.0, 9.0, 100.0):
        clock[0] = moment
        for _ in range(100):
            shared.get("snapshot", lambda: reads.append(clock[0]))
    assert reads == [0.0, 5.0, 100.0]
    shared.forget()
    shared.get("snapshot", lambda: reads.append(clock[0]))
    assert len(reads) == 4


def test_reads_are_kept_by_key_up_to_a_number() -> None:
    """Each key has its own result. The one that was used least recently is dropped first."""
    shared = SharedReads(timedelta(hours=1))
    for key in range(KEPT):
        assert shared.get(key, lambda: "old") == "old"
    assert shared.get(0, lambda: "new") == "old"
    assert shared.get(KEPT, lambda: "new") == "new"
    assert shared.get(0, lambda: "new") == "old"
    assert shared.get(1, lambda: "new") == "new"


def test_a_read_that_an_action_overtakes_is_not_kept() -> None:
    """The result of a read that began before an action is never served after it."""
    shared = SharedReads(timedelta(hours=1))
    shared.get("snapshot", shared.forget)
    assert shared.get("snapshot", lambda: "new") == "new"


def test_a_snapshot_reads_no_statistics_and_few_jobs(program: TestClient, runner: Runner) -> None:
    """`stats` may read every record of a store, so no page calls it. Counts stop at 1,000, and due jobs at 100."""
    runner.backend.insert([NewRecord(kind="greet", payload=b"{}", queue="emails") for _ in range(1_002)])
    discard(runner.backend)
    stats = runner.backend.stats
    runner.backend.stats = None  # type: ignore[method-assign,assignment]
    try:
        for path in ("/jobs", "/metrics", "/api/failures", "/healthz"):
            assert program.get(path).status_code == 200
        overview = program.get("/api/overview").json()
    finally:
        runner.backend.stats = stats  # type: ignore[method-assign]
    assert overview["by_state"]["pending"] == {"count": 1_000, "complete": False}
    assert overview["by_state"]["discarded"] == {"count": 1, "complete": True}
    [queue] = overview["queues"]
    assert queue["due"] == {"count": 100, "complete": False}


def test_an_action_is_seen_at_once(visit: Visit, runner: Runner) -> None:
    """After an action the next page reads the store anew, whatever the interval."""
    client = visit(PROGRAM, interval=3_600)
    add(runner.backend)
    assert client.get("/api/queues").json()[0]["paused"] is False
    client.post("/api/queues/pause", json={"name": "emails"})
    assert client.get("/api/queues").json()[0]["paused"] is True


def test_metrics_in_the_format_of_prometheus(program: TestClient, runner: Runner) -> None:
    """Every line is a comment or a sample; names of queues are escaped."""
    add(runner.backend, queue='a "b" \\ c')
    discard(runner.backend, "LeaseExpired")
    answer = program.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'tallystick_jobs{queue="emails",state="pending"} 0' in lines
    assert 'tallystick_queue_due{queue="a \\"b\\" \\\\ c"} 1' in lines
    assert "tallystick_lost_leases 1" in lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    samples = {line.partition("{")[0].split()[0] for line in lines if not line.startswith("#")}
    assert samples <= names


def test_counters_of_attempts_only_rise(runner: Runner) -> None:
    """Minutes are added once they have ended, from the first call on."""
    from tallystick_dashboard import DashboardSettings  # noqa: PLC0415
    from tallystick_dashboard.control.metrics import Counters  # noqa: PLC0415
    from tallystick_dashboard.control.plane import ControlPlane  # noqa: PLC0415

    plane, counters = ControlPlane(runner, DashboardSettings()), Counters()
    now = datetime.now(UTC).replace(second=30, microsecond=0)
    assert counters.advance(plane, now) == {}
    add_attempts(runner.backend, completed=5, discarded=2)
    later = now + timedelta(minutes=3)
    for _ in range(2):
        [(key, rate)] = counters.advance(plane, later).items()
        assert (key, rate.completed, rate.discarded) == (("emails", "greet"), 5, 2)


def test_a_slow_store_ends_a_page_at_the_timeout(visit: Visit, runner: Runner) -> None:
    """The reader gets 503 with a reason, and the next page is served."""
    client = visit(PROGRAM, timeout=0.01)
    release = threading.Event()

    def slow(*_: object, **__: object) -> object:
        release.wait(600)
        return {}

    get = runner.backend.get
    runner.backend.get = slow  # type: ignore[method-assign,assignment]
    try:
        answer = client.get("/api/jobs/00000000-0000-0000-0000-000000000001")
    finally:
        release.set()
        runner.backend.get = get  # type: ignore[method-assign]
    assert answer.status_code == 503
    assert "did not respond within 0.01 seconds" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "settings",
    [
        {"port": 70_000},
        {"colour": "red"},
        {"language": "fr"},
        {"token": "short"},
        {"basic": "no-password"},
        {"mask": ("(",)},
        {"trusted_origins": ("https://example.com/",)},
        {"permissions": ("fly",)},
        {"interval": -1},
        {"unknown": 1},
    ],
)
def test_an_invalid_setting_is_explained(settings: dict[str, object]) -> None:
    """The error has the name of the setting, and never its value: it may be a secret."""
    from tallystick import ConfigurationError  # noqa: PLC0415
    from tallystick_dashboard import DashboardSettings  # noqa: PLC0415

    [(name, _)] = settings.items()
    with pytest.raises(ConfigurationError, match=name) as caught:
        DashboardSettings(**settings)
    assert "short" not in str(caught.value)
    assert "no-password" not in str(caught.value)


def test_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting has a variable; several names are separated with commas."""
    from tallystick_dashboard import DashboardSettings  # noqa: PLC0415

    monkeypatch.setenv("TALLYSTICK_DASHBOARD_ALLOWED_HOSTS", "a.example, b.example")
    monkeypatch.setenv("TALLYSTICK_DASHBOARD_PERMISSIONS", "requeue,cancel")
    monkeypatch.setenv("TALLYSTICK_DASHBOARD_INTERVAL", "2")
    monkeypatch.setenv("TALLYSTICK_DASHBOARD_READ_ONLY", "1")
    settings = DashboardSettings()
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.permissions == {"requeue", "cancel"}
    assert settings.interval == timedelta(seconds=2)
    assert settings.user("x").permissions == frozenset()


def test_a_slow_store_is_read_less_often() -> None:
    """After a read of two seconds the store rests for twenty."""
    reads: list[float] = []
    clock = [0.0]
    shared = SharedReads(timedelta(seconds=5), clock=lambda: clock[0])

    def read() -> None:
        reads.append(clock[0])
        clock[0] += 2.0

    for moment in (0.0, 12.0, 21.9, 22.0, 30.0):
        clock[0] = max(clock[0], moment)
        shared.get("snapshot", read)
    assert reads == [0.0, 22.0]
