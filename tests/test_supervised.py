"""`tallystick worker --processes`: stop under load, restart, recycle, answer probes."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from urllib.request import urlopen

import pytest
from support import PATIENCE, eventually
from tallystick import Filter, NewRecord, State, open_backend
from terminations import check_books, runs, supervisor, terminate


def test_sigterm_under_load_loses_nothing(shared_url: str, tmp_path: Path) -> None:
    """SIGTERM to the supervisor drains all processes: exit 0, and each job has run once or waits with all attempts."""
    log = tmp_path / "log"
    jobs = 100 if shared_url.startswith("mongodb:") else 1_500
    with open_backend(shared_url) as backend:
        backend.setup()
        terminate(backend, shared_url, log, jobs=jobs, after=jobs // 2)
        check_books(backend, log)


@contextmanager
def supervising(url: str, log: Path, *options: str, processes: int = 2) -> Iterator[int]:
    """Run a supervisor inside the block, and yield its process id. It must then exit with 0."""
    with supervisor(url, log, *options, processes=processes) as process:
        try:
            yield process.pid
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0, err


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """Return the URL of a store."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    with open_backend(url) as backend:
        backend.setup()
    return url


def enqueue(url: str, *numbers: int, kind: str = "count") -> None:
    """Enqueue jobs with these numbers."""
    with open_backend(url) as backend:
        backend.insert([NewRecord(kind=kind, payload=str(number).encode()) for number in numbers])


def test_a_process_that_dies_is_replaced_and_probes_are_answered(file_url: str, tmp_path: Path) -> None:
    """After a kill -9 of its only process, the supervisor starts another, which works. The health address shows it."""
    log, port = tmp_path / "log", _free_port()
    with supervising(file_url, log, "--health", f"127.0.0.1:{port}", processes=1):
        enqueue(file_url, 0)
        eventually(lambda: len(runs(log)) == 1)
        [(_, _, pid)] = runs(log)
        eventually(lambda: _healthy(port) == [(pid, 0)])
        os.kill(pid, signal.SIGKILL)
        enqueue(file_url, 1)
        eventually(lambda: len(runs(log)) == 2)
        successor = runs(log)[1][2]
        assert successor != pid
        eventually(lambda: _healthy(port) == [(successor, 1)])


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _healthy(port: int) -> list[tuple[int, int]]:
    """Return the healthy processes, each with its number of restarts, from an answer with the status 200."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
            processes = json.load(answer)["processes"]
    except OSError:  # also 503
        return []
    return [(each["pid"], each["restarts"]) for each in processes if each["healthy"]]


def test_a_process_at_its_limit_is_replaced(file_url: str, tmp_path: Path) -> None:
    """With --max-jobs, a process ends after about as many jobs, and no job is lost."""
    log = tmp_path / "log"
    with supervising(file_url, log, "--max-jobs", "10", processes=1):
        for number in range(30):
            enqueue(file_url, number)
            eventually(lambda: len(runs(log)) == number + 1)  # noqa: B023  # called in this round
            if len({pid for _, _, pid in runs(log)}) > 1:
                break
            if number >= 10:
                eventually(lambda: _is_gone(runs(log)[0][2]))
    with open_backend(file_url) as backend:
        check_books(backend, log)
    assert len({pid for _, _, pid in runs(log)}) == 2


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")  # in a container, no one may reap an orphan
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_processes_stop_when_their_supervisor_is_killed(file_url: str, tmp_path: Path) -> None:
    """After a kill -9 of the supervisor, its processes drain and end, so that a new one does not add to them."""
    log = tmp_path / "log"
    with supervisor(file_url, log, processes=1) as process:
        enqueue(file_url, 0)
        eventually(lambda: len(runs(log)) == 1)
        process.kill()
    eventually(lambda: _is_gone(runs(log)[0][2]))
    with open_backend(file_url) as backend:
        assert check_books(backend, log) == (0, 1)
        assert backend.list(Filter(states=[State.RUNNING]), limit=1) == []


def test_a_job_that_kills_its_process_does_not_stop_the_others(file_url: str, tmp_path: Path) -> None:
    """While one job kills its process, the other jobs complete."""
    log = tmp_path / "log"
    with supervising(file_url, log, processes=2):
        enqueue(file_url, 1_000, kind="die")
        eventually(lambda: any(number == 1_000 for number, _, _ in runs(log)))
        enqueue(file_url, *range(50))
        eventually(lambda: {number for number, _, _ in runs(log)} >= {*range(50)})


def test_a_poison_job_is_discarded_and_the_others_complete(
    shared_url: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A job that kills its worker process each time ends discarded with the error of each attempt, and others go on."""
    if shared_url.startswith("mongodb:") and not pytestconfig.getoption("--backend"):
        pytest.skip("takes long on the tests' MongoDB server; --backend=mongo runs it")
    log = tmp_path / "log"
    with open_backend(shared_url) as backend:
        backend.setup()
        with supervising(shared_url, log, "--lease", "1", "--maintenance", "0.1", "--retry-base", "0", processes=2):
            [poison] = backend.insert([NewRecord(kind="die", payload=b"1000", max_attempts=3)])
            enqueue(shared_url, *range(5))
            eventually(lambda: backend.get([poison.record.id])[poison.record.id].state is State.DISCARDED)
            enqueue(shared_url, *range(5, 10))
            eventually(lambda: backend.stats().by_state[State.COMPLETED] == 10)
        record = backend.get([poison.record.id])[poison.record.id]
    assert [(error.attempt, error.error.type) for error in record.errors] == [
        (attempt, "LeaseExpired") for attempt in (1, 2, 3)
    ]
    assert len({pid for number, _, pid in runs(log) if number == 1_000}) == 3


def test_a_process_with_too_many_stuck_handlers_is_replaced(file_url: str, tmp_path: Path) -> None:
    """A process whose handlers do not return is replaced, and its successor works."""
    log = tmp_path / "log"
    options = "--concurrency", "1", "--lease", "1", "--grace", "0"
    with supervising(file_url, log, *options, processes=1):
        enqueue(file_url, 0, 1, kind="hang")
        eventually(lambda: len(runs(log)) == 2)  # the first one is replaced within its process
        stuck = {pid for _, _, pid in runs(log)}
        eventually(lambda: all(map(_is_gone, stuck)))
        enqueue(file_url, 2)
        eventually(lambda: len(runs(log)) == 3)
    assert len(stuck) == 1
    assert runs(log)[-1][2] not in stuck


def test_a_wrong_target_ends_the_supervisor(file_url: str, tmp_path: Path) -> None:
    """If the first process exits with 2, the supervisor prints its error and exits with 2."""
    with supervisor(file_url, tmp_path / "log", "--queues", "nowhere:0") as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "queue_weights" in err
    assert err.count("error: ") == 1
