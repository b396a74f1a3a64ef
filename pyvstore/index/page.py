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
from typing import Any, NamedTuple, cast

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from pyvstore.index.urls import is_plain, printable, resolve
from pyvstore.model.artifact import Artifact

PAGE_BYTES_LIMIT = 256 * 1024 * 1024
"""No page is read beyond this, compressed or not."""

RawFile = Mapping[str, Any]
"""One file as PEP 691 writes it; HTML pages are brought into the same shape."""

_SDIST_SUFFIXES = (".tar.gz", ".zip")
_METADATA_KEYS = ("core-metadata", "dist-info-metadata")
_TABLES = ("hashes", *_METADATA_KEYS)
_safe_name = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]*").fullmatch
_all_safe = re.compile(r"[A-Za-z0-9_.+!~-]*").fullmatch
_all_hex = re.compile(r"[0-9A-Fa-f]*").fullmatch
_SHA256_LENGTH = 64
_UPLOAD_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))?"
)


_encode = json.JSONEncoder(separators=(",", ":")).encode


class MalformedPageError(ValueError):
    """What arrived is not a page; the text says why, and where in the page."""


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
                version = Version(text)
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


def group_files(name: NormalizedName, base: str, files: Sequence[object]) -> tuple[dict[str, list[RawFile]], int]:
    """Check and group a page's files; return (version text → files, number of files that cannot be used).

    Raises MalformedPageError where a value has another type than the specification gives it.
    """
    raws, tables = _check_types(files)
    is_clean = _are_all_usable(raws, tables)
    groups: dict[str, list[RawFile]] = {}
    skipped = 0
    projects: dict[str, bool] = {}
    for raw in raws:
        version = _version_text(raw["filename"], name, projects)
        if version is None or not (is_clean or _is_usable(raw, base)):
            skipped += 1
        elif version in groups:
            groups[version].append(raw)
        else:
            groups[version] = [raw]
    return groups, skipped


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


def _check_types(files: Sequence[object]) -> tuple[Sequence[dict[str, Any]], list[dict[str, str]]]:
    """Return ``files`` as the tables that they are, and all tables of hashes in them.

    Raises MalformedPageError, naming the value, for other types than the specification gives.

    Files of one page mostly have the same keys with values of the same types: each such shape is looked at once.
    """
    if not {type(raw) for raw in files} <= {dict}:
        position = next(index for index, raw in enumerate(files) if type(raw) is not dict)
        raise MalformedPageError(f"files[{position}] is not a table")
    raws = cast("Sequence[dict[str, Any]]", files)
    holders: set[str] = set()
    for keys, types in {(tuple(raw), tuple(map(type, raw.values()))) for raw in raws}:
        shape: dict[str, type] = dict(zip(keys, types, strict=True))
        for key, allowed, what in _TYPES:
            if shape.get(key, _NONE) not in allowed:
                position = next(index for index, raw in enumerate(raws) if type(raw.get(key)) not in allowed)
                raise MalformedPageError(f"files[{position}].{key} is not {what}")
        holders |= {key for key in _TABLES if shape.get(key) is dict}
    tables = [raw[key] for key in holders for raw in raws if type(raw.get(key)) is dict]
    if not {type(value) for table in tables for value in table.values()} <= {str}:
        raise MalformedPageError("files: a hash is not a string")
    return raws, tables


_NONE = type(None)
_TYPES: tuple[tuple[str, frozenset[type], str], ...] = (
    ("filename", frozenset({str}), "a string"),
    ("url", frozenset({str}), "a string"),
    ("hashes", frozenset({dict}), "a table"),
    ("size", frozenset({int, _NONE}), "a number"),
    ("requires-python", frozenset({str, _NONE}), "a string"),
    ("upload-time", frozenset({str, _NONE}), "a string"),
    ("yanked", frozenset({bool, str, _NONE}), "a boolean or a string"),
    ("core-metadata", frozenset({bool, dict, _NONE}), "a boolean or a table"),
    ("dist-info-metadata", frozenset({bool, dict, _NONE}), "a boolean or a table"),
)


def _are_all_usable(raws: Sequence[dict[str, Any]], tables: Sequence[dict[str, str]]) -> bool:
    """Return whether `_is_usable` surely holds for every file, told from all of them at once (the usual page)."""
    names = "".join([raw["filename"] for raw in raws])
    links = "\n".join(["", *[raw["url"] for raw in raws]])
    digests = [value for table in tables for value in table.values()]
    return (
        _all_safe(names) is not None
        and links.count("\nhttps://") == links.count("\n") == len(raws)
        and not any(letter in links for letter in "@[]")
        and {algorithm for table in tables for algorithm in table} <= {"sha256"}
        and {len(digest) for digest in digests} <= {_SHA256_LENGTH}
        and _all_hex("".join(digests)) is not None
        and min([raw.get("size") or 0 for raw in raws], default=0) >= 0
    )


def _is_usable(raw: dict[str, Any], base: str) -> bool:
    """Return whether a file's name, link, size and hashes make sense."""
    if _safe_name(raw["filename"]) is None or resolve(base, raw["url"]) is None or (raw.get("size") or 0) < 0:
        return False
    for key in _TABLES:
        table = raw.get(key)
        digest = table.get("sha256") if isinstance(table, dict) else None
        if digest is not None and not (len(digest) == _SHA256_LENGTH and _all_hex(digest)):
            return False
    return True


def _version_text(filename: str, name: NormalizedName, projects: dict[str, bool]) -> str | None:
    """Return the version that a file name claims; None when it is no wheel or sdist of project ``name``."""
    if filename.endswith(".whl"):
        parts = filename.split("-")
        if not 5 <= len(parts) <= 6 or not all(parts):
            return None
        return parts[1].replace("_", "-") if _is_project(parts[0], name, projects) else None
    for suffix in _SDIST_SUFFIXES:
        if filename.endswith(suffix):
            stem = filename[: -len(suffix)]
            project, _, version = stem.rpartition("-")
            if _is_project(project, name, projects):
                return version
            # Old names: a hyphen within the version (`six-1.0-1.tar.gz`).
            at = stem.find("-")
            while at != -1:
                if _is_project(stem[:at], name, projects):
                    return stem[at + 1 :]
                at = stem.find("-", at + 1)
    return None


def _is_project(spelling: str, name: NormalizedName, projects: dict[str, bool]) -> bool:
    known = projects.get(spelling)
    if known is None:
        known = projects[spelling] = canonicalize_name(spelling) == name
    return known


@lru_cache(maxsize=4096)
def _specifier(text: str) -> str | None:
    """Return a ``requires-python`` as it may be shown; a page repeats a few of them thousands of times."""
    return printable(text, 1000) or None


def _core_metadata(raw: RawFile) -> dict[str, str] | None:
    for key in _METADATA_KEYS:
        value = raw.get(key)
        if isinstance(value, dict):
            return {algorithm.lower(): text.lower() for algorithm, text in value.items()}
        if value is True:
            return {}
    return None
