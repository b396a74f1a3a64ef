"""What a source distribution says about itself without being built: its PKG-INFO (PEP 643).

Nothing is unpacked: the archive is read from front to back until the file is found, and no further than limits allow.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from typing import Protocol

from typing_extensions import Self, override

from pyvstore.errors import BuildError, WheelError
from pyvstore.index.urls import printable
from pyvstore.wheel.metadata import parse_core_metadata

NAME = "PKG-INFO"
FILE_BYTES_LIMIT = 16 * 1024 * 1024
UNPACKED_BYTES_LIMIT = 1024 * 1024 * 1024
MEMBERS_LIMIT = 200_000
HEADER_BYTES_LIMIT = 1024 * 1024
_HEADER_TYPES = frozenset(
    {
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
    }
)
_STATIC_SINCE = (2, 2)
_READ_BY_RESOLUTION = frozenset({"requires-dist", "requires-python", "provides-extra"})


def read_static_metadata(path: str, filename: str) -> bytes:
    """Return PKG-INFO of the source distribution at ``path``, if a build would say the same.

    Raises WheelError (``sdist-archive``) for an archive that cannot be read, and BuildError (``build-required``) where
    PKG-INFO does not say it all.
    """
    shown = printable(filename)
    try:
        data = _from_zip(path) if filename.endswith(".zip") else _from_tar(path)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise WheelError(
            f"{shown} cannot be read",
            code="sdist-archive",
            causes=(printable(str(error)),),
            hint="require another version; if it is yours, build and upload it again",
        ) from error
    if data is None:
        raise _needs_build(shown, f"it has no {NAME}")
    metadata = parse_core_metadata(data, f"the {NAME} of {shown}")
    major, _, minor = metadata.metadata_version.partition(".")
    if (int(major), int(minor)) < _STATIC_SINCE:
        raise _needs_build(shown, f"its {NAME} has version {metadata.metadata_version}, and is static only since 2.2")
    dynamic = sorted(_READ_BY_RESOLUTION.intersection(metadata.dynamic))
    if dynamic:
        raise _needs_build(shown, f"its {NAME} leaves {', '.join(dynamic)} to the build")
    return data


def _needs_build(shown: str, why: str) -> BuildError:
    return BuildError(f"what {shown} requires is known only when it is built: {why}", code="build-required")


def _is_wanted(name: str) -> bool:
    parts = name.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == NAME and parts[0] not in {"", ".", ".."}


class _Member(tarfile.TarInfo):
    """A member whose extended headers, which `tarfile` holds in memory as a whole, are of a sensible size."""

    @override
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HEADER_TYPES and member.size > HEADER_BYTES_LIMIT:
            raise ValueError(f"it has a header of {member.size} bytes")
        return member


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Limited:
    """A stream that refuses to yield more than an archive may unpack to."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._left = UNPACKED_BYTES_LIMIT

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, 1024 * 1024) if size >= 0 else 1024 * 1024)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {UNPACKED_BYTES_LIMIT} bytes")
        return data


def _from_tar(path: str) -> bytes | None:
    with _unpacked(path) as stream, tarfile.open(fileobj=_Limited(stream), mode="r|", tarinfo=_Member) as archive:  # type: ignore[call-overload]
        # The stream mode reads from front to back and never seeks.
        for count, member in enumerate(archive):
            if count > MEMBERS_LIMIT:
                raise ValueError(f"it has more than {MEMBERS_LIMIT} members")
            if _is_wanted(member.name) and member.isreg():
                if member.size > FILE_BYTES_LIMIT:
                    raise ValueError(f"its {NAME} has {member.size} bytes")
                content = archive.extractfile(member)
                return content.read() if content is not None else None
    return None


def _unpacked(path: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    """Open a compressed tar archive by what it is, not by how it is called."""
    with open(path, "rb") as stream:
        magic = stream.read(2)
    if magic == b"\x1f\x8b":
        return gzip.open(path, "rb")
    if magic == b"BZ":
        return bz2.open(path, "rb")
    if magic == b"\xfd7":
        return lzma.open(path, "rb")
    raise ValueError("it is no compressed tar archive")


def _from_zip(path: str) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if _is_wanted(member.filename):
                if member.file_size > FILE_BYTES_LIMIT:
                    raise ValueError(f"its {NAME} has {member.file_size} bytes")
                with archive.open(member) as content:
                    return content.read(FILE_BYTES_LIMIT)
    return None
