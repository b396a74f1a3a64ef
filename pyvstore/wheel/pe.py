"""The import tables of PE files: which libraries they ask for (PE format, sections 5.4 and 5.8)."""

from __future__ import annotations

import struct
from typing import BinaryIO

_MAX_SECTIONS = 96
_MAX_IMPORTS = 1024
_MAX_NAME_BYTES = 512
_TABLES = ((1, 20, 12), (13, 32, 4))
"""Data directory, bytes of a descriptor, where in it the name's address stands: imports and delayed imports."""


def read_pe(file: BinaryIO) -> list[str]:
    """Return the names of imported libraries, the delayed ones too.

    Reads headers, descriptors and names only. Raises ValueError, struct.error or UnicodeDecodeError for garbage.
    """
    file.seek(0)
    head = file.read(64)
    if head[:2] != b"MZ":
        raise ValueError("not PE")
    (at,) = struct.unpack_from("<I", head, 60)
    file.seek(at)
    coff = file.read(24)
    if coff[:4] != b"PE\0\0":
        raise ValueError("not PE")
    sections, optional_bytes = struct.unpack_from("<H", coff, 6)[0], struct.unpack_from("<H", coff, 20)[0]
    if sections > _MAX_SECTIONS:
        raise ValueError("odd section table")
    optional = file.read(optional_bytes)
    directories_at = {0x10B: 96, 0x20B: 112}.get(struct.unpack_from("<H", optional)[0])
    if directories_at is None:
        raise ValueError("odd optional header")
    table = file.read(40 * sections)
    spans: list[tuple[int, int, int]] = []
    for index in range(sections):
        virtual_size, address, raw_size, place = struct.unpack_from("<4I", table, index * 40 + 8)
        spans.append((address, max(virtual_size, raw_size), place))
    names: dict[str, None] = {}
    for number, descriptor_bytes, name_at in _TABLES:
        if directories_at + number * 8 + 8 <= len(optional):
            (address,) = struct.unpack_from("<I", optional, directories_at + number * 8)
            if address:
                _read_table(file, spans, (address, descriptor_bytes, name_at), names)
    return list(names)


def _place(spans: list[tuple[int, int, int]], address: int) -> int:
    for start, length, place in spans:
        if 0 <= address - start < length:
            return place + address - start
    raise ValueError("an address outside all sections")


def _read_table(
    file: BinaryIO, spans: list[tuple[int, int, int]], where: tuple[int, int, int], names: dict[str, None]
) -> None:
    address, descriptor_bytes, name_at = where
    at = _place(spans, address)
    for index in range(_MAX_IMPORTS):
        file.seek(at + index * descriptor_bytes)
        descriptor = file.read(descriptor_bytes)
        if len(descriptor) < descriptor_bytes or not any(descriptor):
            return
        (name_address,) = struct.unpack_from("<I", descriptor, name_at)
        file.seek(_place(spans, name_address))
        names[file.read(_MAX_NAME_BYTES).partition(b"\0")[0].decode("ascii")] = None
