"""The smallest native files that a loader's tables can be read from."""

from __future__ import annotations

import struct
from collections.abc import Sequence

NEEDED, STRTAB, RPATH, RUNPATH = 1, 5, 15, 29


def elf(
    needed: Sequence[str] = (),
    *,
    runpath: str | None = None,
    rpath: str | None = None,
    wide: bool = True,
    order: str = "<",
    address: int = 0x1000,
) -> bytes:
    """Write an ELF file that is one loaded segment with a dynamic section and its strings."""
    strings = bytearray(b"\0")
    tags: list[tuple[int, int]] = []
    for tag, text in [*((NEEDED, name) for name in needed), (RPATH, rpath), (RUNPATH, runpath)]:
        if text is not None:
            tags.append((tag, len(strings)))
            strings += text.encode() + b"\0"
    head_bytes, entry_bytes, tag_layout = (64, 56, "qQ") if wide else (52, 32, "iI")
    strings_at = head_bytes + 2 * entry_bytes
    dynamic_at = strings_at + len(strings)
    tags += [(99, 1), (STRTAB, address + strings_at), (0, 0), (NEEDED, 1)]
    dynamic = b"".join(struct.pack(order + tag_layout, *tag) for tag in tags)
    total = dynamic_at + len(dynamic)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if wide:
        head = struct.pack(order + "2HI3QI6H", 3, 62, 1, 0, head_bytes, 0, 0, head_bytes, entry_bytes, 2, 0, 0, 0)
        load = struct.pack(order + "2I6Q", 1, 5, 0, address, address, total, total, 0x1000)
        table = struct.pack(order + "2I6Q", 2, 6, dynamic_at, 0, 0, len(dynamic), len(dynamic), 8)
    else:
        head = struct.pack(order + "2HI3II6H", 3, 3, 1, 0, head_bytes, 0, 0, head_bytes, entry_bytes, 2, 0, 0, 0)
        load = struct.pack(order + "8I", 1, 0, address, address, total, total, 5, 0x1000)
        table = struct.pack(order + "8I", 2, dynamic_at, 0, 0, len(dynamic), len(dynamic), 6, 4)
    return ident + head + load + table + bytes(strings) + dynamic


def macho(libraries: Sequence[str] = (), rpaths: Sequence[str] = (), *, wide: bool = True, order: str = "<") -> bytes:
    """Write a Mach-O file that is a header and its load commands."""
    commands: list[bytes] = [struct.pack(order + "3I", 0x1B, 12, 0)]
    for kind, text, fixed in [*((0xC, name, 24) for name in libraries), *((0x8000001C, path, 12) for path in rpaths)]:
        body = text.encode() + b"\0"
        size = (fixed + len(body) + 7) // 8 * 8
        command = struct.pack(order + "3I", kind, size, fixed) + bytes(fixed - 12) + body
        commands.append(command.ljust(size, b"\0"))
    joined = b"".join(commands)
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    return (
        struct.pack(order + "7I", magic, 7, 3, 6, len(commands), len(joined), 0) + (b"\0" * 4 if wide else b"") + joined
    )


def fat(*slices: bytes, long: bool = False) -> bytes:
    """Write a fat Mach-O file."""
    layout = ">2I2Q2I" if long else ">5I"
    at = 8 + struct.calcsize(layout) * len(slices)
    out = struct.pack(">2I", 0xCAFEBABF if long else 0xCAFEBABE, len(slices))
    for one in slices:
        out += struct.pack(layout, 7, 3, at, len(one), 0, *([0] if long else []))
        at += len(one)
    return out + b"".join(slices)


def pe(imports: Sequence[str] = (), delayed: Sequence[str] = (), *, wide: bool = True) -> bytes:
    """Write a PE file with one section that holds its import tables."""
    section_at, address = 0x400, 0x2000
    body = bytearray()
    names: dict[str, int] = {}
    for name in [*imports, *delayed]:
        names[name] = address + len(body)
        body += name.encode() + b"\0"
    imports_at = address + len(body)
    body += b"".join(struct.pack("<5I", 1, 0, 0, names[name], 1) for name in imports) + bytes(20)
    delayed_at = address + len(body)
    body += b"".join(struct.pack("<8I", 1, names[name], 0, 0, 0, 0, 0, 0) for name in delayed) + bytes(32)
    fixed = 112 if wide else 96
    directories = bytearray(16 * 8)
    struct.pack_into("<2I", directories, 8, imports_at if imports else 0, 20)
    struct.pack_into("<2I", directories, 13 * 8, delayed_at if delayed else 0, 32)
    optional = struct.pack("<H", 0x20B if wide else 0x10B).ljust(fixed, b"\0") + bytes(directories)
    coff = b"PE\0\0" + struct.pack("<2H3I2H", 0x8664, 1, 0, 0, 0, len(optional), 0)
    section = b".rdata\0\0" + struct.pack("<4I", len(body), address, len(body), section_at).ljust(32, b"\0")
    dos = (b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)) + coff + optional + section
    return dos.ljust(section_at, b"\0") + bytes(body)
