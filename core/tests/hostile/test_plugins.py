"""URLs with secrets in them, plugins and observers that are not what they should be."""

import functools
import subprocess
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
    plugins,
    urls,
)
from tallystick_memory import MemoryBackend

from ..helpers import LONG, MakeRunner
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
    """A password is not shown either where the URL is wrong, which is when it is shown."""
    said = [urls.redact(url)]
    for use in (BackendUrl.parse, open_backend):
        try:
            use(url)
        except ConfigurationError as exc:
            said.append(str(exc))
    assert not [text for text in said if "S3CRET" in text]


def test_password_in_settings() -> None:
    """Settings that are printed do not show the password of the store's URL."""
    assert "S3CRET" not in repr(Runner("acme://user:S3CRET@host/db").settings)


@pytest.mark.parametrize(
    ("scheme", "distribution"), [("postgresql", "tallystick-postgres."), ("mongodb", "tallystick-mongo.")]
)
def test_what_to_install(scheme: str, distribution: str) -> None:
    """For the schemes of our own backends the error names the distribution that there is."""
    with pytest.raises(ConfigurationError) as caught:
        plugins.load([]).backend(f"{scheme}://host/db")
    assert distribution in str(caught.value).replace(" ", ".").replace(",", ".").replace(")", ".")


@pytest.mark.parametrize("offered", [None, ["memory"], {"memory": None}])
def test_odd_offer(monkeypatch: pytest.MonkeyPatch, offered: Any) -> None:
    """A plugin whose offer is no mapping from schemes to classes is kept aside, and the others work."""
    for name, offer in (("odd", offered), ("good", {"acme": MemoryBackend})):
        plugin = SimpleNamespace(tallystick_backend=functools.partial(lambda offer: offer, offer))
        monkeypatch.setitem(sys.modules, f"tallystick_{name}_plugin", plugin)
    found = plugins.load(
        [EntryPoint(name, f"tallystick_{name}_plugin", "tallystick") for name in ("odd", "good")],
    )
    assert found.backend("acme://host") is MemoryBackend
    assert found.broken


def test_mixed_batch_is_typed(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Jobs with different results can be enqueued in one batch, and a strict type checker minds nothing."""
    (tmp_path / "application.py").write_text(MIXED)
    cache = f"--cache-dir={pytestconfig.cache.mkdir('mypy')}"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", cache, "application.py"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


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
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Record] = []

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Note it."""
        self.told += records


def test_one_observer_raises(make_runner: MakeRunner) -> None:
    """An observer that raises does not keep others from being told."""
    hooks = plugins.installed().hooks
    listening, deaf = Listening(), Deaf()
    for plugin in (listening, deaf):  # the last one registered is called first
        hooks.register(plugin)
    try:
        runner = make_runner()
        job = echo(runner)
        runner.start()
        runner.result(runner.enqueue(job.job(7)), timeout=LONG)
    finally:
        for plugin in (listening, deaf):
            hooks.unregister(plugin)
    assert len(listening.told) == 1


@pytest.mark.parametrize("raised", [SystemExit, GeneratorExit, MemoryError])
def test_plugin_that_exits(monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]) -> None:
    """A plugin that exits while it is loaded or asked for its backends is kept aside, with its hooks; others work."""

    def exits(*arguments: object) -> Any:
        raise raised("no")

    asked = SimpleNamespace(tallystick_backend=exits, tallystick_claimed=hookimpl(lambda records: None))
    monkeypatch.setitem(sys.modules, "tallystick_asked_plugin", asked)
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
