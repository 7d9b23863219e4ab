"""Several files as one zip archive, byte for byte the same for the same files."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator

BLOCK = 64 * 1024
EPOCH = (1980, 1, 1, 0, 0, 0)
IN_MEMORY = 8_000_000
OWNER_WRITES = 0o644


def write_archive(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The archive of (path, blocks) pairs; past 8 MB it is put together on disk."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
        with zipfile.ZipFile(whole, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            for path, blocks in files:
                member = zipfile.ZipInfo(path, date_time=EPOCH)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.external_attr = OWNER_WRITES << 16
                with archive.open(member, "w", force_zip64=True) as stream:
                    for block in blocks:
                        stream.write(block)
        whole.seek(0)
        while block := whole.read(BLOCK):
            yield block
