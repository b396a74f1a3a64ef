"""What the resolver is asked: from the project's requirements and settings to the values that it takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import NormalizedName

from pyvstore.errors import UsageError
from pyvstore.lockfile.freeze import FrozenNames
from pyvstore.lockfile.inputs import DEPENDENCIES_TABLE, group_table, optional_table
from pyvstore.lockfile.markers import EXTRA, GROUP
from pyvstore.model.artifact import Artifact
from pyvstore.model.foreign import parse_specifiers
from pyvstore.requirements.conflicts import with_inherited
from pyvstore.requirements.own_extras import expand
from pyvstore.requirements.project import ProjectRequirements
from pyvstore.requirements.setting_values import ALL
from pyvstore.requirements.settings import Settings
from pyvstore.requirements.text import format_specifiers
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Builds, Policy, Prereleases, RootRequirement, Strategy

DEV = "dev"
"""The group that is installed without asking where no setting says otherwise, as in uv."""
_EVERYWHERE = "python_version >= '3'"


def names_of(requirements: ProjectRequirements, settings: Settings) -> FrozenNames:
    """Return the optional parts of the project.

    Raises UsageError (``setting``) for a default group or a conflict that names what the project does not have. The
    user's own file is for all projects: a default group there means the group of that name, where there is one.
    """
    groups = frozenset(requirements.groups)
    if settings.default_groups is None:
        default = groups & {DEV}
    elif settings.default_groups == (ALL,):
        default = groups
    elif "default-groups" in settings.of_user:
        default = groups.intersection(settings.default_groups)
    else:
        default = frozenset(settings.default_groups)
    known = {*(EXTRA + extra for extra in requirements.optional), *(GROUP + group for group in groups)}
    _require_known([GROUP + group for group in default], known, "default-groups", settings)
    _require_known(
        [f"{kind}:{name}" for members in settings.conflicts for kind, name in members], known, "conflicts", settings
    )
    conflicts = tuple(
        tuple(f"{kind}:{name}" for kind, name in members)
        for members in with_inherited(requirements, settings.conflicts)
    )
    return FrozenNames(
        extras=tuple(requirements.optional), dependency_groups=groups, default_groups=default, conflicts=conflicts
    )


def _require_known(parts: Collection[str], known: Collection[str], key: str, settings: Settings) -> None:
    place = f"{key} in your settings file" if key in settings.of_user else f"tool.pyvstore.{key}"
    for part in sorted(set(parts).difference(known)):
        kind, _, name = part.partition(":")
        there = ", ".join(sorted(other.partition(":")[2] for other in known if other.startswith(f"{kind}:")))
        raise UsageError(
            f"{place}: the project has no {kind} {name!r}",
            code="setting",
            hint=f"it has {there}" if there else f"it has no {kind}s at all",
        )


def roots_of(requirements: ProjectRequirements) -> list[RootRequirement]:
    """Return everything that the project and its optional parts ask for."""
    tables = [("", DEPENDENCIES_TABLE, requirements.dependencies)]
    tables += [(EXTRA + name, optional_table(name), entries) for name, entries in requirements.optional.items()]
    tables += [(GROUP + name, group_table(name), entries) for name, entries in requirements.groups.items()]
    return [
        RootRequirement(requirement=requirement, origin=place, scope=scope)
        for scope, place, entries in tables
        for requirement in expand(requirements, entries, place)
    ]


def lattice_of(requirements: ProjectRequirements, settings: Settings) -> Lattice:
    """Return the environments that a lock is for."""
    python = requirements.requires_python
    return Lattice(
        requires_python="" if python is None else format_specifiers(python),
        platforms=settings.platforms,
        environments=settings.environments,
        conflicts=names_of(requirements, settings).conflicts,
    )


def policy_of(settings: Settings, lattice: Lattice, *, bounds: Collection[Requirement] = (), offline: bool) -> Policy:
    """Return what the user lets the resolver do; ``bounds`` are constraints for this once."""
    no_build, no_binary = _Names(settings.no_build), _Names(settings.no_binary)

    def builds(name: NormalizedName) -> Builds:
        if name in no_build:
            return Builds.NEVER
        return Builds.ALLOWED if name in no_binary else Builds.LAST

    return Policy(
        prereleases=Prereleases(settings.prereleases),
        strategy=Strategy(settings.resolution),
        constraints=(*map(Requirement, settings.constraints), *bounds),
        overrides=tuple(map(Requirement, settings.overrides)),
        excluded=frozenset(settings.exclude),
        builds=builds,
        wheels_allowed=lambda name: name not in no_binary,
        files_required_on=settings.required_environments,
        may_leave_out=(_EVERYWHERE,) if lattice.is_open_below else (),
        may_leave_out_newer=lattice.newer,
        newcomers=lattice.newcomers,
        exclude_newer=settings.exclude_newer.text if settings.exclude_newer else None,
        offline=offline,
    )


class _Names:
    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def __contains__(self, name: str) -> bool:
        return name in self._names or ALL in self._names


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Which files are too new.

    Attributes:
        default: what was uploaded then or later does not count; None for no limit.
        of_package: the same for single packages.
    """

    default: datetime | None
    of_package: Mapping[NormalizedName, datetime | None]

    @classmethod
    def of(cls, settings: Settings, now: datetime) -> Exclusion:
        """Return what ``settings`` mean when it is ``now`` (aware UTC)."""
        return cls(
            settings.exclude_newer.at(now) if settings.exclude_newer else None,
            {name: cut_off.at(now) if cut_off else None for name, cut_off in settings.exclude_newer_package},
        )

    def excluded(self, artifact: Artifact) -> str | None:
        """Return why ``artifact`` does not count, None where it does. An unknown age is too young."""
        limit = self.of_package.get(artifact.name, self.default)
        if limit is None:
            return None
        if artifact.upload_time is None:
            return "of unknown age (its index gives no upload times), and `exclude-newer` is set"
        if artifact.upload_time >= limit:
            return f"newer than {limit:%Y-%m-%d %H:%M} UTC (`exclude-newer`)"
        return None


class Usable:
    """Whether a file serves any environment of a lattice: what the index room guesses by.

    Has caches of its own and touches nothing of the resolution: guesses are made in threads.
    """

    def __init__(self, lattice: Lattice) -> None:
        points = lattice.points()
        self._tags = frozenset(tag for point in points for tag in point.tags)
        self._pythons = sorted({point.python_full_version for point in points})
        self._accepted: dict[str, bool] = {}

    def __call__(self, artifact: Artifact) -> bool:
        """Tell whether ``artifact`` is a wheel that some environment can use."""
        if not artifact.is_wheel or artifact.yanked is not None:
            return False
        *_, pythons, abis, platforms = artifact.filename.removesuffix(".whl").rsplit("-", 3)
        tags = (
            f"{python}-{abi}-{platform}"
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform in platforms.split(".")
        )
        return any(tag in self._tags for tag in tags) and self._runs_on(artifact.requires_python)

    def _runs_on(self, requires_python: str | None) -> bool:
        if not requires_python:
            return True
        known = self._accepted.get(requires_python)
        if known is None:
            try:
                specifier = parse_specifiers(requires_python)
                known = any(specifier.contains(python, prereleases=True) for python in self._pythons)
            except InvalidSpecifier:
                known = True
            self._accepted[requires_python] = known
        return known
