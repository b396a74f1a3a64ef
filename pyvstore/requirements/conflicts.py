"""Which parts of a project exclude each other: those that are declared to, and those that include such parts.

An extra includes the extras that it names of its own project, a dependency group those and the groups of its
``include-group`` tables; under which conditions does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

from pyvstore.requirements.own_extras import included_extras
from pyvstore.requirements.project import ProjectRequirements
from pyvstore.requirements.setting_values import Part


def with_inherited(project: ProjectRequirements, declared: Sequence[tuple[Part, ...]]) -> tuple[tuple[Part, ...], ...]:
    """Return the ``declared`` sets, and a pair for any two parts that have what two members of one set stand for.

    A part that includes two members of one set excludes both of them and remains what it is: whether it can be had is
    for the resolution to say. Sorted, like the setting itself.
    """
    wholes = _wholes(project)
    sets = set(declared)
    excluded = {frozenset(pair) for members in declared for pair in combinations(members, 2)}
    for pair in list(excluded):
        first, second = (sorted({member, *wholes.get(member, ())}) for member in pair)
        for one, other in product(first, second):
            if one != other and frozenset((one, other)) not in excluded:
                sets.add(tuple(sorted((one, other))))
    return tuple(sorted(sets))


def _wholes(project: ProjectRequirements) -> Mapping[Part, set[Part]]:
    """Return part → the parts that include it, directly or not."""
    wholes: dict[Part, set[Part]] = {}
    direct = _included(project)
    for whole in direct:
        pending, seen = [whole], {whole}
        while pending:
            for part in direct.get(pending.pop(), frozenset()) - seen:
                seen.add(part)
                pending.append(part)
                wholes.setdefault(part, set()).add(whole)
    return wholes


def _included(project: ProjectRequirements) -> Mapping[Part, frozenset[Part]]:
    """Return part → the parts that it names."""
    found: dict[Part, frozenset[Part]] = {}
    for extra, requirements in project.optional.items():
        found["extra", extra] = frozenset(("extra", name) for name in included_extras(project, requirements))
    for group, requirements in project.groups.items():
        extras = frozenset(("extra", str(name)) for name in included_extras(project, requirements))
        found["group", group] = extras.union(("group", name) for name in project.includes.get(group, ()))
    return found
