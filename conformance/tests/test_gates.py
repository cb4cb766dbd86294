"""Gates: how steps are observed, which worker continues, and how blocked workers are handled."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from time import thread_time

import pytest
from tallystick import NewRecord, Unavailable
from tallystick_conformance.gates import Gate, StepObserver, Turn, jitter, steps_of
from tallystick_conformance.gates.chunks import Chunks, server_of, through
from tallystick_conformance.gates.gate import PATIENCE
from tallystick_conformance.gates.lines import Lines
from tallystick_conformance.gates.observer import OnStep
from tallystick_conformance.gates.proxy import Proxy, Traffic
from tallystick_conformance.gates.statements import Statements
from tallystick_conformance.harness.case import NOW
from tallystick_conformance.subject.target import Target
from tallystick_memory import MemoryBackend

from .served import ServedBackend, serving


class ByHand(StepObserver):
    """StepObserver that a test controls itself."""

    @contextmanager
    def armed(self, on_step: OnStep) -> Iterator[None]:
        """Register the callback for each step."""
        self._on_step = on_step
        yield

    def step(self) -> None:
        """Report a step."""
        self._on_step(None)


MEMORY = Target.of("memory://")


def run(work: dict[str, list[str]], schedule: list[Turn], lock: Lock) -> list[str]:
    """Run workers through named steps; `lock` and `unlock` take and release a lock."""
    steps, done = ByHand(), list[str]()

    def take(gate: Gate, name: str) -> None:
        with gate.worker(name):
            for step in work[name]:
                steps.step()
                if step == "compute":
                    compute(5 * PATIENCE)
                elif step == "lock":
                    lock.acquire()
                elif step == "unlock":
                    lock.release()
                done.append(f"{name} {step}")

    with Gate(steps, MEMORY, "gate", work) as gate:
        threads = [Thread(target=take, args=(gate, name)) for name in work]
        for thread in threads:
            thread.start()
        gate.run(schedule)
        for thread in threads:
            thread.join()
    return done


def compute(seconds: float) -> None:
    """Use the CPU for some time of this thread."""
    until = thread_time() + seconds
    while thread_time() < until:
        pass


def test_a_schedule_decides_who_goes_on() -> None:
    """Workers take their steps in the order of the turns, then the rest; the first turn starts a worker."""
    work = {"a": ["1", "2", "3"], "b": ["1", "2", "3"]}
    done = run(work, [Turn("b", 3), Turn("a", 2), Turn("b", 1)], Lock())

    assert done == ["b 1", "b 2", "a 1", "b 3", "a 2", "a 3"]


def test_a_blocked_worker_lets_the_other_go_on() -> None:
    """A worker that waits for another's lock loses its turn, and continues once the lock is free."""
    work = {"a": ["lock", "1", "unlock"], "b": ["lock", "unlock"]}
    done = run(work, [Turn("a", 2), Turn("b", None)], Lock())

    assert done[:2] == ["a lock", "a 1"]
    assert sorted(done) == ["a 1", "a lock", "a unlock", "b lock", "b unlock"]
    assert done.index("b lock") > done.index("a 1")


def test_a_worker_with_two_connections_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker continues if the gate holds two of its connections, and one of them sends nothing more."""
    monkeypatch.setattr("tallystick_conformance.gates.gate._LIMIT", 86_400.0)

    def work() -> None:
        with gate.worker("a"):
            other = Thread(target=gate.step, args=("a",))
            other.start()
            gate.step("a")
            other.join()

    with Gate(ByHand(), MEMORY, "gate", ["a"]) as gate:
        thread = Thread(target=work)
        thread.start()
        assert gate.run([Turn("a", None)]).steps == {"a": 3}
        thread.join()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this platform does not show the state of a thread")
def test_a_slow_worker_is_not_taken_for_blocked() -> None:
    """A worker that needs the CPU longer than a blocked worker may idle keeps its turn."""
    work = {"a": ["compute", "1"], "b": ["1", "2"]}
    done = run(work, [Turn("b", 2), Turn("a", 2), Turn("b", None)], Lock())

    assert done == ["b 1", "a compute", "b 2", "a 1"]


def test_the_steps_of_each_sort_of_store_are_seen(tmp_path: Path) -> None:
    """The steps are statements for SQLite, chunks for a store over TCP, and lines for a store in Python."""
    assert isinstance(steps_of(MEMORY), Lines)
    assert isinstance(steps_of(Target.of(f"sqlite:///{tmp_path}/x.db")), Statements)
    with serving() as url:
        assert isinstance(steps_of(Target.from_class(ServedBackend, url)), Chunks)


def test_nothing_stays_wrapped() -> None:
    """After a gate, connections open as before."""
    before = sqlite3.connect
    with Statements().armed(lambda _: None):
        assert sqlite3.connect is not before

    assert sqlite3.connect is before


def test_jitter_holds_workers_alike_for_a_seed() -> None:
    """A worker's delays depend only on the seed and its name, so a round can be repeated."""
    drawn = []
    for _ in range(2):
        with jitter(ByHand(), MEMORY, "jitter", seed=3) as gate, gate.worker("a"):
            gate.step()
            drawn.append([gate._random["a"].random() for _ in range(3)])

    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("acme://user:word@host:5432/db?x=1", ("host", 5432)),
        ("acme://host/db", None),
        ("acme://one:1,two:2/db", None),
        ("sqlite:////tmp/x.db", None),
        (None, None),
    ],
)
def test_a_server_is_what_a_url_names_with_its_port(url: str | None, server: tuple[str, int] | None) -> None:
    """A URL without a host and port does not count as a networked store."""
    assert server_of(url) == server


def test_a_proxy_forwards_refuses_and_accepts_again() -> None:
    """A client behind a proxy fails only while connections are refused, and the URL keeps its other parts."""
    with serving() as url:
        server = server_of(url)
        assert server is not None
        proxy = Proxy(server, Traffic())
        assert through(url, proxy) == f"served://127.0.0.1:{proxy.address[1]}/store"
        with ServedBackend.from_url(through(url, proxy)) as client:
            new = NewRecord(kind="k")
            client.insert([new], now=NOW)
            proxy.refuse()
            for error in (Exception, Unavailable):
                with pytest.raises(error):
                    client.get([new.id])
            proxy.accept()

            assert list(client.get([new.id])) == [new.id]
        proxy.close()


def test_lines_are_those_of_the_backends_packages() -> None:
    """The source files of a class in a single module are that module and the packages of its bases."""

    class Own(MemoryBackend):
        pass

    files = Lines(Own)._files

    assert __file__ in files
    assert any(file.endswith(("tallystick_memory/", "tallystick_memory\\")) for file in files)
