"""A lockfile in which git left the marks of a merge conflict: what both sides had, as a start for the next lock."""

from __future__ import annotations

import re
from dataclasses import replace

from pyvstore.errors import LockfileError
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.parse import MAXIMUM_SIZE_BYTES, parse_lock

_MARK = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?:\s|$)")
_SHOWN_IN = {"<": (True, False), "|": (False, False), "=": (False, True), ">": (True, True)}


def parse_conflicted(raw: bytes) -> LockDocument | None:
    """Return what both sides of a merge have locked, as a document that answers nothing.

    None where there is no conflict. Raises LockfileError (``lock-version``) for a side of a format that is too new.
    Where both have a project, the versions are those of the side that was merged into; its extras, groups and forks are
    taken, too. A side that is no lockfile counts for nothing.
    """
    sides = _sides(raw)
    if sides is None:
        return None
    first, *others = [document for document in map(_try_parse, sides) if document is not None] or [LockDocument()]
    names = {package.name for package in first.packages}
    more = [package for other in others for package in other.packages if package.name not in names]
    return replace(first, packages=(*first.packages, *more), input_digest=None)


def _sides(raw: bytes) -> tuple[str, str] | None:
    """Return the text without the other side's lines, for both sides."""
    if len(raw) > MAXIMUM_SIZE_BYTES or b"<<<<<<<" not in raw:
        return None
    shown = (True, True)
    ours, theirs = [], []
    for line in raw.decode("utf-8", "replace").splitlines(keepends=True):
        mark = _MARK.match(line)
        if mark:
            shown = _SHOWN_IN[mark[1][0]]
            continue
        if shown[0]:
            ours.append(line)
        if shown[1]:
            theirs.append(line)
    return "".join(ours), "".join(theirs)


def _try_parse(text: str) -> LockDocument | None:
    try:
        return parse_lock(text)
    except LockfileError as error:
        if error.code == "lock-version":
            raise
        return None
