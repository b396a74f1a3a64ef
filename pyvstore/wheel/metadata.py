"""METADATA and WHEEL: header files in the manner of e-mail (core metadata specification; PEP 427).

The headers end at the first line that is neither a header nor the continuation of one, as `email.parser` has it, so
that everybody sees the same dependencies. Only what the tool needs is kept; the description is never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from pyvstore.errors import WheelError
from pyvstore.model.foreign import parse_version
from pyvstore.wheel.names import NamedWarning, shown

MAX_HEADER_BYTES = 16 * 1024 * 1024

_LINE = re.compile(rb"\r\n|\r|\n")
_HEADER = re.compile(rb"([!-9;-~]+):(.*)", re.DOTALL)
_BLANK = re.compile(rb"\n\r?\n|\r\r|\A[\r\n]")
_METADATA_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreMetadata:
    """What METADATA says about a distribution.

    Attributes:
        name: normalised; ``display_name`` is as written.
        version: parsed.
        metadata_version: as written, ``2.4``.
        requires_dist: as written, unparsed, in order.
        provides_extra: normalised, in order, without repetitions.
        requires_python: as written, or None.
        dynamic: lower-case field names that a build may change.
        summary: one line, or None. Foreign text: not fit for a terminal as it is.
    """

    name: NormalizedName
    display_name: str
    version: Version
    metadata_version: str
    requires_dist: tuple[str, ...]
    provides_extra: tuple[NormalizedName, ...]
    requires_python: str | None
    dynamic: tuple[str, ...]
    summary: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelFile:
    """What ``.dist-info/WHEEL`` says. ``root_is_purelib`` is kept for the record: both go to one directory."""

    wheel_version: tuple[int, int]
    root_is_purelib: bool
    generator: str | None
    tags: tuple[str, ...]
    warnings: tuple[NamedWarning, ...]


def parse_headers(data: bytes, what: str) -> Mapping[str, Sequence[str]]:
    """Return lower-case header name → its values in order, folded lines joined with newlines.

    Raises WheelError (``wheel-metadata``) when the header part is larger than 16 MiB or not UTF-8. ``what`` names the
    file in messages.
    """
    blank = _BLANK.search(data)
    head = data[: blank.start()] if blank else data
    if len(head) > MAX_HEADER_BYTES:
        raise _refusal(what, f"its headers have {len(head)} bytes; the limit is {MAX_HEADER_BYTES}")
    collected: dict[str, list[list[bytes]]] = {}
    current: list[bytes] | None = None
    for line in _LINE.split(head.removeprefix(b"\xef\xbb\xbf")):
        if line[:1] in (b" ", b"\t"):
            if current is not None:
                current.append(line)
            continue
        match = _HEADER.match(line)
        if match is None:
            break
        current = [match[2]]
        collected.setdefault(match[1].decode("ascii").lower(), []).append(current)
    try:
        return {name: [b"\n".join(lines).decode().strip() for lines in values] for name, values in collected.items()}
    except UnicodeDecodeError as error:
        raise _refusal(what, "it is not UTF-8") from error


def _refusal(what: str, cause: str) -> WheelError:
    return WheelError(f"{what} cannot be used", code="wheel-metadata", causes=[cause])


def parse_core_metadata(data: bytes, what: str = "METADATA") -> CoreMetadata:
    """Parse METADATA; raises WheelError (``wheel-metadata``).

    Refused: no, several or malformed ``Name`` or ``Version``; a metadata version of a major number above 2, whose
    fields may mean something else; headers that are not UTF-8 or larger than 16 MiB.
    """
    headers = parse_headers(data, what)
    display_name = _single(headers, "Name", what)
    version_text = _single(headers, "Version", what)
    metadata_version = _first(headers, "metadata-version") or "1.0"
    match = _METADATA_VERSION.fullmatch(metadata_version)
    if match is None or int(match[1]) > 2:
        raise _refusal(what, f"its Metadata-Version {shown(metadata_version)} is not 1.x or 2.x")
    try:
        name = canonicalize_name(display_name, validate=True)
        version = parse_version(version_text)
    except (InvalidName, InvalidVersion) as error:
        raise _refusal(
            what, f"its name or version is malformed: {shown(display_name)}, {shown(version_text)}"
        ) from error
    extras = dict.fromkeys(canonicalize_name(extra) for extra in headers.get("provides-extra", ()))
    return CoreMetadata(
        name=name,
        display_name=display_name,
        version=version,
        metadata_version=metadata_version,
        requires_dist=tuple(" ".join(line.split()) for line in headers.get("requires-dist", ())),
        provides_extra=tuple(extras),
        requires_python=_first(headers, "requires-python"),
        dynamic=tuple(field.lower() for field in headers.get("dynamic", ())),
        summary=(_first(headers, "summary") or "").partition("\n")[0] or None,
    )


def _first(headers: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = headers.get(name, ())
    return values[0] if values and values[0] else None


def _single(headers: Mapping[str, Sequence[str]], name: str, what: str) -> str:
    values = headers.get(name.lower(), ())
    if len(set(values)) != 1 or not values[0]:
        raise _refusal(what, f"it has {'several' if len(values) > 1 else 'no'} {name}")
    return values[0]


def parse_wheel_file(data: bytes, what: str = "WHEEL") -> WheelFile:
    """Parse the WHEEL file; raises WheelError (``wheel-metadata``, or ``wheel-version`` for a format from the future).

    The specification: a greater minor number is a warning, a greater major one an error.
    """
    headers = parse_headers(data, what)
    text = _single(headers, "Wheel-Version", what)
    match = _METADATA_VERSION.fullmatch(text)
    if match is None:
        raise _refusal(what, f"its Wheel-Version {shown(text)} is malformed")
    wheel_version = int(match[1]), int(match[2])
    if wheel_version[0] != 1:
        raise WheelError(
            f"{what} cannot be used: it has Wheel-Version {text}, and pyvstore knows 1.0",
            code="wheel-version",
            hint="upgrade pyvstore, or choose an older version of the package",
        )
    warnings: list[NamedWarning] = []
    if wheel_version > (1, 0):
        warnings.append(("wheel-version", f"Wheel-Version {text} is newer than 1.0"))
    return WheelFile(
        wheel_version=wheel_version,
        root_is_purelib=(_first(headers, "root-is-purelib") or "").lower() == "true",
        generator=_first(headers, "generator"),
        tags=tuple(headers.get("tag", ())),
        warnings=tuple(warnings),
    )
