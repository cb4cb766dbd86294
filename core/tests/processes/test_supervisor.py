"""The parts of a supervisor: requests to stop, limits, restarts."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from signal import SIGTERM
from threading import Thread

import pytest
from tallystick import ConfigurationError, Context
from tallystick.exit_status import how_it_ended
from tallystick.processes import Limits, Status, Supervisor, watched
from tallystick.processes.health import HealthServer
from tallystick.processes.limits import used_memory
from tallystick.processes.slot import Slot
from tallystick.signals import StopSignals

from ..helpers import LONG, MakeRunner, eventually


def test_a_request_and_the_first_signal_count_as_one() -> None:
    """A service manager may signal each process of a supervisor, too: that does not end the grace."""
    signals = StopSignals()
    signals.request()
    signals.wait(ended=lambda: False)
    assert not signals.again()
    signals.receive(SIGTERM, None)
    assert not signals.again()
    signals.receive(SIGTERM, None)
    assert signals.again()


def test_a_request_after_the_first_signal_does_not_hurry() -> None:
    """The order of signal and request does not matter; a request to hurry ends the grace."""
    signals = StopSignals()
    signals.receive(SIGTERM, None)
    signals.wait(ended=lambda: False)
    signals.request()
    assert not signals.again()
    signals.request(hurry=True)
    assert signals.again()


def test_limits() -> None:
    """A limit is reached at its value, and its reason is in words."""
    limits = Limits(age=timedelta(seconds=60), jobs=100, memory=2**30)
    assert limits.reached(seconds=59, jobs=99, memory=2**30 - 1) is None
    assert limits.reached(seconds=60, jobs=0, memory=0) == "it is 60 s old"
    assert limits.reached(seconds=0, jobs=100, memory=0) == "it has run 100 jobs"
    assert limits.reached(seconds=0, jobs=0, memory=2**30) == "it uses 1,024 MiB of memory"
    assert Limits().reached(seconds=1e9, jobs=10**9, memory=2**60) is None


def test_processes_do_not_reach_their_limits_together() -> None:
    """Age and jobs are lowered by a random part of at most a tenth."""
    spread = [Limits(age=timedelta(seconds=1_000), jobs=1_000, memory=7).spread() for _ in range(50)]
    assert all(each.jobs is not None and 900 <= each.jobs <= 1_000 and each.memory == 7 for each in spread)
    assert len({each.jobs for each in spread}) > 1
    assert len({each.age for each in spread}) > 1
    assert Limits(jobs=1).spread().jobs == 1


def test_memory_is_that_of_this_process() -> None:
    """The memory of a Python process is at least some megabytes."""
    assert used_memory() > 4 * 2**20


def test_a_worker_stops_at_its_limit(make_runner: MakeRunner) -> None:
    """Without a supervisor, `run` returns after about `jobs` jobs, and the process can exit."""
    runner, signals = make_runner(), StopSignals()

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None: ...

    runner.enqueue_batch([note.job(n) for n in range(20)])
    with watched(runner, signals, Limits(jobs=10), None):
        runner.start()
        signals.wait(ended=lambda: False)
    assert runner.snapshot().completed >= 9


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


BEAT = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.sendall(b'[1, 2, false, 30.0, false]\\n')"


@pytest.fixture
def slot() -> Iterator[Callable[[str], Slot]]:
    """Return a function that makes a slot whose processes run a program; kill them after the test."""
    made: list[Slot] = []

    def make(program: str, clock: Callable[[], float]) -> Slot:
        made.append(Slot(1, [sys.executable, "-c", program], b"plan", clock))
        return made[-1]

    yield make  # type: ignore[misc]  # the tests pass the clock
    for each in made:
        each.stop()


def test_pauses_grow_while_processes_die_soon(slot: Callable[..., Slot]) -> None:
    """Each early death doubles the pause; after a minute of life the pauses begin anew."""
    clock = Clock()
    dying = slot("import sys; sys.exit(3)", clock)
    for pause in (0.5, 1.0, 2.0):
        dying.start()
        pid = dying.pid
        assert eventually(dying.ended) == 3
        dying.start_again(3, pid)
        assert not dying.is_due
        clock.now += pause
        assert dying.is_due
    dying.start()
    eventually(dying.ended)
    clock.now += 60
    dying.start_again(3, None)
    clock.now += 0.5
    assert dying.is_due


def test_a_process_that_ends_well_is_replaced_at_once(slot: Callable[..., Slot]) -> None:
    """A process that worked and exited with 0 has reached a limit."""
    recycled = slot(BEAT, Clock())
    recycled.start()
    assert eventually(lambda: (recycled.ended(),)[0] == 0) is True
    recycled.start_again(0, 7)
    assert recycled.is_due
    assert recycled.beat is not None
    assert recycled.beat.memory == 2


def test_a_process_that_does_not_stop_is_killed(slot: Callable[..., Slot]) -> None:
    """It is killed 20 seconds after its grace period."""
    clock = Clock()
    deaf = slot(f"{BEAT}; import time, threading; threading.Event().wait()", clock)
    deaf.start()
    eventually(lambda: deaf.ended() is None and deaf.beat is not None)
    deaf.stop()
    clock.now += 49
    assert deaf.ended() is None
    clock.now += 1
    assert eventually(deaf.ended) == -9


def test_a_process_that_hangs_after_its_limit_is_killed(slot: Callable[..., Slot]) -> None:
    """A process that reports its end has as long to stop as one that was asked to, and is then replaced."""
    clock = Clock()
    hanging = slot(f"{BEAT.replace('false]', 'true]')}; import threading; threading.Event().wait()", clock)
    hanging.start()
    eventually(lambda: hanging.ended() is None and hanging.beat is not None)
    clock.now += 50
    assert eventually(hanging.ended) == -9
    hanging.start_again(-9, None)
    clock.now += 1
    assert hanging.is_due


@pytest.mark.parametrize(
    ("code", "words"), [(3, "exited with 3"), (-9, "was killed by SIGKILL"), (-99, "was killed by signal 99")]
)
def test_the_log_says_how_a_process_ended(code: int, words: str) -> None:
    """An exit code or the name of a signal."""
    assert how_it_ended(code) == words


def test_the_supervisor_gives_up_on_a_wrong_setting() -> None:
    """If the first process exits with 2 before any has worked, the others are not started."""
    supervisor = Supervisor([sys.executable, "-c", "import sys; sys.exit(2)"], b"", 3)
    assert supervisor.run(StopSignals()) == 2
    assert supervisor.status() == Status(False, supervisor.status().details)
    assert [each["restarts"] for each in supervisor.status().details["processes"]] == [0, 0, 0]


def test_the_supervisor_passes_a_hurry_on() -> None:
    """The second signal ends the grace of each process."""
    program = (
        f"{BEAT}\nf = s.makefile('rb')\nassert f.read(6) == b'4\\nplan'\nassert list(f) == [b'stop\\n', b'hurry\\n']"
    )
    program = program.replace("list(f)", "[f.readline(), f.readline()]")
    supervisor, signals, codes = Supervisor([sys.executable, "-c", program], b"plan", 1), StopSignals(), []
    thread = Thread(target=lambda: codes.append(supervisor.run(signals)))
    thread.start()
    eventually(lambda: supervisor.status().healthy)
    signals.receive(SIGTERM, None)
    signals.receive(SIGTERM, None)
    thread.join(LONG.total_seconds())
    assert codes == [0]


def test_a_probe_address_must_be_free() -> None:
    """A used or malformed address is an error that shows it."""
    server = HealthServer("127.0.0.1:0", lambda: Status(True, {}))
    with server.serving(), pytest.raises(ConfigurationError, match=rf"127.0.0.1:{server.port}"):
        HealthServer(f"127.0.0.1:{server.port}", lambda: Status(True, {}))
    with pytest.raises(ConfigurationError, match="pass HOST:PORT"):
        HealthServer("8080x", lambda: Status(True, {}))
