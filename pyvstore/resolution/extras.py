"""Extras that must not be lost by stepping back to an old release."""

from __future__ import annotations

from collections.abc import Iterator

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Offering
from pyvstore.resolution.requirement import ParsedRequirement

NONE: frozenset[str] = frozenset()


def lost_extras(catalogue: Catalogue, offering: Offering, parsed: ParsedRequirement, rank: int) -> frozenset[str]:
    """Return the extras that ``parsed`` asks for, one release lacks, and the first choice for ``parsed`` alone has.

    Without what an extra requires an old release is easily had. The answer depends on nothing else that is asked for.
    While the catalogue is frozen, a release that was never read has all.
    """
    if not parsed.extras:
        return NONE
    for best in _first_choices(catalogue, offering, offering.allowed(parsed.specifier, parsed.specifier_text)):
        if best == rank:
            return NONE
        own = _extras_of(catalogue, offering, rank)
        if own is None or own.issuperset(parsed.extras):
            return NONE
        first = _extras_of(catalogue, offering, best)
        if first is not None and _serves_anywhere(catalogue, offering, best):  # its metadata may have told otherwise
            return first.intersection(parsed.extras) - own
    return NONE


def _first_choices(catalogue: Catalogue, offering: Offering, versions: int) -> Iterator[int]:
    """Yield what would be chosen of ``versions`` if nothing else mattered, best first."""
    for group in (offering.finals, offering.prereleases):
        for rank in reversed(range(len(offering.releases))):
            release = offering.releases[rank]
            is_allowed = (versions & group) >> rank & 1 and release.excluded is None and release.yanked is None
            if is_allowed and _serves_anywhere(catalogue, offering, rank):
                yield rank


def _serves_anywhere(catalogue: Catalogue, offering: Offering, rank: int) -> bool:
    appraisal = catalogue.appraise(offering, rank)
    return bool(appraisal.pythons & appraisal.files)


def _extras_of(catalogue: Catalogue, offering: Offering, rank: int) -> frozenset[str] | None:
    if catalogue.is_frozen and not catalogue.was_read(offering, rank):
        return None
    metadata = catalogue.metadata(offering, rank)
    return None if metadata is None else frozenset(metadata.provides_extra)
