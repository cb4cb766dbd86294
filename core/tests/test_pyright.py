import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pyright_infers_the_same_types_as_mypy() -> None:
    """Pyright finds no error in `core/tests/typing`, where `assert_type` states the types. mypy checks it, too."""
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "0 errors" in done.stdout) == (0, True), done.stdout
