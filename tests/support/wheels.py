"""Wheels and ZIP archives made in memory from text recipes, honest or lying, byte for byte deterministic.

`build_wheel` is for everybody; `write_archive` and `Member` are for tests that need an archive that lies about itself.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

STORED = 0
DEFLATED = 8
UTF8_FLAG = 0x800
DESCRIPTOR_FLAG = 0x8
ENCRYPTED_FLAG = 0x1
DOS_DATE = 0x21  # 1980-01-01

Row = tuple[str, str, str]
"""A RECORD row: path, ``sha256=…`` or empty, size or empty."""


@dataclass(slots=True)
class Member:
    """One member of an archive. ``local`` and ``central`` override single header fields: the ways to lie.

    Fields that can be overridden: ``signature version made_by flags method time date crc compressed size name extra
    comment attributes internal offset disk``.
    """

    name: str | bytes
    data: bytes = b""
    mode: int = 0o100644
    method: int = DEFLATED
    made_by_system: int = 3
    flags: int = 0
    descriptor: str | None = None
    """None, ``signed`` or ``bare``."""
    zip64: bool = False
    raw: bytes | None = None
    """The compressed bytes, if they are not to be made from ``data``."""
    extra: bytes = b""
    comment: bytes = b""
    gap_before: bytes = b""
    omit_local: bool = False
    omit_central: bool = False
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)

    @property
    def raw_name(self) -> bytes:
        """The name as the archive spells it."""
        return self.name if isinstance(self.name, bytes) else self.name.encode("utf-8", "surrogatepass")


def deflate(data: bytes) -> bytes:
    """Compress as ZIP wants it (no zlib header)."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()


def _int(fields: Mapping[str, int | bytes], key: str) -> int:
    value = fields[key]
    assert isinstance(value, int)
    return value


def _bytes(fields: Mapping[str, int | bytes], key: str) -> bytes:
    value = fields[key]
    assert isinstance(value, bytes)
    return value


def _local_header(fields: Mapping[str, int | bytes]) -> bytes:
    numbers = ("version", "flags", "method", "time", "date", "crc", "compressed", "size")
    name, extra = _bytes(fields, "name"), _bytes(fields, "extra")
    packed = struct.pack("<5H3I2H", *(_int(fields, key) for key in numbers), len(name), len(extra))
    return _bytes(fields, "signature") + packed + name + extra


def _central_header(fields: Mapping[str, int | bytes]) -> bytes:
    numbers = ("made_by", "version", "flags", "method", "time", "date", "crc", "compressed", "size")
    tail = ("disk", "internal", "attributes", "offset")
    name, extra, comment = _bytes(fields, "name"), _bytes(fields, "extra"), _bytes(fields, "comment")
    return (
        _bytes(fields, "signature")
        + struct.pack("<6H3I3H", *(_int(fields, key) for key in numbers), len(name), len(extra), len(comment))
        + struct.pack("<2H2I", *(_int(fields, key) for key in tail))
        + name
        + extra
        + comment
    )


def _one_member(member: Member, offset: int) -> tuple[bytes, bytes]:
    """Return (local header, body and descriptor; central header) of a member that begins at ``offset``."""
    body = member.raw if member.raw is not None else deflate(member.data) if member.method == DEFLATED else member.data
    crc = zlib.crc32(member.data)
    name = member.raw_name
    flags = member.flags | (UTF8_FLAG if not name.isascii() and not isinstance(member.name, bytes) else 0)
    flags |= DESCRIPTOR_FLAG if member.descriptor else 0
    common: dict[str, int | bytes] = {
        "version": 45 if member.zip64 else 20,
        "flags": flags,
        "method": member.method,
        "time": 0,
        "date": DOS_DATE,
        "crc": crc,
        "compressed": len(body),
        "size": len(member.data),
        "name": name,
        "extra": member.extra,
    }
    local = {**common, "signature": b"PK\x03\x04"}
    central = {
        **common,
        "signature": b"PK\x01\x02",
        "made_by": (member.made_by_system << 8) | 20,
        "comment": member.comment,
        "disk": 0,
        "internal": 0,
        "attributes": member.mode << 16,
        "offset": offset,
    }
    if member.descriptor:
        local |= {"crc": 0, "compressed": 0, "size": 0}
    if member.zip64:
        sizes = struct.pack("<2Q", len(member.data), len(body))
        if member.descriptor:
            local |= {"extra": struct.pack("<2H2Q", 1, 16, 0, 0) + member.extra}
        else:
            local |= {"extra": struct.pack("<2H", 1, 16) + sizes + member.extra}
        local |= {"compressed": 0xFFFFFFFF, "size": 0xFFFFFFFF}
        central |= {"compressed": 0xFFFFFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
        central |= {"extra": struct.pack("<2H", 1, 24) + sizes + struct.pack("<Q", offset) + member.extra}
    local |= member.local
    central |= member.central
    descriptor = b""
    if member.descriptor:
        layout = "<I2Q" if member.zip64 else "<3I"
        descriptor = struct.pack(layout, crc, len(body), len(member.data))
        descriptor = (b"PK\x07\x08" if member.descriptor == "signed" else b"") + descriptor
    return _local_header(local) + body + descriptor, _central_header(central)


def write_archive(
    members: Sequence[Member],
    *,
    comment: bytes = b"",
    prefix: bytes = b"",
    suffix: bytes = b"",
    zip64: bool = False,
    before_directory: bytes = b"",
    end: Mapping[str, int] | None = None,
    end64: Mapping[str, int] | None = None,
    locator: Mapping[str, int] | None = None,
) -> bytes:
    """Write an archive, lies and all.

    ``end`` overrides ``disk start_disk count_here count size offset comment_length`` of the end record; ``end64`` the
    same (and ``record_size``) of the ZIP64 record; ``locator`` overrides ``disk offset disks``.
    """
    out = bytearray()
    central = bytearray()
    count = 0
    for member in members:
        out += member.gap_before
        local_bytes, central_bytes = _one_member(member, len(out))
        if not member.omit_local:
            out += local_bytes
        if not member.omit_central:
            central += central_bytes
            count += 1
    out += before_directory
    start = len(out)
    out += central
    truth = {"disk": 0, "start_disk": 0, "count_here": count, "count": count, "size": len(central), "offset": start}
    plain = {**truth, "comment_length": len(comment)}
    if zip64:
        record = {**truth, "record_size": 44, **(end64 or {})}
        at = len(out)
        out += b"PK\x06\x06" + struct.pack(
            "<Q2H2I", record["record_size"], 45, 45, record["disk"], record["start_disk"]
        )
        out += struct.pack("<4Q", record["count_here"], record["count"], record["size"], record["offset"])
        where = {"disk": 0, "offset": at, "disks": 1, **(locator or {})}
        out += b"PK\x06\x07" + struct.pack("<IQI", where["disk"], where["offset"], where["disks"])
        plain |= {"count_here": 0xFFFF, "count": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
    plain |= end or {}
    out += b"PK\x05\x06" + struct.pack(
        "<4H2IH",
        *(plain[key] for key in ("disk", "start_disk", "count_here", "count", "size", "offset", "comment_length")),
    )
    return prefix + bytes(out) + comment + suffix


def record_hash(data: bytes) -> str:
    """Return ``sha256=<urlsafe base64 without padding>``."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def format_rows(rows: Sequence[Row]) -> bytes:
    """Write RECORD's CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _metadata(
    name: str,
    version: str,
    requires: Sequence[str],
    extras: Mapping[str, Sequence[str]],
    requires_python: str | None,
    headers: Sequence[str],
) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *headers]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in requirements:
            body, semicolon, marker = requirement.partition(";")
            condition = f'({marker.strip()}) and extra == "{extra}"' if semicolon else f'extra == "{extra}"'
            lines.append(f"Requires-Dist: {body.strip()} ; {condition}")
    return "\n".join(lines) + "\n"


def _entry_points(groups: Mapping[str, Mapping[str, str]] | str | bytes) -> bytes:
    if not isinstance(groups, Mapping):
        return _as_bytes(groups)
    lines: list[str] = []
    for group, names in groups.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in names.items()), ""]
    return "\n".join(lines).encode()


def build_wheel(
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, str | bytes] | None = None,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str | None = None,
    entry_points: Mapping[str, Mapping[str, str]] | str | bytes | None = None,
    tag: str = "py3-none-any",
    data: Mapping[str, Mapping[str, str | bytes]] | None = None,
    root_is_purelib: bool = True,
    executable: Sequence[str] = (),
    dist_info: Mapping[str, str | bytes | None] | None = None,
    headers: Sequence[str] = (),
    build: str = "",
    spelling: str | None = None,
    extra_members: Sequence[Member] = (),
    edit_record: Callable[[list[Row]], list[Row] | None] | None = None,
    mutate: Callable[[list[Member]], list[Member] | None] | None = None,
    comment: bytes = b"",
    prefix: bytes = b"",
    suffix: bytes = b"",
) -> tuple[str, bytes]:
    """Build a wheel; return (file name, content). The same arguments give the same bytes.

    Args:
        name: project name as METADATA spells it.
        version: version as METADATA spells it.
        files: path → content at the archive's root; default is one package ``<name>/__init__.py``.
        requires: ``Requires-Dist`` lines.
        extras: extra → its requirements (their markers get ``extra == …`` added).
        requires_python: specifier text.
        entry_points: group → name → value, or the file's text.
        tag: one compressed tag set, ``py2.py3-none-any``.
        data: scheme → path → content below ``.data``.
        root_is_purelib: for the WHEEL file.
        executable: archive paths that get mode 0755 (everything in ``data["scripts"]`` does anyway).
        dist_info: further files below ``.dist-info``, or replacements for METADATA, WHEEL, RECORD; None removes one.
        headers: further METADATA header lines.
        build: build tag for the file name (``1`` or ``2abc``).
        spelling: how file name and ``.dist-info`` spell the project; default is the normalised name with underscores.
        extra_members: members without a RECORD row, put last.
        edit_record: changes RECORD's rows in place, or returns others.
        mutate: changes the list of members in place (RECORD is written already), or returns another.
        comment: the archive's comment.
        prefix: bytes before the archive.
        suffix: bytes after the archive.
    """
    stem = f"{spelling or canonicalize_name(name).replace('-', '_')}-{version.replace('-', '_')}"
    info = f"{stem}.dist-info"
    if files is None:
        files = {f"{canonicalize_name(name).replace('-', '_')}/__init__.py": f"__version__ = {version!r}\n"}
    contents: dict[str, bytes] = {path: _as_bytes(content) for path, content in files.items()}
    modes = dict.fromkeys(executable, 0o100755)
    for scheme, below in (data or {}).items():
        for path, content in below.items():
            contents[f"{stem}.data/{scheme}/{path}"] = _as_bytes(content)
            if scheme == "scripts":
                modes[f"{stem}.data/{scheme}/{path}"] = 0o100755
    pythons, abis, platforms = tag.split("-")
    tags = [f"{p}-{a}-{o}" for p in pythons.split(".") for a in abis.split(".") for o in platforms.split(".")]
    wheel_lines = ["Wheel-Version: 1.0", "Generator: recipe", f"Root-Is-Purelib: {str(root_is_purelib).lower()}"]
    wheel_lines += [f"Tag: {one}" for one in tags] + ([f"Build: {build}"] if build else [])
    meta: dict[str, bytes | None] = {
        "METADATA": _metadata(name, version, requires, extras or {}, requires_python, headers).encode(),
        "WHEEL": ("\n".join(wheel_lines) + "\n").encode(),
    }
    if entry_points is not None:
        meta["entry_points.txt"] = _entry_points(entry_points)
    meta |= {key: value if value is None else _as_bytes(value) for key, value in (dist_info or {}).items()}
    contents |= {f"{info}/{key}": value for key, value in meta.items() if value is not None}
    if "RECORD" not in meta:
        rows: list[Row] = [(path, record_hash(content), str(len(content))) for path, content in contents.items()]
        rows.append((f"{info}/RECORD", "", ""))
        if edit_record is not None:
            rows = edit_record(rows) or rows
        contents[f"{info}/RECORD"] = format_rows(rows)
    members = [Member(path, content, mode=modes.get(path, 0o100644)) for path, content in contents.items()]
    members += extra_members
    if mutate is not None:
        members = mutate(members) or members
    filename = f"{stem}-{build}-{tag}.whl" if build else f"{stem}-{tag}.whl"
    return filename, write_archive(members, comment=comment, prefix=prefix, suffix=suffix)
