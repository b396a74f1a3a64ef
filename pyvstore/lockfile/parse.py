"""Text → `LockDocument`, or a refusal that names the place.

The order is: size, encoding, TOML, format version, the rules of PEP 751 (``packaging.pylock``), then what pyvstore asks
on top: a sha256 for every file, URLs that may be fetched, file names of the right project, no entry twice.
``packaging`` sees the first wheel of each package only: it would take 45 ms to parse the names of 2,600 wheels, and the
check here is stricter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomli
from packaging.pylock import Package, Pylock, PylockValidationError
from packaging.version import InvalidVersion, Version

from pyvstore.errors import LOCK_ANEW, LockfileError
from pyvstore.lockfile.document import LockDocument, LockedFile, LockedPackage
from pyvstore.lockfile.rows import PlaceError, parse_index, parse_sdist, parse_wheel
from pyvstore.lockfile.tooltable import (
    parse_conflicts,
    parse_default_members,
    parse_edges,
    parse_forks,
    parse_input_digest,
    parse_inputs,
    parse_own_table,
    parse_without_project,
    require_environment_marker,
)
from pyvstore.model.foreign import MAXIMUM_DIGITS, has_long_number

MAXIMUM_SIZE_BYTES = 64 * 1024 * 1024

_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)", re.MULTILINE)


def parse_lock(text: str | bytes, *, filename: str = "pylock.toml") -> LockDocument:
    """Return the checked document.

    A byte-order mark and CRLF line ends are accepted; a newer minor format version is accepted with a warning.

    Args:
        text: the content of the file.
        filename: how errors call it.

    Raises:
        LockfileError: code ``lock-version`` for a format that is too new, else ``lock-invalid``.
    """
    table = _parse_toml(text, filename)
    warnings = _check_format_version(table, filename)
    try:
        pylock = Pylock.from_dict(_thinned(table))
        return _document(table, pylock, warnings)
    except PylockValidationError as error:
        reason = f"{error.context}: {error.message}" if error.context else error.message
        raise _invalid(filename, _one_line(reason)) from error
    except PlaceError as error:
        raise _invalid(filename, str(error)) from error


def _invalid(filename: str, reason: str, *, hint: str = LOCK_ANEW) -> LockfileError:
    return LockfileError(f"{filename} is not valid: {reason}", code="lock-invalid", hint=hint)


def _one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _parse_toml(text: str | bytes, filename: str) -> Mapping[str, Any]:
    if len(text) > MAXIMUM_SIZE_BYTES:
        raise _invalid(filename, "it is larger than 64 MiB")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _invalid(filename, f"byte {error.start} is not UTF-8") from error
    text = text.removeprefix("\ufeff")
    if has_long_number(text):
        raise _invalid(filename, f"it has a number of more than {MAXIMUM_DIGITS} digits")
    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        if _CONFLICT.search(text):
            raise _invalid(
                filename,
                "it holds the marks of a merge conflict",
                hint="resolve pyproject.toml, then run `pyvstore lock`: it keeps what both sides have locked",
            ) from error
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else f"not TOML: {error}"
        raise _invalid(filename, _one_line(reason)) from error


def _check_format_version(table: Mapping[str, Any], filename: str) -> tuple[tuple[str, str], ...]:
    text = table.get("lock-version")
    try:
        version = Version(text) if isinstance(text, str) else None
    except InvalidVersion:
        version = None
    if version is None:
        raise _invalid(filename, "lock-version: must be a version in quotes")
    if version.major != 1:
        raise LockfileError(
            f"{filename} has format version {version}, and this pyvstore reads 1.0",
            code="lock-version",
            hint=f"update pyvstore, or {LOCK_ANEW}",
        )
    if version > Version("1.0"):
        sentence = f"{filename} has format version {version}; what is new since 1.0 is ignored"
        return (("lock-version", sentence),)
    return ()


def _thinned(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the table with one wheel a package, and a format version that packaging has nothing to say about."""
    packages = table.get("packages")
    if isinstance(packages, list):
        packages = [
            {**package, "wheels": package["wheels"][:1]}
            if isinstance(package, dict) and isinstance(package.get("wheels"), list)
            else package
            for package in packages
        ]
    thinned = {**table, "lock-version": "1.0", "packages": packages}
    return thinned if "packages" in table else {**table, "lock-version": "1.0"}


def _document(table: Mapping[str, Any], pylock: Pylock, warnings: tuple[tuple[str, str], ...]) -> LockDocument:
    packages = tuple(
        _package(row, package, f"packages[{index}]")
        for index, (row, package) in enumerate(zip(table["packages"], pylock.packages, strict=True))
    )
    _refuse_duplicates(packages)
    for index, marker in enumerate(pylock.environments or ()):
        require_environment_marker(marker, f"environments[{index}]")
    own = parse_own_table(table, "tool.pyvstore")
    return LockDocument(
        requires_python=pylock.requires_python,
        environments=tuple(pylock.environments or ()),
        extras=tuple(pylock.extras or ()),
        dependency_groups=tuple(pylock.dependency_groups or ()),
        default_groups=tuple(pylock.default_groups or ()),
        packages=packages,
        default_members=parse_default_members(own),
        conflicts=parse_conflicts(own),
        forks=parse_forks(own),
        inputs=parse_inputs(own),
        input_digest=parse_input_digest(own),
        created_by=pylock.created_by,
        warnings=warnings,
    )


def _refuse_duplicates(packages: Sequence[LockedPackage]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for index, package in enumerate(packages):
        key = (package.name, "" if package.marker is None else str(package.marker))
        first = seen.setdefault(key, index)
        if first != index:
            raise PlaceError(
                f"packages[{index}]: {package.name} is locked for the same environments as packages[{first}]"
            )


def _package(row: Mapping[str, Any], package: Package, place: str) -> LockedPackage:
    local_allowed = package.index is not None and parse_index(package.index, f"{place}.index")
    wheels: list[LockedFile] = []
    version = package.version
    for index, wheel_row in enumerate(row.get("wheels") or ()):
        wheel_place = f"{place}.wheels[{index}]"
        wheel, version = _same_version(
            parse_wheel(wheel_row, package.name, wheel_place, local_allowed=local_allowed), version, wheel_place
        )
        wheels.append(wheel)
    sdist = None
    if package.sdist is not None:
        sdist, version = _same_version(
            parse_sdist(row["sdist"], package.name, f"{place}.sdist", local_allowed=local_allowed),
            version,
            f"{place}.sdist",
        )
    return LockedPackage(
        name=package.name,
        version=version,
        marker=package.marker,
        requires_python=package.requires_python,
        dependencies=parse_edges(row, package.dependencies or (), place),
        index_url=package.index,
        wheels=tuple(wheels),
        sdist=sdist,
        source=next((kind for kind in ("vcs", "directory", "archive") if getattr(package, kind) is not None), None),
        without_project=parse_without_project(row, place),
    )


def _same_version(found: tuple[LockedFile, Version], version: Version | None, place: str) -> tuple[LockedFile, Version]:
    if version is not None and found[1] != version:
        raise PlaceError(f"{place}: {found[0].filename!r} is not version {version}")
    return found[0], version or found[1]
