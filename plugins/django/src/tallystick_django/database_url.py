"""The URL of a Django database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.db import connections
from tallystick import ConfigurationError

_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile")
"""The options of a Django database that apply to each connection of libpq."""


def database_url(alias: str) -> str:
    """Return the URL of the store in a Django database. In a test run, this is the test database.

    Raises:
        ConfigurationError: The database is neither SQLite in a file nor PostgreSQL.
    """
    database = connections[alias]
    match database.vendor:
        case "sqlite":
            return _sqlite(alias, str(database.settings_dict["NAME"]))
        case "postgresql":
            return postgres_url(database.settings_dict)
    raise ConfigurationError(
        f"the database {alias!r} is of the vendor {database.vendor!r}; a store needs SQLite or PostgreSQL. Set "
        'TALLYSTICK = {"BACKEND": URL} to use another store'
    )


def is_in_memory(alias: str) -> bool:
    """Return whether a database is one of SQLite in memory, as in most test runs."""
    database = connections[alias]
    return database.vendor == "sqlite" and bool(database.is_in_memory_db())


def _sqlite(alias: str, name: str) -> str:
    if is_in_memory(alias):
        raise ConfigurationError(
            f"the database {alias!r} is in memory, where a worker cannot read it; for tests, name a file: "
            'DATABASES = {"default": {..., "TEST": {"NAME": BASE_DIR / "test.sqlite3"}}}'
        )
    return f"sqlite:///{quote(str(Path(name).absolute()))}"


def postgres_url(settings: Mapping[str, Any]) -> str:
    """Return the URL of a PostgreSQL database from its settings in Django."""
    user, password = quote(str(settings["USER"]), safe=""), quote(str(settings["PASSWORD"]), safe="")
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    host = str(settings["HOST"])
    options = {name: value for name in _LIBPQ if (value := settings["OPTIONS"].get(name))}
    if host.startswith("/"):  # the directory of a socket
        options, host = {"host": host, **options}, ""
    elif ":" in host:  # an address of IPv6
        host = f"[{host}]"
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{login}{host}{port}/{quote(str(settings['NAME']), safe='')}{query}"
