"""The manual: `sphinx-build docs site`."""

from tallystick._version import __version__

project = "Tallystick"
version = release = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["examples"]
html_theme = "furo"
html_title = f"Tallystick {__version__}"
myst_heading_anchors = 3
