"""A project's page: which files an index offers, grouped by version.

A page may list thousands of files of which a resolution looks at a handful. So a page is checked and grouped with
string splits only; `Artifact` values are made for the versions that are asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from pyvstore.index.grouping import METADATA_KEYS, RawFile
from pyvstore.index.urls import is_plain, printable, resolve
from pyvstore.model.artifact import Artifact
from pyvstore.model.foreign import parse_version

PAGE_BYTES_LIMIT = 64 * 1024 * 1024
"""No page is read beyond this, compressed or not: nonsense in JSON takes twenty times its length in memory."""

_UPLOAD_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))?"
)
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Status(NamedTuple):
    """PEP 792: ``active``, ``archived``, ``quarantined`` or ``deprecated``, and the index's reason."""

    state: str = "active"
    reason: str = ""


class ProjectPage:
    """The usable files of one project on one index.

    Attributes:
        name: normalised project name.
        index_url: the index root, without credentials.
        status: see `Status`.
        skipped: how many files cannot be used (eggs, installers, other projects' names, names with separators, links
            that lead elsewhere).
    """

    __slots__ = ("_artifacts", "_base", "_groups", "_texts", "index_url", "name", "skipped", "status")

    def __init__(
        self,
        *,
        name: NormalizedName,
        index_url: str,
        base: str,
        groups: Mapping[str, Sequence[RawFile] | bytes],
        skipped: int = 0,
        status: Status = Status(),  # noqa: B008 - immutable
    ) -> None:
        """Take files grouped by the version's text; a group may still be its JSON text (from the cache)."""
        self.name = name
        self.index_url = index_url
        self.status = status
        self.skipped = skipped
        self._base = base
        self._groups: dict[str, Sequence[RawFile] | bytes] = {}
        self._texts: dict[Version, list[str]] = {}
        self._artifacts: dict[Version, tuple[Artifact, ...]] = {}
        for text, group in groups.items():
            try:
                version = parse_version(text)
            except InvalidVersion:
                self.skipped += 1 if isinstance(group, bytes) else len(group)
                continue
            self._groups[text] = group
            self._texts.setdefault(version, []).append(text)

    @property
    def versions(self) -> tuple[Version, ...]:
        """All versions that have a usable file, in the page's order."""
        return tuple(self._texts)

    def artifacts(self, version: Version) -> tuple[Artifact, ...]:
        """Return the files of ``version`` in the page's order; none when the page has none."""
        known = self._artifacts.get(version)
        if known is None:
            raws = [raw for text in self._texts.get(version, ()) for raw in self._raw(text)]
            known = tuple(self._artifact(version, raw) for raw in raws)
            self._artifacts[version] = known
        return known

    def to_lines(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return (header, one line for each version), from which `from_lines` makes the same page."""
        header = {
            "name": self.name,
            "base": self._base,
            "status": list(self.status),
            "skipped": self.skipped,
            "versions": list(self._groups),
        }
        return header, [
            group if isinstance(group, bytes) else _encode(group).encode() for group in self._groups.values()
        ]

    @classmethod
    def from_lines(cls, index_url: str, header: Mapping[str, Any], lines: Sequence[bytes]) -> ProjectPage:
        """Make a page from what `to_lines` returned; raises ValueError, KeyError or TypeError for anything else."""
        versions = header["versions"]
        if len(versions) != len(lines):
            raise ValueError(len(lines))
        state, reason = header["status"]
        return cls(
            name=NormalizedName(header["name"]),
            index_url=index_url,
            base=header["base"],
            groups=dict(zip(versions, lines, strict=True)),
            skipped=header["skipped"],
            status=Status(state, reason),
        )

    def _raw(self, text: str) -> Sequence[RawFile]:
        group = self._groups[text]
        if isinstance(group, bytes):
            group = self._groups[text] = json.loads(group)
        return group

    def _artifact(self, version: Version, raw: RawFile) -> Artifact:
        filename, url = raw["filename"], raw["url"]
        yanked = raw.get("yanked", False)
        requires_python = raw.get("requires-python")
        return Artifact(
            name=self.name,
            version=version,
            filename=filename,
            url=url if is_plain(url) else resolve(self._base, url) or "",
            hashes={algorithm.lower(): value.lower() for algorithm, value in raw["hashes"].items()},
            size_bytes=raw.get("size"),
            requires_python=_specifier(requires_python) if requires_python else None,
            upload_time=parse_upload_time(raw.get("upload-time")),
            yanked=None if yanked is False else printable(yanked) if isinstance(yanked, str) else "",
            core_metadata=_core_metadata(raw) if filename.endswith(".whl") else None,
            index_url=self.index_url,
        )


def parse_upload_time(text: str | None) -> datetime | None:
    """Parse an ISO 8601 instant as aware UTC; None for what is none (an unknown time, never a wrong one)."""
    match = _UPLOAD_TIME.fullmatch(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second),
            int((fraction or "0").ljust(6, "0")[:6]),
            tzinfo=timezone.utc,
        )
        if sign is None:
            return moment
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def _specifier(text: str) -> str | None:
    """Return a ``requires-python`` as it may be shown; a page repeats a few of them thousands of times."""
    return printable(text, 1000) or None


def _core_metadata(raw: RawFile) -> dict[str, str] | None:
    for key in METADATA_KEYS:
        value = raw.get(key)
        if isinstance(value, dict):
            return {algorithm.lower(): text.lower() for algorithm, text in value.items()}
        if value is True:
            return {}
    return None
