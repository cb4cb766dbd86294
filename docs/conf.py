"""The manual: `sphinx-build docs site`."""

from tallystick._version import __version__

project = "Tallystick"
version = release = __version__
extensions = ["myst_parser", "sphinx_copybutton", "sphinx_llms_txt"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["examples"]
html_theme = "furo"
html_title = f"Tallystick {__version__}"
html_static_path = ["static"]
html_logo = html_favicon = "static/icon.svg"
html_css_files = ["manual.css"]
copybutton_prompt_text = "$ "  # of a console block, only the commands are copied
llms_txt_summary = "Background jobs for Python on SQLite, PostgreSQL or MongoDB: typed, fenced and transactional."
llms_txt_uri_template = "_sources/{docname}{suffix}.txt"
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#3453c4", "color-brand-content": "#3453c4"},
    "dark_css_variables": {"color-brand-primary": "#8fa8ff", "color-brand-content": "#8fa8ff"},
}
myst_heading_anchors = 3
