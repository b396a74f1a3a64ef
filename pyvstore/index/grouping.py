"""Check the files that a page lists, and group them by version.

Pages with thousands of files are common, so the checks look at all files at once where that can be done (a set of
types, one pattern over all names joined) and at each file only on pages that have something odd.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from packaging.utils import NormalizedName, canonicalize_name

from pyvstore.index.urls import resolve

RawFile = Mapping[str, Any]
"""One file as PEP 691 writes it; HTML pages are brought into the same shape."""

METADATA_KEYS = ("core-metadata", "dist-info-metadata")
"""Where a page announces separate metadata; the second is the older name."""

_SDIST_SUFFIXES = (".tar.gz", ".zip")
_TABLES = ("hashes", *METADATA_KEYS)
_safe_name = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]*").fullmatch
_all_safe = re.compile(r"[A-Za-z0-9_.+!~-]*").fullmatch
_all_hex = re.compile(r"[0-9A-Fa-f]*").fullmatch
_has_unusual_host = re.compile(r"\nhttps://(?![A-Za-z0-9][A-Za-z0-9.-]*/)").search
"""A port is one too: whether it can be is seen file by file."""

_SHA256_LENGTH = 64
_LONGEST_NAME = 255


class MalformedPageError(ValueError):
    """What arrived is not a page; the text says why, and where in the page."""


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
        and links.isascii()
        and links.count("\nhttps://") == links.count("\n") == len(raws)
        and _has_unusual_host(links) is None
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
    if len(filename) > _LONGEST_NAME:  # no disk could hold it, and it would be cut at each of its hyphens
        return None
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
