"""What a farm consists of, path by path: the values between deciding and doing.

A *farm image* maps prefix-relative POSIX paths to items. It is complete: every real directory, link and file that is
ours is in it, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

TEMPORARY_SUFFIX = ".pyvstore-tmp"
"""Ends the name of every file that is not there yet; such files are never read and may always be swept."""


class Edits(str, Enum):
    """What happens to a file of ours that somebody changed."""

    KEEP = "keep"
    """It belongs to the user from the moment it is there (``etc/**``, kernelspecs, stray data)."""
    KEEP_UNTIL_NEW = "keep-until-new"
    """Kept while we would write the same as last time (activation scripts)."""
    RESTORE = "restore"
    """Put back; the changed one is set aside."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A real directory."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link; ``target`` is absolute, or relative for links inside the prefix (``bin/python3`` → ``python``)."""

    target: str


@dataclass(frozen=True, slots=True)
class File:
    """A regular file. Files with the same ``twin`` are one inode under several names where that is possible."""

    data: bytes
    executable: bool = False
    edits: Edits = Edits.RESTORE
    twin: str | None = None


Item = Directory | Link | File
Image = Mapping[str, Item]


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A link on disk, whatever it leads to."""

    target: str


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A regular file on disk, by content; ``sha256`` is "" where nobody asked for it."""

    sha256: str
    executable: bool


@dataclass(frozen=True, slots=True)
class SeenDirectory:
    """A real directory on disk."""


@dataclass(frozen=True, slots=True)
class SeenOther:
    """Something that we never make: a socket, a device."""


Seen = SeenLink | SeenFile | SeenDirectory | SeenOther


@dataclass(frozen=True, slots=True)
class Made:
    """What the farm's state says we made at one path.

    ``target`` is set for a link, ``sha256`` for a file, neither for a directory. ``former`` is what the file was while
    a change of it is under way: after a kill either may be there.
    """

    target: str | None = None
    sha256: str | None = None
    former: str | None = None

    def is_content(self, sha256: str) -> bool:
        """Whether a file with this digest is one that we wrote."""
        return sha256 in {self.sha256, self.former}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Several distributions claim one path.

    Attributes:
        path: prefix-relative.
        owners: normalised names, in the order in which pip would install them.
        winner: the owner whose file is used.
    """

    path: str
    owners: tuple[str, ...]
    winner: str
