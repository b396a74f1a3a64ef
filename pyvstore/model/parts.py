"""Which optional parts of a project somebody asks for: extras and dependency groups."""

from __future__ import annotations

from dataclasses import dataclass


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
