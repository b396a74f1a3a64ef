"""A part of the graph that fails where the whole does: some links between projects, and a few versions of each.

Hundreds of releases of a project differ in nothing that matters to a conflict. Those that the same requirements accept,
that can be used alike, and that require the same are one *kind*; where one of a kind leads nowhere, all of it does. So
one of each kind is enough to prove a failure, and a proof that tries every pair of versions becomes a short one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.utils import NormalizedName

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Dependency, Offering
from pyvstore.resolution.preferences import Inclinations
from pyvstore.resolution.requirement import ParsedRequirement

Link = tuple[str, str]
Wish = tuple[str, ParsedRequirement]
"""An extra ("" for the package itself) and what it requires."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of the graph a search may follow.

    Attributes:
        links: the (parent, child) pairs that count.
        versions: for names that are in it the versions that count, as a mask; of other names all do.
    """

    links: Collection[Link]
    versions: Mapping[str, int] = field(default_factory=dict)


class Excerpts:
    """Makes excerpts for one point of a frozen catalogue."""

    def __init__(
        self,
        catalogue: Catalogue,
        inclinations: Inclinations,
        constraints: Mapping[str, Sequence[Dependency]],
        point: int,
    ) -> None:
        self._catalogue = catalogue
        self._inclinations = inclinations
        self._constraints = constraints
        self._point = point
        self._wishes = catalogue.wishes(point)
        self._uses: dict[str, list[int]] = {}

    def of(self, roots: Iterable[ParsedRequirement], links: Collection[Link]) -> Excerpt:
        """Return the excerpt with ``links``, for a project that wants ``roots``."""
        kept = frozenset(links)
        incoming: dict[str, set[ParsedRequirement]] = {}
        for parsed in roots:
            incoming.setdefault(parsed.name, set()).add(parsed)
        outgoing: dict[str, dict[int, frozenset[tuple[str, str, str]]]] = {}
        for name in dict.fromkeys(parent for parent, _ in links):
            found = outgoing[name] = {}
            for rank, wishes in self._wishes.get(name, {}).items():
                counted = [wish for wish in wishes if (name, wish[1].name) in kept or wish[1].name == name]
                found[rank] = frozenset((extra, parsed.name, parsed.text) for extra, parsed in counted)
                for _, parsed in counted:
                    incoming.setdefault(parsed.name, set()).add(parsed)
        names = dict.fromkeys([*incoming, *outgoing])
        return Excerpt(kept, {name: self._one_of_each(name, incoming, outgoing) for name in names})

    def _one_of_each(
        self,
        name: str,
        incoming: Mapping[str, Collection[ParsedRequirement]],
        outgoing: Mapping[str, Mapping[int, frozenset[tuple[str, str, str]]]],
    ) -> int:
        offering = self._catalogue.known(NormalizedName(name))
        if offering is None:
            return 0
        bounds = [*incoming.get(name, ()), *(constraint.parsed for constraint in self._constraints.get(name, ()))]
        by_wishes: dict[frozenset[tuple[str, str, str]], int] = {}
        for rank, wishes in outgoing.get(name, {}).items():
            by_wishes[wishes] = by_wishes.get(wishes, 0) | 1 << rank
        masks = {offering.allowed(parsed.specifier, parsed.specifier_text) for parsed in bounds}
        kinds = [offering.full]
        for mask in [*masks, *by_wishes.values(), *self._uses_of(offering)]:
            kinds = [part for kind in kinds for part in (kind & mask, kind & ~mask) if part]
        # The newest of each, as a search without an excerpt would come to it first.
        return sum(1 << kind.bit_length() - 1 for kind in kinds)

    def _uses_of(self, offering: Offering) -> list[int]:
        """Return sets of versions of which the search treats each alike, by what is known of them alone."""
        known = self._uses.get(offering.name)
        if known is None:
            catalogue, point = self._catalogue, self._point
            permitted = self._inclinations.permitted(offering)
            found: dict[object, int] = {}
            for rank, release in enumerate(offering.releases):
                appraisal = catalogue.appraise(offering, rank)
                use = (
                    appraisal.pythons & point,
                    appraisal.files & point,
                    bool(appraisal.files),
                    catalogue.is_source_only(offering, rank),
                    release.excluded is None,
                    release.yanked is None or bool(permitted >> rank & 1),
                    release.version.is_prerelease,
                    (offering.name, rank) in catalogue.defects,
                    catalogue.misfits.get((offering.name, rank), 0) & point,
                )
                found[use] = found.get(use, 0) | 1 << rank
            known = self._uses[offering.name] = list(found.values())
        return known
