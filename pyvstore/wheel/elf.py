"""The dynamic section of ELF files: which libraries they ask for, and where (gABI chapter 5; ld.so(8))."""

from __future__ import annotations

import struct
from typing import BinaryIO

_MAX_PROGRAM_HEADERS = 512
_MAX_DYNAMIC_BYTES = 1024 * 1024
_MAX_STRING_BYTES = 16 * 1024
_PT_LOAD, _PT_DYNAMIC = 1, 2
_NEEDED, _STRTAB, _RPATH, _RUNPATH = 1, 5, 15, 29


def read_elf(file: BinaryIO) -> tuple[list[str], list[str]]:
    """Return (needed names, search directories as written, RPATH and RUNPATH alike).

    Reads the headers, the dynamic section and single strings, never the body. Raises ValueError, struct.error or
    UnicodeDecodeError for garbage; two empty lists for a file without a dynamic section.
    """
    file.seek(0)
    head = file.read(64)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        raise ValueError("not ELF")
    order = "<" if head[5] == 1 else ">"
    wide = head[4] == 2
    offset = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
    entry_bytes, count = struct.unpack_from(order + "2H", head, 54 if wide else 42)
    if entry_bytes < (56 if wide else 32) or count > _MAX_PROGRAM_HEADERS:
        raise ValueError("odd program headers")
    file.seek(offset)
    table = file.read(entry_bytes * count)
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    for index in range(count):
        at = index * entry_bytes
        if wide:
            kind, _, place, address, _, length = struct.unpack_from(order + "2I4Q", table, at)
        else:
            kind, place, address, _, length = struct.unpack_from(order + "5I", table, at)
        if kind == _PT_LOAD:
            loads.append((address, length, place))
        elif kind == _PT_DYNAMIC:
            dynamic = place, length
    if dynamic is None:
        return [], []
    file.seek(dynamic[0])
    tags = _read_tags(file.read(min(dynamic[1], _MAX_DYNAMIC_BYTES)), order + ("qQ" if wide else "iI"))
    return _read_strings(file, tags, loads)


def _read_tags(section: bytes, layout: str) -> list[tuple[int, int]]:
    size = struct.calcsize(layout)
    tags: list[tuple[int, int]] = []
    for tag, value in struct.iter_unpack(layout, section[: len(section) // size * size]):
        if tag == 0:
            break
        if tag in (_NEEDED, _STRTAB, _RPATH, _RUNPATH):
            tags.append((tag, value))
    return tags


def _read_strings(
    file: BinaryIO, tags: list[tuple[int, int]], loads: list[tuple[int, int, int]]
) -> tuple[list[str], list[str]]:
    table_address = next((value for tag, value in tags if tag == _STRTAB), None)
    if table_address is None:
        return [], []
    table = next(
        (place + table_address - address for address, length, place in loads if 0 <= table_address - address < length),
        None,
    )
    if table is None:
        raise ValueError("the string table is not loaded")
    needed: list[str] = []
    search: list[str] = []
    for tag, value in tags:
        if tag == _STRTAB:
            continue
        file.seek(table + value)
        text = file.read(_MAX_STRING_BYTES).partition(b"\0")[0].decode()
        if tag == _NEEDED:
            needed.append(text)
        else:
            search += [part for part in text.split(":") if part]
    return needed, search
