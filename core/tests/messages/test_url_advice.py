"""Suggestions in the errors for URLs that users bring from other libraries."""

import pytest
from tallystick import ConfigurationError, open_backend


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql+psycopg://h/db", "write postgresql://"),
        ("postgresql+psycopg2://h/db", "write postgresql://"),
        ("postgresql+asyncpg://h/db", "write postgresql://"),
        ("postgres+asyncpg://h/db", "write postgresql://"),
        ("psql://h/db", "write postgresql://"),
        ("postgresql:db", "write postgresql://"),
        ("postgresql:/h/db", "write postgresql://"),
        ("host=localhost dbname=app", "write postgresql://"),
        ("mongodb+motor://h/db", "write mongodb://"),
        ("mongo://h/db", "write mongodb://"),
        ("mongodb:h", "write mongodb://"),
        ("sqlite+aiosqlite:///jobs.db", "write sqlite:///jobs.db"),
        ("sqlite+pysqlite:///jobs.db", "write sqlite:///jobs.db"),
        ("sqlite3:///jobs.db", "write sqlite:///jobs.db"),
        ("file:///jobs.db", "write sqlite:///jobs.db"),
        ("file:some.db", "write sqlite:///some.db"),
        ("sqlite:some.db", "write sqlite:///some.db"),
        ("sqlite://some.db", "write sqlite:///some.db"),
        ("sqlite://var/some.db", "write sqlite:///var/some.db"),
        ("some.db", "write sqlite:///some.db"),
        ("/var/lib/some.db", "write sqlite:////var/lib/some.db"),
        (":memory:", "write memory://"),
        ("memory", "write memory://"),
        ("memory:", "write memory://"),
        ("sqlite:///:memory:", "write memory://"),
        ("redis://h", "no backend for redis"),
        ("Redis+sentinel://h", "no backend for redis"),
        ("amqp://h", "no backend for amqp"),
        ("mysql+pymysql://h", "no backend for mysql"),
        ("acme://h", "usually named tallystick-acme"),
    ],
)
def test_advice(url: str, advice: str) -> None:
    """The error suggests a URL, or says that no such backend exists and lists the installed ones."""
    with pytest.raises(ConfigurationError) as caught:
        open_backend(url)
    assert advice in str(caught.value)


def test_installed_backends_are_listed() -> None:
    """For an unknown backend, the error lists the installed ones."""
    with pytest.raises(ConfigurationError, match=r"Installed: .*memory://.*postgresql://.*sqlite://"):
        open_backend("redis://h")


@pytest.mark.parametrize("url", ["postgres://h/db", "postgresql://h/db", "mongodb://h/db", "MEMORY://"])
def test_right_scheme(url: str) -> None:
    """The schemes of Tallystick's backends are accepted in upper and lower case."""
    open_backend(url).close()
