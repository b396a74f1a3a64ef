"""A whole wheel, understood: its metadata, where each file goes, and every file checked while it is copied.

What may be copied is decided before (`archive`, `agreement`, `geometry`); here the bytes are compared with RECORD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, Protocol

from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import WheelError
from pyvstore.model.manifest import EntryPoint
from pyvstore.wheel.agreement import compare_with_record, find_dist_info, identity_error, stem_names
from pyvstore.wheel.archive import DEFAULT_LIMITS, Archive, Limits
from pyvstore.wheel.entry_points import parse_entry_points
from pyvstore.wheel.filename import WheelName, parse_filename
from pyvstore.wheel.geometry import entry_path, is_bytecode_to_drop
from pyvstore.wheel.inflate import Member
from pyvstore.wheel.metadata import CoreMetadata, WheelFile, parse_core_metadata, parse_wheel_file
from pyvstore.wheel.names import NamedWarning, find_files_used_as_directories, shorten, shown
from pyvstore.wheel.record import MAX_RECORD_BYTES, RecordRow, parse_record

_METADATA_BYTES = 64 * 1024 * 1024
_SMALL_FILE_BYTES = 4 * 1024 * 1024


class PayloadFile(NamedTuple):
    """One file that the entry will hold.

    Attributes:
        path: entry path.
        member: where it is in the archive.
        size_bytes: declared by archive and RECORD alike.
        executable: its x-bit in the archive; always set below ``bin/``.
        algorithm, digest: what RECORD says; empty where it says nothing (RECORD itself).
    """

    path: str
    member: Member
    size_bytes: int
    executable: bool
    algorithm: str
    digest: bytes

    @property
    def sha256(self) -> str | None:
        """Lower-case hex as RECORD promises it, or None; trust it only after `WheelContents.chunks`."""
        return self.digest.hex() if self.algorithm == "sha256" else None


class PayloadObserver(Protocol):
    """Sees every file that was copied, after it proved right."""

    def note(self, file: PayloadFile, sha256: str, head: bytes) -> None:
        """Take note of ``file``. ``head`` is its first piece: all of it unless it has more than 1 MiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelContents:
    """What a wheel holds. Made by `read`; usable as long as the stream stays open.

    Attributes:
        filename: the wheel's file name.
        name: parsed parts of the file name.
        dist_info: name of the ``.dist-info`` directory as the wheel spells it.
        metadata, wheel_file, entry_points: parsed.
        payload: every file to install, sorted by the components of its path.
        warnings: what is wrong with the wheel but harmless, in the order of reading.
        archive: the checked archive.
    """

    filename: str
    name: WheelName
    dist_info: str
    metadata: CoreMetadata
    wheel_file: WheelFile
    entry_points: tuple[EntryPoint, ...]
    payload: tuple[PayloadFile, ...]
    warnings: tuple[NamedWarning, ...]
    archive: Archive

    @classmethod
    def read(
        cls,
        stream: BinaryIO,
        filename: str,
        *,
        expected_name: NormalizedName | None = None,
        expected_version: Version | None = None,
        windows: bool = False,
        case_insensitive: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> WheelContents:
        """Open a wheel, check everything that can be checked without inflating its payload, and lay it out.

        Args:
            stream: seekable; the caller opened it, keeps it open while payload is copied, and closes it.
            filename: the wheel's own file name.
            expected_name: refuse (``wheel-identity``) a wheel of another project.
            expected_version: refuse a wheel of another version.
            windows: see `Archive`.
            case_insensitive: see `Archive`.
            limits: see `Archive`.

        Raises WheelError: ``wheel-filename``, ``wheel-archive``, ``wheel-identity``, ``wheel-metadata``,
        ``wheel-version``, ``wheel-record``, ``record-mismatch``, ``wheel-entry-points``, ``wheel-layout``.
        """
        name = parse_filename(filename)
        _check_expectation(filename, name, expected_name, expected_version)
        archive = Archive(stream, label=filename, windows=windows, case_insensitive=case_insensitive, limits=limits)
        members = archive.members
        dist_info = find_dist_info(filename, members, name)
        metadata = parse_core_metadata(
            _read(archive, f"{dist_info}/METADATA", _METADATA_BYTES), f"the METADATA of {filename}"
        )
        if (metadata.name, metadata.version) != (name.name, name.version):
            raise identity_error(filename, f"METADATA says {shown(metadata.display_name)} {metadata.version}")
        wheel_file = parse_wheel_file(
            _read(archive, f"{dist_info}/WHEEL", _SMALL_FILE_BYTES), f"the WHEEL file of {filename}"
        )
        points: tuple[EntryPoint, ...] = ()
        point_warnings: tuple[NamedWarning, ...] = ()
        if f"{dist_info}/entry_points.txt" in members:
            text = _read(archive, f"{dist_info}/entry_points.txt", _SMALL_FILE_BYTES)
            points, point_warnings = parse_entry_points(text, filename)
        rows, row_warnings = parse_record(_read(archive, f"{dist_info}/RECORD", MAX_RECORD_BYTES), filename)
        cross_warnings = compare_with_record(filename, members, archive.directories, rows, dist_info)
        payload, layout_warnings = _lay_out(filename, members, rows, name, dist_info)
        return cls(
            filename=filename,
            name=name,
            dist_info=dist_info,
            metadata=metadata,
            wheel_file=wheel_file,
            entry_points=points,
            payload=payload,
            warnings=(
                *archive.warnings,
                *wheel_file.warnings,
                *point_warnings,
                *row_warnings,
                *cross_warnings,
                *layout_warnings,
            ),
            archive=archive,
        )

    def chunks(self, file: PayloadFile, observer: PayloadObserver | None = None) -> Iterator[bytes]:
        """Yield the content of one payload file in pieces of at most 1 MiB, checked against RECORD.

        After the last piece ``observer`` is told. Raises WheelError, at the latest after the last piece:
        ``wheel-archive`` for damage, ``record-mismatch`` for a wrong hash. The caller throws away what it wrote then.
        """
        hasher = hashlib.sha256()
        promised = hasher if file.algorithm in ("sha256", "") else hashlib.new(file.algorithm)
        head: bytes | None = None
        for chunk in self.archive.chunks(file.member):
            if head is None:
                head = chunk
            hasher.update(chunk)
            if promised is not hasher:
                promised.update(chunk)
            yield chunk
        if file.algorithm and promised.digest() != file.digest:
            raise WheelError(
                f"{self.filename}: {shown(file.member.name)} is not what RECORD says",
                code="record-mismatch",
                causes=[f"its {file.algorithm} is {promised.hexdigest()}, RECORD has {file.digest.hex()}"],
            )
        if observer is not None:
            observer.note(file, hasher.hexdigest(), head or b"")


def _check_expectation(
    filename: str, name: WheelName, expected_name: NormalizedName | None, expected_version: Version | None
) -> None:
    if expected_name is not None and name.name != expected_name:
        raise identity_error(filename, f"expected a wheel of {expected_name}")
    if expected_version is not None and name.version != expected_version:
        raise identity_error(filename, f"expected version {expected_version}")


def _read(archive: Archive, member: str, limit_bytes: int) -> bytes:
    return archive.read(archive.members[member], limit_bytes=limit_bytes)


def _lay_out(
    filename: str, members: Mapping[str, Member], rows: Mapping[str, RecordRow], name: WheelName, dist_info: str
) -> tuple[tuple[PayloadFile, ...], tuple[NamedWarning, ...]]:
    """Give every member its entry path; raises WheelError (``wheel-layout``) with all problems at once."""
    data_directories = sorted({top for top in _tops(members) if top.endswith(".data") and stem_names(top[:-5], name)})
    problems: list[str] = []
    if len(data_directories) > 1:
        problems.append(f"it has several .data directories: {', '.join(map(shown, data_directories))}")
    data_directory = data_directories[0] if data_directories else None
    warnings: list[NamedWarning] = []
    placed: dict[str, PayloadFile] = {}
    record = f"{dist_info}/RECORD"
    for member in members.values():
        if is_bytecode_to_drop(member.name, members):
            continue
        try:
            path = entry_path(member.name, data_directory, name.name)
        except ValueError as error:
            problems.append(f"{shown(member.name)}: {error}")
            continue
        row = rows.get(member.name) if member.name != record else None
        algorithm, digest = (row.algorithm, row.digest) if row is not None else ("", b"")
        executable = member.executable or path.startswith("bin/")
        file = PayloadFile(path, member, member.size_bytes, executable, algorithm, digest)
        first = placed.setdefault(path, file)
        if first is file:
            continue
        if digest and (first.algorithm, first.digest) == (algorithm, digest):
            warnings.append(("wheel-file-twice", f"{shown(member.name)} and {shown(first.member.name)} are one file"))
        else:
            problems.append(f"{shown(member.name)}: has the place of {shown(first.member.name)}")
    problems += [f"{shown(path)}: would be a file and a directory" for path in find_files_used_as_directories(placed)]
    if problems:
        raise WheelError(f"{filename} must not be installed", code="wheel-layout", causes=shorten(problems))
    return tuple(placed[path] for path in sorted(placed, key=_components)), tuple(warnings)


def _tops(members: Mapping[str, Member]) -> set[str]:
    return {name.partition("/")[0] for name in members if "/" in name}


def _components(path: str) -> list[str]:
    return path.split("/")
