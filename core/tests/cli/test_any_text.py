"""Commands print any text that people pass, or reject it with an error. They never show a traceback."""

from pathlib import Path

import pytest
from tallystick import Settings

from ..hostile.test_any_value import VALUES
from .conftest import Cli

TEXTS = sorted({value for value in VALUES if isinstance(value, str) and "\0" not in value and value.isprintable()})


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_config_show_of_any_environment(cli: Cli, name: str) -> None:
    """`config show` prints a value of the environment, or exits with 2 and an error. It never shows a traceback."""
    for text in TEXTS:
        result = cli("config", "show", **{f"TALLYSTICK_{name.upper()}": text[:1_000]})
        assert result.code in (0, 2), (text, result.err)


def test_new_job_of_any_kind(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`new job` writes the files of any kind, or exits with an error. It never shows a traceback."""
    monkeypatch.chdir(tmp_path)
    for text in TEXTS:
        assert cli("new", "job", "--", text).code in (0, 2), text
