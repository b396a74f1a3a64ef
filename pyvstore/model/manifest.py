"""What an entry holds. A manifest is derived from the wheel alone, so it can be derived again from the content.

Entry geometry (a small prefix)::

    lib/python/site-packages/   purelib and platlib merged
    bin/                        .data/scripts
    include/<distribution>/     .data/headers
    share/ etc/ lib/ ...        .data/data

The *fold tree* is the part that planning needs. It stops at every directory that may be linked whole, so that planning
200 entries reads 200 short lines and never 30,000 rows; where two entries meet inside such a directory, planning asks
for its children (`Manifest.children`), which are derived from the file rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

TYPE_CHECKING = False  # a type only: `packaging` costs more than the rest of a relink
if TYPE_CHECKING:
    from packaging.utils import NormalizedName

MANIFEST_FORMAT = 1
SITE_PACKAGES = "lib/python/site-packages"
SCRIPTS = "bin"
HEADERS = "include"


_NOTHING: Mapping[str, Node] = MappingProxyType({})


class NodeKind(str, Enum):
    """How the farm shows one path of an entry; the values are the letters of the file format."""

    FOLD = "d"
    """A directory that is linked whole when this entry is its only owner."""
    OPEN = "o"
    """A directory that is always real in the farm (namespace, prefix directory, ``.dist-info``)."""
    LINK = "f"
    """A file that is linked."""
    COPY = "c"
    """A file that is copied once and then belongs to the user (``etc/**``, kernelspecs, stray data)."""
    FRESH = "p"
    """A file that is copied and kept equal to the entry's (``.pth``)."""
    SCRIPT = "s"
    """A Python script whose first line is rewritten for the farm."""


@dataclass(frozen=True, slots=True)
class Node:
    """One path of a fold tree. ``children`` is filled for `NodeKind.OPEN` only, sorted by name."""

    kind: NodeKind
    children: Mapping[str, Node] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, order=True)
class FileRow:
    """One regular file of an entry: path relative to the entry's root, sha256 hex, size, execute bit."""

    path: str
    sha256: str
    size_bytes: int
    executable: bool


@dataclass(frozen=True, slots=True, order=True)
class EntryPoint:
    """A launcher that a wheel asks for: ``bin/<name>`` calls ``<module>:<attribute>()``."""

    name: str
    module: str
    attribute: str
    gui: bool


@dataclass(frozen=True, slots=True, order=True)
class NativeReach:
    """What one native file of the entry wants from outside itself (recorded at ingest).

    Attributes:
        path: the file, relative to the entry's root.
        format: ``elf``, ``macho`` or ``pe``.
        needed: library names that it asks the loader for.
        search: directories relative to the entry's root (``$ORIGIN`` itself included), normalised; those that leave the
            prefix or are absolute are left out.
    """

    path: str
    format: str
    needed: tuple[str, ...]
    search: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """The short part of a manifest: all that planning needs.

    Attributes:
        name: normalised; ``display_name`` is the METADATA spelling.
        version: canonical text.
        wheel_filename, wheel_sha256, wheel_size_bytes: the artifact.
        dist_info: name of the ``.dist-info`` directory below site-packages, as the wheel spells it.
        tree: children of the entry's root, see `Node`.
        entry_points: console and GUI launchers, sorted by name.
        reach: native files that look outside their own directory or name libraries that this entry does not hold.
        warnings: what the wheel gets wrong but people use all the same, ``(code, sentence)``.
    """

    name: NormalizedName
    display_name: str
    version: str
    wheel_filename: str
    wheel_sha256: str
    wheel_size_bytes: int
    dist_info: str
    tree: Mapping[str, Node]
    entry_points: tuple[EntryPoint, ...]
    reach: tuple[NativeReach, ...]
    warnings: tuple[tuple[str, str], ...]
