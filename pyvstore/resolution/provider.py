"""resolvelib's questions, answered for one region of the universe.

Requirements carry the mask under which they hold, candidates the mask and the extras that they were chosen to serve; a
pinned candidate that a later requirement outgrows is simply pinned again. A candidate is good for a need when its
``requires-python`` and its files cover it. Where the newest candidate covers only a part of the need, or where the
requirements' masks leave room for different versions, the search is left with `Split`; where reading a release's
metadata shows that its index page promised too much, with `Reconsider`. Both are ours, and resolvelib lets them pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from packaging.utils import NormalizedName
from resolvelib import AbstractProvider
from typing_extensions import override

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.excerpt import Excerpt
from pyvstore.resolution.extras import lost_extras
from pyvstore.resolution.lessons import Information, Lessons
from pyvstore.resolution.offering import Dependency, Offering
from pyvstore.resolution.policy import Prereleases, Strategy
from pyvstore.resolution.preferences import Inclinations
from pyvstore.resolution.requirement import Candidate, MaskedRequirement
from pyvstore.resolution.splitting import Reconsider, Split, split_by_rule

PROMOTION_THRESHOLD = 5
"""Conflicts after which a name is decided before all others."""
REJECTIONS_BEFORE_PREFETCH = 3
PREFETCHED_RELEASES = 10


class Provider(AbstractProvider[MaskedRequirement, Candidate, str]):
    """Answers for one region.

    Args:
        catalogue: shared by all regions.
        region: the points that this search is for.
        inclinations: what to try first, and which yanked releases are allowed.
        direct: names that the project itself requires.
        constraints: bounds by name.
        promoted: names to decide first from the start.
        resigned: files do not matter where they are only a preference, even those that some version has.
        kept: the only part of the graph to follow, for minimising a conflict; None means all.
        may_assume: see `Lessons`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        region: int,
        inclinations: Inclinations,
        direct: Collection[str] = (),
        constraints: Mapping[str, Sequence[Dependency]] | None = None,
        promoted: Iterable[str] = (),
        resigned: bool = False,
        kept: Excerpt | None = None,
        may_assume: bool = False,
    ) -> None:
        self.catalogue = catalogue
        self.conflicts: dict[str, int] = {}
        self.lessons = Lessons(
            catalogue, constraints=constraints or {}, may_assume=may_assume, serves=self._is_served_by
        )
        self._rejections: dict[str, int] = {}
        self._region = region
        self._inclinations = inclinations
        self._inclined: dict[str, tuple[tuple[int, ...], int]] = {}
        self._direct = direct
        self._promoted = set(promoted)
        self._resigned = resigned
        self._kept = kept
        self._requirements: dict[Candidate, tuple[MaskedRequirement, ...]] = {}
        self._candidates: dict[tuple[str, int, int, tuple[tuple[str, int], ...]], Candidate] = {}

    # --- resolvelib's interface ---------------------------------------------------------------------------------

    @override
    def identify(self, requirement_or_candidate: MaskedRequirement | Candidate) -> str:
        """Return the project's name."""
        return requirement_or_candidate.name

    @override
    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Candidate],
        candidates: Mapping[str, Iterator[Candidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> Iterable[str]:
        """Take what the last conflict was about first, then what has been in conflict often."""
        identifiers = list(identifiers)
        causes = {requirement.name for requirement, _ in backtrack_causes}
        causes.update(parent.name for _, parent in backtrack_causes if parent is not None)
        for name in causes:
            if name not in resolutions:
                self.conflicts[name] = self.conflicts.get(name, 0) + 1
                if self.conflicts[name] >= PROMOTION_THRESHOLD:
                    self._promoted.add(name)
        return (
            [name for name in identifiers if name in causes]
            or [name for name in identifiers if name in self._promoted]
            or identifiers
        )

    @override
    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Candidate],
        candidates: Mapping[str, Iterator[Candidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> tuple[bool, bool, bool, bool, bool, str]:
        """Order by how little choice there is: promoted, pinned, capped, named by the project, bounded at all, name."""
        pinned = capped = bounded = False
        for requirement, _ in information[identifier]:
            parsed = requirement.parsed
            if parsed is not None and parsed.specifier_text:
                bounded = True
                pinned = pinned or parsed.is_pinned
                capped = capped or parsed.is_capped
        promoted, direct = identifier in self._promoted, identifier in self._direct
        return not promoted, not pinned, not capped, not direct, not bounded, identifier

    @override
    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[MaskedRequirement]],
        incompatibilities: Mapping[str, Iterator[Candidate]],
    ) -> Iterable[Candidate] | Callable[[], Iterable[Candidate]]:
        """Return the candidates for all requirements on ``identifier`` together, best first, lazily.

        Raises:
            Split: the best answer differs between parts of the region.
        """
        asked = list(requirements[identifier])
        if any(requirement.parsed is None for requirement in asked):
            return ()
        offering = self.catalogue.offering(NormalizedName(identifier))
        if offering is None:
            return ()
        usable = offering.full & ~offering.defective
        if self._kept is not None:
            usable &= self._kept.versions.get(identifier, usable)
        for candidate in incompatibilities[identifier]:
            usable &= ~candidate.bit
        need = 0
        rules: list[tuple[int, int]] = []
        extras: dict[str, int] = {}
        for requirement in asked:
            parsed = requirement.parsed
            assert parsed is not None  # noqa: S101 - looked at above
            need |= requirement.mask
            requirement.allowed = offering.allowed(parsed.specifier, parsed.specifier_text)
            rules.append((requirement.allowed, requirement.mask))
            for extra in parsed.extras:
                extras[extra] = extras.get(extra, 0) | requirement.mask
        rules += self.lessons.bounds(offering, need)
        versions = usable
        for allowed, _ in rules:
            versions &= allowed
        if not versions or self._best(offering, versions, need) is None:
            split_by_rule(rules, usable, need)
            return ()
        if not extras:
            return lambda: self._candidates_from(offering, versions, need, extras)
        return lambda: (
            candidate
            for candidate in self._candidates_from(offering, versions, need, extras)
            if not any(lost_extras(self.catalogue, offering, one.parsed, candidate.rank) for one in asked if one.parsed)
        )

    @override
    def is_satisfied_by(self, requirement: MaskedRequirement, candidate: Candidate) -> bool:
        """Compare masks; resolvelib asks this for every edge, twice a round."""
        mask = requirement.mask
        if not requirement.allowed & candidate.bit or mask & ~candidate.mask:
            return False
        parsed = requirement.parsed
        if parsed is None or not parsed.extras:
            return True
        if any(mask & ~candidate.extras.get(extra, 0) for extra in parsed.extras):
            return False
        offering = self.catalogue.offering(candidate.release.name)
        return offering is None or not lost_extras(self.catalogue, offering, parsed, candidate.rank)

    @override
    def get_dependencies(self, candidate: Candidate) -> Sequence[MaskedRequirement]:
        """Return what ``candidate`` requires where it serves.

        Raises:
            Reconsider: its metadata excludes a Python that the index's page does not.
        """
        known = self._requirements.get(candidate)
        if known is None:
            known = self._requirements[candidate] = tuple(self._read(candidate))
            names = {requirement.name for requirement in known if requirement.parsed is not None}
            self.catalogue.prefetch(sorted(map(NormalizedName, names)))
        return known

    def rejected(self, information: Collection[Information], candidate: Candidate) -> None:
        """Note that a candidate's own requirements ruled it out; now and then ask ahead for the next ones.

        ``information``: all requirements on the project that it was ruled out for.
        """
        self.lessons.note(information, candidate)
        name = candidate.name
        self._rejections[name] = count = self._rejections.get(name, 0) + 1
        offering = self.catalogue.offering(NormalizedName(name))
        if offering is not None and count % PREFETCHED_RELEASES == REJECTIONS_BEFORE_PREFETCH:
            ranks = list(self._walk(offering, offering.full))
            following = ranks[ranks.index(candidate.rank) + 1 :][:PREFETCHED_RELEASES]
            self.catalogue.prefetch_metadata(offering, following)

    # --- inside -------------------------------------------------------------------------------------------------

    def _read(self, candidate: Candidate) -> Iterator[MaskedRequirement]:
        name = candidate.release.name
        offering = self.catalogue.offering(name)
        assert offering is not None  # noqa: S101 - a candidate comes from its offering
        impossible = MaskedRequirement(f"{name}=={candidate.release.version}", candidate.mask, None)
        wanted = self.catalogue.all_dependencies(offering, candidate.rank, candidate.mask, candidate.extras)
        misfit = candidate.mask & self.catalogue.misfits.get((name, candidate.rank), 0)
        if misfit and misfit != candidate.mask:
            raise Reconsider
        if wanted is None or misfit:
            yield impossible
            return
        for dependency in wanted:
            parsed = dependency.parsed
            if self._kept is None or (name, parsed.name) in self._kept.links:
                yield MaskedRequirement(parsed.name, dependency.mask, parsed)

    def _candidates_from(
        self, offering: Offering, versions: int, need: int, extras: Mapping[str, int]
    ) -> Iterator[Candidate]:
        wanted = tuple(sorted(extras.items()))
        ranks = self._serving(offering, versions, need)
        while (rank := next(ranks, None)) is not None:
            key = (offering.name, rank, need, wanted)
            known = self._candidates.get(key)
            if known is None:
                known = self._candidates[key] = Candidate(rank, offering.releases[rank], need, extras)
            yield known
            pattern = self.lessons.pattern(offering.name)  # who asks on has just rejected it
            if pattern is not None:
                order = list(self._walk(offering, offering.full))
                later = set(order[order.index(rank) + 1 :])  # of all versions others may serve than of these
                serving = self._serving(offering, offering.full if pattern.is_lasting else versions, need)
                following = [other for other in serving if other in later]
                passed = self.lessons.pass_over(offering, following, need, extras)
                ranks = iter([other for other in ranks if not passed >> other & 1])

    def _best(self, offering: Offering, versions: int, need: int) -> int | None:
        """Return the rank of the best candidate, or None.

        Raises:
            Split: a better one serves a part of ``need``.
        """
        best = next(self._serving(offering, versions, need), None)
        if not need & (need - 1):
            return best
        if best is not None and (best in self._inclined_to(offering)[0] or self._prefers_low(offering.name)):
            return best
        for rank, part in self._parts(offering, versions, need, with_preferences=False):
            if rank == best:
                break
            if part:
                raise Split(part)
        return best

    def _is_served_by(self, offering: Offering, versions: int, need: int) -> bool:
        return next(self._serving(offering, versions, need), None) is not None

    def _serving(self, offering: Offering, versions: int, need: int) -> Iterator[int]:
        for rank, part in self._parts(offering, versions, need, with_preferences=True):
            if part == need:
                yield rank

    def _parts(
        self, offering: Offering, versions: int, need: int, *, with_preferences: bool
    ) -> Iterator[tuple[int, int]]:
        """Walk the usable versions in order; yield each one's rank and the part of ``need`` that it serves."""
        hopeless: tuple[int, int] | None = None
        for rank in self._walk(offering, versions, with_preferences=with_preferences):
            if not self._may_use(offering, rank):
                continue
            appraisal = self.catalogue.appraise(offering, rank)
            part = need & appraisal.pythons
            if part == need and need & ~appraisal.files:
                if hopeless is None:
                    hopeless = self.catalogue.hopeless(
                        offering, self._usable(offering, versions), need, resigned=self._resigned
                    )
                where, versions_there = hopeless
                usable = appraisal.files | (where if versions_there >> rank & 1 else 0)
                part &= self.catalogue.universe.inseparable(usable)
            yield rank, part

    def _walk(self, offering: Offering, versions: int, *, with_preferences: bool = True) -> Iterator[int]:
        prereleases = self.catalogue.policy.prereleases
        if prereleases is Prereleases.DISALLOW:
            versions &= offering.finals
        if with_preferences:
            for rank in self._inclined_to(offering)[0]:
                if versions >> rank & 1:
                    versions ^= 1 << rank
                    yield rank
        is_split = prereleases is Prereleases.IF_NECESSARY
        groups = (offering.finals, offering.prereleases) if is_split else (offering.full,)
        prefers_low = self._prefers_low(offering.name)
        for group in groups:
            left = versions & group
            while left:
                rank = ((left & -left) if prefers_low else left).bit_length() - 1
                left ^= 1 << rank
                yield rank

    def _prefers_low(self, name: str) -> bool:
        strategy = self.catalogue.policy.strategy
        return strategy is Strategy.LOWEST or (strategy is Strategy.LOWEST_DIRECT and name in self._direct)

    def _may_use(self, offering: Offering, rank: int) -> bool:
        release = offering.releases[rank]
        if release.excluded is not None:
            return False
        return release.yanked is None or bool(self._inclined_to(offering)[1] >> rank & 1)

    def _inclined_to(self, offering: Offering) -> tuple[tuple[int, ...], int]:
        """Return the ranks to try first, and the versions that are allowed although yanked."""
        known = self._inclined.get(offering.name)
        if known is None:
            inclinations = self._inclinations
            known = inclinations.ranks(offering, self._region), inclinations.permitted(offering)
            self._inclined[offering.name] = known
        return known

    def _usable(self, offering: Offering, versions: int) -> int:
        return sum(1 << rank for rank in self._walk(offering, versions) if self._may_use(offering, rank))
