"""The service about itself."""

from __future__ import annotations

from api.schemas.documents import Answer
from api.schemas.fields import Flag, Name, Object, Text, Whole, shape


class LimitsSchema(Answer):
    """What this server takes at most. Rates are per key; 0 is unlimited."""

    max_body_bytes = Whole("Bytes of a JSON body.")
    max_import_bytes = Whole("Bytes of an import file.")
    max_items = Whole("Items per request.")
    max_text_chars = Whole("Characters of a text.")
    max_labels = Whole("Answers per request.")
    max_predict = Whole("Texts per prediction request.")
    max_batch = Whole("Items of a batch.")
    max_page = Whole("Rows of a page.")
    max_wait_seconds = Whole("Seconds of a long poll.")
    requests_per_minute = Whole("Requests.")
    predict_texts_per_minute = Whole("Texts to predict.")
    idempotency_hours = Whole("Hours that answers to Idempotency-Keys are kept.")


class VersionSchema(Answer):
    """Which program answers."""

    name = Text("Its name.")
    version = Text("Its version.")
    api = Text("The version of this interface.")


class AliveSchema(Answer):
    """The process answers."""

    status = Name("Always ok.", "ok")


class ReadySchema(Answer):
    """Whether the service can do its work."""

    ready = Flag("Whether every check passed.")
    checks = Object("Each check by name.", metadata=shape(type="boolean"))
