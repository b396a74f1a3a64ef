"""A project that names itself: ``all = ["app[docs]", "app[test]"]`` means what those extras mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from pyvstore.errors import ProjectError
from pyvstore.requirements.project import ProjectRequirements


def expand(project: ProjectRequirements, table: Iterable[Requirement], place: str) -> tuple[Requirement, ...]:
    """Return ``table`` with requirements on the project itself replaced by what they mean.

    Markers add up. What stands only in an extra of its own (``app[x]`` in extra ``x``) adds nothing. In a dependency
    group, naming the project brings in its dependencies too. Raises ProjectError (``pyproject``), which names
    ``place``, for an extra that the project does not have.
    """
    return tuple(_expand(project, table, place, frozenset()))


def _expand(
    project: ProjectRequirements, table: Iterable[Requirement], place: str, entered: frozenset[str]
) -> Iterator[Requirement]:
    for requirement in table:
        if project.name is None or canonicalize_name(requirement.name) != project.name:
            yield requirement
            continue
        wanted: Mapping[NormalizedName, tuple[Requirement, ...]] = project.optional
        parts: list[tuple[str, tuple[Requirement, ...]]] = []
        if place.startswith("dependency-groups."):
            parts.append(("", project.dependencies))
        for extra in sorted(map(canonicalize_name, requirement.extras)):
            if extra not in wanted:
                raise ProjectError(f"{place}: the project has no extra {extra!r}", code="pyproject")
            parts.append((extra, wanted[extra]))
        for part, requirements in parts:
            if part in entered:
                continue
            for found in _expand(project, requirements, place, entered | {part}):
                yield _where(found, requirement.marker)


def _where(requirement: Requirement, marker: Marker | None) -> Requirement:
    if marker is None:
        return requirement
    narrowed = Requirement(str(requirement))
    narrowed.marker = marker if requirement.marker is None else Marker(f"({requirement.marker}) and ({marker})")
    return narrowed
