"""A file that an index offers for one version of one project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from packaging.utils import NormalizedName
from packaging.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A wheel or a source distribution, as an index describes it.

    Attributes:
        name: normalised name of the project that the page is for.
        version: parsed from the file name.
        filename: decoded last component of the URL's path; never contains a separator.
        url: absolute ``http(s)`` or ``file`` URL, without credentials and without fragment.
        hashes: algorithm (lower case) → lower-case hex; empty where the index gives none.
        size_bytes: None where the index does not say (HTML pages).
        requires_python: the raw specifier text, or None.
        upload_time: aware UTC, or None.
        yanked: the reason ("" when none was given), or None when the file is not yanked (PEP 592).
        core_metadata: hashes of the separate metadata file (PEP 658/714); an empty mapping when it is offered without
            hashes, None when it is not offered.
        index_url: the index root that served the page, without credentials.
    """

    name: NormalizedName
    version: Version
    filename: str
    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int | None = None
    requires_python: str | None = None
    upload_time: datetime | None = None
    yanked: str | None = None
    core_metadata: Mapping[str, str] | None = None
    index_url: str

    @property
    def is_wheel(self) -> bool:
        """Whether this is a wheel; otherwise it is a source distribution."""
        return self.filename.endswith(".whl")

    @property
    def sha256(self) -> str | None:
        """Lower-case hex, or None where the index gave no sha256."""
        return self.hashes.get("sha256")
