"""`resolve`: from the project's requirements to one answer for every supported environment.

The work list begins with the whole universe (or the regions of the last answer). A region is searched as a whole; it is
cut in two where the search asks for it, or where it has no answer as a whole and something is known to tell its points
apart. A single point that has no answer ends the resolution. When texts met on the way would cut a Python interval of
the lattice, everything is done again on the refined one; what the source has fetched stays fetched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from packaging.utils import NormalizedName

from pyvstore.errors import ResolutionError
from pyvstore.events import SILENT, Reporter, Warned
from pyvstore.resolution.answer import (
    Reach,
    Resolution,
    ResolvedPackage,
    edges_of,
    everywhere,
    known_offering,
    merge,
    packages_of,
    reach_of_region,
    within,
)
from pyvstore.resolution.beyond import excluding
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.check import check_answer
from pyvstore.resolution.explain import explain
from pyvstore.resolution.offering import Dependency
from pyvstore.resolution.passed_over import passed_over
from pyvstore.resolution.policy import Policy, RootRequirement
from pyvstore.resolution.preferences import Inclinations, Preferences
from pyvstore.resolution.requirement import Candidate, ParsedRequirement, normalise
from pyvstore.resolution.search import Dead, Effort, Question, search
from pyvstore.resolution.source import CandidateSource
from pyvstore.resolution.splitting import Split
from pyvstore.resolution.universe import Universe


def resolve(
    roots: Sequence[RootRequirement],
    *,
    universe: Universe,
    source: CandidateSource,
    preferences: Preferences | None = None,
    policy: Policy | None = None,
    regions: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> Resolution:
    """Choose one version of every project that ``roots`` reach, for every point of ``universe``.

    Args:
        roots: what the project asks for, all scopes together; their order does not matter.
        universe: the environments; with a lattice it may come back refined in the answer.
        source: where releases and metadata come from.
        preferences: old pins by name; kept wherever they still do.
        policy: the user's choices.
        regions: `Resolution.regions` of the last answer.
        reporter: hears of progress, and of extras that do not exist.

    Raises:
        ResolutionError: code ``no-...`` when there is no answer, with the conflicting requirements as causes;
            ``url-requirement`` for a direct reference.
        FetchError: the source failed.
        InternalError: the answer did not pass its own check.
    """
    if not universe.full:
        raise ResolutionError(
            "no environment is left to resolve for",
            code="no-python",
            hint="check `requires-python` and the `environments` and `platforms` settings against each other",
        )
    policy = policy or Policy()
    catalogue: Catalogue | None = None
    while True:
        catalogue = Catalogue(source=source, universe=universe, policy=policy, reporter=reporter, predecessor=catalogue)
        run = _Run(roots, catalogue, preferences or {}, regions)
        try:
            answer = run.solve()
        except _Hopeless as failure:
            if not universe.wanted:
                reason = failure.reason
                if reason is None:
                    reason = explain(catalogue, run.question, run.inclinations, run.origins, failure.region)
                raise reason from None
        else:
            if not universe.wanted:
                _warn(catalogue, answer.packages, reporter)
                return answer
            # Where the coarser universe had to be cut, the finer one has to be cut, too: no need to find out again.
            regions = regions or answer.regions
        universe = universe.refined()


class _Hopeless(Exception):  # noqa: N818 - control flow, translated by `resolve`
    def __init__(self, region: int, reason: ResolutionError | None = None) -> None:
        super().__init__(region)
        self.region = region
        self.reason = reason


class _Run:
    """One resolution over one universe."""

    def __init__(
        self,
        roots: Sequence[RootRequirement],
        catalogue: Catalogue,
        preferences: Preferences,
        regions: Sequence[str],
    ) -> None:
        self.catalogue = catalogue
        self.effort = Effort()
        self._universe = universe = catalogue.universe
        self._regions = regions
        policy = catalogue.policy
        self._optional = 0
        for marker in policy.may_leave_out:
            self._optional |= universe.marker_mask(marker)
        self._newer = 0
        for marker in policy.may_leave_out_newer:
            self._newer |= universe.marker_mask(marker)
        self._scoped: list[tuple[str, Dependency]] = []
        self.origins: list[tuple[Dependency, str]] = []
        for root in sorted(roots, key=lambda root: (*_sort_key(normalise(root.requirement)), root.scope, root.origin)):
            parsed = normalise(root.requirement)
            if parsed.url is not None:
                raise ResolutionError(
                    f"{parsed.text} is a direct reference, and these are not supported yet",
                    code="url-requirement",
                    hint=f"require a version of {parsed.name} from an index instead",
                )
            where = universe.marker_mask(parsed.marker_text) & universe.scope_mask(root.scope)
            for dependency in self.catalogue.rewritten(parsed, where):
                self._scoped.append((root.scope, dependency))
                self.origins.append((dependency, root.origin))
        constraints: dict[str, list[Dependency]] = {}
        for parsed in sorted(map(normalise, policy.constraints), key=_sort_key):
            mask = universe.marker_mask(parsed.marker_text)
            if mask:
                constraints.setdefault(parsed.name, []).append(Dependency(parsed, mask))
        self.question = Question(
            roots=tuple(dependency for _, dependency in self._scoped),
            direct=frozenset(dependency.parsed.name for _, dependency in self._scoped),
            constraints=constraints,
        )
        bounds = [dependency.parsed for bound in constraints.values() for dependency in bound]
        pins = [dependency.parsed for dependency in self.question.roots] + bounds
        self.inclinations = Inclinations(self.catalogue, preferences, pins)
        self._has_pins = bool(preferences)

    def solve(self) -> Resolution:
        """Answer every region and put the answers together."""
        self.catalogue.prefetch(sorted(NormalizedName(name) for name in self.question.direct))
        work = self._first_regions()
        done: list[tuple[int, Reach]] = []
        left_out = 0
        reasons: list[ResolutionError] = []
        excluders: dict[tuple[str, ...], int] = {}
        while work:
            # New Pythons that nobody named come last: they go by the answers for the others.
            region = work.pop(next((at for at, region in enumerate(work) if region & ~self._newer), 0))
            shut = self._shut_out(region, done)
            if shut:
                for point, names in shut.items():
                    excluders[names] = excluders.get(names, 0) | point
                    left_out |= point
                    region &= ~point
                work[:0] = [region] if region else []
                continue
            try:
                reach = self._answer(region)
            except Split as split:
                self.effort.splits += 1
                work[:0] = _halves(region, split.mask)
                continue
            except _Hopeless:
                if region & ~self._optional:
                    reasons.append(self._reason_to_leave_out(region))
                left_out |= region
                continue
            done.append((region, reach))
        covered = self._universe.full & ~self._universe.everywhere_like(left_out)
        if not covered:
            raise _Hopeless(left_out)
        reach = merge(within(reach, covered) for _, reach in done)
        check_answer(self.catalogue, self.question, reach, covered)
        regions = [region & covered for region, _ in done if region & covered]
        told = [
            f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} not for {self._universe.describe(mask)}"
            for names, mask in excluders.items()
        ]
        return self._resolution(reach, regions, covered, [*told, *(reason.message for reason in reasons)])

    def _shut_out(self, region: int, done: Sequence[tuple[int, Reach]]) -> dict[int, tuple[str, ...]]:
        """Return the points of new Pythons that nobody named and packages in use exclude, and these packages."""
        found: dict[int, tuple[str, ...]] = {}
        answered = 0
        for mask, _ in done:
            answered |= mask
        left = region if not region & ~self._newer else 0
        while left and answered:
            point = left & -left
            left ^= point
            model = self._universe.elder(point.bit_length() - 1, answered)
            for mask, reach in done:
                if mask & model:
                    names = excluding(self.catalogue, self.question.roots, reach, model=model, point=point)
                    if names:
                        found[point] = tuple(sorted(names))
        return found

    def _reason_to_leave_out(self, region: int) -> ResolutionError:
        """Return why nothing can be had for newer Pythons, which nobody named.

        Raises `_Hopeless` when that is no reason to leave them out.
        """
        if region & ~self._newer:
            raise _Hopeless(region)
        reason = explain(self.catalogue, self.question, self.inclinations, self.origins, region)
        self.catalogue.is_frozen = False
        if reason.code != "no-python":
            raise _Hopeless(region, reason)
        return reason

    def _answer(self, region: int) -> Reach:
        try:
            pins = self._search(region, may_assume=True)
        except Dead as dead:
            for mask in (*sorted(dead.masks), *self._universe.known_masks):
                if region & mask and region & ~mask:
                    raise Split(mask) from None
            pins = self._search_harder(region, has_assumed=dead.has_assumed)
        ranks = {name: candidate.rank for name, candidate in pins.items()}
        return reach_of_region(self.catalogue, self._scoped, ranks, region)

    def _search_harder(self, region: int, *, has_assumed: bool) -> dict[str, Candidate]:
        """Search without assumptions, and then where old files lead nowhere.

        A machine that newer versions left behind shall have a lock, too. Environments that nobody named are rather
        left out.
        """
        if not region & ~self._optional:
            raise _Hopeless(region)
        if has_assumed:
            with contextlib.suppress(Dead):
                return self._search(region)
        with contextlib.suppress(Dead):
            return self._search(region, resigned=True)
        # Where old pins lead into a corner, resolvelib does not always find the way out.
        for resigned in (False, True) if self._has_pins else ():
            with contextlib.suppress(Dead):
                return self._search(region, resigned=resigned, forgets=True)
        raise _Hopeless(region)

    def _search(
        self, region: int, *, resigned: bool = False, may_assume: bool = False, forgets: bool = False
    ) -> dict[str, Candidate]:
        return search(
            self.catalogue,
            self.question,
            region=region,
            inclinations=self.inclinations.forgotten() if forgets else self.inclinations,
            effort=self.effort,
            resigned=resigned,
            may_assume=may_assume,
        )

    def _first_regions(self) -> list[int]:
        left = self._universe.full
        found = []
        for marker in self._regions:
            region = left & self._universe.lock_marker_mask(marker)
            if region:
                found.append(region)
                left &= ~region
        return [*found, left] if left else found

    def _resolution(self, reach: Reach, regions: Sequence[int], covered: int, left_out: Sequence[str]) -> Resolution:
        packages = packages_of(self.catalogue, reach, covered)
        by_name: dict[NormalizedName, list[tuple[int, int]]] = {}
        for (name, rank), extras in sorted(reach.items()):
            by_name.setdefault(name, []).append((rank, everywhere(extras[""])))
        universe = self._universe
        roots = []
        for scope in sorted({scope for scope, _ in self._scoped}):
            wanted = [dependency for root_scope, dependency in self._scoped if root_scope == scope]
            roots.append((scope, edges_of(self.catalogue, wanted, by_name, covered)))
        markers = [universe.marker_for(region, covered) for region in regions]
        return Resolution(
            packages=packages,
            roots=tuple(roots),
            covered=covered,
            environments=universe.environments(covered),
            regions=tuple(marker for marker in markers if marker is not None),
            universe=universe,
            rounds=self.effort.rounds,
            left_out=tuple(dict.fromkeys(left_out)),
            passed_over=passed_over(self.catalogue, self.question, reach),
        )


def _warn(catalogue: Catalogue, packages: Sequence[ResolvedPackage], reporter: Reporter) -> None:
    """Tell of extras that somebody asks for and the chosen version does not have."""
    for package in packages:
        offering = known_offering(catalogue, package.name)
        metadata = catalogue.metadata(offering, offering.ranks[package.release.version])
        for extra in package.extras:
            if metadata is not None and extra not in metadata.provides_extra:
                reporter.emit(Warned("unknown-extra", f"{package.name} {package.version} has no extra named {extra}"))


def _sort_key(parsed: ParsedRequirement) -> tuple[str, str, str]:
    return parsed.name, parsed.text, parsed.marker_text


def _halves(region: int, mask: int) -> list[int]:
    """Return both parts of ``region``, the larger first."""
    return sorted((region & mask, region & ~mask), key=lambda part: (-part.bit_count(), part))
