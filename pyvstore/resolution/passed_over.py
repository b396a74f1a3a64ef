"""Newer versions that were not chosen because something would have to be built, or because they exclude a new Python.

What can be installed is preferred, and an old release without an upper bound is taken for a Python that newer ones
exclude. Either may end far back, and nobody should find that out by accident.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from operator import ne

from pyvstore.resolution.answer import PassedOver, Reach, everywhere, known_dependencies, known_offering
from pyvstore.resolution.catalogue import Catalogue, Unread
from pyvstore.resolution.offering import Dependency, Offering
from pyvstore.resolution.policy import Prereleases, Strategy
from pyvstore.resolution.search import Question


def passed_over(catalogue: Catalogue, question: Question, reach: Reach) -> tuple[PassedOver, ...]:
    """Return what of ``reach`` is older for such a reason, sorted; nothing where old versions are asked for.

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
        self._points = list(enumerate(catalogue.universe.points))
        self._obstacles: dict[tuple[str, int, int, tuple[tuple[str, int], ...]], str | None] = {}
        self._bounds: dict[str, list[tuple[int, int]]] = {}
        wanted = [*question.roots, *(bound for bounds in question.constraints.values() for bound in bounds)]
        for choice, extras in reach.items():
            for extra, scopes in extras.items():
                where = everywhere(scopes)
                wanted += [
                    Dependency(dependency.parsed, dependency.mask & where)
                    for dependency in known_dependencies(catalogue, choice, extra)
                ]
        chosen = {name for name, _ in reach}
        for dependency in wanted:
            parsed = dependency.parsed
            if parsed.name in chosen:
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
            for better in itertools.takewhile(partial(ne, rank), self._in_order(offering, allowed)):
                pythons = self._catalogue.appraise(offering, better).pythons
                if mask & ~pythons and not self._is_above(mask & ~pythons, pythons):
                    continue
                reason = (
                    self._bound(offering, better) if mask & ~pythons else self._build(offering, better, mask, wanted)
                )
                if reason is not None:
                    version, newer = (str(offering.releases[one].version) for one in (rank, better))
                    yield PassedOver(name=name, version=version, mask=mask, newer=newer, reason=reason)
                break  # if not for that reason, then the best was not chosen for what others require

    def _bound(self, offering: Offering, rank: int) -> str:
        release = offering.releases[rank]
        bounds = [file.requires_python for file in release.wheels if file.requires_python]
        return f"is for Python {next(iter(bounds), release.requires_python) or 'of another version'}"

    def _build(self, offering: Offering, rank: int, mask: int, extras: Mapping[str, int]) -> str | None:
        if self._is_source_only(offering, rank):
            return "would have to be built"
        obstacle = self._obstacle(offering, rank, mask, extras)
        return None if obstacle is None else f"needs {obstacle}, and that would have to be built"

    def _is_above(self, mask: int, others: int) -> bool:
        """Tell whether every Python in ``mask`` is newer than every one in ``others``, and there are some."""
        inside, outside = (
            [point.python_full_version for position, point in self._points if where >> position & 1]
            for where in (mask, others)
        )
        return bool(outside) and min(inside) > max(outside)

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
            return None if self._catalogue.was_read(offering, rank) else ""
        return self._obstacle(offering, rank, mask, extras)
