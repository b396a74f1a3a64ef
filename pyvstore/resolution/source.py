"""The port through which candidates arrive; `resolution` never learns where from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.model.artifact import Artifact
from pyvstore.model.release import ReleaseMetadata


class OfferedRelease(Protocol):
    """One version on offer; `pyvstore.model.release.Release` is one.

    ``name`` and ``version`` are read for every release of a project. The rest is read only for versions that the
    search looks at, so that a source may derive it on first use.
    """

    @property
    def name(self) -> NormalizedName:
        """Normalised project name."""
        ...

    @property
    def version(self) -> Version:
        """Parsed version."""
        ...

    @property
    def requires_python(self) -> str | None:
        """Raw specifier text for files without one of their own."""
        ...

    @property
    def yanked(self) -> str | None:
        """The reason when the whole release is yanked, else None."""
        ...

    @property
    def excluded(self) -> str | None:
        """Why the whole release does not count (``uploaded after …``), else None."""
        ...

    @property
    def uploaded(self) -> datetime | None:
        """When the first of its files was uploaded, if that is known; asked of excluded releases only."""
        ...

    @property
    def wheels(self) -> Sequence[Artifact]:
        """All wheels."""
        ...

    @property
    def sdist(self) -> Artifact | None:
        """The source distribution, if any."""
        ...


class CandidateSource(Protocol):
    """Where releases and their metadata come from. Answers must not change during one resolution."""

    def releases(self, name: NormalizedName) -> Sequence[OfferedRelease]:
        """Return every release of ``name`` in any order; at most one per version.

        Raises:
            FetchError: code ``no-such-project`` when no index has the project; any other code ends the resolution.
        """
        ...

    def metadata(self, release: OfferedRelease) -> ReleaseMetadata:
        """Return the metadata of ``release``.

        Raises:
            FetchError: it could not be had; ends the resolution.
            WheelError, BuildError: it is unusable, or would need a build; the version is passed over.
        """
        ...

    def prefetch(self, names: Sequence[NormalizedName]) -> None:
        """Take the hint that the releases of ``names`` will be asked for soon. Returns at once, never raises."""
        ...

    def prefetch_metadata(self, releases: Sequence[OfferedRelease]) -> None:
        """Take the hint that the metadata of ``releases`` may be asked for soon. Returns at once, never raises."""
        ...
