"""What native files want from outside themselves: *native reach* (DLLs, shared objects, executables).

A file behind a directory link is found by the loader at its physical place in the store, where ``$ORIGIN/../../nvidia``
leads to no sibling. So the search directories of every native file are recorded, relative to the entry's root; planning
sees from them which siblings an entry needs beside it. Files are told by their first bytes, never by their names.
"""

from __future__ import annotations

import posixpath
import re
import struct
from collections.abc import Callable, Collection, Iterable
from typing import BinaryIO

from pyvstore.model.manifest import NativeReach
from pyvstore.wheel.elf import read_elf
from pyvstore.wheel.macho import read_macho
from pyvstore.wheel.pe import read_pe

_MACHO = (
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xca\xfe\xba\xbe",
    b"\xca\xfe\xba\xbf",
)
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|\Z)")
_LOADER = re.compile(r"@loader_path(?=/|\Z)")
_SYSTEM = re.compile(
    r"(?:ld-linux|ld64|ld-musl|linux-vdso)[\w.-]*"
    r"|lib(?:c|m|dl|rt|util|pthread|resolv|nsl|crypt|anl|gcc_s|stdc\+\+|c\.musl-\w+)\.so(?:\.\d+)*"
    r"|lib(?:z|expat|atomic|X11|Xext|Xrender|ICE|SM|GL|glib-2\.0|gobject-2\.0|gthread-2\.0)\.so(?:\.\d+)*"
    r"|/usr/lib/.*|/System/.*|lib(?:System|c\+\+|objc|z|iconv)[\w.]*\.dylib"
    r"|(?:api-ms-win|ext-ms-win)-.*|(?:vcruntime|msvcp|msvcrt|ucrtbase|concrt|python)[\w-]*\.dll"
    r"|(?:kernel32|user32|advapi32|shell32|ole32|oleaut32|gdi32|ws2_32|ntdll|bcrypt|crypt32|shlwapi|winmm|version|rpcrt4"
    r"|secur32|userenv|psapi|comctl32|comdlg32|imm32|setupapi|iphlpapi|dbghelp|opengl32|d3d\d*|dxgi|dwmapi|uxtheme)\.dll",
    re.IGNORECASE,
)


def native_format(head: bytes) -> str | None:
    """Return ``elf``, ``macho`` or ``pe`` by the first bytes of a file (64 are enough), or None."""
    if head.startswith(b"\x7fELF"):
        return "elf"
    if head.startswith(_MACHO):
        is_java = head.startswith(b"\xca\xfe\xba\xbe") and int.from_bytes(head[4:8], "big") > 30
        return None if is_java else "macho"
    return "pe" if head.startswith(b"MZ") and len(head) >= 64 else None


def read_native(path: str, form: str, file: BinaryIO) -> NativeReach:
    """Return what the native file at entry path ``path`` asks for; a broken one asks for nothing."""
    try:
        needed, search = _READERS[form](file, posixpath.dirname(path))
    except (ValueError, struct.error, IndexError, OverflowError):
        needed, search = [], []
    return NativeReach(path, form, tuple(dict.fromkeys(needed)), tuple(dict.fromkeys(search)))


def _elf(file: BinaryIO, directory: str) -> tuple[list[str], list[str]]:
    needed, search = read_elf(file)
    return needed, _inside((_ORIGIN.sub("", path, count=1) for path in search if _ORIGIN.match(path)), directory)


def _macho(file: BinaryIO, directory: str) -> tuple[list[str], list[str]]:
    names, paths = read_macho(file)
    wanted: list[str] = []
    for name in names:
        head, slash, rest = name.partition("/")
        below = posixpath.dirname(rest)
        if slash and head == "@rpath":
            wanted += [f"{path}/{below}" for path in paths]
        elif slash and head == "@loader_path":
            wanted.append(f"@loader_path/{below}")
    inside = _inside((_LOADER.sub("", path, count=1) for path in [*paths, *wanted] if _LOADER.match(path)), directory)
    return [name if _SYSTEM.fullmatch(name) else posixpath.basename(name) for name in names], inside


def _pe(file: BinaryIO, directory: str) -> tuple[list[str], list[str]]:
    return read_pe(file), _inside([""], directory)


def _inside(suffixes: Iterable[str], directory: str) -> list[str]:
    """Return ``directory`` with each suffix added, normalised; what leaves the prefix (or is its root) is left out."""
    found: list[str] = []
    for suffix in suffixes:
        path = posixpath.normpath(f"{directory}/{suffix}".lstrip("/"))
        if path != "." and path.partition("/")[0] != ".." and path.isprintable():
            found.append(path)
    return found


_READERS: dict[str, Callable[[BinaryIO, str], tuple[list[str], list[str]]]] = {"elf": _elf, "macho": _macho, "pe": _pe}


def outward_reach(
    natives: Iterable[NativeReach], *, held: Collection[str], is_private: Callable[[str], bool]
) -> tuple[NativeReach, ...]:
    """Keep what looks outside, sorted by path.

    Args:
        natives: all native files of the entry.
        held: base names of the entry's files.
        is_private: whether a search directory has files of this entry and belongs to it alone.

    A file stays when it searches a directory that is not private, or when it searches anywhere at all for a library
    that neither the entry nor the operating system holds. Only such libraries stay in ``needed``.
    """
    kept: list[NativeReach] = []
    for native in natives:
        wanted = tuple(name for name in native.needed if name not in held and not _SYSTEM.fullmatch(name))
        if native.search and (wanted or not all(is_private(directory) for directory in native.search)):
            kept.append(NativeReach(native.path, native.format, wanted, native.search))
    return tuple(sorted(kept))
