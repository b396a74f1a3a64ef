"""One version of one project with its files, and what its metadata says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.model.artifact import Artifact


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One version of one project as an index offers it.

    Attributes:
        name: normalised project name.
        version: parsed version.
        requires_python: raw specifier text for files that carry none themselves, or None.
        yanked: the reason ("" when none was given) when every file is yanked, else None (PEP 592).
        excluded: why the user's settings exclude the release, else None.
        uploaded: when the first of its files was uploaded, if that is known.
        wheels: all wheels, in the index's order; each may have its own ``requires_python`` and ``yanked``.
        sdist: the source distribution, or None.
    """

    name: NormalizedName
    version: Version
    requires_python: str | None = None
    yanked: str | None = None
    excluded: str | None = None
    uploaded: datetime | None = None
    wheels: tuple[Artifact, ...] = ()
    sdist: Artifact | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseMetadata:
    """The part of a METADATA file that resolution reads; the lines are as written, not yet checked.

    Attributes:
        requires_dist: the ``Requires-Dist`` lines.
        provides_extra: normalised ``Provides-Extra`` names.
        requires_python: the ``Requires-Python`` line, or None.
    """

    requires_dist: tuple[str, ...] = ()
    provides_extra: tuple[NormalizedName, ...] = ()
    requires_python: str | None = None
