"""A wheel's ZIP archive, checked as a whole before anything is inflated, then inflated member by member.

The standard library's reader takes the central directory at its word, tolerates gaps, overlaps and two end records, and
costs more per small file than inflating it. This one refuses every archive that two tools could read differently.

Tolerated, because real wheels need it: directory entries, extra fields, data descriptors with and without signature,
members without a unix mode, names without the UTF-8 flag that are UTF-8 all the same, an archive comment.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from pyvstore.errors import WheelError
from pyvstore.wheel.directory import (
    DEFLATED,
    FLAG_DESCRIPTOR,
    MAX32,
    STORED,
    TAIL_BYTES,
    DirectoryEntry,
    NeedMore,
    find_end_record,
    parse_directory,
    refusal,
    resolve_local_extra,
)
from pyvstore.wheel.names import NamedWarning, NameJudge, find_collisions, find_files_used_as_directories, shown

_LOCAL = struct.Struct("<4s5H3I2H")
_ONE_READ_BYTES = 1024 * 1024
_INPUT_BYTES = 256 * 1024
_OUTPUT_BYTES = 1024 * 1024
_DEFLATE_LIMIT = 1032  # no deflate stream expands further


class Member(NamedTuple):
    """One file of the archive. ``executable``: any x-bit of its unix mode."""

    name: str
    size_bytes: int
    compressed_bytes: int
    crc: int
    method: int
    data_offset: int
    executable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When an archive is taken for a bomb; the defaults are several times what the largest real wheels need."""

    total_bytes: int = 64 * 1024**3
    ratio: int = 200
    ratio_from_bytes: int = 256 * 1024**2


DEFAULT_LIMITS = Limits()


class Archive:
    """An archive whose structure, names, sizes and modes were found sound; contents are checked as they are read.

    Args:
        stream: seekable, opened by the caller, who must not use it while this object reads.
        label: what messages call the archive, usually the file name.
        windows: whether names that Windows cannot hold are faults instead of warnings.
        case_insensitive: whether names that differ in case or Unicode form only are faults instead of warnings.
        limits: see `Limits`.

    Attributes:
        members: files by name, in the order of the central directory.
        directories: names of directory entries, without the final slash.
        warnings: see `names`.

    Raises WheelError (``wheel-archive``) with every problem as a cause. Nothing is inflated.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        label: str = "the wheel",
        windows: bool = False,
        case_insensitive: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._stream = stream
        self._label = label
        self._total_bytes = stream.seek(0, 2)
        self._problems: list[str] = []
        self._refuse_other_formats()
        stream.seek(max(0, self._total_bytes - TAIL_BYTES))
        end = find_end_record(stream.read(TAIL_BYTES), self._total_bytes, label)
        if isinstance(end, NeedMore):
            raise refusal(label, ["it became shorter while it was read"])
        stream.seek(end.offset)
        entries, self._problems = parse_directory(stream.read(end.end - end.offset), end.members, label)
        judge = NameJudge(windows=windows)
        self.directories: tuple[str, ...] = tuple(
            entry.name[:-1] for entry in entries if entry.name.endswith("/") and entry.raw_name != b"/"
        )
        files = [entry for entry in entries if not entry.name.endswith("/")]
        self._judge_names(entries, judge, case_insensitive=case_insensitive)
        self._problems += judge.faults
        self._judge_sizes(entries, limits)
        offsets = self._check_extents(entries, end.offset)
        if self._problems:
            raise refusal(label, self._problems)
        self.warnings: tuple[NamedWarning, ...] = tuple(judge.warnings)
        self.members: Mapping[str, Member] = {
            entry.name: Member(
                entry.name,
                entry.size_bytes,
                entry.compressed_bytes,
                entry.crc,
                entry.method,
                offsets[entry.offset],
                bool(entry.mode & 0o111),
            )
            for entry in files
        }

    def _refuse_other_formats(self) -> None:
        self._stream.seek(0)
        head = self._stream.read(512)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return
        if not head:
            raise refusal(self._label, [], f"{self._label} is empty")
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body")):
            raise refusal(
                self._label,
                ["the index, or something between it and this machine, answered with a page instead of the file"],
                f"{self._label} is a web page (HTML), not a wheel",
            )
        raise refusal(self._label, ["it does not begin with a ZIP member: bytes stand before it, or it is no ZIP file"])

    def _judge_names(self, entries: list[DirectoryEntry], judge: NameJudge, *, case_insensitive: bool) -> None:
        seen: set[str] = set()
        names: list[str] = []
        for entry in entries:
            name = entry.name.removesuffix("/")
            judge.judge(name)
            if name in seen:
                judge.faults.append(f"{shown(name)}: comes twice")
            seen.add(name)
            names.append(name)
        for first, second in find_collisions(names):
            sentence = f"{shown(second)}: differs from {shown(first)} in case or Unicode form only"
            if case_insensitive:
                judge.faults.append(sentence)
            else:
                judge.warnings.append(("wheel-name-case", sentence))
        files = {entry.name for entry in entries if not entry.name.endswith("/")}
        judge.faults += [f"{shown(name)}: is a file and a directory" for name in find_files_used_as_directories(files)]

    def _judge_sizes(self, entries: list[DirectoryEntry], limits: Limits) -> None:
        total = 0
        for entry in entries:
            total += entry.size_bytes
            fault = _method_fault(entry) or _mode_fault(entry)
            if fault is not None:
                self._problems.append(f"{shown(entry.name)}: {fault}")
        if total > limits.total_bytes:
            self._problems.append(f"its members declare {total} bytes; the limit is {limits.total_bytes}")
        elif total > limits.ratio_from_bytes and total > self._total_bytes * limits.ratio:
            self._problems.append(f"its members declare {total} bytes, {limits.ratio} times the archive: a bomb")

    def _check_extents(self, entries: list[DirectoryEntry], directory_offset: int) -> dict[int, int]:
        """Compare every local header with its entry; the members must tile the file up to the central directory.

        Returns header offset → offset of the data.
        """
        ordered = sorted(entries, key=lambda entry: entry.offset)
        data_offsets: dict[int, int] = {}
        if ordered and ordered[0].offset != 0:
            self._problems.append(f"{ordered[0].offset} bytes stand before the first member")
        elif not ordered and directory_offset != 0:
            self._problems.append(f"{directory_offset} bytes belong to no member")
        ends = [entry.offset for entry in ordered[1:]]
        ends.append(directory_offset)
        for entry, end in zip(ordered, ends, strict=False):
            try:
                data_offsets[entry.offset] = self._check_local(entry, end)
            except ValueError as error:  # noqa: PERF203 - every member is judged, not only the first bad one
                self._problems.append(f"{shown(entry.name)}: {error}")
        return data_offsets

    def _check_local(self, entry: DirectoryEntry, end: int) -> int:
        """Return where the member's data begins; raises ValueError. ``end`` is where the next thing begins."""
        name_end = 30 + len(entry.raw_name)
        read = self._stream.read
        self._stream.seek(entry.offset)
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
            self._check_descriptor(entry, data_end, end)
        elif data_end != end:
            raise ValueError(f"{end - data_end} bytes after its data belong to no member")
        return data_offset

    def _check_descriptor(self, entry: DirectoryEntry, data_end: int, end: int) -> None:
        """The bytes between the data and what follows must be one of the four shapes of a data descriptor."""
        layout = {12: "<3I", 16: "<3I", 20: "<I2Q", 24: "<I2Q"}.get(end - data_end)
        if layout is None:
            raise ValueError("what follows its data is no data descriptor")
        self._stream.seek(data_end)
        descriptor = self._stream.read(end - data_end)
        if len(descriptor) in (16, 24):
            if not descriptor.startswith(b"PK\x07\x08"):
                raise ValueError("what follows its data is no data descriptor")
            descriptor = descriptor[4:]
        if struct.unpack(layout, descriptor) != (entry.crc, entry.compressed_bytes, entry.size_bytes):
            raise ValueError("its data descriptor has another size or checksum")

    def read(self, member: Member, *, limit_bytes: int) -> bytes:
        """Return the whole content; raises WheelError when it is larger than ``limit_bytes`` or damaged."""
        if member.size_bytes > limit_bytes:
            raise self._damaged(member, f"has {member.size_bytes} bytes; the limit for it is {limit_bytes}")
        return b"".join(self.chunks(member))

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Yield the content in pieces of at most 1 MiB, never more than was declared; an empty file yields nothing.

        Raises WheelError at the first piece that cannot be right, at the latest when size and checksum are compared
        after the last one; what was yielded before must then be thrown away. Pieces of several members may be drawn in
        turns.
        """
        if member.size_bytes <= _ONE_READ_BYTES and member.compressed_bytes <= _ONE_READ_BYTES:
            data = self._whole(member)
            if zlib.crc32(data) != member.crc:
                raise self._damaged(member, "its content does not match its checksum")
            if data:
                yield data
            return
        crc = size = 0
        for chunk in self._stored(member) if member.method == STORED else self._inflated(member):
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            yield chunk
        if size != member.size_bytes:
            raise self._damaged(member, "its content is shorter than declared")
        if crc != member.crc:
            raise self._damaged(member, "its content does not match its checksum")

    def _whole(self, member: Member) -> bytes:
        self._stream.seek(member.data_offset)
        data = self._stream.read(member.compressed_bytes)
        if member.method != STORED:
            inflater = zlib.decompressobj(-15)
            try:
                data = inflater.decompress(data, member.size_bytes + 1)
            except zlib.error as error:
                raise self._damaged(member, "its data cannot be inflated") from error
            if not inflater.eof or inflater.unused_data:
                raise self._damaged(member, "its data does not end where it should")
        if len(data) != member.size_bytes:
            raise self._damaged(member, "its content has another size than declared")
        return data

    def _stored(self, member: Member) -> Iterator[bytes]:
        for at in range(0, member.size_bytes, _OUTPUT_BYTES):
            self._stream.seek(member.data_offset + at)
            yield self._stream.read(min(_OUTPUT_BYTES, member.size_bytes - at))

    def _inflated(self, member: Member) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-15)
        at, left = 0, member.size_bytes
        pending = b""
        while not inflater.eof:
            if not pending:
                self._stream.seek(member.data_offset + at)
                pending = self._stream.read(min(_INPUT_BYTES, member.compressed_bytes - at))
                at += len(pending)
            try:
                chunk = inflater.decompress(pending, min(_OUTPUT_BYTES, left + 1))
            except zlib.error as error:
                raise self._damaged(member, "its data cannot be inflated") from error
            if not pending and not chunk and not inflater.eof:
                raise self._damaged(member, "its data ends too early")
            pending = inflater.unconsumed_tail
            left -= len(chunk)
            if left < 0:
                raise self._damaged(member, "its content is longer than declared")
            if chunk:
                yield chunk
        if inflater.unused_data or at != member.compressed_bytes:
            raise self._damaged(member, "its data does not end where it should")

    def _damaged(self, member: Member, what: str) -> WheelError:
        return refusal(self._label, [f"{shown(member.name)}: {what}"])


def _method_fault(entry: DirectoryEntry) -> str | None:
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


def _mode_fault(entry: DirectoryEntry) -> str | None:
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
