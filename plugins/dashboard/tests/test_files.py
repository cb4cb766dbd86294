"""The files that are made by a session are up to date, and the pages ask no other host for anything."""

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import tallystick_dashboard
from tallystick_dashboard.pages.static import STATIC

PLUGIN = Path(__file__).parent.parent


def test_vendored_files_have_the_pinned_hashes() -> None:
    """Each file is the one of the pinned package, with its licence, and there is no other file."""
    pins = json.loads((PLUGIN / "vendor.json").read_text())
    wanted = {f"{name}/{Path(path).name}": hash for name, pin in pins.items() for path, hash in pin["files"].items()}
    vendor = STATIC / "vendor"
    found = {
        path.relative_to(vendor).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file()
    }
    assert found == wanted
    assert all(f"{name}/LICENSE" in wanted for name in pins)


def test_catalogues_are_up_to_date() -> None:
    """Every text of the pages is translated, and the compiled catalogue is that of the texts."""
    command = [sys.executable, str(PLUGIN / "translate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_file_of_ours_names_another_host() -> None:
    """Styles, scripts and templates load nothing from elsewhere."""
    ours = [*STATIC.glob("*.*"), *(STATIC.parent / "templates").glob("*.html")]
    for path in ours:
        assert not re.search(r"(?:src|href|url\(|fetch\()\W*https?://", path.read_text()), path


def test_workers_do_not_import_the_server() -> None:
    """Every process with a runner loads the plugin, so the plugin imports neither Starlette nor the pages."""
    code = "import sys, tallystick_dashboard.plugin; print(*(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"starlette", "jinja2", "uvicorn", "textual", "typer"} & set(done.stdout.split())


def test_public_names_are_those_of_the_package() -> None:
    """Each is imported at its first use; any other name is an error."""
    assert all(getattr(tallystick_dashboard, name).__name__ == name for name in tallystick_dashboard.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = tallystick_dashboard.other
