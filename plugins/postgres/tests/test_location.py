from datetime import timedelta

import pytest
from tallystick import ConfigurationError
from tallystick_postgres import PostgresBackend
from tallystick_postgres.location import Location


def test_options_and_libpq_options() -> None:
    """Unknown options are passed to libpq, and both kinds have defaults."""
    location = Location.parse("postgresql://u:p@h:1/d?schema=s&timeout=2&pool_size=3&notify=no&sslmode=disable")
    assert location.options.schema_ == "s"
    assert location.options.timeout == timedelta(seconds=2)
    assert location.options.pool_size == 3
    assert not location.options.notify
    assert "sslmode=disable" in location.conninfo
    assert "application_name=tallystick" in location.conninfo
    assert Location.parse("postgresql:///d?host=/tmp&connect_timeout=3").conninfo.count("connect_timeout") == 1


@pytest.mark.parametrize(
    "url", ["postgres://u:secret@h/d?nope=1", "postgresql://u:secret@h:port/d", "postgresql://h/d?pool_size=0"]
)
def test_bad_urls(url: str) -> None:
    """An invalid URL is rejected when it is parsed, and the message does not show its password."""
    with pytest.raises(ConfigurationError) as raised:
        PostgresBackend.from_url(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "a b", 'a"; DROP SCHEMA x; --', "a.b", "%s", "ä", "{schema}", "x" * 51])
def test_hostile_schema_names(name: str) -> None:
    """An invalid schema name is rejected, and the message lists the allowed characters."""
    with pytest.raises(ConfigurationError, match="characters of A-Z, a-z, 0-9"):
        PostgresBackend.from_url(f"postgresql://h/d?schema={name.replace('%', '%25').replace(' ', '%20')}")


def test_reserved_schema_names() -> None:
    """A schema name that PostgreSQL reserves is rejected."""
    with pytest.raises(ConfigurationError, match="begins with pg_ is reserved"):
        PostgresBackend.from_url("postgresql://h/d?schema=pg_x")


def test_namespaces_are_schemas() -> None:
    """A namespace is another schema, and the other options are kept."""
    assert PostgresBackend.namespaced("postgresql://h/d", "a") == "postgresql://h/d?schema=tallystick_a"
    namespaced = PostgresBackend.namespaced("postgresql://h/d?schema=x-Y&notify=no", "a")
    assert namespaced == "postgresql://h/d?notify=no&schema=x-Y_a"
    with pytest.raises(ConfigurationError, match="1 to 50"):
        PostgresBackend.namespaced(f"postgresql://h/d?schema={'x' * 40}", "a" * 32)


def test_unusual_names_work(postgres_url: str) -> None:
    """Schema names keep capitals and hyphens."""
    with PostgresBackend.from_url(f"{postgres_url}?schema=My-Jobs") as backend:
        backend.setup()
        backend.pause("q")
        assert [queue.name for queue in backend.queues()] == ["q"]
        backend.teardown()
