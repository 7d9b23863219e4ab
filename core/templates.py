"""Prompt templates by name: the built-in ones, and a tenant's own versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import InvalidInput
from core.ports import Clock, Repositories, Store
from core.prompting import check_template, template_sha256
from core.records import Template, TemplateLevel


def templates(
    tenant_id: str, *, builtin: Mapping[str, Template], store: Store
) -> Sequence[Template]:
    """Built-in templates, then the tenant's, each version."""
    with store.read() as tx:
        return [*builtin.values(), *tx.templates.list(tenant_id)]


def find_template(
    tx: Repositories, tenant_id: str, template_id: str, *, builtin: Mapping[str, Template]
) -> Template:
    """The tenant's latest version of that name, else the built-in one."""
    found = tx.templates.latest(tenant_id, template_id) or builtin.get(template_id)
    if found is None:
        known = sorted({*builtin, *(t.id for t in tx.templates.list(tenant_id))})
        raise InvalidInput.at(
            "/template",
            f"no template of that name; known: {', '.join(known)}",
            code="unknown-template",
            allowed=known,
        )
    return found


def add_template(
    tenant_id: str,
    *,
    id: str,
    level: TemplateLevel,
    system: str,
    body: str,
    builtin: Mapping[str, Template],
    store: Store,
    clock: Clock,
) -> Template:
    """The next version of a tenant's template; built-in names cannot be taken."""
    if id in builtin:
        raise InvalidInput.at(
            "/id", "a built-in template has this name; choose another", code="template-exists"
        )
    check_template(level=level, system=system, body=body)
    with store.write() as tx:
        latest = tx.templates.latest(tenant_id, id)
        template = Template(
            id=id,
            version=latest.version + 1 if latest else 1,
            level=level,
            system=system,
            body=body,
            sha256=template_sha256(level=level, system=system, body=body),
            builtin=False,
        )
        tx.templates.add(tenant_id, template, now=clock.now())
    return template
