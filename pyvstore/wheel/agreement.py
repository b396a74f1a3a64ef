"""Whether the parts of a wheel agree: file name, ``.dist-info``, RECORD and the archive.

RECORD is taken seriously: every file must be listed with a hash, every listed file must be there, and a wrong hash or
size is always an error. Four things that real wheels do are let through: bytecode rows and files (bytecode is dropped),
signatures of RECORD, rows of directories, and files *below .dist-info* without a row or hash (a warning; tools that
repair wheels add licences there).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion

from pyvstore.errors import WheelError
from pyvstore.model.foreign import parse_version
from pyvstore.wheel.filename import WheelName
from pyvstore.wheel.geometry import is_bytecode_to_drop
from pyvstore.wheel.inflate import Member
from pyvstore.wheel.names import NamedWarning, parents_of, shorten, shown
from pyvstore.wheel.record import RecordRow

_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


def identity_error(filename: str, cause: str) -> WheelError:
    """Return the error for a wheel that is another than its name, or the caller, says."""
    return WheelError(f"{filename} is not the wheel it should be", code="wheel-identity", causes=[cause])


def stem_names(stem: str, name: WheelName) -> bool:
    """Whether ``foo_bar-1.0`` spells this project and version."""
    project, _, version = stem.rpartition("-")
    try:
        return (canonicalize_name(project, validate=True), parse_version(version)) == (name.name, name.version)
    except (InvalidName, InvalidVersion):
        return False


def find_dist_info(filename: str, members: Collection[str], name: WheelName) -> str:
    """Return the one ``.dist-info`` directory; raises WheelError (``wheel-layout``)."""
    tops = {member.partition("/")[0] for member in members if "/" in member}
    found = sorted(top for top in tops if top.lower().endswith(".dist-info"))
    if len(found) != 1:
        what = f"it has several .dist-info directories: {', '.join(map(shown, found))}" if found else "it has none"
        raise WheelError(f"{filename} needs exactly one .dist-info directory", code="wheel-layout", causes=[what])
    dist_info = found[0]
    if not stem_names(dist_info[: -len(".dist-info")], name) or not dist_info.endswith(".dist-info"):
        raise identity_error(filename, f"its metadata directory is {shown(dist_info)}")
    missing = [file for file in ("METADATA", "WHEEL", "RECORD") if f"{dist_info}/{file}" not in members]
    if missing:
        raise WheelError(
            f"{filename} lacks metadata",
            code="wheel-layout",
            causes=[f"{shown(dist_info)} has no {file}" for file in missing],
        )
    return dist_info


def compare_with_record(
    filename: str,
    members: Mapping[str, Member],
    directories: Collection[str],
    rows: Mapping[str, RecordRow],
    dist_info: str,
) -> tuple[NamedWarning, ...]:
    """Compare RECORD's rows with the archive's members; raises WheelError with all contradictions at once."""
    problems: list[str] = []
    warnings: list[NamedWarning] = []
    wrong_size = False
    unchecked = {f"{dist_info}/RECORD", *(f"{dist_info}/{signature}" for signature in _SIGNATURES)}
    for path, member in members.items():
        row = rows.get(path)
        if row is not None and row.digest and row.size_bytes in (None, member.size_bytes):
            continue
        if path in unchecked or is_bytecode_to_drop(path, members):
            continue
        if row is not None and row.size_bytes not in (None, member.size_bytes):
            wrong_size = True
            problems.append(f"{shown(path)}: has {member.size_bytes} bytes, RECORD says {row.size_bytes}")
        elif path.startswith(dist_info + "/"):
            warnings.append(("record-unlisted", f"RECORD has no hash of {shown(path)}"))
        else:
            problems.append(f"{shown(path)}: RECORD has no {'hash of it' if row else 'row for it'}")
    absent = [path for path in rows if path not in members and path not in unchecked and not path.endswith(".pyc")]
    parents = {*directories, *parents_of(members)} if absent else set()
    for path in absent:
        if is_bytecode_to_drop(path, members):
            continue
        if path in parents:
            warnings.append(("record-directory", f"RECORD lists the directory {shown(path)}"))
        else:
            problems.append(f"{shown(path)}: RECORD lists it, and the wheel does not hold it")
    if problems:
        raise WheelError(
            f"{filename} is not what its RECORD says",
            code="record-mismatch" if wrong_size else "wheel-record",
            causes=shorten(problems),
        )
    return tuple(warnings)
