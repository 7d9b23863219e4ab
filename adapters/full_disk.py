"""A disk without room, told apart from other trouble with files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.errors import Unavailable

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


FULL_SERVER: Final = "53100"
"""PostgreSQL's code for a disk that is full on its side."""


def has_no_room(error: BaseException) -> bool:
    """Whether the disk, a quota or a limit on a file's size refused the write.

    Of a database's error, which wraps the driver's as ``orig``, nothing was written.
    """
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    driver = getattr(error, "orig", None)
    full_server = getattr(driver, "sqlstate", None) == FULL_SERVER
    return full_server or getattr(driver, "sqlite_errorname", None) == "SQLITE_FULL"


def disk_full() -> Unavailable:
    """What is raised where there is no room: the same works again once there is."""
    return Unavailable("the disk is full; make room and send it again", code="disk-full")


@contextmanager
def naming_no_room() -> Iterator[None]:
    """Turns a refused write into Unavailable ``disk-full``; other errors pass."""
    try:
        yield
    except OSError as error:
        if has_no_room(error):
            raise disk_full() from error
        raise
