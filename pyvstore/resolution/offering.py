"""The releases of one project as a set that masks can speak of, and what is known about one of them.

A set of versions is a bit mask over the project's releases, oldest = bit 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.resolution.requirement import ParsedRequirement
from pyvstore.resolution.source import OfferedRelease


@dataclass(frozen=True, slots=True)
class Appraisal:
    """Where a release can serve: by the Pythons it accepts, and by the files that can be used there."""

    pythons: int
    files: int


@dataclass(frozen=True, slots=True)
class Defect:
    """Why a release cannot be used at all, found when its metadata was read."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """One requirement of a release that holds somewhere, and where."""

    parsed: ParsedRequirement
    mask: int


class Offering:
    """The releases of one project.

    Attributes:
        releases: ascending by version.
        full: the mask of all of them; ``prereleases`` and ``finals`` split it.
        defective: those that were read and cannot be used at all.
    """

    def __init__(self, name: NormalizedName, releases: Sequence[OfferedRelease]) -> None:
        self.name = name
        self.releases = tuple(sorted(releases, key=lambda release: release.version))
        self.full = (1 << len(self.releases)) - 1
        self.ranks: dict[Version, int] = {release.version: rank for rank, release in enumerate(self.releases)}
        self.prereleases = sum(1 << rank for version, rank in self.ranks.items() if version.is_prerelease)
        self.finals = self.full & ~self.prereleases
        self.defective = 0
        self._allowed: dict[str, int] = {"": self.full}

    def allowed(self, specifier: SpecifierSet, text: str) -> int:
        """Return the versions that satisfy ``specifier`` (whose canonical text is ``text``), pre-releases included."""
        mask = self._allowed.get(text)
        if mask is None:
            mask = 0
            for version in specifier.filter(self.ranks, prereleases=True):
                mask |= 1 << self.ranks[version]
            self._allowed[text] = mask
        return mask
