"""A fresh virtual environment with the wheels of the core, the kit and the tutorial's backend."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "docs" / "examples" / "tallystick-dbm"
SOURCES = EXAMPLE / "src" / "tallystick_dbm"

_UV = shutil.which("uv")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment, and the working directory of its commands."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> "Environment":
        """Create an environment with everything that `tallystick conform dbm:///...` needs."""
        environment = cls(folder)
        core, kit, example = (wheel(source, folder) for source in (ROOT / "core", ROOT / "conformance", EXAMPLE))
        requirements = (f"tallystick-core[cli] @ {core.as_uri()}", str(kit), str(example))
        python = str(environment._command("python"))
        if _UV:
            _run(_UV, "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
            _run(_UV, "pip", "install", "--quiet", "--python", python, *requirements)
        else:
            _run(sys.executable, "-m", "venv", str(folder / "venv"))
            _run(python, "-m", "pip", "install", "--quiet", *requirements)
        return environment

    def tallystick(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line as a process."""
        command = [str(self._command("tallystick")), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=_without_python(variables), capture_output=True, text=True, check=False
        )

    def _command(self, name: str) -> Path:
        return self.folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / name


def wheel(source: Path, folder: Path) -> Path:
    """Build a distribution's wheel."""
    into = folder / "wheels" / source.name
    if _UV:
        _run(_UV, "build", "--quiet", "--wheel", "--out-dir", str(into), str(source))
    else:
        _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(into), str(source))
    [built] = into.glob("*.whl")
    return built


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _without_python(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables without those of this interpreter's own environment."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {**kept, **variables}
