from datetime import timedelta
from typing import Any

import pytest
from tallystick import ConfigurationError, InvalidArgument, Runner, Settings
from tallystick.settings import SettingsArgs


def test_arguments_are_the_settings() -> None:
    """The keyword arguments of a runner have exactly the names of the settings."""
    assert set(SettingsArgs.__annotations__) == set(Settings.model_fields)


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting is read from the environment: lengths of time as ISO 8601, queues with commas."""
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


def test_argument_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument overrides the environment, and the environment the default."""
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
    """An argument with a value that cannot work, or that is no setting, is refused and named."""
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
    """A variable with a value that cannot work is refused and named."""
    monkeypatch.setenv(f"TALLYSTICK_{name}", value)
    with pytest.raises(ConfigurationError, match=f"TALLYSTICK_{name}"):
        Runner()


def test_every_problem_is_named() -> None:
    """All that is wrong is named at once."""
    with pytest.raises(ConfigurationError, match=r"batch.*concurrency|concurrency.*batch"):
        Runner("memory://", concurrency=0, batch=0)


def test_worker_names_are_unique() -> None:
    """Two runners have two names, also in one process."""
    assert Runner("memory://").settings.worker != Runner("memory://").settings.worker


def test_range_is_named() -> None:
    """A length of time outside its range is refused with the range."""
    with pytest.raises(ConfigurationError, match=r"lease .* is datetime.* from 0\.1 to 86,400 seconds"):
        Settings(lease=timedelta(days=2))


@pytest.mark.parametrize("queues", ["emails", b"emails", {"emails": 1}, 7])
def test_queues_are_a_list(queues: Any) -> None:
    """A bare string is no list of queues, except in the environment."""
    with pytest.raises(ConfigurationError, match="queues is"):
        Runner("memory://", queues=queues)


@pytest.mark.parametrize(("name", "meant"), [("lese", "lease"), ("workers", "concurrency")])
def test_unknown_argument(name: str, meant: str) -> None:
    """An argument that is no setting is refused with the nearest, also by its name in another library."""
    with pytest.raises(ConfigurationError, match=rf"did you mean {meant}\? the settings are: auto_setup, backend"):
        Settings(**{name: 3})


def test_unknown_variable(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A variable that looks like a setting and is none is reported once in a process, with the nearest name."""
    monkeypatch.setenv("TALLYSTICK_LEESE", "secret")
    for _ in range(2):
        Settings()
    [record] = [record for record in caplog.records if "TALLYSTICK_LEESE" in record.getMessage()]
    assert (record.name, record.levelname) == ("tallystick", "WARNING")
    assert "did you mean TALLYSTICK_LEASE?" in record.getMessage()
    assert "secret" not in record.getMessage()


def test_password_of_a_bad_backend() -> None:
    """A backend that is no URL is refused without its text, which may hold a password."""
    for make in (lambda: Settings(backend=["pg://me:secret@db"]), lambda: Runner(b"pg://me:secret@db")):  # type: ignore[arg-type]
        with pytest.raises((ConfigurationError, InvalidArgument), match="backend") as caught:
            make()
        assert "secret" not in str(caught.value)
