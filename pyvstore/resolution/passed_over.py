"""Newer versions that were not chosen for one reason: something would have to be built for them.

What can be installed is preferred, which may end far back. Nobody should find that out by accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyvstore.resolution.answer import PassedOver, Reach, everywhere, known_dependencies, known_offering
from pyvstore.resolution.catalogue import Catalogue, Unread
from pyvstore.resolution.offering import Offering
from pyvstore.resolution.policy import Prereleases, Strategy
from pyvstore.resolution.search import Question


def passed_over(catalogue: Catalogue, question: Question, reach: Reach) -> tuple[PassedOver, ...]:
    """Return what of ``reach`` is older for want of a build, sorted; nothing where old versions are asked for.

    Fetches nothing: what the search did not read was not passed over.
    """
    if catalogue.policy.strategy is not Strategy.HIGHEST:
        return ()
    was_frozen, catalogue.is_frozen = catalogue.is_frozen, True
    try:
        return tuple(_Look(catalogue, question, reach).found())
    finally:
        catalogue.is_frozen = was_frozen


class _Look:
    def __init__(self, catalogue: Catalogue, question: Question, reach: Reach) -> None:
        self._catalogue = catalogue
        self._reach = reach
        self._obstacles: dict[tuple[str, int, int, tuple[tuple[str, int], ...]], str | None] = {}
        self._bounds: dict[str, list[tuple[int, int]]] = {}
        wanted = [*question.roots, *(bound for bounds in question.constraints.values() for bound in bounds)]
        for choice, extras in reach.items():
            for extra, scopes in extras.items():
                where = everywhere(scopes)
                wanted += [
                    dependency
                    for dependency in known_dependencies(catalogue, choice, extra)
                    if dependency.mask & where & everywhere(extras[""])
                ]
        for dependency in wanted:
            parsed = dependency.parsed
            if any(name == parsed.name for name, _ in reach):
                allowed = known_offering(catalogue, parsed.name).allowed(parsed.specifier, parsed.specifier_text)
                self._bounds.setdefault(parsed.name, []).append((allowed, dependency.mask))

    def found(self) -> Iterator[PassedOver]:
        for (name, rank), extras in sorted(self._reach.items()):
            offering = known_offering(self._catalogue, name)
            mask = everywhere(extras[""])
            allowed = offering.full
            for versions, where in self._bounds[name]:
                if where & mask:
                    allowed &= versions
            wanted = {extra: everywhere(scopes) for extra, scopes in extras.items() if extra}
            for better in self._in_order(offering, allowed):
                if better == rank:
                    break
                if mask & ~self._catalogue.appraise(offering, better).pythons:
                    continue
                is_source_only = self._is_source_only(offering, better)
                obstacle = None if is_source_only else self._obstacle(offering, better, mask, wanted)
                if is_source_only or obstacle is not None:
                    yield PassedOver(
                        name=name,
                        version=str(offering.releases[rank].version),
                        newer=str(offering.releases[better].version),
                        wanted=obstacle,
                    )
                    break

    def _in_order(self, offering: Offering, versions: int) -> Iterator[int]:
        groups = {
            Prereleases.IF_NECESSARY: (offering.finals, offering.prereleases),
            Prereleases.ALLOW: (offering.full,),
            Prereleases.DISALLOW: (offering.finals,),
        }
        for group in groups[self._catalogue.policy.prereleases]:
            for rank in reversed(range(len(offering.releases))):
                release = offering.releases[rank]
                if (versions & group) >> rank & 1 and release.excluded is None and release.yanked is None:
                    yield rank

    def _is_source_only(self, offering: Offering, rank: int) -> bool:
        return self._catalogue.is_source_only(offering, rank) and not self._catalogue.appraise(offering, rank).files

    def _obstacle(self, offering: Offering, rank: int, mask: int, extras: Mapping[str, int]) -> str | None:
        """Return a requirement of one release, or of what it requires, that only a build can meet."""
        key = offering.name, rank, mask, tuple(sorted(extras.items()))
        if key in self._obstacles:
            return self._obstacles[key]
        self._obstacles[key] = None  # for those that require each other
        for dependency in self._catalogue.all_dependencies(offering, rank, mask, extras) or ():
            parsed = dependency.parsed
            try:
                child = self._catalogue.offering(parsed.name)
            except Unread:
                continue
            if child is None:
                continue
            allowed = child.allowed(parsed.specifier, parsed.specifier_text)
            below = dict.fromkeys(map(str, parsed.extras), dependency.mask)
            needed: list[str] = []
            for other in self._in_order(child, allowed):
                obstacle = self._build_for(child, other, dependency.mask, below)
                if obstacle is None:
                    break
                needed.append(obstacle or parsed.text)
            else:
                self._obstacles[key] = needed[0] if needed else None
            if self._obstacles[key] is not None:
                break
        return self._obstacles[key]

    def _build_for(self, offering: Offering, rank: int, mask: int, extras: Mapping[str, int]) -> str | None:
        """Return what cannot be met without a build if this release is taken: "" for the release itself."""
        if self._is_source_only(offering, rank):
            return "" if (offering.name, rank) in self._catalogue.defects else None
        return self._obstacle(offering, rank, mask, extras)
