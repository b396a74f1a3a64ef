"""The content of one member, inflated in pieces and checked against its declared size and checksum."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pyvstore.wheel.directory import STORED, DirectoryEntry

_ONE_READ_BYTES = 1024 * 1024
_INPUT_BYTES = 256 * 1024
_OUTPUT_BYTES = 1024 * 1024


class DamagedError(Exception):
    """The data is not what the directory declares; the text says in which way."""


class Member(NamedTuple):
    """One file of an archive. ``executable``: any x-bit of its unix mode."""

    name: str
    size_bytes: int
    compressed_bytes: int
    crc: int
    method: int
    data_offset: int
    executable: bool

    @classmethod
    def of(cls, entry: DirectoryEntry, data_offset: int) -> Member:
        """Make the member of an entry whose local header was checked."""
        return cls(
            entry.name,
            entry.size_bytes,
            entry.compressed_bytes,
            entry.crc,
            entry.method,
            data_offset,
            bool(entry.mode & 0o111),
        )


def inflate(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield the content in pieces of at most 1 MiB, never more than was declared; an empty file yields nothing.

    Raises DamagedError at the first piece that cannot be right, at the latest after the last one. The stream's position
    is set before each read.
    """
    if member.size_bytes <= _ONE_READ_BYTES and member.compressed_bytes <= _ONE_READ_BYTES:
        data = _whole(stream, member)
        if zlib.crc32(data) != member.crc:
            raise DamagedError("its content does not match its checksum")
        if data:
            yield data
        return
    crc = size = 0
    for chunk in _stored(stream, member) if member.method == STORED else _inflated(stream, member):
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        yield chunk
    if size != member.size_bytes:
        raise DamagedError("its content is shorter than declared")
    if crc != member.crc:
        raise DamagedError("its content does not match its checksum")


def _whole(stream: BinaryIO, member: Member) -> bytes:
    stream.seek(member.data_offset)
    data = stream.read(member.compressed_bytes)
    if member.method != STORED:
        inflater = zlib.decompressobj(-15)
        try:
            data = inflater.decompress(data, member.size_bytes + 1)
        except zlib.error as error:
            raise DamagedError("its data cannot be inflated") from error
        if not inflater.eof or inflater.unused_data:
            raise DamagedError("its data does not end where it should")
    if len(data) != member.size_bytes:
        raise DamagedError("its content has another size than declared")
    return data


def _stored(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    for at in range(0, member.size_bytes, _OUTPUT_BYTES):
        stream.seek(member.data_offset + at)
        yield stream.read(min(_OUTPUT_BYTES, member.size_bytes - at))


def _inflated(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-15)
    at, left = 0, member.size_bytes
    pending = b""
    while not inflater.eof:
        if not pending:
            stream.seek(member.data_offset + at)
            pending = stream.read(min(_INPUT_BYTES, member.compressed_bytes - at))
            at += len(pending)
        try:
            chunk = inflater.decompress(pending, min(_OUTPUT_BYTES, left + 1))
        except zlib.error as error:
            raise DamagedError("its data cannot be inflated") from error
        if not pending and not chunk and not inflater.eof:
            raise DamagedError("its data ends too early")
        pending = inflater.unconsumed_tail
        left -= len(chunk)
        if left < 0:
            raise DamagedError("its content is longer than declared")
        if chunk:
            yield chunk
    if inflater.unused_data or at != member.compressed_bytes:
        raise DamagedError("its data does not end where it should")
