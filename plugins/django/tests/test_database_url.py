"""The URL of a Django database, as libpq reads it."""

from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from tallystick_django.database_url import postgres_url

SETTINGS: dict[str, Any] = {"NAME": "shop", "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}}


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({}, {}),
        ({"USER": "ada", "PASSWORD": "p@ss/w:rd?#%"}, {"user": "ada", "password": "p@ss/w:rd?#%"}),
        (
            {"USER": "ada", "HOST": "db.example.com", "PORT": 5433},
            {"user": "ada", "host": "db.example.com", "port": "5433"},
        ),
        ({"HOST": "/var/run/postgresql", "PORT": "5433"}, {"host": "/var/run/postgresql", "port": "5433"}),
        ({"HOST": "::1"}, {"host": "::1"}),
        ({"OPTIONS": {"sslmode": "require", "pool": True}}, {"sslmode": "require"}),
        ({"NAME": "a b/c"}, {"dbname": "a b/c"}),
    ],
)
def test_libpq_reads_the_settings_of_django(changed: dict[str, Any], read: dict[str, str]) -> None:
    """Each part is quoted. Options of Django's own are left out."""
    assert conninfo_to_dict(postgres_url({**SETTINGS, **changed})) == {"dbname": "shop", **read}
