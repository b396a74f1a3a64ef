"""Which optional parts of a project somebody asks for: extras and dependency groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

DEFAULT_GROUP = "pyvstore-default"
"""A group that exists in lockfiles only (PEP 751, ``default-groups``): it stands for the groups installed unasked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What is asked for beside the project's own dependencies; all names are normalised.

    Attributes:
        extras, all_extras: which extras.
        groups, all_groups: which dependency groups, beside the default ones.
        without_groups: groups that are left out, whatever else is said.
        no_default_groups: the default groups are not installed unless named.
        only_groups: these groups and nothing else: not the project's dependencies, no extras, no default groups.
    """

    extras: tuple[str, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    all_groups: bool = False
    without_groups: tuple[str, ...] = ()
    no_default_groups: bool = False
    only_groups: tuple[str, ...] = ()


DEFAULT_PARTS = Parts()
"""The project's dependencies and its default groups."""


def format_parts(parts: Parts) -> dict[str, object]:
    """Return what of ``parts`` differs from the default, fit for JSON."""
    values = {field.name: getattr(parts, field.name) for field in fields(Parts)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value}


def parse_parts(raw: Mapping[str, object]) -> Parts:
    """Return the parts that `format_parts` was given; raises ValueError or TypeError for anything else."""
    found: dict[str, object] = {}
    for name, value in raw.items():
        if value is not True and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ValueError(name)
        found[name] = True if value is True else tuple(value)
    parts = Parts(**found)  # type: ignore[arg-type]
    if any(isinstance(getattr(parts, field.name), bool) != isinstance(field.default, bool) for field in fields(Parts)):
        raise ValueError(raw)
    return parts


def with_part(parts: Parts, kind: str, name: str, *, is_default: bool = False) -> Parts:
    """Return ``parts`` and one more: an ``extra``, a ``group``, or, with any other ``kind``, the project itself.

    ``is_default`` tells whether the group is installed without asking. Groups that were alone stay alone when another
    one joins them, but an extra and the project's own dependencies are nothing without the project.
    """
    if kind == "group":
        parts = replace(parts, without_groups=tuple(other for other in parts.without_groups if other != name))
        if parts.only_groups:
            return replace(parts, only_groups=_and(parts.only_groups, name))
        is_there = parts.all_groups or (is_default and not parts.no_default_groups)
        return parts if is_there else replace(parts, groups=_and(parts.groups, name))
    if parts.only_groups:
        parts = replace(parts, only_groups=(), groups=parts.only_groups, no_default_groups=True)
    if kind == "extra" and not parts.all_extras:
        return replace(parts, extras=_and(parts.extras, name))
    return parts


def _and(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names, name}))
