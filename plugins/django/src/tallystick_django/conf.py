"""Read the setting `TALLYSTICK`: the store, and the settings of the runner in capitals."""

from typing import Any

from django.conf import settings
from tallystick import ConfigurationError

DATABASE = "DATABASE"


def database_alias() -> str | None:
    """Return the alias of the Django database that has the store; None if the store is elsewhere."""
    given = _given()
    return None if "BACKEND" in given else str(given.get(DATABASE, "default"))


def runner_settings() -> dict[str, Any]:
    """Return the settings of the runner: `{"CONCURRENCY": 20}` becomes `concurrency=20`.

    `migrate` creates a store in a database of Django. A setup at the first use could wait for the caller's own
    transaction, so it is off there.
    """
    given = {name.lower(): value for name, value in _given().items() if name != DATABASE}
    return given if database_alias() is None else {"auto_setup": False, **given}


def _given() -> dict[str, Any]:
    given = getattr(settings, "TALLYSTICK", {})
    if not isinstance(given, dict):
        raise ConfigurationError(
            f"the setting TALLYSTICK is of type {type(given).__name__}; it must be a dict, e.g. "
            '{"DATABASE": "default", "CONCURRENCY": 20}'
        )
    if DATABASE in given and "BACKEND" in given:
        raise ConfigurationError("the setting TALLYSTICK has both DATABASE and BACKEND; keep one of them")
    return given
