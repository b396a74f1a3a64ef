"""METADATA out of a wheel that was not downloaded: which bytes of the remote file are needed, and what they say.

The caller fetches the last kilobytes, asks, fetches what is asked for, and asks again with all pieces. Two or three
questions are enough for any archive. The same strict directory reader as for whole files is at work, and the member's
local header and checksum are compared; what cannot be seen from here (other members) is checked when the wheel is used.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from pyvstore.wheel.agreement import find_dist_info
from pyvstore.wheel.directory import DirectoryEntry, NeedMore, find_end_record, parse_directory, refusal
from pyvstore.wheel.filename import parse_filename
from pyvstore.wheel.inflate import DamagedError, Member, inflate
from pyvstore.wheel.local_header import check_local_header, method_fault
from pyvstore.wheel.names import shown

MAX_METADATA_BYTES = 16 * 1024 * 1024
"""Of compressed or inflated METADATA; more is not worth a range request."""


class Piece(NamedTuple):
    """Bytes of the remote file that the caller has."""

    start: int
    data: bytes


class NeedRange(NamedTuple):
    """Fetch ``[start, end)`` and ask again."""

    start: int
    end: int


def find_metadata(pieces: Sequence[Piece], total_bytes: int, filename: str) -> bytes | NeedRange:
    """Return METADATA of the remote wheel ``filename`` of ``total_bytes``, or what must be fetched first.

    Args:
        pieces: all that was fetched so far, at least the last bytes of the file; they may touch or overlap.
        total_bytes: as the server says.
        filename: the wheel's own file name.

    Raises WheelError: ``wheel-filename``, ``wheel-archive``, ``wheel-layout``, ``wheel-identity``.
    """
    name = parse_filename(filename)
    spans = _join(pieces)
    if not spans or spans[-1].start + len(spans[-1].data) != total_bytes:
        raise refusal(filename, ["its server sent other bytes than the end of the file"])
    tail = spans[-1]
    end = find_end_record(tail.data, total_bytes, filename)
    if isinstance(end, NeedMore):
        return NeedRange(end.start, tail.start)
    if end.offset < tail.start:
        return NeedRange(end.offset, tail.start)
    directory = tail.data[end.offset - tail.start : end.end - tail.start]
    entries, problems = parse_directory(directory, end.members, filename)
    if problems:
        raise refusal(filename, problems)
    dist_info = find_dist_info(filename, {entry.name for entry in entries}, name)
    wanted = [entry for entry in entries if entry.name == f"{dist_info}/METADATA"]
    if len(wanted) != 1:
        raise refusal(filename, [f"{shown(wanted[0].name)}: comes twice"])
    entry = wanted[0]
    stop = min((other.offset for other in entries if other.offset > entry.offset), default=end.offset)
    if max(entry.size_bytes, stop - entry.offset) > MAX_METADATA_BYTES:
        raise refusal(filename, [f"its METADATA has more than {MAX_METADATA_BYTES} bytes"])
    for span in spans:
        if span.start <= entry.offset and stop <= span.start + len(span.data):
            return _read(span.data[entry.offset - span.start : stop - span.start], entry, filename)
    return NeedRange(entry.offset, min(stop, tail.start) if entry.offset < tail.start else stop)


def _join(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces sorted, those that touch made one."""
    joined: list[Piece] = []
    for piece in sorted(pieces):
        last = joined[-1] if joined else None
        if last is not None and piece.start <= last.start + len(last.data):
            joined[-1] = Piece(last.start, last.data + piece.data[last.start + len(last.data) - piece.start :])
        else:
            joined.append(piece)
    return joined


def _read(data: bytes, entry: DirectoryEntry, filename: str) -> bytes:
    stream = io.BytesIO(data)
    entry = entry._replace(offset=0)
    fault = method_fault(entry)
    if fault is not None:
        raise refusal(filename, [f"{shown(entry.name)}: {fault}"])
    try:
        return b"".join(inflate(stream, Member.of(entry, check_local_header(stream, entry, len(data)))))
    except (DamagedError, ValueError) as error:
        raise refusal(filename, [f"{shown(entry.name)}: {error}"]) from error
