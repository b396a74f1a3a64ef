"""A member's local header, its data descriptor and its mode, compared with its entry in the central directory.

PKWARE APPNOTE 4.3.7 and 4.3.9. The members must tile the file: what follows a member is the next one, and nothing is
hidden in between. That also settles which of the four shapes of a data descriptor a writer chose.
"""

from __future__ import annotations

import stat
import struct
from typing import BinaryIO

from pyvstore.wheel.directory import (
    DEFLATED,
    FLAG_DESCRIPTOR,
    MAX32,
    STORED,
    DirectoryEntry,
    resolve_local_extra,
)

_LOCAL = struct.Struct("<4s5H3I2H")
_DEFLATE_LIMIT = 1032  # no deflate stream expands further


def check_local_header(stream: BinaryIO, entry: DirectoryEntry, end: int) -> int:
    """Return where the member's data begins; raises ValueError. ``end`` is where the next thing begins."""
    name_end = 30 + len(entry.raw_name)
    read = stream.read
    stream.seek(entry.offset)
    header = read(name_end)
    if len(header) < name_end:
        raise ValueError("its local header is cut off")
    signature, _, flags, method, _, _, crc, compressed, size, name_bytes, extra_bytes = _LOCAL.unpack_from(header)
    if signature != b"PK\x03\x04":
        raise ValueError("there is no local header where the central directory says")
    if name_bytes != len(entry.raw_name) or header[30:] != entry.raw_name:
        raise ValueError("its local header has another name")
    if flags != entry.flags or method != entry.method:
        raise ValueError("its local header has another method or other flags")
    if extra_bytes or MAX32 in (compressed, size):
        compressed, size = resolve_local_extra(read(extra_bytes), entry.raw_name, compressed, size)
    data_offset: int = entry.offset + name_end + extra_bytes
    said = (crc, compressed, size)
    true = (entry.crc, entry.compressed_bytes, entry.size_bytes)
    if said != true and not (
        flags & FLAG_DESCRIPTOR and all(value in (0, right) for value, right in zip(said, true, strict=True))
    ):
        raise ValueError("its local header has another size or checksum")
    data_end = data_offset + entry.compressed_bytes
    if data_end > end:
        raise ValueError("its data overlaps what follows it")
    if flags & FLAG_DESCRIPTOR:
        _check_descriptor(stream, entry, data_end, end)
    elif data_end != end:
        raise ValueError(f"{end - data_end} bytes after its data belong to no member")
    return data_offset


def _check_descriptor(stream: BinaryIO, entry: DirectoryEntry, data_end: int, end: int) -> None:
    """The bytes between the data and what follows must be one of the four shapes of a data descriptor."""
    layout = {12: "<3I", 16: "<3I", 20: "<I2Q", 24: "<I2Q"}.get(end - data_end)
    if layout is None:
        raise ValueError("what follows its data is no data descriptor")
    stream.seek(data_end)
    descriptor = stream.read(end - data_end)
    if len(descriptor) in (16, 24):
        if not descriptor.startswith(b"PK\x07\x08"):
            raise ValueError("what follows its data is no data descriptor")
        descriptor = descriptor[4:]
    if struct.unpack(layout, descriptor) != (entry.crc, entry.compressed_bytes, entry.size_bytes):
        raise ValueError("its data descriptor has another size or checksum")


def method_fault(entry: DirectoryEntry) -> str | None:
    """Say what is wrong with how the member is stored, or None."""
    if entry.method == STORED:
        if entry.compressed_bytes != entry.size_bytes:
            return "is stored, and yet has two sizes"
    elif entry.method != DEFLATED:
        return f"uses the compression method {entry.method}; wheels use 0 (stored) and 8 (deflate)"
    elif entry.size_bytes > entry.compressed_bytes * _DEFLATE_LIMIT:
        return f"declares {entry.size_bytes} bytes, more than its {entry.compressed_bytes} bytes can hold: a bomb"
    if entry.name.endswith("/") and (entry.size_bytes or entry.crc or entry.compressed_bytes > 2):
        return "is a directory with content"
    return None


def mode_fault(entry: DirectoryEntry) -> str | None:
    """Say why the member's unix mode is not that of a plain file or directory, or None."""
    kind = stat.S_IFMT(entry.mode)
    if entry.name.endswith("/"):
        return None if kind in (0, stat.S_IFDIR) else "is a directory entry with the mode of something else"
    if kind == stat.S_IFLNK:
        return "is a symbolic link"
    if kind not in (0, stat.S_IFREG):
        return "is neither a file nor a directory"
    if entry.mode & 0o7000:
        return "has the setuid, setgid or sticky bit"
    return None
