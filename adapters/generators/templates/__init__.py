"""The built-in templates: four levels of freedom, one TOML file each."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from core.prompting import check_template, template_sha256
from core.records import Template

__all__ = ["builtin_templates"]


def builtin_templates() -> dict[str, Template]:
    """The templates that ship with Tailwise, by id, from strict to free."""
    levels = ("strict_slots", "paraphrase", "attributes", "free_form")
    return {level: _load(f"{level}.toml") for level in levels}


def _load(file: str) -> Template:
    document = tomllib.loads(files(__name__).joinpath(file).read_text(encoding="utf-8"))
    text = {name: document[name] for name in ("level", "system", "body")}
    check_template(**text)
    return Template(
        id=document["id"], version=document["version"], sha256=template_sha256(**text), **text
    )
