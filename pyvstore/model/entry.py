"""An entry's key, and the one function that turns it into a directory name (and its inverse)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

TYPE_CHECKING = False  # a type only: `packaging` costs more than the rest of a relink
if TYPE_CHECKING:
    from packaging.utils import NormalizedName

SUFFIX_LENGTH = 12
"""Hex digits of the wheel's sha256 in an entry's directory name; a clash lengthens it."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIRNAME = re.compile(
    r"(?P<name>[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])-(?P<version>[a-z0-9][a-z0-9.+!]*)-(?P<suffix>[0-9a-f]{12,64})"
)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class EntryKey:
    """One wheel by its content.

    Attributes:
        name: normalised project name.
        version: canonical version text (``str(Version(...))``); contains no hyphen and no separator.
        sha256: lower-case hex of the whole wheel file.
    """

    name: NormalizedName
    version: str
    sha256: str

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256) or not _DIRNAME.fullmatch(self.dirname()):
            raise ValueError(f"not an entry key: {self.name!r} {self.version!r} {self.sha256!r}")

    def dirname(self, suffix_length: int = SUFFIX_LENGTH) -> str:
        """Return ``numpy-2.5.5-9f3a61c04d2b``: safe as a path component on every platform."""
        return f"{self.name}-{self.version}-{self.sha256[:suffix_length]}"


def parse_entry_dirname(dirname: str) -> tuple[NormalizedName, str, str] | None:
    """Return (name, version, leading hex digits of the wheel's sha256), or None if ``dirname`` is not an entry's."""
    match = _DIRNAME.fullmatch(dirname)
    if match is None:
        return None
    return cast("NormalizedName", match["name"]), match["version"], match["suffix"]
