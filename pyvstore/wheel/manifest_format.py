"""A manifest as two JSON lines: the head, which planning reads, and the rows, which only repair and overlaps need.

Canonical: the same entry gives the same bytes. A node is the letter of its kind, except an open directory, which is the
object of its children. Nothing in a manifest file is trusted to be well-formed: StoreError, never KeyError.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pyvstore.errors import StoreError
from pyvstore.model.manifest import MANIFEST_FORMAT, EntryPoint, FileRow, Manifest, NativeReach, Node, NodeKind

TYPE_CHECKING = False  # a type only: `packaging` costs more than the rest of a relink
if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_LEAVES = {kind.value: Node(kind) for kind in NodeKind if kind is not NodeKind.OPEN}
_MAX_DEPTH = 100
_TEXTS = ("name", "display_name", "version", "wheel_filename", "wheel_sha256", "dist_info")


def format_manifest(manifest: Manifest, rows: Iterable[FileRow]) -> bytes:
    """Return the two lines of a manifest file; rows are sorted by the components of their path."""
    head = {
        "format": MANIFEST_FORMAT,
        "name": manifest.name,
        "display_name": manifest.display_name,
        "version": manifest.version,
        "wheel_filename": manifest.wheel_filename,
        "wheel_sha256": manifest.wheel_sha256,
        "wheel_size_bytes": manifest.wheel_size_bytes,
        "dist_info": manifest.dist_info,
        "tree": _format_children(manifest.tree),
        "entry_points": [
            [point.name, point.module, point.attribute, int(point.gui)] for point in sorted(manifest.entry_points)
        ],
        "reach": _format_reach(manifest.reach),
        "warnings": [list(warning) for warning in manifest.warnings],
    }
    ordered = sorted(rows, key=_row_key)
    lines = [head, [[row.path, row.sha256, row.size_bytes, int(row.executable)] for row in ordered]]
    return b"".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for line in lines)


def _row_key(row: FileRow) -> list[str]:
    return row.path.split("/")


def _format_children(children: Mapping[str, Node]) -> dict[str, Any]:
    return {
        name: _format_children(node.children) if node.kind is NodeKind.OPEN else node.kind.value
        for name, node in sorted(children.items())
    }


def _format_reach(reaches: Iterable[NativeReach]) -> list[Any]:
    """Group files that want the same: hundreds of libraries of one wheel differ in their paths only."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for reach in sorted(reaches):
        groups.setdefault((reach.format, reach.needed, reach.search), []).append(reach.path)
    return [[form, list(needed), list(search), paths] for (form, needed, search), paths in sorted(groups.items())]


def _parse_reach(groups: Any) -> tuple[NativeReach, ...]:
    found: list[NativeReach] = []
    for form, needed, search, paths in groups:
        wants = _text(form), tuple(map(_text, needed)), tuple(map(_path, search))
        found += [NativeReach(_path(path), *wants) for path in paths]
    return tuple(sorted(found))


def _malformed(why: str) -> StoreError:
    return StoreError(
        "the manifest of a store entry is damaged",
        code="manifest-malformed",
        causes=[why],
        hint="run `pyvstore sync`, which makes the entry again",
    )


def _load(line: bytes, kind: type) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"not JSON: {error}") from error
    if not isinstance(value, kind):
        raise _malformed(f"not a JSON {kind.__name__}")
    return value


def parse_manifest_head(first_line: bytes) -> Manifest:
    """Parse the first line of a manifest file.

    Raises StoreError: ``manifest-format`` when another version of the tool wrote it, else ``manifest-malformed``.
    """
    head = _load(first_line, dict)
    found = head.get("format")
    if found != MANIFEST_FORMAT or found is True:
        if isinstance(found, int) and not isinstance(found, bool):
            raise StoreError(
                f"a store entry has a manifest of format {found}, and this version of pyvstore reads {MANIFEST_FORMAT}",
                code="manifest-format",
                hint="upgrade pyvstore",
            )
        raise _malformed("it has no format number")
    try:
        texts = [head[key] for key in _TEXTS]
        size = head["wheel_size_bytes"]
        if not all(type(text) is str for text in texts) or type(size) is not int or size < 0:
            raise _malformed("a field of the head has the wrong type")
        return Manifest(
            name=cast("NormalizedName", texts[0]),
            display_name=texts[1],
            version=texts[2],
            wheel_filename=texts[3],
            wheel_sha256=texts[4],
            wheel_size_bytes=size,
            dist_info=_component(texts[5]),
            tree=_parse_children(head["tree"], _MAX_DEPTH),
            entry_points=tuple(
                EntryPoint(_component(_text(name)), _text(module), _text(attribute), bool(gui))
                for name, module, attribute, gui in head["entry_points"]
            ),
            reach=_parse_reach(head["reach"]),
            warnings=tuple((_text(code), _text(sentence)) for code, sentence in head["warnings"]),
        )
    except KeyError as error:
        raise _malformed(f"the head lacks {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _malformed(f"a field of the head has the wrong shape: {error}") from error


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("not a text")
    return value


def _component(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name or "\\" in name:
        raise ValueError(f"{name!r} is not a file name")
    return name


def _path(value: Any) -> str:
    path = _text(value)
    if path.startswith("/") or "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"{path!r} is not a path inside an entry")
    return path


def _parse_children(children: Any, depth: int) -> dict[str, Node]:
    if depth == 0:
        raise ValueError("the tree is too deep")
    nodes: dict[str, Node] = {}
    for name, value in children.items():
        leaf = _LEAVES.get(value) if type(value) is str else None
        nodes[_component(name)] = leaf or Node(NodeKind.OPEN, _parse_children(value, depth - 1))
    return nodes


def parse_manifest_rows(second_line: bytes) -> tuple[FileRow, ...]:
    """Parse the second line of a manifest file; raises StoreError (``manifest-malformed``)."""
    rows = _load(second_line, list)
    try:
        return tuple(
            FileRow(_path(path), _text(digest), int(size), bool(executable)) for path, digest, size, executable in rows
        )
    except (TypeError, ValueError) as error:
        raise _malformed(f"a row has the wrong shape: {error}") from error


def children_of(rows: Sequence[FileRow], directory: str) -> Mapping[str, Node]:
    """Return the nodes directly inside ``directory`` (entry-relative, folded in the tree), sorted by name.

    Sub-directories are `NodeKind.FOLD`, files `NodeKind.LINK`; ``__pycache__`` is never among them. Empty where no row
    lies below ``directory``.
    """
    prefix = directory + "/"
    start = len(prefix)
    found: dict[str, Node] = {}
    for row in rows:
        if row.path.startswith(prefix):
            name, slash, _ = row.path[start:].partition("/")
            found[name] = _LEAVES["d" if slash else "f"]
    found.pop("__pycache__", None)
    return dict(sorted(found.items()))
