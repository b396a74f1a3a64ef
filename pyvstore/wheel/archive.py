"""A wheel's ZIP archive, checked as a whole before anything is inflated, then inflated member by member.

The standard library's reader takes the central directory at its word, tolerates gaps, overlaps and two end records, and
costs more per small file than inflating it. This one refuses every archive that two tools could read differently.

Tolerated, because real wheels need it: directory entries, extra fields, data descriptors with and without signature,
members without a unix mode, names without the UTF-8 flag that are UTF-8 all the same, an archive comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from pyvstore.errors import WheelError
from pyvstore.wheel.directory import (
    TAIL_BYTES,
    DirectoryEntry,
    NeedMore,
    find_end_record,
    parse_directory,
    refusal,
)
from pyvstore.wheel.inflate import DamagedError, Member, inflate
from pyvstore.wheel.local_header import check_local_header, method_fault, mode_fault
from pyvstore.wheel.names import NamedWarning, NameJudge, find_collisions, find_files_used_as_directories, shown


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
        self.members: Mapping[str, Member] = {entry.name: Member.of(entry, offsets[entry.offset]) for entry in files}

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
            fault = method_fault(entry) or mode_fault(entry)
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
                data_offsets[entry.offset] = check_local_header(self._stream, entry, end)
            except ValueError as error:  # noqa: PERF203 - every member is judged, not only the first bad one
                self._problems.append(f"{shown(entry.name)}: {error}")
        return data_offsets

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
        try:
            yield from inflate(self._stream, member)
        except DamagedError as damage:
            raise self._damaged(member, str(damage)) from damage

    def _damaged(self, member: Member, what: str) -> WheelError:
        return refusal(self._label, [f"{shown(member.name)}: {what}"])
