from datetime import timedelta
from typing import Any

import pytest
from tallystick import ConfigurationError, InvalidArgument, Runner, Settings
from tallystick.config.settings import SettingsArgs


def test_arguments_are_the_settings() -> None:
    """A runner's keyword arguments are exactly the settings."""
    assert set(SettingsArgs.__annotations__) == set(Settings.model_fields)


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are read from the environment: durations in ISO 8601, queues separated by commas."""
    monkeypatch.setenv("TALLYSTICK_BACKEND", "memory://elsewhere")
    monkeypatch.setenv("TALLYSTICK_GRACE", "PT1M")
    monkeypatch.setenv("TALLYSTICK_CONCURRENCY", "3")
    monkeypatch.setenv("TALLYSTICK_QUEUES", "emails, reports,emails")
    monkeypatch.setenv("TALLYSTICK_AUTO_SETUP", "false")
    settings = Runner().settings
    assert settings.backend == "memory://elsewhere"
    assert settings.grace == timedelta(minutes=1)
    assert settings.concurrency == 3
    assert settings.queues == ("emails", "reports")
    assert not settings.auto_setup


def test_a_variable_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """The case of a variable does not matter."""
    monkeypatch.setenv("tallystick_Batch", "7")
    assert Runner("memory://").settings.batch == 7


def test_argument_overrides_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument overrides the environment, which overrides the default."""
    monkeypatch.setenv("TALLYSTICK_BACKEND", "memory://environment")
    monkeypatch.setenv("TALLYSTICK_BATCH", "7")
    settings = Runner("memory://argument").settings
    assert (settings.backend, settings.batch) == ("memory://argument", 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("concurrency", 0),
        ("concurrency", "many"),
        ("batch", 0),
        ("lease", timedelta(0)),
        ("poll", -timedelta(seconds=1)),
        ("grace", -timedelta(seconds=1)),
        ("maintenance", timedelta(0)),
        ("keep_completed", -timedelta(days=1)),
        ("queues", [""]),
        ("worker", "a\nb"),
        ("lease", timedelta(milliseconds=99)),
        ("lease", timedelta(days=2)),
        ("poll", timedelta(hours=2)),
        ("poll", float("nan")),
        ("grace", float("inf")),
        ("grace", timedelta.max),
        ("maintenance", 2**70),
        ("maintenance", timedelta(days=2)),
        ("batch", True),
        ("concurrency", 2**70),
        ("auto_setup", "perhaps"),
        ("colour", "red"),
    ],
)
def test_bad_argument(name: str, value: Any) -> None:
    """An invalid value or an unknown setting is rejected, and the error names it."""
    with pytest.raises(ConfigurationError, match=rf"{name} .*TALLYSTICK_{name.upper()}"):
        Runner("memory://", **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCURRENCY", "0"),
        ("LEASE", "soon"),
        ("LEASE", "1e13"),
        ("LEASE", "nan"),
        ("LEASE", "-inf"),
        ("LEASE", "0.000001"),
        ("MAINTENANCE", "1e13"),
        ("GRACE", "1e13"),
        ("POLL", "1e400"),
        ("QUEUES", "a,,b"),
        ("POLL", ""),
    ],
)
def test_bad_environment(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A variable with an invalid value is rejected, and the error names it."""
    monkeypatch.setenv(f"TALLYSTICK_{name}", value)
    with pytest.raises(ConfigurationError, match=f"TALLYSTICK_{name}"):
        Runner()


def test_every_problem_is_named() -> None:
    """One error names all the invalid settings."""
    with pytest.raises(ConfigurationError, match=r"batch.*concurrency|concurrency.*batch"):
        Runner("memory://", concurrency=0, batch=0)


def test_worker_names_are_unique() -> None:
    """Every runner gets a unique worker name, even within one process."""
    assert Runner("memory://").settings.worker != Runner("memory://").settings.worker


def test_range_is_named() -> None:
    """A duration outside its range is rejected, and the error states the range."""
    with pytest.raises(ConfigurationError, match=r"lease .* is datetime.* from 0\.1 to 86,400 seconds"):
        Settings(lease=timedelta(days=2))


@pytest.mark.parametrize("queues", ["emails", b"emails", {"emails": 1}, 7])
def test_queues_are_a_list(queues: Any) -> None:
    """`queues` rejects a bare string, except in the environment."""
    with pytest.raises(ConfigurationError, match="queues is"):
        Runner("memory://", queues=queues)


@pytest.mark.parametrize(("name", "suggestion"), [("lese", "lease"), ("workers", "concurrency")])
def test_unknown_argument(name: str, suggestion: str) -> None:
    """The error for an unknown argument suggests the closest setting, also for names from other libraries."""
    with pytest.raises(ConfigurationError, match=rf"did you mean {suggestion}\? the settings are: auto_setup, backend"):
        Settings(**{name: 3})


def test_unknown_variable(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An unknown TALLYSTICK_ variable is logged once per process, with the closest setting."""
    monkeypatch.setenv("TALLYSTICK_LEESE", "secret")
    for _ in range(2):
        Settings()
    [record] = [record for record in caplog.records if "TALLYSTICK_LEESE" in record.getMessage()]
    assert (record.name, record.levelname) == ("tallystick", "WARNING")
    assert "did you mean TALLYSTICK_LEASE?" in record.getMessage()
    assert "secret" not in record.getMessage()


def test_password_of_a_bad_backend() -> None:
    """A backend that is not a URL is rejected without showing its value, which may contain a password."""
    for make in (lambda: Settings(backend=["pg://me:secret@db"]), lambda: Runner(b"pg://me:secret@db")):  # type: ignore[arg-type]
        with pytest.raises((ConfigurationError, InvalidArgument), match="backend") as caught:
            make()
        assert "secret" not in str(caught.value)
