"""What the project asks the resolver, and what it lets it do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

MAIN_SCOPE = ""
"""The scope of requirements that always hold; others are named by the caller (``extra:docs``, ``group:dev``)."""


class Prereleases(str, Enum):
    """When a pre-release may be chosen; values are those of the setting."""

    IF_NECESSARY = "if-necessary"
    """Only where no final release will do."""
    ALLOW = "allow"
    """Like any other version."""
    DISALLOW = "disallow"
    """Never."""


class Strategy(str, Enum):
    """Which end of the versions is preferred; values are those of the ``resolution`` setting."""

    HIGHEST = "highest"
    LOWEST = "lowest"
    LOWEST_DIRECT = "lowest-direct"
    """The lowest of what the project itself names, the highest of the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RootRequirement:
    """One thing that the project asks for.

    Attributes:
        requirement: parsed; a direct URL is refused by `resolve`.
        origin: where it stands, for sentences: ``project.dependencies``, ``dependency-groups.dev``.
        scope: which optional part of the project it belongs to; see `MAIN_SCOPE`. All scopes are resolved together;
            the answer tells which versions each of them reaches.
    """

    requirement: Requirement
    origin: str = "project.dependencies"
    scope: str = MAIN_SCOPE


@dataclass(frozen=True, slots=True)
class Preference:
    """A version to keep where it will do, such as an old pin; ``marker`` says where it was used (None: everywhere)."""

    version: str
    marker: str | None = None


class Builds(Enum):
    """What a source distribution is worth."""

    NEVER = "never"
    """Nothing."""
    LAST = "last"
    """It serves where the same version has wheels for others; a version without wheels is for projects that have none.

    Nothing old is dug out this way for a machine that newer versions left behind.
    """
    ALLOWED = "allowed"
    """As much as a wheel."""


def in_the_end(_name: NormalizedName, /) -> Builds:
    """Answer `Builds.LAST` for every project."""
    return Builds.LAST


def always(_name: NormalizedName, /) -> bool:
    """Answer yes for every project."""
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The user's choices.

    Attributes:
        prereleases, strategy: see the enums.
        constraints: bounds on versions that require nothing by themselves.
        overrides: replace every requirement on their name, the project's own included; extras and markers add up.
        excluded: names that are dropped wherever something requires them.
        builds: what a source distribution of a project is worth.
        wheels_allowed: whether its wheels count (``no-binary`` says no).
        files_required_on: markers of the environments where a version without a usable file is not a candidate; None
            means everywhere. Elsewhere files are a preference: where *no* version has one, the lock goes on with a
            version that has some for others, and `Resolution.without_wheels` tells. So it does where the versions with
            files there lead to no answer.
        may_leave_out: markers of environments that are left out of the answer when they have none, instead of failing;
            for supported environments that nobody named (see `Lattice.is_open_below`).
        may_leave_out_newer: markers of environments that are left out when a package's own bounds exclude their Python.
        newcomers: markers of Pythons so new that a version with files for the one before is as good as one with files.
        exclude_newer: the cut-off as the user wrote it; only used in hints.
        offline: only used in hints.
    """

    prereleases: Prereleases = Prereleases.IF_NECESSARY
    strategy: Strategy = Strategy.HIGHEST
    constraints: tuple[Requirement, ...] = ()
    overrides: tuple[Requirement, ...] = ()
    excluded: frozenset[NormalizedName] = field(default_factory=frozenset)
    builds: Callable[[NormalizedName], Builds] = in_the_end
    wheels_allowed: Callable[[NormalizedName], bool] = always
    files_required_on: tuple[str, ...] | None = None
    may_leave_out: tuple[str, ...] = ()
    may_leave_out_newer: tuple[str, ...] = ()
    newcomers: tuple[str, ...] = ()
    exclude_newer: str | None = None
    offline: bool = False
