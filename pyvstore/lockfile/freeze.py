"""The resolver's answer → `LockDocument`.

What is frozen can be read back: every artifact goes through the same checks as the rows of a lockfile, so that pyvstore
never writes what it would refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidSdistFilename, NormalizedName, parse_sdist_filename
from packaging.version import Version

from pyvstore.errors import InternalError, LockfileError
from pyvstore.lockfile.document import DependencyEdge, LockDocument, LockedFile, LockedPackage
from pyvstore.lockfile.inputs import DEFAULT_GROUP, LockInputs, digest
from pyvstore.lockfile.rows import PlaceError, parse_index, parse_sdist, parse_wheel
from pyvstore.lockfile.write import canonical_order
from pyvstore.model.artifact import Artifact
from pyvstore.requirements.text import format_marker, parse_marker
from pyvstore.resolution.lenient import lenient_specifier


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenPackage:
    """One version that the resolver chose.

    Attributes:
        name: normalised.
        version: what was chosen.
        requires_python: raw specifier text, or None.
        artifacts: the wheels that the lock's environments can use, and source distributions.
        marker: where it is installed; None for everywhere that the lock covers.
        dependencies: edges to other packages of the same answer. A version is needed where the answer has several of
            that name; a marker where the edge does not hold wherever both ends are installed.
        index_url: the index root that served it, without credentials.
        without_project: see `LockedPackage`.
    """

    name: NormalizedName
    version: Version
    requires_python: str | None = None
    artifacts: tuple[Artifact, ...]
    marker: str | None = None
    dependencies: tuple[DependencyEdge, ...] = ()
    index_url: str | None = None
    without_project: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenNames:
    """The optional parts of the project, by normalised names.

    Attributes:
        extras, dependency_groups: names that markers of packages may use.
        default_groups: the groups that are installed without asking.
        conflicts: sets of ``extra:<name>`` and ``group:<name>`` of which at most one is installed at a time.
    """

    extras: Collection[str] = ()
    dependency_groups: Collection[str] = ()
    default_groups: Collection[str] = ()
    conflicts: tuple[tuple[str, ...], ...] = ()


def freeze(
    packages: Iterable[FrozenPackage],
    inputs: LockInputs,
    *,
    environments: Sequence[str] = (),
    requires_python: str | None = None,
    forks: Sequence[str] = (),
    names: FrozenNames | None = None,
    computed_sha256: Mapping[str, str] | None = None,
) -> LockDocument:
    """Return the document for a resolver's answer, in canonical order.

    Args:
        packages: the answer, in any order.
        inputs: what it answers.
        environments: disjoint markers that the lock covers together.
        requires_python: the Pythons that the lock covers.
        forks: markers of the regions that were resolved apart, in order.
        names: extras and groups that package markers speak of.
        computed_sha256: URL → hex, for files whose index gives no sha256 and that were fetched to find it.

    Raises:
        LockfileError: code ``no-hash``: an artifact has no sha256; code ``lock-invalid``: an artifact could not be read
            back.
        InternalError: the answer contradicts itself: an edge to nowhere, a package twice, or without any file.
    """
    answer = list(packages)
    known = _by_name(answer)
    computed = computed_sha256 or {}
    names = names or FrozenNames()
    return canonical_order(
        LockDocument(
            requires_python=SpecifierSet(requires_python) if requires_python else None,
            environments=tuple(map(parse_marker, environments)),
            extras=tuple(sorted(map(NormalizedName, names.extras))),
            dependency_groups=tuple(sorted(names.dependency_groups)),
            default_groups=(DEFAULT_GROUP,) if names.default_groups else (),
            default_members=tuple(sorted(names.default_groups)) if names.dependency_groups else None,
            conflicts=names.conflicts,
            packages=tuple(_freeze_package(package, known, computed) for package in answer),
            forks=tuple(format_marker(parse_marker(fork)) for fork in forks),
            inputs=inputs,
            input_digest=digest(inputs),
        )
    )


def _by_name(answer: Iterable[FrozenPackage]) -> Mapping[NormalizedName, Sequence[FrozenPackage]]:
    known: dict[NormalizedName, list[FrozenPackage]] = {}
    for package in answer:
        others = known.setdefault(package.name, [])
        if any(other.marker == package.marker for other in others):
            raise InternalError(f"the resolver answered {package.name} twice for the same environments")
        others.append(package)
    return known


def _freeze_package(
    package: FrozenPackage,
    known: Mapping[NormalizedName, Sequence[FrozenPackage]],
    computed: Mapping[str, str],
) -> LockedPackage:
    place = f"{package.name} {package.version}"
    wheels: dict[str, LockedFile] = {}
    sdists: list[LockedFile] = []
    versions: set[Version] = set()
    try:
        local_allowed = package.index_url is not None and parse_index(package.index_url, f"{place}: the index")
        for artifact in package.artifacts:
            row = _row(artifact, computed)
            if artifact.is_wheel:
                wheel, version = parse_wheel(row, package.name, f"{place}: wheel", local_allowed=local_allowed)
                wheels.setdefault(wheel.filename, wheel)
            elif _is_standard_sdist(artifact.filename):
                sdist, version = parse_sdist(row, package.name, f"{place}: sdist", local_allowed=local_allowed)
                sdists.append(sdist)
            else:
                continue
            versions.add(version)
    except PlaceError as error:
        raise LockfileError(f"the index offers what cannot be locked: {error}", code="lock-invalid") from error
    if versions != {package.version}:
        raise InternalError(f"the resolver answered {place} with files of {len(versions)} versions")
    # Where an old version has both kinds, the gzipped tar is the standard one (PEP 625).
    sdists.sort(key=lambda sdist: (not sdist.filename.endswith(".tar.gz"), sdist.filename))
    requires_python = lenient_specifier(package.requires_python or "")
    return LockedPackage(
        name=package.name,
        version=package.version,
        marker=None if package.marker is None else parse_marker(package.marker),
        requires_python=requires_python if str(requires_python) else None,
        dependencies=tuple(dict.fromkeys(_freeze_edge(edge, known, place) for edge in package.dependencies)),
        index_url=package.index_url,
        wheels=tuple(wheels.values()),
        sdist=sdists[0] if sdists else None,
        without_project=None if package.without_project is None else parse_marker(package.without_project),
    )


def _row(artifact: Artifact, computed: Mapping[str, str]) -> Mapping[str, object]:
    sha256 = artifact.sha256 or computed.get(artifact.url)
    if sha256 is None:
        raise LockfileError(
            f"the index gives no sha256 for {artifact.filename}",
            code="no-hash",
            causes=("a lock without hashes could install anything",),
            hint="use an index that gives hashes, or ask those who run this one for them",
        )
    row: dict[str, object] = {"name": artifact.filename, "url": artifact.url, "hashes": {"sha256": sha256}}
    if artifact.size_bytes is not None:
        row["size"] = artifact.size_bytes
    if artifact.upload_time is not None:
        row["upload-time"] = artifact.upload_time
    return row


def _is_standard_sdist(filename: str) -> bool:
    # Old projects offer other kinds and names, too; a lock with such a row could not be read by anyone.
    try:
        parse_sdist_filename(filename)
    except InvalidSdistFilename:
        return False
    return True


def _freeze_edge(
    edge: DependencyEdge, known: Mapping[NormalizedName, Sequence[FrozenPackage]], place: str
) -> DependencyEdge:
    targets = [target for target in known.get(edge.name, ()) if edge.version is None or target.version == edge.version]
    several = len({target.version for target in known.get(edge.name, ())}) > 1
    if not targets or (several and edge.version is None):
        raise InternalError(f"the resolver's edge from {place} to {edge.name} {edge.version or ''} is not clear")
    marker = None if edge.marker is None else format_marker(parse_marker(edge.marker))
    own = targets[0].marker
    if len(targets) == 1 and own is not None and marker == format_marker(parse_marker(own)):
        # The dependency is installed exactly where the edge holds.
        marker = None
    return replace(edge, version=edge.version if several else None, marker=marker)
