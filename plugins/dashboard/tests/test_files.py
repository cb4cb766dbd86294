"""The files that are made by a session are up to date, and the pages ask no other host for anything."""

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

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
