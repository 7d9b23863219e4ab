"""The field kinds of every document: strict about types, bounded, and coded when they refuse."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import marshmallow
from marshmallow import fields, validate

from api.schemas.documents import OBJECT, Query
from api.schemas.refusals import Refusal

COMMON = {
    "required": Refusal("this field is required", code="missing-field"),
    "null": Refusal("this field must not be null", code="invalid-type"),
}
NUL = Refusal("text must not hold NUL characters", code="invalid-text")
MAX_DIGITS = 20
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"


def _from_text(field: fields.Field[Any], value: object) -> bool:
    return isinstance(value, str) and isinstance(field.root, Query)


class Text(fields.String):
    """A string of at most ``most`` characters; ``blank`` allows one without visible ones."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a string", code="invalid-type"),
    }

    def __init__(
        self,
        description: str,
        *,
        most: int | Callable[[], int] = 200,
        documented: int | None = None,
        blank: bool = False,
        pattern: str | None = None,
        **options: Any,
    ) -> None:
        self.most = most
        self.blank = blank
        limit = most if isinstance(most, int) else documented
        facts = {"description": description, "minLength": 0 if blank else 1, "maxLength": limit}
        if not blank and pattern is None:
            facts["pattern"] = r"\S"
        self.pattern = pattern
        if pattern is not None:
            facts["pattern"] = pattern
        super().__init__(**_described(options, facts, []))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        most = self.most if isinstance(self.most, int) else self.most()
        if len(text) > most:
            raise marshmallow.ValidationError(
                [Refusal(f"this has at most {most} characters", code="too-long")]
            )
        if "\0" in text:
            raise marshmallow.ValidationError([NUL])
        if not self.blank and not text.strip():
            raise marshmallow.ValidationError(
                [Refusal("this must not be empty", code="empty-text")]
            )
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            detail = f"this must match {self.pattern}"
            raise marshmallow.ValidationError([Refusal(detail, code="invalid-value")])
        return text


class Name(fields.String):
    """One of a fixed set of words."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a string", code="invalid-type"),
    }

    def __init__(self, description: str, *names: str, **options: Any) -> None:
        refusal = Refusal(f"this must be one of {', '.join(names)}", code="not-allowed")
        checks = [validate.OneOf(names, error=refusal)] if names else []
        super().__init__(**_described(options, {"description": description}, checks))


class Whole(fields.Integer):
    """A whole number in [least, most]; never a boolean or a numeral in quotes."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a whole number", code="invalid-type"),
        "too_large": Refusal("this must be a whole number", code="invalid-number"),
    }

    def __init__(
        self, description: str, *, least: int = 0, most: int = 2**63 - 1, **options: Any
    ) -> None:
        super().__init__(**_described(options, {"description": description}, [_span(least, most)]))

    def _validated(self, value: Any) -> Any:
        if _from_text(self, value):
            if (
                not value.removeprefix("-").isdecimal()
                or len(value) > MAX_DIGITS
                or not value.isascii()
            ):
                raise self.make_error("invalid")
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return value


class Real(fields.Float):
    """A finite number in [least, most]."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a number", code="invalid-type"),
        "special": Refusal("this must be a finite number", code="invalid-number"),
        "too_large": Refusal("this must be a finite number", code="invalid-number"),
    }

    def __init__(
        self,
        description: str,
        *,
        least: float | None = None,
        most: float | None = None,
        above: float | None = None,
        **options: Any,
    ) -> None:
        checks = [] if least is None and most is None else [_span(least, most)]
        if above is not None:
            refusal = Refusal(f"this must be above {above}", code="out-of-range")
            checks = [validate.Range(min=above, max=most, min_inclusive=False, error=refusal)]
        super().__init__(**_described(options, {"description": description}, checks))

    def _validated(self, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number and not _from_text(self, value):
            raise self.make_error("invalid")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None
        if not math.isfinite(number):
            raise self.make_error("special")
        return number


class Flag(fields.Boolean):
    """true or false; in a query also the words."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be true or false", code="invalid-type"),
    }

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(**_described(options, {"description": description}, []))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        del attr, data, kwargs
        if _from_text(self, value) and value in {"true", "false"}:
            return value == "true"
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Items(fields.List[Any]):
    """A list of ``least`` to ``most`` entries."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": Refusal("this must be a list", code="invalid-type"),
    }

    def __init__(
        self,
        inner: Any,
        description: str,
        *,
        least: int = 0,
        most: int | Callable[[], int] = 1_000,
        documented: int | None = None,
        **options: Any,
    ) -> None:
        self.least = least
        self.most = most
        facts: dict[str, Any] = {"description": description}
        if least:
            facts["minItems"] = least
        limit = most if isinstance(most, int) else documented
        if not options.get("dump_only"):
            facts["maxItems"] = limit
        super().__init__(inner, **_described(options, facts, []))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        most = self.most if isinstance(self.most, int) else self.most()
        if not self.least <= len(value) <= most:
            code = "too-many" if len(value) > most else "too-few"
            detail = f"this takes {self.least} to {most} entries"
            raise marshmallow.ValidationError([Refusal(detail, code=code)])
        return super()._deserialize(value, attr, data, **kwargs)


class Object(fields.Dict):
    """Any JSON object; what its keys mean is decided further in."""

    default_error_messages = {  # noqa: RUF012 -- marshmallow's way
        **COMMON,
        "invalid": OBJECT,
    }

    def __init__(self, description: str, **options: Any) -> None:
        facts = {"description": description, "additionalProperties": True}
        super().__init__(**_described(options, facts, []))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        del attr, data, kwargs
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return value


class Nested(fields.Nested):
    """A document inside a document."""

    default_error_messages = {**COMMON, "type": OBJECT}  # noqa: RUF012 -- marshmallow's way

    def __init__(self, schema: Any, description: str | None = None, **options: Any) -> None:
        facts = {} if description is None else {"description": description}
        super().__init__(schema, **_described(options, facts, []))


class Time(fields.AwareDateTime):
    """RFC 3339 in UTC; written only."""

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(format="iso", **_described(options, {"description": description}, []))

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        written = super()._serialize(value, attr, obj, **kwargs)
        return written and str(written).replace("+00:00", "Z")


def identifier(description: str, **options: Any) -> Text:
    """A field that names one of our records."""
    return Text(description, most=64, pattern=ID_PATTERN, **options)


def shape(**members: Any) -> Mapping[str, Any]:
    """Metadata for an ``Object`` whose values are all alike."""
    return {"additionalProperties": members}


def _described(
    options: dict[str, Any], facts: Mapping[str, Any], checks: list[Any]
) -> dict[str, Any]:
    metadata = {**facts, **options.pop("metadata", {})}
    if "example" in options:
        metadata["examples"] = [options.pop("example")]
    validators = [*checks, *options.pop("validate", [])]
    return {**options, "metadata": metadata, "validate": validators}


def _span(least: float | None, most: float | None) -> validate.Range:
    words = f"at least {least}" if most in {None, 2**63 - 1} else f"from {least} to {most}"
    refusal = Refusal(f"this must be {words}", code="out-of-range")
    return validate.Range(min=least, max=most, error=refusal)
