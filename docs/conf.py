"""The documentation as a site: `make docs`. Every page is in the menu, and every link leads somewhere, or it fails."""

project = "Responsible evaluation harness"
author = copyright = "The harness authors"  # noqa: A001 - Sphinx's own name
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["*.py"]
html_theme = "furo"
html_title = project
html_show_sphinx = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "show-inheritance": True}
