"""The rows of a lockfile that name files, checked: a URL that may be fetched, a safe file name, a sha256.

A lock is fetched and merged from anywhere, so a row must not make pyvstore read a file of this machine, send
credentials, or go without the hash that everything later is checked against.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from urllib.parse import unquote

from packaging.utils import InvalidSdistFilename, NormalizedName, parse_sdist_filename
from packaging.version import Version

from pyvstore.lockfile.document import LockedFile
from pyvstore.lockfile.filenames import check_filename, parse_wheel_version

_URL = re.compile(
    r"(?P<url>(?P<scheme>https?|file)://(?P<host>[^/?#\\]*)/(?:[^?#\\]*/)?(?P<last>[^/?#\\]*)(?:\?[^#\\]*)?)(?:#.*)?"
)
_HOST = re.compile(r"(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_LARGEST_PORT = 65535
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PlaceError(Exception):
    """What is wrong in a lockfile, with the place in front of it; `parse` makes the refusal of it."""


def parse_wheel(row: object, name: NormalizedName, place: str, *, local_allowed: bool) -> tuple[LockedFile, Version]:
    """Return a checked row of ``wheels`` and the version in its file name.

    Args:
        row: the TOML value.
        name: project that the wheel must be of.
        place: where the row stands.
        local_allowed: whether file URLs may be used.

    Raises:
        PlaceError: the row is wrong.
    """
    wheel = _parse_file(row, place, local_allowed=local_allowed)
    try:
        return wheel, parse_wheel_version(wheel.filename, name)
    except ValueError as error:
        raise PlaceError(f"{place}: the file name {error}") from None


def parse_sdist(row: object, name: NormalizedName, place: str, *, local_allowed: bool) -> tuple[LockedFile, Version]:
    """Return the checked ``sdist`` and the version in its file name; arguments and errors as in `parse_wheel`."""
    sdist = _parse_file(row, place, local_allowed=local_allowed)
    try:
        check_filename(sdist.filename)
        sdist_name, version = parse_sdist_filename(sdist.filename)
    except InvalidSdistFilename:
        raise PlaceError(f"{place}: the file name {sdist.filename!r} is not that of a source distribution") from None
    except ValueError as error:
        raise PlaceError(f"{place}: the file name {error}") from None
    if sdist_name != name:
        raise PlaceError(f"{place}: the file name {sdist.filename!r} is not that of {name}")
    return sdist, version


def parse_index(url: str, place: str) -> bool:
    """Check an index URL; return whether the files of the package may be local ones.

    Raises:
        PlaceError: it is no URL of an index.
    """
    return _parse_url(url, place)["scheme"] == "file"


def _parse_url(url: object, place: str) -> re.Match[str]:
    match = None
    if isinstance(url, str) and url.isascii() and url.isprintable() and " " not in url:
        match = _URL.fullmatch(url)
    if match is None:
        raise PlaceError(f"{place}: must be an https, http or file URL")
    if "@" in match["host"]:
        raise PlaceError(f"{place}: must not hold credentials")
    if not (match["host"] in {"", "localhost"} if match["scheme"] == "file" else _is_host(match["host"])):
        raise PlaceError(f"{place}: must have a host exactly when it is not a file URL")
    return match


def _is_host(text: str) -> bool:
    """Tell whether ``text`` is a host with, at most, a port."""
    match = _HOST.fullmatch(text)
    return match is not None and int(match["port"] or 0) <= _LARGEST_PORT


def _parse_file(row: object, place: str, *, local_allowed: bool) -> LockedFile:
    if not isinstance(row, dict):
        raise PlaceError(f"{place}: must be a table")
    if "url" not in row:
        raise PlaceError(f"{place}.url: is missing; files that have only a path are not supported")
    match = _parse_url(row["url"], f"{place}.url")
    if match["scheme"] == "file" and not local_allowed:
        raise PlaceError(f"{place}.url: may be a file URL only when `index` is one")
    filename = row.get("name")
    if filename is None:
        filename = unquote(match["last"]) if "%" in match["last"] else match["last"]
    elif not isinstance(filename, str):
        raise PlaceError(f"{place}.name: must be a text")
    size_bytes, upload_time = row.get("size"), row.get("upload-time")
    if size_bytes is not None and (type(size_bytes) is not int or size_bytes < 0):
        raise PlaceError(f"{place}.size: must be a number of bytes")
    return LockedFile(
        filename=filename,
        url=match["url"],
        sha256=_parse_sha256(row.get("hashes"), f"{place}.hashes"),
        size_bytes=size_bytes,
        upload_time=None if upload_time is None else _parse_time(upload_time, f"{place}.upload-time"),
    )


def _parse_time(value: object, place: str) -> datetime:
    if not isinstance(value, datetime):
        raise PlaceError(f"{place}: must be a date and time")
    try:
        # PEP 751 times are UTC, also where the offset is left out.
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
    except OverflowError:
        raise PlaceError(f"{place}: is out of range") from None


def _parse_sha256(hashes: object, place: str) -> str:
    if not isinstance(hashes, dict) or not hashes:
        raise PlaceError(f"{place}: are missing")
    value = hashes.get("sha256")
    if value is None:
        raise PlaceError(f"{place}: a sha256 is needed, and there is only {', '.join(map(repr, sorted(hashes)))}")
    if not isinstance(value, str) or not _SHA256.fullmatch(value.lower()):
        raise PlaceError(f"{place}.sha256: must be 64 hexadecimal digits")
    return value.lower()
