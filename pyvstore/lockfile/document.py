"""The values of a lockfile. Made by `pyvstore.lockfile.parse` and `pyvstore.lockfile.freeze` only, which check them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.lockfile.inputs import LockInputs


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedFile:
    """One wheel or source distribution.

    Attributes:
        filename: decoded, without separators; need not be the end of ``url``.
        url: ``https``, ``http`` or ``file``, without credentials and fragment.
        sha256: lower-case hex.
        size_bytes: None where the lock does not say.
        upload_time: aware UTC, or None.
    """

    filename: str
    url: str
    sha256: str
    size_bytes: int | None = None
    upload_time: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DependencyEdge:
    """One direct dependency of a package on another package of the same lock.

    Attributes:
        name: normalised.
        version: which entry is meant, where the lock has several of that name; else None.
        marker: where the edge holds, or None for everywhere that both ends are selected.
    """

    name: NormalizedName
    version: Version | None = None
    marker: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedPackage:
    """One entry of ``[[packages]]``.

    Attributes:
        name: normalised.
        version: None only when ``source`` is set and the lock does not say.
        marker: where the entry is installed; None for everywhere.
        requires_python: what its metadata says; None for any Python.
        dependencies: direct dependencies, sorted by name and version.
        index_url: the index root that the files are from, without credentials; None where the lock does not say.
        wheels: in the order of the file.
        sdist: the source distribution, or None.
        source: ``vcs``, ``directory`` or ``archive`` for an entry that is not from an index; it has no files here.
        without_project: where extras and groups alone want an entry that the project's dependencies want, too, or
            whose ``marker`` mixes the two up; None where what holds without any extra or group is the project's.
    """

    name: NormalizedName
    version: Version | None
    marker: Marker | None = None
    requires_python: SpecifierSet | None = None
    dependencies: tuple[DependencyEdge, ...] = ()
    index_url: str | None = None
    wheels: tuple[LockedFile, ...] = ()
    sdist: LockedFile | None = None
    source: str | None = None
    without_project: Marker | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LockDocument:
    """A whole lockfile.

    Attributes:
        requires_python, environments: what the lock covers; None and empty mean no limit.
        extras, dependency_groups, default_groups: names that markers of packages may speak of (PEP 751).
        packages: sorted by name and version when pyvstore wrote the file.
        default_members: the groups that are installed without asking; None where the lock does not say.
        conflicts: sets of parts (``extra:cpu``, ``group:dev``) of which at most one can be installed at a time.
        forks: markers of the regions that were resolved apart, in order; the next lock begins with them.
        inputs: what the lock was made from; None when another tool wrote it.
        input_digest: the digest that was written with ``inputs``; differs from theirs after an edit or a merge by hand.
        created_by: the tool that wrote the file.
        warnings: ``(code, sentence)`` for what is unusual but usable.
    """

    requires_python: SpecifierSet | None = None
    environments: tuple[Marker, ...] = ()
    extras: tuple[NormalizedName, ...] = ()
    dependency_groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    packages: tuple[LockedPackage, ...] = ()
    default_members: tuple[str, ...] | None = None
    conflicts: tuple[tuple[str, ...], ...] = ()
    forks: tuple[str, ...] = ()
    inputs: LockInputs | None = None
    input_digest: str | None = None
    created_by: str = "pyvstore"
    warnings: tuple[tuple[str, str], ...] = field(default=(), compare=False)
