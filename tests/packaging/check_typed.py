"""Fail unless each named module is installed with `py.typed`: `check_typed.py MODULE...`."""

import sys
from importlib import import_module
from pathlib import Path

untyped = [name for name in sys.argv[1:] if not (Path(import_module(name).__file__ or "").parent / "py.typed").exists()]
sys.exit(f"no py.typed in: {', '.join(untyped)}" if untyped else 0)
