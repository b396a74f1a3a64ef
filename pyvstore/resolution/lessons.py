"""What a search learns from versions that are rejected one after the other for the same reason.

Projects with a release a day keep the same bound for years. When the last few versions of one all clash with what is
already allowed of another project, and in the same direction, a few of the remaining versions are looked at instead of
all of them, and those between two that clash alike are taken to clash as well. What is passed over so was never read:
an answer that is found stands all the same, but "no answer" has to be proved by a search that assumes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName
from resolvelib.resolvers import RequirementInformation

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Dependency, Offering
from pyvstore.resolution.requirement import EVERY, Candidate, MaskedRequirement

Information = RequirementInformation[MaskedRequirement, Candidate]

ALIKE = 4
"""Versions in a row that must clash alike before others are taken to."""
PROBES = 16
"""Into so many parts the remaining versions are cut by those that are looked at."""
NOWHERE = -1, -1
READ_AHEAD = 64
"""Versions whose metadata is asked for at once."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A candidate and everybody else allow no common version of ``other``.

    Attributes:
        other: the project that the clash is about.
        taken: its versions that everybody else allows.
        is_lasting: whether the project's own requirements alone are everybody else, which holds for the whole search.
        gap: how many bits of ``taken`` lie below the versions that the candidate wants, and up to their highest;
            `NOWHERE` when none of these exists or can be used.
        where: the points where the candidate wants them.
    """

    other: NormalizedName
    taken: int
    is_lasting: bool
    gap: tuple[int, int]
    where: int


class Lessons:
    """Lessons of one search over one region.

    Args:
        catalogue: what is known of versions.
        constraints: the project's bounds by name.
        may_assume: whether versions may be passed over unread.
        serves: whether any of some versions of a project can be used on some points.

    Attributes:
        has_assumed: whether some were.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        constraints: Mapping[str, Sequence[Dependency]],
        may_assume: bool,
        serves: Callable[[Offering, int, int], bool],
    ) -> None:
        self.has_assumed = False
        self._serves = serves
        self._catalogue = catalogue
        self._constraints = constraints
        self._may_assume = may_assume
        self._streaks: dict[str, tuple[Clash | None, int]] = {}
        self._rules: dict[str, list[tuple[int, int]]] = {}

    def bounds(self, offering: Offering, need: int) -> Iterator[tuple[int, int]]:
        """Yield what bounds a project besides requirements on it, by constraint or lesson: (allowed, where)."""
        for constraint in self._constraints.get(offering.name, ()):
            if constraint.mask & need:
                parsed = constraint.parsed
                yield offering.allowed(parsed.specifier, parsed.specifier_text), constraint.mask & need
        for allowed, where in self._rules.get(offering.name, ()):
            if where & need:
                yield allowed, where & need

    def note(self, information: Collection[Information], candidate: Candidate) -> None:
        """Learn that ``candidate`` was rejected; ``information`` are all requirements on what it clashed about."""
        clash = self._clash(list(information), candidate)
        last, versions = self._streaks.get(candidate.name, (None, 0))
        self._streaks[candidate.name] = clash, (versions if clash == last else 0) | candidate.bit

    def pattern(self, name: str) -> Clash | None:
        """Return the reason for which the last versions of ``name`` were all rejected, if there is one."""
        clash, versions = self._streaks.get(name, (None, 0))
        return clash if versions.bit_count() >= ALIKE else None

    def pass_over(self, offering: Offering, ranks: Sequence[int], need: int, extras: Mapping[str, int]) -> int:
        """Return those of ``ranks``, which come next in this order, that go by the pattern, as a set of versions."""
        clash, versions = self._streaks.pop(offering.name)
        assert clash is not None  # noqa: S101 - else there is no pattern
        wanted = {} if clash.is_lasting else extras

        def is_alike(rank: int) -> bool:
            return self._compare(offering, rank, need, wanted, clash.other, clash.taken) == (clash.gap, clash.where)

        low, high = -1, len(ranks)
        while high - low > 1:
            step = max(1, (high - low) // PROBES) if self._may_assume else 1
            probes = range(low + step, min(high, low + step * READ_AHEAD), step)
            self._catalogue.prefetch_metadata(offering, [ranks[probe] for probe in probes])
            for probe in probes:
                if not is_alike(ranks[probe]):
                    high = probe
                    break
                self.has_assumed = self.has_assumed or step > 1
                low = probe
        passed = sum(1 << rank for rank in ranks[:high])
        if clash.is_lasting:
            self._rules.setdefault(offering.name, []).append((~(versions | passed), clash.where))
        return passed

    def _clash(self, information: Sequence[Information], candidate: Candidate) -> Clash | None:
        rejecting = information[-1].requirement
        offering = self._catalogue.offering(candidate.release.name)
        if rejecting.parsed is None or offering is None:
            return None
        other = rejecting.parsed.name
        others = [one for one in information if one.parent is None or one.parent.name != candidate.name]
        lasting = [one for one in others if one.parent is None]
        for everybody, extras in ((lasting, {}), (others, candidate.extras)):
            taken = self._taken(other, (one.requirement for one in everybody), rejecting.mask)
            found = self._compare(offering, candidate.rank, candidate.mask, extras, other, taken)
            if found is not None:
                return Clash(other, taken, everybody is lasting, *found)
        return None

    def _taken(self, name: NormalizedName, requirements: Iterable[MaskedRequirement], where: int) -> int:
        """Return the versions of ``name`` that all of ``requirements``, the constraints and old lessons allow."""
        offering = self._catalogue.offering(name)
        if offering is None:
            return 0
        taken = offering.full & ~offering.defective
        for requirement in requirements:
            taken &= requirement.allowed
        for allowed, _ in self.bounds(offering, where):
            taken &= allowed
        return taken

    def _compare(
        self, offering: Offering, rank: int, need: int, extras: Mapping[str, int], name: NormalizedName, taken: int
    ) -> tuple[tuple[int, int], int] | None:
        """Return between which of ``taken`` one release wants ``name``, and where; None when they go together."""
        other = self._catalogue.offering(name)
        own, where = EVERY if other is None else other.full, 0
        for dependency in self._catalogue.all_dependencies(offering, rank, need, extras) or ():
            if dependency.parsed.name == name:
                where |= dependency.mask
                if other is not None:
                    own &= other.allowed(dependency.parsed.specifier, dependency.parsed.specifier_text)
        if not where or (other is not None and own & taken and self._serves(other, own & taken, where)):
            return None
        if not own or own & taken:
            return NOWHERE, where
        below = own & -own
        return ((taken & (below - 1)).bit_count(), (taken & ((1 << own.bit_length()) - 1)).bit_count()), where
