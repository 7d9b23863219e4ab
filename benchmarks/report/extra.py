"""Says which packages the report lacks before any of it is drawn."""

from __future__ import annotations

from importlib.util import find_spec

from core.errors import NotInstalled

PACKAGES = ("jinja2", "markdown_it", "scikit_posthocs", "scipy")
INSTALL = "pip install 'tailwise[benchmark]'"


def require_packages(packages: tuple[str, ...] = PACKAGES) -> None:
    """Raises NotInstalled ``missing-extra`` naming what cannot be imported and the command."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise NotInstalled(
            f"the report needs {', '.join(missing)}; run: {INSTALL}",
            code="missing-extra",
            extras={"extra": "benchmark"},
        )
