"""The last look before an answer leaves: it must be unique, closed, satisfied and allowed, or it is a bug of ours.

Deliberately ignorant of how the answer was found: it follows the requirements again from the merged choices alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.utils import NormalizedName

from pyvstore.errors import InternalError
from pyvstore.resolution.answer import Choice, Reach, everywhere, known_dependencies, known_offering
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Dependency
from pyvstore.resolution.search import Question


def check_answer(catalogue: Catalogue, question: Question, reach: Reach, covered: int) -> None:
    """Prove ``reach`` sound over ``covered``.

    Raises:
        InternalError: code ``unsound-resolution``; the message names the first flaw.
    """
    ranks: dict[NormalizedName, list[int]] = {}
    for name, rank in sorted(reach):
        ranks.setdefault(name, []).append(rank)
    for name, found in ranks.items():
        _check_unique(name, [everywhere(reach[name, rank][""]) for rank in found])
    for root in question.roots:
        _check_met(catalogue, Dependency(root.parsed, root.mask & covered), reach, ranks, "the project")
    for choice, extras in reach.items():
        offering = known_offering(catalogue, choice[0])
        shown = f"{choice[0]} {offering.releases[choice[1]].version}"
        mask = everywhere(extras[""])
        if mask & ~catalogue.appraise(offering, choice[1]).pythons:
            raise _flaw(f"{shown} was chosen for a Python that it excludes")
        for constraint in question.constraints.get(choice[0], ()):
            allowed = offering.allowed(constraint.parsed.specifier, constraint.parsed.specifier_text)
            if constraint.mask & mask and not allowed >> choice[1] & 1:
                raise _flaw(f"{shown} violates the constraint {constraint.parsed.text}")
        for extra, scopes in extras.items():
            for dependency in known_dependencies(catalogue, choice, extra):
                needed = Dependency(dependency.parsed, dependency.mask & everywhere(scopes))
                _check_met(catalogue, needed, reach, ranks, shown)


def _check_unique(name: NormalizedName, masks: Sequence[int]) -> None:
    seen = 0
    for mask in masks:
        if seen & mask:
            raise _flaw(f"two versions of {name} were chosen for one environment")
        seen |= mask


def _check_met(
    catalogue: Catalogue,
    dependency: Dependency,
    reach: Reach,
    ranks: Mapping[NormalizedName, Sequence[int]],
    requirer: str,
) -> None:
    parsed, mask = dependency.parsed, dependency.mask
    if not mask:
        return
    left = mask
    for rank in ranks.get(parsed.name, ()):
        choice: Choice = parsed.name, rank
        where = mask & everywhere(reach[choice][""])
        if not where:
            continue
        offering = known_offering(catalogue, parsed.name)
        if not offering.allowed(parsed.specifier, parsed.specifier_text) >> rank & 1:
            raise _flaw(f"{parsed.name} {offering.releases[rank].version} does not satisfy {parsed.text} of {requirer}")
        for extra in parsed.extras:
            if where & ~everywhere(reach[choice].get(extra, {})):
                raise _flaw(f"{parsed.text} of {requirer} misses an extra")
        left &= ~where
    if left:
        raise _flaw(f"nothing was chosen for {parsed.text} of {requirer}")


def _flaw(sentence: str) -> InternalError:
    return InternalError(f"the resolution is not sound: {sentence}", code="unsound-resolution")
