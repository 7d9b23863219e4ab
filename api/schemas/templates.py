"""Prompt templates: versioned, with named slots and nothing else."""

from __future__ import annotations

from typing import get_args

from api.schemas.documents import Answer, Request
from api.schemas.fields import Flag, Items, Name, Nested, Text, Whole
from core.records import TemplateLevel

LEVELS = get_args(TemplateLevel)
TEMPLATE_ID = r"^[a-z][a-z0-9_-]{0,63}$"


class NewTemplateSchema(Request):
    """A new version of a template."""

    id = Text("Its id; a new version where it exists.", pattern=TEMPLATE_ID, required=True)
    level = Name("How much freedom the writer has.", *LEVELS, required=True)
    system = Text("The standing instruction.", most=20_000, required=True)
    body = Text("The request, with ``{{name}}`` slots.", most=20_000, required=True)


class TemplateSchema(Answer):
    """A version of a template."""

    id = Text("Its id.")
    version = Whole("Its version.")
    level = Name("How much freedom the writer has.", *LEVELS)
    system = Text("The standing instruction.")
    body = Text("The request.")
    sha256 = Text("Hash of level, system and body.")
    builtin = Flag("Whether it came with the program.")


class TemplatesSchema(Answer):
    """The newest version of every template."""

    data = Items(Nested(TemplateSchema), "By id.", dump_only=True)
