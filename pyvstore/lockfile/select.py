"""`LockDocument` and target environment → `Selection`, by the installer's rules of PEP 751.

The rules are applied by ``packaging.pylock``, on a narrowed copy: wheels that carry none of the target's tags are left
out beforehand, and of the target's thousand tags only those that some wheel carries are made into objects. Neither can
change what is selected. Where the rules refuse, the document is looked at again to say why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import cast

from packaging.markers import Environment, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import Package, PackageDirectory, PackageSdist, PackageWheel, Pylock, PylockSelectError
from packaging.requirements import InvalidRequirement
from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from pyvstore.errors import LOCK_ANEW, BuildError, LockfileError
from pyvstore.lockfile.document import LockDocument, LockedFile, LockedPackage
from pyvstore.lockfile.filenames import build_number, expand_tags, tag_triple
from pyvstore.lockfile.inputs import DEPENDENCIES_TABLE, group_table, optional_table
from pyvstore.lockfile.parts import ChosenParts, choose_parts
from pyvstore.lockfile.refusal import anew, explain_age, explain_refusal, is_wanted_by_project
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.foreign import parse_requirement
from pyvstore.model.parts import DEFAULT_PARTS, Parts
from pyvstore.model.selection import Pin, Selection
from pyvstore.requirements.text import parse_marker

_LOCK_VERSION = Version("1.0")


def select(
    document: LockDocument,
    environment: TargetEnvironment,
    parts: Parts = DEFAULT_PARTS,
) -> Selection:
    """Return what the lock means for one target, dependencies before their dependents.

    Args:
        document: a checked lock.
        environment: the *target's* markers and tags; those of the tool's own Python are never looked at.
        parts: which optional parts of the project.

    Raises:
        UsageError: see `pyvstore.lockfile.parts.choose_parts`.
        LockfileError: codes ``lock-requires-python``, ``lock-environment``, ``lock-ambiguous``, ``lock-source``,
            ``lock-invalid`` (a marker without meaning) and ``no-wheel``.
        BuildError: code ``build-required``; only a source distribution fits.
    """
    chosen_parts = choose_parts(document, parts)
    narrowed = _Narrowed(document, environment, without_project=chosen_parts.without_project)
    try:
        chosen = dict(narrowed.select(chosen_parts.extras, chosen_parts.groups))
        held = {package.name: package for package, _ in chosen.values()}
        values: dict[str, str | frozenset[str]] = {**environment.markers}
        values |= {"extras": chosen_parts.extras, "dependency_groups": chosen_parts.groups}
        dependencies = {name: _dependencies(package, held, values) for name, (package, _) in chosen.items()}
        direct = _direct_names(document, environment, chosen_parts, dependencies)
    except PylockSelectError as error:
        raise explain_refusal(document, environment, chosen_parts, str(error)) from error
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise LockfileError(
            "pylock.toml has a marker that has no meaning here",
            code="lock-invalid",
            causes=(ascii(str(error)),),
            hint=LOCK_ANEW,
        ) from error
    pins = []
    for name in _in_installation_order(dependencies):
        package, wheel = chosen[name]
        pins.append(
            Pin(
                name=name,
                version=str(package.version),
                filename=wheel.filename,
                url=wheel.url,
                sha256=wheel.sha256,
                size_bytes=wheel.size_bytes,
                dependencies=dependencies[name],
                direct=name in direct,
            )
        )
    return Selection(pins=tuple(pins), parts=parts)


class _Narrowed:
    """The document as ``packaging`` sees it, and the way back from its objects to ours."""

    def __init__(self, document: LockDocument, environment: TargetEnvironment, *, without_project: bool) -> None:
        self._document = document
        self._environment = environment
        self._without_project = without_project
        self._supported = frozenset(environment.tags)
        self._used: set[str] = set()
        self._packages: dict[int, LockedPackage] = {}
        self._wheels: dict[int, LockedFile] = {}

    def select(
        self, extras: Collection[str], groups: Collection[str]
    ) -> Iterator[tuple[NormalizedName, tuple[LockedPackage, LockedFile]]]:
        packages = [
            self._package(locked, marker) for locked in self._document.packages for marker in self._markers_of(locked)
        ]
        pylock = Pylock(
            lock_version=_LOCK_VERSION,
            environments=self._document.environments or None,  # an empty sequence would mean that none is covered
            requires_python=self._document.requires_python,
            extras=self._document.extras,
            # `packaging` demands that what is asked for is declared, the synthetic groups of a default included.
            dependency_groups=(*self._document.dependency_groups, *self._document.default_groups),
            created_by=self._document.created_by,
            packages=packages,
        )
        tags = [Tag(*tag.split("-", 2)) for tag in self._environment.tags if tag in self._used]
        for package, source in pylock.select(
            environment=cast("Environment", dict(self._environment.markers)),
            tags=tags,
            extras=extras,
            dependency_groups=groups,
        ):
            locked = self._packages[id(package)]
            if isinstance(source, PackageSdist):
                raise _build_required(locked, self._environment)
            if not isinstance(source, PackageWheel):
                raise LockfileError(
                    f"{locked.name} is locked as a {locked.source}, which is not supported yet",
                    code="lock-source",
                    hint="require it from an index",
                )
            yield locked.name, (locked, self._wheels[id(source)])

    def _markers_of(self, locked: LockedPackage) -> Iterator[Marker | None]:
        """Yield the marker that decides about an entry, or nothing for one that is out of the question."""
        if not self._without_project or not is_wanted_by_project(locked, self._environment):
            yield locked.marker
        elif locked.without_project is not None:
            yield locked.without_project

    def _package(self, locked: LockedPackage, marker: Marker | None) -> Package:
        fitting = [wheel for wheel in locked.wheels if self._fits(wheel)]
        if len(fitting) > 1:
            # Of wheels with equally good tags the first is taken, and the build tag decides (PEP 427).
            fitting.sort(key=lambda wheel: build_number(wheel.filename), reverse=True)
        # One that does not fit is enough to be refused by.
        wheels = fitting or ([] if locked.sdist else locked.wheels[:1])
        package = Package(
            name=locked.name,
            version=locked.version,
            marker=marker,
            requires_python=locked.requires_python,
            wheels=[self._wheel(wheel) for wheel in wheels],
            sdist=None
            if locked.sdist is None
            else PackageSdist(name=locked.sdist.filename, url=locked.sdist.url, hashes={"sha256": locked.sdist.sha256}),
            directory=None if locked.source is None else PackageDirectory(path="."),
        )
        self._packages[id(package)] = locked
        return package

    def _fits(self, wheel: LockedFile) -> bool:
        tags = self._supported.intersection(expand_tags(tag_triple(wheel.filename)))
        self._used |= tags
        return bool(tags)

    def _wheel(self, locked: LockedFile) -> PackageWheel:
        wheel = PackageWheel(name=locked.filename, url=locked.url, hashes={"sha256": locked.sha256})
        self._wheels[id(wheel)] = locked
        return wheel


def _build_required(package: LockedPackage, environment: TargetEnvironment) -> BuildError:
    age = explain_age(package, environment)
    locked = f", whose wheels do not fit this platform ({len(package.wheels)} locked)" if package.wheels else ""
    return BuildError(
        f"{package.name} {package.version} would have to be built from source{locked}",
        code="build-required",
        causes=(*([age[0]] if age else []), "builds are not supported yet"),
        hint=age[1] if age else f"require another version of {package.name}, or {anew(package)}",
    )


def _dependencies(
    package: LockedPackage,
    held: Mapping[NormalizedName, LockedPackage],
    values: Mapping[str, str | frozenset[str]],
) -> tuple[NormalizedName, ...]:
    names = {
        edge.name
        for edge in package.dependencies
        if edge.name in held
        and edge.name != package.name
        and edge.version in {None, held[edge.name].version}
        and (edge.marker is None or parse_marker(edge.marker).evaluate(values, context="lock_file"))
    }
    return tuple(sorted(names))


def _direct_names(
    document: LockDocument,
    environment: TargetEnvironment,
    parts: ChosenParts,
    dependencies: Mapping[NormalizedName, Collection[NormalizedName]],
) -> frozenset[str]:
    if document.inputs is None:
        return frozenset(dependencies).difference(*dependencies.values())
    tables = {*map(optional_table, parts.extras), *map(group_table, parts.groups)}
    if not parts.without_project:
        tables.add(DEPENDENCIES_TABLE)
    names = set()
    for table, text in document.inputs.requirements:
        if table not in tables:
            continue
        try:
            requirement = parse_requirement(text)
        except InvalidRequirement:
            # An edit by hand; the lock is stale, and who is direct is only told to people.
            continue
        if requirement.marker is None or requirement.marker.evaluate(environment.markers):
            names.add(canonicalize_name(requirement.name))
    return frozenset(names)


def _in_installation_order(
    dependencies: Mapping[NormalizedName, Collection[NormalizedName]],
) -> list[NormalizedName]:
    """Return every name after its dependencies; in a cycle, the name that sorts first is left last.

    It is pip's order, because what comes later wins where distributions overlap: by the longest chain of dependencies
    below, and by name backwards among equals.
    """
    heights = _heights(dependencies)
    return sorted(sorted(dependencies, reverse=True), key=heights.__getitem__)


def _heights(dependencies: Mapping[NormalizedName, Collection[NormalizedName]]) -> dict[NormalizedName, int]:
    """Return the length of the longest chain of dependencies below each name, without edges that close a cycle.

    A depth-first walk in the order of names, with a stack of its own because chains may be long.
    """
    heights: dict[NormalizedName, int] = {}
    entered: set[NormalizedName] = set()
    for root in sorted(dependencies):
        if root in entered:
            continue
        entered.add(root)
        stack = [(root, iter(sorted(dependencies[root])))]
        while stack:
            name, rest = stack[-1]
            following = next((dependency for dependency in rest if dependency not in entered), None)
            if following is None:
                stack.pop()
                below = (heights[dependency] for dependency in dependencies[name] if dependency in heights)
                heights[name] = 1 + max(below, default=0)
            else:
                entered.add(following)
                stack.append((following, iter(sorted(dependencies[following]))))
    return heights
