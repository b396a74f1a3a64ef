"""What the RECORD of a distribution lists in a farm.

A RECORD depends on the entry and on how it was folded, not on the project, so it is made once and kept in the store
under a name derived from exactly those inputs (`RecordShape.name`); farms link to it. Listing the links first is the
safety interlock: pip, uv and pdm remove the links and never look behind them.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyvstore.model.environment import PrefixLayout
from pyvstore.model.manifest import FileRow
from pyvstore.plan.fold import Source, geometry

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class RecordShape:
    """The inputs of one RECORD.

    Attributes:
        source: the entry.
        links: our links, relative to site-packages (``pygments``, ``../../../bin/ruff``), sorted.
        files: the real files that we made, likewise.
        layout: where site-packages, scripts and headers are.
    """

    source: Source
    links: tuple[str, ...]
    files: tuple[str, ...]
    layout: PrefixLayout

    @property
    def dist_info(self) -> str:
        """Name of the distribution's ``.dist-info`` directory."""
        return self.source.manifest.dist_info

    @property
    def name(self) -> str:
        """File name in the store's shelf of records."""
        inputs = [
            _FORMAT,
            self.source.manifest.wheel_sha256,
            self.layout.site_packages,
            self.layout.scripts,
            self.layout.headers,
            self.links,
            self.files,
        ]
        digest = hashlib.sha256(json.dumps(inputs, separators=(",", ":")).encode()).hexdigest()
        return f"{posixpath.basename(self.source.root)}.{digest[:16]}"


def record_shape(source: Source, links: Sequence[str], files: Sequence[str], layout: PrefixLayout) -> RecordShape:
    """Make the shape from prefix-relative paths of the source's links and files."""
    site = layout.site_packages

    def relative(paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(relative_path(path, site) for path in paths))

    return RecordShape(source, relative(links), relative(files), layout)


def installed_rows(shape: RecordShape, rows: Sequence[FileRow]) -> list[tuple[str, str, int]]:
    """Return (site-packages-relative path, sha256 hex, size) of the entry's files that no link or file row names."""
    layout = shape.layout
    named = {*shape.links, *shape.files, f"{shape.dist_info}/RECORD"}
    mapped = geometry(shape.source.manifest.name, layout)
    result = []
    for row in rows:
        path = relative_path(_farm_path(row.path, mapped), layout.site_packages)
        if path not in named:
            result.append((path, row.sha256, row.size_bytes))
    return result


def relative_path(path: str, site_packages: str) -> str:
    """Return ``path`` (prefix-relative) as a RECORD writes it: relative to site-packages."""
    inside = site_packages + "/"
    if path.startswith(inside):
        return path[len(inside) :]
    return posixpath.relpath("/" + path, "/" + site_packages)


def _farm_path(path: str, mapped: Mapping[str, str]) -> str:
    for ours, theirs in mapped.items():
        if path.startswith(ours + "/"):
            return theirs + path[len(ours) :]
    return path
