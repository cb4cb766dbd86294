from datetime import timedelta
from typing import Any

import pytest
from tallystick import ConfigurationError, Runner, Settings
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
        ("colour", "red"),
    ],
)
def test_bad_argument(name: str, value: Any) -> None:
    """An argument with a value that cannot work, or that is no setting, is refused and named."""
    with pytest.raises(ConfigurationError, match=rf"{name} .*TALLYSTICK_{name.upper()}"):
        Runner("memory://", **{name: value})


@pytest.mark.parametrize(("name", "value"), [("CONCURRENCY", "0"), ("LEASE", "soon"), ("QUEUES", "a,,b"), ("POLL", "")])
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
