"""How answers are written as JSON: valid for every reader, in the order of the schema."""

from __future__ import annotations

import math
from typing import Any

from flask.json.provider import DefaultJSONProvider


class AnswerProvider(DefaultJSONProvider):
    """NaN and infinity are not JSON; a number that is not there is written as null."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        try:
            return super().dumps(obj, allow_nan=False, **kwargs)
        except ValueError:
            return super().dumps(_finite(obj), allow_nan=False, **kwargs)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(below) for below in value]
    return value
