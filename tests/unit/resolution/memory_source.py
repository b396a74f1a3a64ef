"""An index in memory, for tests of the resolver: projects as plain data, and a record of what was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from pyvstore.errors import FetchError, PyvstoreError
from pyvstore.model.artifact import Artifact
from pyvstore.model.release import Release, ReleaseMetadata
from pyvstore.resolution.source import OfferedRelease

INDEX = "https://index.example/simple/"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One version as a test describes it."""

    requires: Sequence[str] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    requires_python: str | None = None
    metadata_requires_python: str | None = None
    tags: Sequence[str] = ("py3-none-any",)
    sdist: bool = False
    yanked: bool = False
    uploaded: str | None = None
    failure: PyvstoreError | None = None

    def lines(self) -> tuple[str, ...]:
        """Return the Requires-Dist lines."""
        found = list(self.requires)
        for extra, lines in self.extras.items():
            for line in lines:
                requirement, _, marker = line.partition(";")
                guard = f"extra == '{extra}'"
                found.append(
                    f"{requirement.strip()}; ({marker.strip()}) and {guard}" if marker else f"{requirement}; {guard}"
                )
        return tuple(found)


class MemorySource:
    """A `CandidateSource` over ``{project: {version: Published}}``."""

    def __init__(
        self,
        projects: Mapping[str, Mapping[str, Published | Sequence[str]]],
        *,
        excluded: Callable[[Artifact], str | None] = lambda _artifact: None,
    ) -> None:
        self._excluded = excluded
        self.projects = {
            canonicalize_name(name): {
                Version(version): entry if isinstance(entry, Published) else Published(requires=entry)
                for version, entry in versions.items()
            }
            for name, versions in projects.items()
        }
        self.listed: list[str] = []
        self.read: list[str] = []
        self.hinted: set[str] = set()
        self.hinted_releases: list[str] = []
        self._releases: dict[NormalizedName, list[Release]] = {}

    def releases(self, name: NormalizedName) -> Sequence[OfferedRelease]:
        """Return every version, newest first."""
        self.listed.append(name)
        if name not in self.projects:
            raise FetchError(f"no index has {name}", code="no-such-project")
        if name not in self._releases:
            self._releases[name] = [
                self._release(name, version, published)
                for version, published in sorted(self.projects[name].items(), reverse=True)
            ]
        return self._releases[name]

    def metadata(self, release: OfferedRelease) -> ReleaseMetadata:
        """Return what the test wrote."""
        self.read.append(f"{release.name} {release.version}")
        published = self.projects[release.name][release.version]
        if published.failure is not None:
            raise published.failure
        return ReleaseMetadata(
            requires_dist=published.lines(),
            provides_extra=tuple(canonicalize_name(extra) for extra in published.extras),
            requires_python=published.metadata_requires_python or published.requires_python,
        )

    def prefetch(self, names: Sequence[NormalizedName]) -> None:
        """Remember the hint."""
        self.hinted.update(names)

    def prefetch_metadata(self, releases: Sequence[OfferedRelease]) -> None:
        """Remember the hint."""
        self.hinted_releases += [f"{release.name} {release.version}" for release in releases]

    def _release(self, name: NormalizedName, version: Version, published: Published) -> Release:
        release = _release(name, version, published)
        files = [*release.wheels, *([release.sdist] if release.sdist else [])]
        reasons = [self._excluded(file) for file in files]
        if not files or None in reasons:
            return release
        uploaded = min((file.upload_time for file in files if file.upload_time), default=None)
        return replace(release, excluded=reasons[0], uploaded=uploaded, wheels=(), sdist=None)


def _release(name: NormalizedName, version: Version, published: Published) -> Release:
    stem = f"{name.replace('-', '_')}-{version}"

    def artifact(filename: str) -> Artifact:
        return Artifact(
            name=name,
            version=version,
            filename=filename,
            url=f"{INDEX}{name}/{filename}",
            hashes={"sha256": hashlib.sha256(filename.encode()).hexdigest()},
            requires_python=published.requires_python,
            yanked="" if published.yanked else None,
            upload_time=datetime.fromisoformat(f"{published.uploaded}+00:00") if published.uploaded else None,
            index_url=INDEX,
        )

    return Release(
        name=name,
        version=version,
        requires_python=published.requires_python,
        yanked="" if published.yanked else None,
        wheels=tuple(artifact(f"{stem}-{tag}.whl") for tag in published.tags),
        sdist=artifact(f"{stem}.tar.gz") if published.sdist else None,
    )


def chosen(packages: Iterable[object]) -> dict[str, str]:
    """Return name → version of an answer with one version for each name."""
    return {str(getattr(package, "name")): str(getattr(package, "version")) for package in packages}  # noqa: B009
