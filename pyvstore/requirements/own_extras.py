"""A project that names itself: ``all = ["app[docs]", "app[test]"]`` means what those extras mean."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from pyvstore.errors import ProjectError
from pyvstore.requirements.project import ProjectRequirements

_MOST_WAYS = 1_000
_Conditions = tuple[str, ...]
"""Markers that all have to hold, the innermost first."""


def expand(project: ProjectRequirements, table: Sequence[Requirement], place: str) -> tuple[Requirement, ...]:
    """Return ``table`` with requirements on the project itself replaced by what they mean.

    Markers add up. What stands only in an extra of its own (``app[x]`` in extra ``x``) adds nothing, and an extra that
    is reached in several ways is there once for each condition that no weaker one includes. In a dependency group,
    naming the project brings in its dependencies too. Raises ProjectError (``pyproject``), which names ``place``, for
    an extra that the project does not have, and for extras that include each other in too many ways.
    """
    ways = _ways(project, table, place)
    own = next((part for part, requirements in project.optional.items() if requirements is table), None)
    found = list(_plain(project, table))
    for part, several in ways.items():
        if part != own:
            found += (
                _where(requirement, conditions)
                for conditions in several
                for requirement in _plain(project, _requirements(project, part))
            )
    return tuple(found)


def _ways(
    project: ProjectRequirements, table: Sequence[Requirement], place: str
) -> Mapping[str, Sequence[_Conditions]]:
    """Return every part of the project that ``table`` reaches, with the weakest conditions of the ways to it."""
    ways: dict[str, list[_Conditions]] = {}
    pending = deque(_named(project, table, place, ()))
    count = 0
    while pending:
        part, conditions = pending.popleft()
        known, here = ways.setdefault(part, []), frozenset(conditions)
        if any(here.issuperset(weaker) for weaker in known):
            continue
        count += 1
        if count > _MOST_WAYS:
            raise ProjectError(
                f"{place}: extras of the project include each other in too many ways",
                code="pyproject",
                hint="let fewer of them include each other, or use fewer different markers where they do",
            )
        known[:] = [other for other in known if not here.issubset(other)]
        known.append(conditions)
        pending += _named(project, _requirements(project, part), place, conditions)
    return ways


def included_extras(project: ProjectRequirements, table: Iterable[Requirement]) -> frozenset[str]:
    """Return the extras of the project that ``table`` names, under whatever condition."""
    return frozenset(
        canonicalize_name(extra)
        for requirement in table
        if _is_own(project, requirement)
        for extra in requirement.extras
    )


def _is_own(project: ProjectRequirements, requirement: Requirement) -> bool:
    return project.name is not None and canonicalize_name(requirement.name) == project.name


def _requirements(project: ProjectRequirements, part: str) -> Sequence[Requirement]:
    return project.optional[NormalizedName(part)] if part else project.dependencies


def _plain(project: ProjectRequirements, table: Iterable[Requirement]) -> Iterator[Requirement]:
    return (requirement for requirement in table if not _is_own(project, requirement))


def _named(
    project: ProjectRequirements, table: Iterable[Requirement], place: str, conditions: _Conditions
) -> Iterator[tuple[str, _Conditions]]:
    """Yield the parts that ``table`` names, each with the conditions of ``table`` and its own; "" is the main one."""
    for requirement in table:
        if not _is_own(project, requirement):
            continue
        own = () if requirement.marker is None else (str(requirement.marker),)
        where = tuple(dict.fromkeys((*own, *conditions)))
        if place.startswith("dependency-groups."):
            yield "", where
        for extra in sorted(map(canonicalize_name, requirement.extras)):
            if extra not in project.optional:
                raise ProjectError(f"{place}: the project has no extra {extra!r}", code="pyproject")
            yield extra, where


def _where(requirement: Requirement, conditions: _Conditions) -> Requirement:
    if not conditions:
        return requirement
    narrowed = Requirement(str(requirement))
    own = () if requirement.marker is None else (str(requirement.marker),)
    narrowed.marker = _all_of(tuple(dict.fromkeys((*own, *conditions))))
    return narrowed


def _all_of(conditions: _Conditions) -> Marker:
    return Marker(conditions[0] if len(conditions) == 1 else " and ".join(f"({text})" for text in conditions))
