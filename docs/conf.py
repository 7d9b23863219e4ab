"""The documentation site: Markdown pages as they lie here, and the HTTP reference."""

from __future__ import annotations

from sphinxcontrib import httpdomain

project = "Tailwise"
author = "The Tailwise developers"
html_title = "Tailwise"
extensions = ["myst_parser", "sphinxcontrib.openapi"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
# The reference's library does not know this one yet.
httpdomain.HTTP_STATUS_CODES[428] = "Precondition Required"
html_theme = "furo"
html_static_path: list[str] = []
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
