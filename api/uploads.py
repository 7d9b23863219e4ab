"""A streamed request body: what kind it is, and its bytes as they arrive."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from flask import Request

from core.errors import InvalidInput

CHUNK_BYTES = 64 * 1024
Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
FORMATS: Mapping[str, Format] = {
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
}
BYTES = "application/octet-stream"
MEDIA_TYPES = (*FORMATS, BYTES)
"""What an import may be sent as; of bare bytes the query says what they are."""


def file_format(request: Request, *, told: Format | None = None) -> Format:
    """By the media type, or as ``told`` where that is application/octet-stream.

    Raises InvalidInput ``unsupported-media-type`` that lists what is taken, and
    ``missing-field`` for bare bytes of which nothing is told.
    """
    if request.mimetype == BYTES:
        return _required(told)
    found = FORMATS.get(request.mimetype)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if found is None or charset not in {"utf-8", "utf8"}:
        detail = f"send one of {', '.join(FORMATS)}, text in UTF-8; or {BYTES} with ?format="
        allowed = {"allowed": list(MEDIA_TYPES)}
        raise InvalidInput(detail, code="unsupported-media-type", extras=allowed)
    return found


def _required(told: Format | None) -> Format:
    if told is None:
        detail = f"{BYTES} does not say what the file is, so this must"
        kinds = sorted(set(FORMATS.values()))
        raise InvalidInput.at("?format", detail, code="missing-field", allowed=kinds)
    return told


def is_gzipped(request: Request) -> bool:
    """Whether the body says it is compressed; any other coding is refused."""
    coding = (request.content_encoding or "identity").lower()
    if coding not in {"identity", "gzip"}:
        detail = "the only content encoding taken is gzip"
        raise InvalidInput(detail, code="unsupported-media-type", extras={"allowed": ["gzip"]})
    return coding == "gzip"


def body_chunks(request: Request) -> Iterator[bytes]:
    """The body as it arrives; Content-Digest, where sent, is checked at its end."""
    expected = _expected_digest(request)
    digest = hashlib.sha256()
    while chunk := request.stream.read(CHUNK_BYTES):
        digest.update(chunk)
        yield chunk
    if expected is not None and digest.digest() != expected:
        detail = "the body does not have the digest that Content-Digest announced"
        raise InvalidInput(detail, code="digest-mismatch")


def _expected_digest(request: Request) -> bytes | None:
    """The sha-256 of Content-Digest (RFC 9530); other algorithms are ignored, as it says."""
    found = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", request.headers.get("Content-Digest", ""))
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error:
        detail = "Content-Digest is not valid base64"
        raise InvalidInput(detail, code="digest-mismatch") from None
