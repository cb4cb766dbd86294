"""Run `tallystick bench` in memory, on a file of SQLite, and on a new server of PostgreSQL that loses no commit.

`PYTHONPATH=tests python tests/bench/stores.py [OPTION ...]` passes the options on.
"""

import subprocess
import sys
import tempfile

from servers import postgres


def main() -> None:
    """Measure each store."""
    with tempfile.TemporaryDirectory() as folder, postgres(None) as server:
        for url in ("memory://", f"sqlite:///{folder}/jobs.db", server):
            subprocess.run([sys.executable, "-m", "tallystick.cli", "bench", url, *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
