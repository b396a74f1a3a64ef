"""The end records and the central directory of a ZIP archive, read strictly (PKWARE APPNOTE 4.3.12 to 4.3.16, 4.5.3).

Works on bytes alone, so that the same code reads a whole file and the last kilobytes of a remote one. Readers of ZIP
files differ on archives with two end records, hidden gaps or contradicting ZIP64 fields; every such archive is refused,
so that no other tool can see other files in it than we do.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from pyvstore.errors import WheelError
from pyvstore.wheel.names import shorten, shown

STORED = 0
DEFLATED = 8
FLAG_DESCRIPTOR = 0x8
FLAG_UTF8 = 0x800
MAX16 = 0xFFFF
MAX32 = 0xFFFFFFFF

MAX_MEMBERS = 200_000
MAX_DIRECTORY_BYTES = 64 * 1024 * 1024
TAIL_BYTES = 22 + MAX16 + 20 + 56
"""An end record with the longest comment, and the ZIP64 records before it."""

_ALLOWED_FLAGS = FLAG_DESCRIPTOR | FLAG_UTF8 | 0x6  # 0x6: how hard the compressor tried
_ENCRYPTION_FLAGS = 0x1 | 0x40 | 0x2000
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_ZIP64_EXTRA = 0x0001
_UNICODE_PATH_EXTRA = 0x7075


class EndRecord(NamedTuple):
    """Where the central directory is: ``[offset, end)`` of the file, with ``members`` entries."""

    offset: int
    end: int
    members: int


class NeedMore(NamedTuple):
    """The bytes given do not reach far enough: they must begin at ``start`` or before."""

    start: int


class DirectoryEntry(NamedTuple):
    """One entry of the central directory, ZIP64 fields resolved. ``mode`` is the unix mode, 0 where none is given."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed_bytes: int
    size_bytes: int
    offset: int
    mode: int


def refusal(label: str, problems: Sequence[str], message: str | None = None) -> WheelError:
    """Return the error that refuses the archive ``label`` for all ``problems`` at once."""
    return WheelError(
        message or f"{label} is not a sound wheel archive", code="wheel-archive", causes=shorten(problems)
    )


def find_end_record(tail: bytes, total_bytes: int, label: str) -> EndRecord | NeedMore:
    """Find the one end record in ``tail``, the last bytes of a file of ``total_bytes``.

    Raises WheelError when there is none, more than one could be meant, bytes follow it, or ZIP64 fields contradict.
    """
    base = total_bytes - len(tail)
    at = _end_record_position(tail, total_bytes, label)
    if isinstance(at, NeedMore):
        return at
    _, disk, start_disk, count_here, count, size, offset, _ = _END.unpack_from(tail, at)
    end = base + at
    if disk not in (0, MAX16) or start_disk not in (0, MAX16) or count_here != count:
        raise refusal(label, ["the end record speaks of several disks"])
    if tail[at - 20 : at - 16] == b"PK\x06\x07" if at >= 20 else False:
        record = _read_end64(tail, at, total_bytes, label)
        if isinstance(record, NeedMore):
            return record
        plain = (
            (count, record.members, MAX16),
            (size, record.end - record.offset, MAX32),
            (offset, record.offset, MAX32),
        )
        if any(value not in (true, limit) for value, true, limit in plain):
            raise refusal(label, ["the end record and its ZIP64 record contradict each other"])
    elif at < 20 and base > 0:
        return NeedMore(max(0, end - 76))
    elif MAX16 in (count, disk, start_disk) or MAX32 in (size, offset):
        raise refusal(label, ["the end record promises a ZIP64 record, and there is none"])
    else:
        record = EndRecord(offset, offset + size, count)
        if record.end != end:
            raise refusal(label, [_misplaced(record.end, end)])
    if record.members > MAX_MEMBERS or record.end - record.offset > MAX_DIRECTORY_BYTES:
        raise refusal(label, [f"it declares {record.members} members; the limit is {MAX_MEMBERS}"])
    if record.members * _CENTRAL.size > record.end - record.offset:
        raise refusal(label, [f"{record.members} members do not fit into its central directory"])
    return record


def _misplaced(promised: int, actual: int) -> str:
    if promised < actual:
        return f"{actual - promised} bytes lie between the central directory and the end record (or before the archive)"
    return "the central directory reaches beyond the end record"


def _end_record_position(tail: bytes, total_bytes: int, label: str) -> int | NeedMore:
    """Return where the end record begins in ``tail``."""
    if tail[-22:-18] == b"PK\x05\x06" and tail[-2:] == b"\0\0":
        at = len(tail) - 22
    else:
        at = tail.rfind(b"PK\x05\x06")
        while at >= 0 and (
            at + 22 > len(tail) or at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") != len(tail)
        ):
            at = tail.rfind(b"PK\x05\x06", 0, at + 3)
        if at < 0:
            if len(tail) < min(total_bytes, TAIL_BYTES):
                return NeedMore(max(0, total_bytes - TAIL_BYTES))
            if b"PK\x05\x06" in tail:
                raise refusal(label, ["bytes follow the end record, or the file is truncated"])
            raise refusal(label, ["it has no end record: it is truncated, or no ZIP file"])
    if b"PK" in tail[at + 22 :]:
        raise refusal(label, ["the archive comment holds another archive"])
    other = tail.find(b"PK\x05\x06")
    while 0 <= other < at:
        if other + 22 + int.from_bytes(tail[other + 20 : other + 22], "little") == len(tail):
            raise refusal(label, ["it has two end records"])
        other = tail.find(b"PK\x05\x06", other + 1)
    return at


def _read_end64(tail: bytes, at: int, total_bytes: int, label: str) -> EndRecord | NeedMore:
    """Read the ZIP64 end record; its locator stands right before ``at``."""
    base = total_bytes - len(tail)
    _, disk, where, disks = _LOCATOR.unpack_from(tail, at - 20)
    expected = base + at - 76
    if disk != 0 or disks != 1 or where != expected:
        raise refusal(label, ["the ZIP64 locator points elsewhere than to the ZIP64 record before it"])
    if at < 76:
        return NeedMore(expected)
    signature, length, _, _, disk, start_disk, count_here, count, size, offset = _END64.unpack_from(tail, at - 76)
    if signature != b"PK\x06\x06" or length != 44 or disk or start_disk or count_here != count:
        raise refusal(label, ["the ZIP64 record is malformed"])
    if offset + size != expected:
        raise refusal(label, [_misplaced(offset + size, expected)])
    return EndRecord(offset, expected, count)


def parse_directory(data: bytes, count: int, label: str) -> tuple[list[DirectoryEntry], list[str]]:
    """Parse a whole central directory; return its entries in order, and every problem of a single entry.

    Raises WheelError where the structure breaks, so that nothing behind that point could be trusted.
    """
    entries: list[DirectoryEntry] = []
    problems: list[str] = []
    at = 0
    unpack, length = _CENTRAL.unpack_from, len(data)
    for index in range(count):
        if at + 46 > length:
            raise refusal(label, [*problems, f"the central directory ends after {index} of {count} members"])
        fields = unpack(data, at)
        name_end = at + 46 + fields[10]
        extra_end = name_end + fields[11]
        following = extra_end + fields[12]
        if fields[0] != b"PK\x01\x02" or following > length:
            raise refusal(label, [*problems, f"the central directory is malformed at member {index + 1}"])
        extra = data[name_end:extra_end]
        entries.append(_directory_entry(fields, data[at + 46 : name_end], extra, problems))
        at = following
    if at != length:
        raise refusal(label, [*problems, f"the central directory holds {length - at} bytes more than its members need"])
    return entries, problems


def _directory_entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes, problems: list[str]) -> DirectoryEntry:
    _, _, _, flags, method, _, _, crc, compressed, size, _, _, _, disk, _, attributes, offset = fields
    try:
        name = raw_name.decode()
    except UnicodeDecodeError:
        name = raw_name.decode("ascii", "backslashreplace")
        problems.append(f"{shown(name)}: its name is not UTF-8")
    if extra or MAX32 in (compressed, size, offset):
        try:
            size, compressed, offset, disk = resolve_central_extra(extra, raw_name, (size, compressed, offset, disk))
        except ValueError as error:
            problems.append(f"{shown(name)}: {error}")
    if flags & ~_ALLOWED_FLAGS:
        what = "is encrypted" if flags & _ENCRYPTION_FLAGS else f"has the unknown flags {flags:#06x}"
        problems.append(f"{shown(name)}: {what}")
    if disk:
        problems.append(f"{shown(name)}: lies on another disk")
    return DirectoryEntry(name, raw_name, flags, method, crc, compressed, size, offset, attributes >> 16)


def split_extra(extra: bytes) -> dict[int, bytes]:
    """Split an extra field into its blocks; raises ValueError where they do not tile it or one comes twice."""
    blocks: dict[int, bytes] = {}
    at = 0
    while at < len(extra):
        if at + 4 > len(extra):
            raise ValueError("its extra field is malformed")
        kind, length = struct.unpack_from("<2H", extra, at)
        at += 4 + length
        if at > len(extra):
            raise ValueError("its extra field is malformed")
        if kind in blocks and kind in (_ZIP64_EXTRA, _UNICODE_PATH_EXTRA):
            raise ValueError("its extra field repeats a block")
        blocks[kind] = extra[at - length : at]
    return blocks


def resolve_central_extra(
    extra: bytes, raw_name: bytes, fields: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Return (size, compressed size, offset, disk) with ZIP64 values in place; raises ValueError on a lie.

    The block holds the 64-bit value of exactly those fields that are at their limit, in this order. Some writers put
    all of them there always; then each must agree with its plain field.
    """
    blocks = split_extra(extra)
    unicode_path = blocks.get(_UNICODE_PATH_EXTRA)
    if unicode_path is not None and unicode_path != b"\1" + struct.pack("<I", zlib.crc32(raw_name)) + raw_name:
        raise ValueError("its extra field gives it another name")
    limits = (MAX32, MAX32, MAX32, MAX16)
    widths = (8, 8, 8, 4)
    raised = [index for index in range(4) if fields[index] == limits[index]]
    block = blocks.get(_ZIP64_EXTRA)
    if block is None:
        if raised:
            raise ValueError("it promises ZIP64 values that are not there")
        return fields
    order = raised
    if len(block) != sum(widths[index] for index in raised):
        order = {16: [0, 1], 24: [0, 1, 2], 28: [0, 1, 2, 3]}.get(len(block), [])
    if not set(raised).issubset(order) or not order:
        raise ValueError("its ZIP64 block has the wrong length")
    values = list(fields)
    at = 0
    for index in order:
        value = int.from_bytes(block[at : at + widths[index]], "little")
        at += widths[index]
        if index not in raised and value != fields[index]:
            raise ValueError("its ZIP64 block contradicts the plain fields")
        values[index] = value
    return values[0], values[1], values[2], values[3]


def resolve_local_extra(extra: bytes, raw_name: bytes, compressed: int, size: int) -> tuple[int, int]:
    """Return (compressed size, size) of a local header with ZIP64 values in place; raises ValueError on a lie."""
    blocks = split_extra(extra)
    unicode_path = blocks.get(_UNICODE_PATH_EXTRA)
    if unicode_path is not None and unicode_path != b"\1" + struct.pack("<I", zlib.crc32(raw_name)) + raw_name:
        raise ValueError("its local extra field gives it another name")
    block = blocks.get(_ZIP64_EXTRA)
    if MAX32 not in (compressed, size):
        return compressed, size
    if block is None or len(block) < 16:
        raise ValueError("its local header promises ZIP64 values that are not there")
    long_size, long_compressed = struct.unpack_from("<2Q", block)
    for plain, long in ((compressed, long_compressed), (size, long_size)):
        if plain not in (MAX32, long):
            raise ValueError("the ZIP64 block of its local header contradicts the plain fields")
    return long_compressed, long_size
