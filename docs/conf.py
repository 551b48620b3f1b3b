"""Sphinx configuration: the manual as HTML."""

from certtui import __version__

project = "certtui"
release = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "certtui"
exclude_patterns = ["generate.py"]
