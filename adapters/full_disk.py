"""A disk without room, told apart from other trouble with files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.errors import Unavailable

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def has_no_room(error: OSError) -> bool:
    """Whether the disk, a quota or a limit on a file's size refused the write."""
    return error.errno in NO_ROOM


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
