"""URLs with secrets, and plugins and observers that misbehave."""

import functools
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tallystick import (
    BackendUrl,
    ConfigurationError,
    Record,
    Runner,
    hookimpl,
    open_backend,
    urls,
)
from tallystick.hooks import plugins
from tallystick_memory import MemoryBackend

from ..helpers import LONG, MakeRunner, check_types
from .anyhow import echo

LEAKY = [
    "postgresql://user:S3CRET#x@host/db",
    "postgresql://user:S3CRET/x@host/db",
    "postgresql://user:x?S3CRET@host/db",
    "postgresql://user:[S3CRET]@host/db",
    "postgresql://user:S3CRET\u2100@host/db",
    "user:S3CRET@host/db",
    "host=h password=S3CRET",
]


@pytest.mark.parametrize("url", LEAKY)
def test_password_in_a_wrong_url(url: str) -> None:
    """The error for a malformed URL does not show its password."""
    messages = [urls.redact(url)]
    for use in (BackendUrl.parse, open_backend):
        try:
            use(url)
        except ConfigurationError as exc:
            messages.append(str(exc))
    assert not [text for text in messages if "S3CRET" in text]


def test_password_in_settings() -> None:
    """The repr of the settings does not show the password of the store's URL."""
    assert "S3CRET" not in repr(Runner("acme://user:S3CRET@host/db").settings)


@pytest.mark.parametrize(
    ("scheme", "distribution"), [("postgresql", "tallystick-postgres."), ("mongodb", "tallystick-mongo.")]
)
def test_what_to_install(scheme: str, distribution: str) -> None:
    """For a scheme of Tallystick's own backends, the error names the distribution to install."""
    with pytest.raises(ConfigurationError) as caught:
        plugins.load([]).backend(f"{scheme}://host/db")
    assert distribution in str(caught.value).replace(" ", ".").replace(",", ".").replace(")", ".")


@pytest.mark.parametrize("backends", [None, ["memory"], {"memory": None}])
def test_odd_offer(monkeypatch: pytest.MonkeyPatch, backends: Any) -> None:
    """A plugin whose hook does not return a mapping of backends does not affect others."""
    for name, offer in (("odd", backends), ("good", {"acme": MemoryBackend})):
        plugin = SimpleNamespace(tallystick_backend=functools.partial(lambda offer: offer, offer))
        monkeypatch.setitem(sys.modules, f"tallystick_{name}_plugin", plugin)
    found = plugins.load(
        [EntryPoint(name, f"tallystick_{name}_plugin", "tallystick") for name in ("odd", "good")],
    )
    assert found.backend("acme://host") is MemoryBackend
    assert found.broken


def test_mixed_batch_is_typed(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """A strict type checker accepts a batch of jobs with different results."""
    application = tmp_path / "application.py"
    application.write_text(MIXED)
    done = check_types(application, pytestconfig.cache.mkdir("mypy"))
    assert done.returncode == 0, done.stdout


MIXED = """
from tallystick import Context, Job, Runner

class Count(Job[int]):
    kind = "count"
    def work(self, ctx: Context) -> int:
        return 1

class Name(Job[str]):
    kind = "name"
    def work(self, ctx: Context) -> str:
        return ""

Runner().enqueue_batch([Count(), Name()])
"""


class Deaf:
    """An observer that raises."""

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Raise."""
        raise RuntimeError("deaf")


class Listening:
    """An observer that records its calls."""

    def __init__(self) -> None:
        self.records_seen: list[Record] = []

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Record them."""
        self.records_seen += records


def test_one_observer_raises(make_runner: MakeRunner) -> None:
    """An observer that raises does not keep others from being called."""
    hooks = plugins.installed().hooks
    listening, deaf = Listening(), Deaf()
    for plugin in (listening, deaf):  # pluggy calls the last one first
        hooks.register(plugin)
    try:
        runner = make_runner()
        job = echo(runner)
        runner.start()
        runner.result(runner.enqueue(job.job(7)), timeout=LONG)
    finally:
        for plugin in (listening, deaf):
            hooks.unregister(plugin)
    assert len(listening.records_seen) == 1


@pytest.mark.parametrize("raised", [SystemExit, GeneratorExit, MemoryError])
def test_plugin_that_exits(monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]) -> None:
    """A plugin that exits, when loaded or in its hook, is dropped with its hooks, and does not affect others."""

    def exits(*arguments: object) -> Any:
        raise raised("no")

    calling = SimpleNamespace(tallystick_backend=exits, tallystick_claimed=hookimpl(lambda records: None))
    monkeypatch.setitem(sys.modules, "tallystick_asked_plugin", calling)
    monkeypatch.setitem(
        sys.modules, "tallystick_good_plugin", SimpleNamespace(tallystick_backend=lambda: {"acme": MemoryBackend})
    )
    loaded = EntryPoint("loaded", "tallystick_loaded_plugin", "tallystick")
    monkeypatch.setattr(EntryPoint, "load", lambda self: exits() if self.name == "loaded" else sys.modules[self.value])
    found = plugins.load(
        [loaded, *(EntryPoint(name, f"tallystick_{name}_plugin", "tallystick") for name in ("asked", "good"))]
    )
    assert found.backend("acme://host") is MemoryBackend
    assert {type(exc) for exc in found.broken.values()} == {raised}
    assert len(found.broken) == 2
    assert not found.hooks.hook.tallystick_claimed.get_hookimpls()
