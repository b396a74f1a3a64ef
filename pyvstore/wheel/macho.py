"""The load commands of Mach-O files, single and fat: which libraries they ask for, and where (mach-o/loader.h)."""

from __future__ import annotations

import struct
from typing import BinaryIO

_MAX_ARCHITECTURES = 30  # Java class files begin with the same four bytes; their next number is larger
_MAX_COMMAND_BYTES = 1024 * 1024
_RPATH = 0x8000001C
_LOADS = frozenset({0xC, 0x20, 0x80000018, 0x8000001F, 0x80000023})
_THIN = {
    b"\xce\xfa\xed\xfe": ("<", 28),
    b"\xcf\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xce": (">", 28),
    b"\xfe\xed\xfa\xcf": (">", 32),
}
_FAT = {b"\xca\xfe\xba\xbe": ">5I", b"\xca\xfe\xba\xbf": ">2I2Q2I"}


def read_macho(file: BinaryIO) -> tuple[list[str], list[str]]:
    """Return (names of libraries as written, run paths as written), of all architectures together.

    Reads headers and load commands only. Raises ValueError, struct.error or UnicodeDecodeError for garbage.
    """
    file.seek(0)
    head = file.read(8)
    layout = _FAT.get(head[:4])
    starts = [0]
    if layout is not None:
        count = int.from_bytes(head[4:8], "big")
        if not 0 < count <= _MAX_ARCHITECTURES:
            raise ValueError("not a fat Mach-O file")
        table = file.read(struct.calcsize(layout) * count)
        starts = [fields[2] for fields in struct.iter_unpack(layout, table)]
    names: dict[str, None] = {}
    paths: dict[str, None] = {}
    for start in starts:
        _read_thin(file, start, names, paths)
    return list(names), list(paths)


def _read_thin(file: BinaryIO, start: int, names: dict[str, None], paths: dict[str, None]) -> None:
    file.seek(start)
    head = file.read(32)
    order, header_bytes = _THIN.get(head[:4], ("", 0))
    if not order:
        raise ValueError("not a Mach-O file")
    count, length = struct.unpack_from(order + "2I", head, 16)
    if length > _MAX_COMMAND_BYTES:
        raise ValueError("odd load commands")
    file.seek(start + header_bytes)
    commands = file.read(length)
    at = 0
    for _ in range(min(count, length // 8)):
        command, command_bytes = struct.unpack_from(order + "2I", commands, at)
        if command_bytes < 8:
            raise ValueError("odd load commands")
        if command == _RPATH or command in _LOADS:
            (text_at,) = struct.unpack_from(order + "I", commands, at + 8)
            text = commands[at + text_at : at + command_bytes].partition(b"\0")[0].decode()
            (paths if command == _RPATH else names)[text] = None
        at += command_bytes
