"""The counters of PostgreSQL: statements and round trips on the wire; commits, WAL and buffers in the server."""

from contextlib import closing

import psycopg
from cost import plain_path
from cost.ledger import StoreCosts
from servers import postgres_server
from tallystick import open_backend
from tallystick_conformance.gates.chunks import server_of, through
from tallystick_conformance.gates.proxy import Link, Proxy, Traffic

SETTINGS = {
    # write no page as a whole to the WAL: which pages are, depends on the time of the last checkpoint
    "full_page_writes": "off",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "all",
}
"""The settings of a server whose counters depend on nothing but the calls."""

_READ = """
SELECT
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
    pg_current_wal_insert_lsn() - '0/0',
    (SELECT sum(calls) FROM pg_stat_statements WHERE NOT toplevel),
    (
        SELECT sum(shared_blks_hit + shared_blks_read) FROM pg_stat_statements
        WHERE toplevel AND query NOT LIKE '%pg_stat_statements%'
    )
"""
"""A transaction gets a number from `xmax` when it first writes, so the difference of two is the number of commits."""


class Wire(Traffic):
    """Counts the statements and the round trips of all connections.

    Source: https://www.postgresql.org/docs/18/protocol-message-formats.html
    """

    def __init__(self) -> None:
        self.statements = 0
        self.round_trips = 0
        self._unread: dict[Link, bytes] = {}
        self._started: set[Link] = set()
        self._asking: set[Link] = set()

    def asked(self, link: Link, chunk: bytes) -> None:
        """Count the statements of a chunk. The first chunk after an answer begins a round trip."""
        self.round_trips += link not in self._asking
        self._asking.add(link)
        self._unread[link] = self._read(link, self._unread.get(link, b"") + chunk)
        link.ask(chunk)

    def answered(self, link: Link, chunk: bytes) -> None:
        """End a round trip."""
        self._asking.discard(link)
        link.answer(chunk)

    def _read(self, link: Link, data: bytes) -> bytes:
        """Read the messages, and return the incomplete rest. The messages before the start have no type."""
        while len(data) >= 8 or (link in self._started and len(data) >= 5):
            typed = link in self._started
            end = typed + int.from_bytes(data[typed : typed + 4], "big")
            if len(data) < end:
                break
            if typed:
                self.statements += data[:1] in (b"Q", b"E")  # Query and Execute
            elif data[4:6] == b"\0\3":  # the protocol's version; other first messages ask for encryption
                self._started.add(link)
            data = data[end:]
        return data


def measure() -> StoreCosts:
    """Return the costs on a server that loses no commit."""
    wire = Wire()
    with (
        postgres_server(durable=True, **SETTINGS) as server,
        psycopg.connect(server.url, autocommit=True) as observer,
    ):
        observer.execute("CREATE EXTENSION pg_stat_statements")
        address = server_of(server.url)
        assert address is not None

        def read() -> dict[str, int]:
            row = observer.execute(_READ).fetchone()
            assert row is not None
            counters = zip(("commits", "wal_bytes", "statements_in_triggers", "buffers"), map(int, row), strict=True)
            return {"statements": wire.statements, "round_trips": wire.round_trips, **dict(counters)}

        with closing(Proxy(address, wire)) as proxy, open_backend(through(server.url, proxy)) as backend:
            backend.setup()
            return plain_path.measure(backend, read)
