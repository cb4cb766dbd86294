"""Parsing the URL of a store."""

from datetime import timedelta
from pathlib import Path

import pytest
from tallystick import ConfigurationError, open_backend
from tallystick_sqlite import SqliteBackend
from tallystick_sqlite.location import Location


def test_three_slashes_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is resolved when the URL is parsed, even if the working directory changes later."""
    monkeypatch.chdir(tmp_path)
    location = Location.parse("sqlite:///some/jobs.db")
    monkeypatch.chdir("/")
    assert location.path == tmp_path / "some" / "jobs.db"


def test_four_slashes_are_absolute() -> None:
    """Four slashes begin an absolute path."""
    assert Location.parse("sqlite:////var/jobs.db").path == Path("/var/jobs.db")


@pytest.mark.parametrize("name", ["a b.db", "100%25.db", "what%3F.db", "no%23.db", "jöbs.db", "file:x.db", "-.db"])
def test_any_file_name_works(tmp_path: Path, name: str) -> None:
    """Quoted special characters are part of the file name."""
    url = f"sqlite:///{tmp_path}/{name}"
    with SqliteBackend.from_url(url) as backend:
        backend.setup()
    assert [file.name for file in tmp_path.iterdir()] == [Location.parse(url).path.name]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "sqlite:///jobs.db"),
        ("sqlite:///", "sqlite:///jobs.db"),
        ("sqlite:///folder/", "sqlite:///jobs.db"),
        ("sqlite:///a%00b", "sqlite:///jobs.db"),
        ("sqlite://host/jobs.db", "sqlite:////var"),
        ("sqlite://jobs.db", "sqlite:///jobs.db"),
        ("sqlite://:memory:", "sqlite:///jobs.db"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///jobs.db?mode=memory", "prefix, journal_mode, synchronous, search, busy_timeout"),
        ("sqlite:///jobs.db?synchronous=OFF", "'NORMAL', 'FULL' or 'EXTRA'"),
        ("sqlite:///jobs.db?journal_mode=memory", "'wal' or 'delete'"),
        ("sqlite:///jobs.db?busy_timeout=-1", "greater than or equal to"),
        ("sqlite:///jobs.db?busy_timeout=soon", "busy_timeout"),
    ],
)
def test_urls_without_a_file_are_rejected(url: str, message: str) -> None:
    """An invalid URL is rejected when it is opened, and the message suggests a correct one."""
    with pytest.raises(ConfigurationError) as raised:
        SqliteBackend.from_url(url)
    assert message in str(raised.value)


@pytest.mark.parametrize(("text", "seconds"), [("2", 2), ("0.25", 0.25), ("PT1M30S", 90), ("0", 0)])
def test_busy_timeout(text: str, seconds: float) -> None:
    """busy_timeout is a number of seconds or an ISO 8601 duration."""
    options = Location.parse(f"sqlite:///jobs.db?busy_timeout={text}").options
    assert options.busy_timeout == timedelta(seconds=seconds)


def test_defaults_are_safe() -> None:
    """By default, commits wait for the disk, and calls wait for a lock."""
    options = Location.parse("sqlite:///jobs.db").options
    assert (options.synchronous, options.busy_timeout) == ("EXTRA", timedelta(seconds=30))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///dir/jobs.db", "sqlite:///dir/jobs.ns.db"),
        ("sqlite:////dir/jobs.db?synchronous=NORMAL", "sqlite:////dir/jobs.ns.db?synchronous=NORMAL"),
        ("sqlite:///d.d/jobs", "sqlite:///d.d/jobs.ns"),
        ("sqlite:///.jobs", "sqlite:///.jobs.ns"),
        ("sqlite:///a%3Fb.db", "sqlite:///a%3Fb.ns.db"),
    ],
)
def test_a_namespace_is_another_file(url: str, expected: str) -> None:
    """A namespace is inserted before the suffix; the folder and the options stay."""
    assert SqliteBackend.namespaced(url, "ns") == expected


def test_the_plugin_serves_the_scheme(url: str) -> None:
    """`sqlite:` URLs are opened by this distribution."""
    with open_backend(url) as backend:
        assert type(backend) is SqliteBackend


def test_opening_creates_nothing(path: Path, url: str) -> None:
    """Before `setup`, no file exists."""
    SqliteBackend.from_url(url).close()
    assert list(path.parent.iterdir()) == []
