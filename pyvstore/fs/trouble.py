"""What the disk said, in words for a person: the cause, and the next thing to do."""

from __future__ import annotations

import errno

_AGAIN = "then run the same command again"
_HINTS = {
    errno.ENOSPC: f"free some space or some inodes (`df -h`, `df -i`), {_AGAIN}",
    errno.EDQUOT: f"free some of your quota (`quota -s`), {_AGAIN}",
    errno.EMFILE: f"raise the limit of open files (`ulimit -n 4096`), {_AGAIN}",
    errno.ENFILE: f"end some programs, for the system has too many open files, {_AGAIN}",
    errno.EIO: f"see whether the disk is sound (`dmesg`), {_AGAIN}",
    errno.ESTALE: "run the same command again: the file server lost track of the file",
    errno.ENOTDIR: f"see which part of that path is a file and no folder, move it out of the way, {_AGAIN}",
    errno.ENOENT: "run the same command again; if that fails too, see which folder of that path is missing",
}
_IN_THE_WAY = frozenset({errno.EISDIR, errno.EINVAL, errno.EEXIST, errno.ENOTEMPTY})
_REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

NO_ROOM_OR_RIGHT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE}) | _REFUSALS


def cause_of(error: OSError, place: str = "") -> str:
    """Return where and why; ``place`` is named where the error names nothing."""
    where = error.filename2 or error.filename or place  # of a link, the second name is the place
    reason = error.strerror or str(error)
    return f"{_text(where)}: {reason}" if where else reason


def advice_on(error: OSError, if_refused: str) -> str:
    """Return what to do about it; ``if_refused`` is for what must not be written (or read) there."""
    if error.errno in _REFUSALS:
        return if_refused
    if error.errno in _IN_THE_WAY and error.filename:
        place = _text(error.filename2 or error.filename)
        return f"move it away (`mv {place} {place}.old`), {_AGAIN}"
    return _HINTS.get(error.errno or 0, "run the same command again; if that fails too, see what is in that place")


def _text(where: object) -> str:
    return where.decode(errors="replace") if isinstance(where, bytes) else str(where)
