"""The documentation site: Markdown pages as they lie here, and the HTTP reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphinxcontrib import httpdomain
from sphinxcontrib.openapi.renderers import HttpdomainOldRenderer

project = "Tailwise"
author = "The Tailwise developers"
html_title = "Tailwise"
extensions = ["myst_parser", "sphinxcontrib.openapi"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
# The reference's library does not know this one yet.
httpdomain.HTTP_STATUS_CODES[428] = "Precondition Required"
html_theme = "furo"
html_show_copyright = False
html_static_path: list[str] = []
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

EVERYWHERE = {"400", "401", "403", "406", "413", "415", "429", "500", "503"}


def fields(operation: dict[str, Any], spec: dict[str, Any]) -> str:
    """A sentence with the fields of the JSON body; types and limits are at ``/v1/docs``."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = next((found["schema"] for kind, found in content.items() if "json" in kind), {})
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    needed = set(schema.get("required", ()))
    named = [
        f"``{name}``" + (" (required)" if name in needed else "")
        for name in schema.get("properties", {})
    ]
    return f"Body: {', '.join(named)}." if named else ""


class Reference(HttpdomainOldRenderer):
    """Successes first, and what every route may refuse said once, on the page itself."""

    def render_restructuredtext_markup(self, spec: dict[str, Any]) -> Iterator[str]:
        for path in spec["paths"].values():
            for operation in path.values():
                if isinstance(operation, dict) and "responses" in operation:
                    answers = operation["responses"]
                    own = sorted(set(answers) - EVERYWHERE)
                    operation["responses"] = {status: answers[status] for status in own}
                    said = [operation.get("description", ""), fields(operation, spec)]
                    operation["description"] = "\n\n".join(filter(None, said))
        yield from super().render_restructuredtext_markup(spec)


# A class among the settings cannot be cached; the site is small enough to be made anew.
suppress_warnings = ["config.cache"]
openapi_renderers = {"tailwise": Reference}
openapi_default_renderer = "tailwise"
