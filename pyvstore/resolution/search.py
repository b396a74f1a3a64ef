"""One search: the requirements of the project over one region, through resolvelib."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvelib import BaseReporter, ResolutionImpossible
from resolvelib.resolvers import Resolution, ResolutionTooDeep
from resolvelib.structs import State
from typing_extensions import override

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.excerpt import Excerpt
from pyvstore.resolution.offering import Dependency
from pyvstore.resolution.preferences import Inclinations
from pyvstore.resolution.provider import Provider
from pyvstore.resolution.requirement import Candidate, MaskedRequirement
from pyvstore.resolution.splitting import Reconsider, Split


@dataclass(frozen=True, slots=True)
class Attempt:
    """How long to try, and how.

    An *optimistic* attempt backtracks as far as resolvelib's guess goes. That is much faster on some graphs, but when
    the guess fails resolvelib resumes from a state that has lost alternatives, so that its "impossible" proves nothing.
    """

    rounds: int
    is_optimistic: bool = False


ATTEMPTS = (Attempt(1_000), Attempt(30_000, is_optimistic=True), Attempt(200_000))
"""Each begins with the names promoted that gave the last one most trouble."""
CULPRITS = 2
MOST_RELIEVED = 8
"""Versions that are looked for once more because of what was left behind."""


class Dead(Exception):  # noqa: N818 - control flow, not an error
    """No choice of versions serves the whole region.

    Attributes:
        masks: of the requirements in the last conflict, for choosing where to split.
        names: of the projects in it.
        is_certain: False when the search gave up.
        has_assumed: whether versions were passed over unread, so that a search that does not may find an answer.
    """

    def __init__(
        self,
        *,
        masks: Collection[int] = (),
        names: Collection[str] = (),
        is_certain: bool = True,
        has_assumed: bool = False,
    ) -> None:
        super().__init__(names)
        self.masks = masks
        self.names = names
        self.is_certain = is_certain
        self.has_assumed = has_assumed


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, for any region.

    Attributes:
        roots: the project's requirements after overrides, in canonical order.
        direct: names in them.
        constraints: bounds by name.
    """

    roots: tuple[Dependency, ...]
    direct: frozenset[str]
    constraints: Mapping[str, Sequence[Dependency]]


class _Observer(BaseReporter[MaskedRequirement, Candidate, str]):
    def __init__(self, provider: Provider) -> None:
        self.rounds = 0
        self._provider = provider

    @override
    def starting_round(self, index: int) -> None:
        self.rounds += 1

    @override
    def rejecting_candidate(self, criterion: Any, candidate: Candidate) -> None:
        self._provider.rejected(criterion.information, candidate)


class _Search(Resolution[MaskedRequirement, Candidate, str]):
    def __init__(self, provider: Provider, observer: _Observer, attempt: Attempt) -> None:
        super().__init__(provider, observer)
        self._verdicts: dict[str, tuple[Any, Candidate, bool]] = {}
        if not attempt.is_optimistic:
            self._optimistic_backjumping_ratio = 0.0

    @override
    def _is_current_pin_satisfying(self, name: str, criterion: Any) -> bool:
        """Judge a name again only where its requirements or its pin are others.

        Asked for every name, twice a round; a criterion is never changed but replaced.
        """
        pin = self.state.mapping.get(name)
        if pin is None:
            return False
        known = self._verdicts.get(name)
        if known is not None and known[0] is criterion and known[1] is pin:
            return known[2]
        verdict = super()._is_current_pin_satisfying(name, criterion)
        self._verdicts[name] = criterion, pin, verdict
        return verdict


@dataclass(slots=True)
class Effort:
    """Counts work, for the curious and for benchmarks."""

    searches: int = 0
    rounds: int = 0
    splits: int = 0


def search(
    catalogue: Catalogue,
    question: Question,
    *,
    region: int,
    inclinations: Inclinations,
    effort: Effort,
    attempts: Sequence[Attempt] | None = None,
    resigned: bool = False,
    kept: Excerpt | None = None,
    may_assume: bool = False,
) -> dict[str, Candidate]:
    """Return a candidate for every name that the search decided; some may be unreachable.

    What resolvelib leaves behind where it turned back bounds the others still: a version may be older than it would
    have to be for the sake of a package that nobody needs. Each such version is looked for once more, with all others
    at hand.

    ``attempts``: by default `ATTEMPTS`.
    ``resigned``, ``kept``, ``may_assume``: see `Provider`.

    Raises:
        Split: the region must be answered in parts.
        Dead: it has no answer as a whole.
        FetchError: the source failed.
    """

    def find(inclinations: Inclinations, attempts: Sequence[Attempt]) -> State[MaskedRequirement, Candidate, str]:
        return _find(
            catalogue,
            question,
            attempts,
            effort,
            region=region,
            inclinations=inclinations,
            resigned=resigned,
            kept=kept,
            may_assume=may_assume,
        )

    state = find(inclinations, ATTEMPTS if attempts is None else attempts)
    for name in sorted(_burdened(state)[0])[:MOST_RELIEVED] if kept is None else ():
        found = {other: state.mapping[other].rank for other in _burdened(state)[1] - {name}}
        with contextlib.suppress(Dead, Split):
            state = find(inclinations.having_found(found), ATTEMPTS[:1])
    return dict(state.mapping)


def _burdened(state: State[MaskedRequirement, Candidate, str]) -> tuple[set[str], set[str]]:
    """Return the names that a package which nobody needs any more has requirements on, and all that are needed."""
    children: dict[Candidate | None, set[str]] = {}
    for name, criterion in state.criteria.items():
        for _, parent in criterion.information:
            children.setdefault(parent, set()).add(name)
    needed = set(children.pop(None, ()))
    pending = list(needed)
    while pending:
        pin = state.mapping.get(pending.pop())
        new = children.pop(pin, set()) - needed if pin is not None else set()
        needed |= new
        pending += new
    return needed & set().union(*children.values()), needed


def _find(
    catalogue: Catalogue,
    question: Question,
    attempts: Sequence[Attempt],
    effort: Effort,
    *,
    region: int,
    inclinations: Inclinations,
    **options: Any,
) -> State[MaskedRequirement, Candidate, str]:
    promoted: tuple[str, ...] = ()
    conflicts: dict[str, int] = {}
    for attempt in attempts:
        while True:
            provider = Provider(
                catalogue,
                region=region,
                inclinations=inclinations,
                direct=question.direct,
                constraints=question.constraints,
                promoted=promoted,
                **options,
            )
            observer = _Observer(provider)
            effort.searches += 1
            requirements = [
                MaskedRequirement(root.parsed.name, mask, root.parsed)
                for root in question.roots
                if (mask := root.mask & region)
            ]
            try:
                # Not `Resolver`: it would first trim the result to what is reachable, by a recursion that never ends
                # where two left-over packages require each other. What is reachable is found out later anyway.
                return _Search(provider, observer, attempt).resolve(requirements, max_rounds=attempt.rounds)
            except Reconsider:
                continue
            except ResolutionTooDeep:
                conflicts = provider.conflicts
                break
            except ResolutionImpossible as impossible:
                if attempt.is_optimistic:
                    conflicts = provider.conflicts
                    break
                causes = impossible.causes
                names = {cause.requirement.name for cause in causes}
                names.update(cause.parent.name for cause in causes if cause.parent is not None)
                raise Dead(
                    masks=[cause.requirement.mask for cause in causes],
                    names=names,
                    has_assumed=provider.lessons.has_assumed,
                ) from None
            finally:
                effort.rounds += observer.rounds
        promoted = tuple(sorted(conflicts, key=lambda name: (-conflicts[name], name))[:CULPRITS])
    raise Dead(names=promoted, is_certain=False)
