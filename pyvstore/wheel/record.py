"""RECORD: what a wheel says it holds, and what a farm says it installed (CSV; PEP 376, PEP 427, PEP 627)."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyvstore.errors import WheelError
from pyvstore.wheel.directory import MAX_MEMBERS
from pyvstore.wheel.names import NamedWarning, component_fault, shorten, shown

MAX_RECORD_BYTES = 64 * 1024 * 1024
_DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
_WEAK = frozenset({"md5", "sha1", "sha224"})
_DRIVE = re.compile(r"[A-Za-z]:")


class RecordRow(NamedTuple):
    """One row. ``algorithm`` and ``digest`` are empty together; ``size_bytes`` is None where the row gives none."""

    path: str
    algorithm: str
    digest: bytes
    size_bytes: int | None


def parse_record(data: bytes, label: str) -> tuple[Mapping[str, RecordRow], tuple[NamedWarning, ...]]:
    """Parse a wheel's RECORD; return its rows by path, and what is wrong with it but harmless.

    Rows of directories (a final slash) are left out. Raises WheelError (``wheel-record``) with every malformed row as a
    cause: paths that are absolute or leave the archive, weak or unknown algorithms, contradictions.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise _refusal(label, [f"it has {len(data)} bytes; the limit is {MAX_RECORD_BYTES}"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(label, ["it is not UTF-8"]) from error
    rows: dict[str, RecordRow] = {}
    problems: list[str] = []
    warnings: dict[NamedWarning, None] = {}
    try:
        for fields in csv.reader(io.StringIO(text, newline=""), strict=True):
            if fields:
                _take_row(fields, rows, problems, warnings)
            if len(rows) > MAX_MEMBERS or len(problems) > MAX_MEMBERS:
                raise _refusal(label, [f"it has more than {MAX_MEMBERS} rows"])
    except csv.Error as error:
        raise _refusal(label, [*problems, f"it is not CSV: {error}"]) from error
    if problems:
        raise _refusal(label, problems)
    return rows, tuple(warnings)


def _refusal(label: str, causes: list[str]) -> WheelError:
    return WheelError(f"the RECORD of {label} cannot be trusted", code="wheel-record", causes=shorten(causes))


def _take_row(
    fields: list[str], rows: dict[str, RecordRow], problems: list[str], warnings: dict[NamedWarning, None]
) -> None:
    path = fields[0]
    if "\\" in path:
        warnings["record-backslash", "RECORD writes paths with backslashes"] = None
        path = path.replace("\\", "/")
    fault = _path_fault(path)
    if fault is None and len(fields) != 3:
        fault = f"its row has {len(fields)} fields, not 3"
    if fault is not None:
        problems.append(f"{shown(path)}: {fault}")
        return
    if path.endswith("/"):
        return
    try:
        row = RecordRow(path, *_parse_hash(fields[1]), _parse_size(fields[2]))
    except ValueError as error:
        problems.append(f"{shown(path)}: {error}")
        return
    first = rows.setdefault(path, row)
    if first is row:
        return
    if first == row:
        warnings["record-duplicate", f"RECORD lists {shown(path)} twice"] = None
    else:
        problems.append(f"{shown(path)}: comes twice, with different hashes or sizes")


def _path_fault(path: str) -> str | None:
    if path.startswith("/"):
        return "is an absolute path"
    if _DRIVE.match(path):
        return "begins with a drive letter"
    for component in path.removesuffix("/").split("/"):
        fault = component_fault(component)
        if fault is not None:
            return fault
    return None


def _parse_hash(text: str) -> tuple[str, bytes]:
    if not text:
        return "", b""
    algorithm, equals, encoded = text.partition("=")
    algorithm = algorithm.lower()
    if algorithm in _WEAK:
        raise ValueError(f"{algorithm} is too weak; RECORD needs sha256 or better")
    length = _DIGEST_BYTES.get(algorithm)
    if not equals or length is None:
        raise ValueError(f"its hash {shown(text)} is none that pyvstore knows")
    encoded = encoded.rstrip("=")
    try:
        digest = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"its hash {shown(text)} is malformed") from error
    if len(digest) != length:
        raise ValueError(f"its hash {shown(text)} has the wrong length")
    return algorithm, digest


def _parse_size(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise ValueError(f"its size {shown(text)} is not a number")
    return int(text)


def format_farm_record(
    *, links: Iterable[str], files: Iterable[str], rows: Iterable[tuple[str, str, int]], record: str
) -> bytes:
    """Write the RECORD of a distribution in a farm; every path is relative to site-packages.

    The order is the safety interlock: tools that uninstall take the rows in turn, and once a link is gone, the rows of
    the files behind it name nothing. So they remove what is the farm's own and never reach into the store.

    Args:
        links: our links, files and directories alike (``pygments``, ``../../../bin/ruff``); their rows come first.
        files: real files that we made; without hashes, for tools and people may change them.
        rows: (path, sha256 hex, size) of the files of the wheel, reached through the links.
        record: this file's own path; comes last. A row of ``rows`` with this path, or with that of a link or file, is
            left out.
    """
    named = dict.fromkeys([*links, *files])
    named.pop(record, None)
    out: list[tuple[str, str, str]] = [(path, "", "") for path in named]
    encode, unhex = base64.urlsafe_b64encode, bytes.fromhex
    out += [
        (path, "sha256=" + encode(unhex(digest)).decode().rstrip("="), str(size))
        for path, digest, size in rows
        if path not in named and path != record
    ]
    out.append((record, "", ""))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(out)
    return text.getvalue().encode()
