"""Which names of a lock somebody means: `Parts` as they were asked for → extras and groups of the lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from pyvstore.errors import UsageError
from pyvstore.lockfile.document import LockDocument
from pyvstore.model.parts import Parts


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenParts:
    """What `select` is asked for.

    Attributes:
        extras, groups: as the lock spells them.
        without_project: the project's own dependencies are left out.
    """

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    without_project: bool = False


def choose_parts(document: LockDocument, parts: Parts) -> ChosenParts:
    """Return what ``parts`` mean in ``document``.

    Raises UsageError: ``extra-unknown`` or ``group-unknown`` for a name that the lock does not have,
    ``parts-conflict`` for parts that are declared to exclude each other.
    """
    known_extras, known_groups = _by_name(document.extras), _by_name(document.dependency_groups)
    # A synthetic default group of another tool is no group that can be named.
    spelled = {**_by_name(document.default_groups), **known_groups}
    extras = set(known_extras) if parts.all_extras else _known(parts.extras, known_extras, "extra")
    without = _known(parts.without_groups, known_groups, "group")
    if parts.only_groups:
        groups = _known(parts.only_groups, known_groups, "group") - without
        extras = set()
    else:
        groups = set(known_groups) if parts.all_groups else _known(parts.groups, known_groups, "group")
        groups = (groups | _default_groups(document, parts)) - without
    _refuse_conflicts(document, extras, groups)
    return ChosenParts(
        extras=frozenset(known_extras[name] for name in extras),
        groups=frozenset(spelled.get(name, name) for name in groups),
        without_project=bool(parts.only_groups),
    )


def narrowed(document: LockDocument, parts: Parts) -> Parts:
    """Return ``parts`` without the names that the lock does not have any more, for parts that nobody asks for now."""
    extras, groups = _by_name(document.extras), _by_name(document.dependency_groups)
    return replace(
        parts,
        extras=tuple(name for name in parts.extras if name in extras),
        groups=tuple(name for name in parts.groups if name in groups),
        without_groups=tuple(name for name in parts.without_groups if name in groups),
        only_groups=tuple(name for name in parts.only_groups if name in groups),
    )


def _default_groups(document: LockDocument, parts: Parts) -> set[str]:
    if parts.no_default_groups:
        return set()
    return set(_by_name(document.default_groups if document.default_members is None else document.default_members))


def _by_name(names: Iterable[str]) -> dict[str, str]:
    return {str(canonicalize_name(name)): name for name in names}


def _known(asked: Iterable[str], known: Collection[str], kind: str) -> set[str]:
    names = {str(canonicalize_name(name)) for name in asked}
    for name in sorted(names.difference(known)):
        raise UsageError(
            f"the project has no {kind} {name!r}",
            code=f"{kind}-unknown",
            hint=f"it has {', '.join(sorted(known))}" if known else f"it has no {kind}s at all",
        )
    return names


def _refuse_conflicts(document: LockDocument, extras: Collection[str], groups: Collection[str]) -> None:
    asked = {*(f"extra:{name}" for name in extras), *(f"group:{name}" for name in groups)}
    for members in document.conflicts:
        both = [member.replace(":", " ") for member in members if member in asked]
        if len(both) > 1:
            raise UsageError(
                f"{' and '.join(both)} exclude each other (`conflicts` in [tool.pyvstore])",
                code="parts-conflict",
                hint="ask for one of them",
            )
