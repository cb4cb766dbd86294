"""The systems that are compared: their adapters, environments and settings."""

from dataclasses import dataclass
from pathlib import Path

POSTGRES, SQLITE, MEMORY = "PostgreSQL", "SQLite", "memory"

WORKS = ("enqueue_one", "drain_1", "drain_2", "pick_up", "alone")
"""The works in their order. All systems do one work before they do the next."""

_REQUIREMENTS = Path(__file__).parent / "requirements"


@dataclass(frozen=True)
class System:
    """A system on one store.

    Args:
        name: For people.
        adapter: The module with its adapter.
        store: One of the stores above.
        settings: How it is configured, for people.
        left: A query that returns a row while jobs wait or run. None: its workers report each end.
        share: The share of the jobs that it works in a drain. A slow system would take minutes for all of them.
        works: The works that it can do. In memory, one process does all of them, `alone`.
        has_batches: Whether it can enqueue in batches.
    """

    name: str
    adapter: str
    store: str
    settings: str
    left: str | None = None
    share: float = 1.0
    works: tuple[str, ...] = WORKS[:-1]
    has_batches: bool = True

    @property
    def requirements(self) -> Path | None:
        """The file with the pinned packages of its environment. None: it runs in the environment of this project."""
        file = _REQUIREMENTS / f"{self.adapter.removeprefix('on_').replace('_', '-')}.txt"
        return file if file.exists() else None

    @property
    def is_limit(self) -> bool:
        """Whether this is a limit, not a system."""
        return self.name.startswith("limit")


_OURS = "default settings: 10 threads, batches of 1,000"
_RAW = "SELECT 1 FROM raw_jobs LIMIT 1"
_LOOPS = ("enqueue_one", "drain_1", "drain_2")
_ALONE = ("alone",)
_SAME_STATEMENTS = "the statements of Tallystick in a bare loop, batches of 1,000: fences, leases, kept records"
_BARE = "UPDATE and DELETE of 1,000 rows in a bare loop: no fence, no lease, no record"

_TALLYSTICK_POSTGRES = (
    "SELECT 1 FROM tallystick.jobs WHERE state IN ('pending', 'retrying') "
    "UNION ALL SELECT 1 FROM tallystick.jobs WHERE state = 'running' LIMIT 1"
)
_TALLYSTICK_SQLITE = "SELECT 1 FROM tallystick_jobs WHERE state IN ('pending', 'retrying', 'running') LIMIT 1"

SYSTEMS = (
    System("Tallystick", "on_tallystick", POSTGRES, _OURS, _TALLYSTICK_POSTGRES),
    System("PgQueuer", "on_pgqueuer", POSTGRES, "asyncpg, a pool, batches of 1,000", "SELECT 1 FROM pgqueuer LIMIT 1"),
    System(
        "Oban for Python",
        "on_oban",
        POSTGRES,
        "a queue of 200, uvloop",
        "SELECT 1 FROM oban_jobs WHERE state IN ('available', 'executing', 'scheduled', 'retryable') LIMIT 1",
        share=0.5,
    ),
    System(
        "Awa",
        "on_awa",
        POSTGRES,
        "a queue of 1,000, four claimers, COPY for batches; a drain ends with its last handler",
        share=0.5,
    ),
    System(
        "Procrastinate",
        "on_procrastinate",
        POSTGRES,
        "psycopg, 20 concurrent jobs",
        "SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') LIMIT 1",
        share=0.1,
    ),
    System(
        "django-ox",
        "on_django_ox",
        POSTGRES,
        "psycopg with Django's pool, 10 threads, polls every 100 ms",
        "SELECT 1 FROM django_ox_oxtask WHERE status IN ('READY', 'RUNNING', 'WAITING') LIMIT 1",
        share=0.1,
    ),
    System("limit, same guarantees", "on_backend", POSTGRES, _SAME_STATEMENTS, _TALLYSTICK_POSTGRES, works=_LOOPS),
    System("limit, no guarantees", "on_nothing", POSTGRES, _BARE, _RAW, works=_LOOPS),
    System("Tallystick", "on_tallystick", SQLITE, _OURS, _TALLYSTICK_SQLITE),
    System(
        "Huey",
        "on_huey",
        SQLITE,
        "`fsync=True`, no results, 4 threads, polls every 10 ms",
        "SELECT 1 FROM task LIMIT 1",
        share=0.2,
        has_batches=False,
    ),
    System(
        "litequeue",
        "on_litequeue",
        SQLITE,
        "its `synchronous` is NORMAL; a loop of `pop` and `done`, as it has no worker",
        "SELECT 1 FROM Queue WHERE status IN (0, 1) LIMIT 1",
        share=0.5,
        works=_LOOPS,
        has_batches=False,
    ),
    System("limit, same guarantees", "on_backend", SQLITE, _SAME_STATEMENTS, _TALLYSTICK_SQLITE, works=_LOOPS),
    System("limit, no guarantees", "on_nothing", SQLITE, _BARE, _RAW, works=_LOOPS),
    System("Tallystick", "on_tallystick", MEMORY, _OURS, works=_ALONE),
    System("Huey", "on_huey", MEMORY, "no results, 4 threads, polls every 10 ms", works=_ALONE),
    System("taskiq", "on_taskiq", MEMORY, "`InMemoryBroker`, which begins each job at its enqueue", works=_ALONE),
    System("limit", "on_nothing", MEMORY, "a heap and a dict", works=_ALONE),
)
