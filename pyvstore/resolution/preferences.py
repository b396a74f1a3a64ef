"""Versions to try first: old pins.

What one region of a run settles on is no reason for another: a version that an old machine is left with would be taken
where newer ones can be had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Offering
from pyvstore.resolution.policy import Preference
from pyvstore.resolution.requirement import ParsedRequirement

Preferences = Mapping[NormalizedName, Sequence["str | Preference"]]


class Inclinations:
    """What to try first in a region, and which yanked releases are allowed.

    Nothing here makes the source load a project: names are looked up when the search already has their releases.

    Args:
        catalogue: of this run.
        preferences: old pins; one that is yanked by now stays allowed.
        pins: requirements of the project (and constraints) that may name a yanked version exactly.
    """

    def __init__(self, catalogue: Catalogue, preferences: Preferences, pins: Iterable[ParsedRequirement]) -> None:
        self._catalogue = catalogue
        self._preferences = preferences
        self._pins: dict[str, list[ParsedRequirement]] = {}
        for parsed in pins:
            if parsed.is_pinned:
                self._pins.setdefault(parsed.name, []).append(parsed)
        self._found: Mapping[str, int] = {}

    def having_found(self, ranks: Mapping[str, int]) -> Inclinations:
        """Return the same with these ranks before all others, by name."""
        other = copy(self)
        other._found = ranks
        return other

    def forgotten(self) -> Inclinations:
        """Return the same without old pins."""
        other = copy(self)
        other._preferences = {}
        return other

    def ranks(self, offering: Offering, region: int) -> tuple[int, ...]:
        """Return the ranks of old pins of this region, the newest first: to be kept where they will do."""
        old = sorted({rank for rank, mask in self._old(offering) if mask & region}, reverse=True)
        return (self._found[offering.name], *old) if offering.name in self._found else tuple(old)

    def permitted(self, offering: Offering) -> int:
        """Return the versions that may be used although yanked."""
        mask = 0
        for rank, _ in self._old(offering):
            mask |= 1 << rank
        for parsed in self._pins.get(offering.name, ()):
            mask |= offering.allowed(parsed.specifier, parsed.specifier_text)
        return mask

    def _old(self, offering: Offering) -> Iterable[tuple[int, int]]:
        for preference in self._preferences.get(offering.name, ()):
            version, marker = (
                (preference, None) if isinstance(preference, str) else (preference.version, preference.marker)
            )
            try:
                rank = offering.ranks.get(Version(version))
            except InvalidVersion:
                continue
            if rank is not None:
                yield rank, self._catalogue.universe.lock_marker_mask(marker)
