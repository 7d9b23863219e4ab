"""From a request to the prompt a language model gets, and the shape its answer must have."""

from __future__ import annotations

from typing import Any, Final

from adapters.generators.frames import frame_of
from core.generation import GenerationRequest
from core.prompting import DATA_RULE, Prompt, render

NO_CONTRAST: Final = "any other class"


def build_prompt(request: GenerationRequest, *, count: int) -> Prompt:
    """Render the request's template for ``count`` variations; the data rule ends the system."""
    values = _values(request, count=count)
    system = render(request.template.system, values).strip()
    return Prompt(
        system=f"{system}\n\n{DATA_RULE}", user=render(request.template.body, values).strip()
    )


def answer_schema(level: str) -> dict[str, Any]:
    """The JSON schema of an answer; counts and lengths are checked by us, not by it."""
    fields: dict[str, Any] = {"text": {"type": "string"}}
    if level == "strict_slots":
        fields = {"slots": {"type": "array", "items": {"type": "string"}}}
    elif level == "free_form":
        fields["probability"] = {"type": "number"}
    return _object(variations={"type": "array", "items": _object(**fields)})


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _values(request: GenerationRequest, *, count: int) -> dict[str, object]:
    frame = frame_of(request.text)
    contrast = request.contrast
    labels = request.labels
    several = [f"{label.name}: {label.definition}" for label in labels if label.definition]
    return {
        "count": count,
        "label": ", ".join(label.id for label in labels),
        "label_name": " and also ".join(label.name for label in labels),
        "definition": "\n".join(several) if request.also else request.label.definition,
        "contrast": contrast.name if contrast else NO_CONTRAST,
        "contrast_definition": contrast.definition if contrast else "",
        "language": "the seed's language",
        "guidelines": request.guidelines,
        "seed": request.text,
        "examples": list(request.examples),
        "attributes": list(request.attributes[:count]),
        "taboo": list(request.taboo),
        "frame": frame.shown(),
        "slots": list(frame.words),
    }
