"""The manual: `sphinx-build docs site`."""

from windlass._version import __version__

project = "Windlass"
version = release = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["examples"]
html_theme = "furo"
html_title = f"Windlass {__version__}"
myst_heading_anchors = 3
