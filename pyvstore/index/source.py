"""An index as the resolver sees it, with the fetching done ahead of the questions.

The resolver asks one thing at a time and waits. What it will ask next can be guessed: when a page arrives, the METADATA
of the newest usable version; when that arrives, the pages of its dependencies; after three versions of a project were
looked at and left, the next ten. Guesses change when things arrive, never what the answers are: every question has one
task whose outcome is kept, and errors of guesses stay silent until somebody asks that very question.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version
from typing_extensions import Self

from pyvstore.errors import BuildError, FetchError, PyvstoreError
from pyvstore.index.client import IndexClient
from pyvstore.index.page import ProjectPage
from pyvstore.index.workers import Task, Workers
from pyvstore.model.artifact import Artifact
from pyvstore.model.release import ReleaseMetadata
from pyvstore.resolution.source import OfferedRelease
from pyvstore.wheel.metadata import parse_core_metadata

WORKERS = 16
_GUESSES_LIMIT = 1000
"""More are made when questions were asked, one for each."""
_LOOK_BACK = 40
_REJECTIONS = 3
_NEXT = 10
_leading_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").match


class IndexSource:
    """Answers the resolver's questions from one index; a context manager.

    Args:
        client: the index.
        usable: whether a file can serve the environments that are resolved for (its ``requires_python`` and tags). It
            guides the guesses and nothing else.
        excluded: why a file does not count, or None where it does.
    """

    def __init__(
        self,
        client: IndexClient,
        *,
        usable: Callable[[Artifact], bool] = lambda _artifact: True,
        excluded: Callable[[Artifact], str | None] = lambda _artifact: None,
    ) -> None:
        self._client = client
        self._usable = usable
        self._excluded = excluded
        self._workers = Workers(WORKERS)
        self._mutex = threading.Lock()
        self._pages: dict[NormalizedName, Task[ProjectPage]] = {}
        self._metadata: dict[str, Task[ReleaseMetadata]] = {}
        self._asked: dict[NormalizedName, set[Version]] = {}
        self._guesses_left = 0 if client.offline else _GUESSES_LIMIT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop all guesses; what a thread does now it finishes, unheard."""
        self._workers.close()

    def releases(self, name: NormalizedName) -> Sequence[PageRelease]:
        """Return all versions of a project that have a usable file, in ascending order.

        Raises FetchError; see `IndexClient.page`. ``project-quarantined``: the index says that it is unsafe (PEP 792).
        """
        page = self._page_task(name).result()
        if page.status.state == "quarantined":
            raise FetchError(
                f"{name} is quarantined on {self._client.index.name}",
                code="project-quarantined",
                causes=(page.status.reason,) if page.status.reason else (),
                hint="require another project, or wait until the index has looked into it",
            )
        return tuple(PageRelease(page, version, self._excluded) for version in sorted(page.versions))

    def metadata(self, release: OfferedRelease) -> ReleaseMetadata:
        """Return what the METADATA of a release says.

        Raises FetchError, WheelError for METADATA that cannot be understood, and BuildError(code="build-required") for
        a release without wheels whose source distribution does not say all.
        """
        task = self._metadata_task(release.name, representative(release))
        self._guess_next(release)
        return task.result()

    def prefetch(self, names: Iterable[NormalizedName]) -> None:
        """Begin to fetch these projects' pages."""
        for name in names:
            self._guess(self._pages, name, partial(self._page_task, name))

    def prefetch_metadata(self, releases: Iterable[OfferedRelease]) -> None:
        """Begin to fetch the METADATA of these releases."""
        for release in releases:
            with contextlib.suppress(PyvstoreError):
                artifact = representative(release)
                self._guess(self._metadata, artifact.url, partial(self._metadata_task, release.name, artifact))

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    def _page_task(self, name: NormalizedName) -> Task[ProjectPage]:
        with self._mutex:
            task = self._pages.get(name)
            if task is None:
                task = self._pages[name] = Task(lambda: self._fetch_page(name))
        return task

    def _metadata_task(self, name: NormalizedName, artifact: Artifact) -> Task[ReleaseMetadata]:
        with self._mutex:
            task = self._metadata.get(artifact.url)
            if task is None:
                task = self._metadata[artifact.url] = Task(lambda: self._fetch_metadata(name, artifact))
        return task

    def _fetch_page(self, name: NormalizedName) -> ProjectPage:
        page = self._client.page(name)
        self.prefetch_metadata(self._usable_releases(page, page.versions, count=1))
        return page

    def _fetch_metadata(self, name: NormalizedName, artifact: Artifact) -> ReleaseMetadata:
        core = parse_core_metadata(self._client.metadata(artifact))
        metadata = ReleaseMetadata(
            requires_dist=tuple(core.requires_dist),
            provides_extra=tuple(core.provides_extra),
            requires_python=core.requires_python,
        )
        self.prefetch(mentioned(metadata.requires_dist) - {name})
        return metadata

    # ── guesses ──────────────────────────────────────────────────────────────────────────────────────────────

    def _guess(self, known: Mapping[Any, Task[Any]], key: str, make: Callable[[], Task[Any]]) -> None:
        with self._mutex:
            if key in known or self._guesses_left <= 0:
                return
            self._guesses_left -= 1
        self._workers.submit(make())

    def _guess_next(self, release: OfferedRelease) -> None:
        """Note that ``release`` was looked at; after three versions of a project begin with the ten below it."""
        with self._mutex:
            asked = self._asked.setdefault(release.name, set())
            if release.version in asked:
                return
            asked.add(release.version)
            self._guesses_left += 1
            page_task = self._pages.get(release.name)
            if len(asked) % _NEXT != _REJECTIONS or page_task is None:
                return
        with contextlib.suppress(PyvstoreError):
            page = page_task.result()
            older = [version for version in page.versions if version < release.version]
            self.prefetch_metadata(self._usable_releases(page, older, count=_NEXT))

    def _usable_releases(self, page: ProjectPage, versions: Iterable[Version], *, count: int) -> list[PageRelease]:
        """Return the newest ``count`` of ``versions`` that can be used; stable ones come before others."""
        if self._guesses_left <= 0:
            return []
        newest_first = sorted(versions, key=lambda version: (not version.is_prerelease, version), reverse=True)
        usable = (
            PageRelease(page, version, self._excluded)
            for version in newest_first[:_LOOK_BACK]
            if any(
                one.yanked is None and self._usable(one) and self._excluded(one) is None
                for one in page.artifacts(version)
            )
        )
        return list(islice(usable, count))


class PageRelease:
    """One version of a page. Its files are made when they are looked at: a resolution sorts hundreds, looks at few."""

    __slots__ = ("_excluded", "_files", "_page", "name", "version")

    requires_python: str | None = None
    """An index says it for each file."""

    def __init__(self, page: ProjectPage, version: Version, excluded: Callable[[Artifact], str | None]) -> None:
        self._page = page
        self._excluded = excluded
        self._files: tuple[Artifact, ...] | None = None
        self.name = page.name
        self.version = version

    @property
    def files(self) -> tuple[Artifact, ...]:
        """All files that count, in the page's order."""
        if self._files is None:
            self._files = tuple(one for one in self._page.artifacts(self.version) if self._excluded(one) is None)
        return self._files

    @property
    def excluded(self) -> str | None:
        """The reason why no file counts, or None when one does."""
        if self.files:
            return None
        return next(filter(None, map(self._excluded, self._page.artifacts(self.version))), None)

    @property
    def wheels(self) -> Sequence[Artifact]:
        """All wheels, in the page's order."""
        return tuple(one for one in self.files if one.is_wheel)

    @property
    def sdist(self) -> Artifact | None:
        """The source distribution: the first that is not yanked, ``.tar.gz`` before ``.zip``."""
        sdists = [one for one in self.files if not one.is_wheel]
        return min(sdists, key=lambda one: (one.yanked is not None, one.filename.endswith(".zip")), default=None)

    @property
    def yanked(self) -> str | None:
        """The first reason when every file is yanked, else None."""
        reasons = [one.yanked for one in self.files]
        return None if None in reasons or not reasons else next(filter(None, reasons), "")


def representative(release: OfferedRelease) -> Artifact:
    """Return the file whose METADATA stands for the release: always the same one, and the cheapest to ask.

    A source distribution speaks only where there is no wheel. Raises BuildError when there is neither.
    """
    wheels = release.wheels
    if not wheels:
        if release.sdist is not None:
            return release.sdist
        raise BuildError(f"{release.name} {release.version} has no file that can be read", code="build-required")
    return min(
        wheels,
        key=lambda one: (
            one.yanked is not None,
            one.core_metadata is None,
            not one.filename.endswith("-none-any.whl"),
            one.size_bytes is None,
            one.size_bytes or 0,
            one.filename,
        ),
    )


def mentioned(requires_dist: Iterable[str]) -> set[NormalizedName]:
    """Return the projects that ``Requires-Dist`` lines name outside extras."""
    names: set[NormalizedName] = set()
    for line in requires_dist:
        match = _leading_name(line.strip())
        if match is not None and "extra" not in line.partition(";")[2]:
            names.add(canonicalize_name(match[0]))
    return names
