"""`LockDocument` → canonical text: equal documents make equal bytes on every machine.

One line a wheel and one a dependency, sorted, so that a diff shows what changed and git merges what does not touch.
The writer knows the few shapes that a lock has; what it writes is checked in the tests by ``packaging.pylock``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from urllib.parse import unquote

from packaging.version import Version

from pyvstore.errors import LockfileError
from pyvstore.lockfile.document import DependencyEdge, LockDocument, LockedFile, LockedPackage
from pyvstore.lockfile.filenames import build_number, tag_triple
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.requirements.text import format_marker, format_specifiers

_HEADER = """\
# What this project installs (pylock.toml, PEP 751); `environments` says for which Python and platform.
# Commit this file. To change it, change pyproject.toml and run `pyvstore lock`.

"""
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {
    **{code: f"\\u{code:04x}" for code in (*range(0x20), 0x7F)},
    ord('"'): '\\"',
    ord("\\"): "\\\\",
    ord("\n"): "\\n",
    ord("\t"): "\\t",
}


def canonical_order(document: LockDocument) -> LockDocument:
    """Return the document with its parts in the order in which they are written."""
    packages = []
    for package in sorted(document.packages, key=_package_key):
        # Of two wheels with the same tags the higher build comes first: installers take the first that fits.
        by_build = sorted(package.wheels, key=lambda wheel: build_number(wheel.filename), reverse=True)
        packages.append(
            replace(
                package,
                wheels=tuple(sorted(by_build, key=lambda wheel: tag_triple(wheel.filename))),
                dependencies=tuple(sorted(package.dependencies, key=_edge_key)),
            )
        )
    return replace(document, packages=tuple(packages))


def format_lock(document: LockDocument) -> str:
    """Return the text of ``document``; `parse_lock` makes an equal document (in `canonical_order`) of it.

    Raises:
        LockfileError: code ``lock-source``; an entry is not from an index, and pyvstore never writes such.
    """
    lines = [_HEADER + 'lock-version = "1.0"']
    if document.requires_python is not None:
        lines.append(f"requires-python = {_text(format_specifiers(document.requires_python))}")
    lines += _list("environments", map(format_marker, document.environments))
    lines += _list("extras", document.extras)
    lines += _list("dependency-groups", document.dependency_groups)
    lines += _list("default-groups", document.default_groups)
    lines.append(f"created-by = {_text(document.created_by)}")
    packages = canonical_order(document).packages
    if not packages:
        lines.append("packages = []")
    lines += _own_table(document)
    for package in packages:
        lines += _package(package)
    return "\n".join(lines) + "\n"


def _package_key(package: LockedPackage) -> tuple[str, Version, str, str]:
    marker = "" if package.marker is None else format_marker(package.marker)
    return package.name, package.version or Version("0"), marker, package.index_url or ""


def _edge_key(edge: DependencyEdge) -> tuple[str, Version, str]:
    return edge.name, edge.version or Version("0"), edge.marker or ""


def _own_table(document: LockDocument) -> list[str]:
    lines: list[str] = []
    if document.input_digest is not None:
        lines.append(f"input-digest = {_text(document.input_digest)}")
    if document.default_members is not None and document.dependency_groups:
        lines += _list("default-groups", document.default_members) or ["default-groups = []"]
    lines += _rows("conflicts", (f"[{', '.join(map(_text, parts))}]" for parts in document.conflicts))
    lines += _list("forks", document.forks)
    if document.inputs is not None:
        lines += _inputs(document.inputs)
    return ["", "[tool.pyvstore]", *lines] if lines else []


def _inputs(inputs: LockInputs) -> list[str]:
    lines = ["", "[tool.pyvstore.inputs]"]
    if inputs.requires_python:
        lines.append(f"requires-python = {_text(inputs.requires_python)}")
    lines += _list("indexes", inputs.index_urls)
    lines += _list("environments", inputs.environments)
    if inputs.settings:
        lines.append(f"settings = {_inline({key: _text(value) for key, value in inputs.settings})}")
    tables: dict[str, list[str]] = {}
    for table, requirement in inputs.requirements:
        tables.setdefault(table, []).append(requirement)
    if tables:
        lines += ["", "[tool.pyvstore.inputs.requirements]"]
    for table, requirements in tables.items():
        lines += _list(table, requirements)
    return lines


def _package(package: LockedPackage) -> list[str]:
    if package.source is not None:
        raise LockfileError(
            f"{package.name} is locked as a {package.source}, which pyvstore does not write", code="lock-source"
        )
    lines = ["", "[[packages]]", f"name = {_text(package.name)}", f"version = {_text(str(package.version))}"]
    if package.marker is not None:
        lines.append(f"marker = {_text(format_marker(package.marker))}")
    if package.requires_python is not None:
        lines.append(f"requires-python = {_text(format_specifiers(package.requires_python))}")
    if package.index_url is not None:
        lines.append(f"index = {_text(package.index_url)}")
    targets = dict.fromkeys(_inline(_edge_target(edge)) for edge in package.dependencies)
    lines += _rows("dependencies", targets)
    if package.sdist is not None:
        lines.append(f"sdist = {_file(package.sdist)}")
    lines += _rows("wheels", map(_file, package.wheels))
    if package.without_project is not None:
        lines.append(f"tool.pyvstore.without-project = {_text(format_marker(package.without_project))}")
    conditional = [edge for edge in package.dependencies if edge.marker is not None]
    lines += _rows(
        "tool.pyvstore.dependency-markers",
        (_inline({**_edge_target(edge), "marker": _text(edge.marker or "")}) for edge in conditional),
    )
    return lines


def _edge_target(edge: DependencyEdge) -> Mapping[str, str]:
    target = {"name": _text(edge.name)}
    return target if edge.version is None else {**target, "version": _text(str(edge.version))}


def _file(file: LockedFile) -> str:
    last = file.url.partition("?")[0].rpartition("/")[2]
    row = {} if unquote(last) == file.filename else {"name": _text(file.filename)}
    row["url"] = _text(file.url)
    if file.upload_time is not None:
        row["upload-time"] = _time(file.upload_time)
    if file.size_bytes is not None:
        row["size"] = str(file.size_bytes)
    row["hashes"] = _inline({"sha256": _text(file.sha256)})
    return _inline(row)


def _time(time: datetime) -> str:
    return time.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def _list(key: str, values: Iterable[str]) -> list[str]:
    return _rows(_key(key), map(_text, values))


def _rows(key: str, rows: Iterable[str]) -> list[str]:
    lines = [f"    {row}," for row in rows]
    return [f"{key} = [", *lines, "]"] if lines else []


def _inline(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {value}" for key, value in values.items()) + " }"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'
