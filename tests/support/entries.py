"""Entries made from a few words, for tests of planning that need no wheel and no disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from pyvstore.model.environment import PrefixLayout
from pyvstore.model.manifest import SITE_PACKAGES, EntryPoint, FileRow, Manifest, Node, NodeKind
from pyvstore.plan.fold import Source

LAYOUT = PrefixLayout(site_packages="lib/python3.12/site-packages", scripts="bin", headers="include/site/python3.12")
Tree = Mapping[str, "Tree | str"]
"""Names to contents; a directory's name may end in ``/`` for one that is always real."""


def source(name: str, site: Tree, *, prefix: Tree | None = None, scripts: tuple[EntryPoint, ...] = ()) -> MemorySource:
    """Make an entry: ``site`` is what lies in site-packages, ``prefix`` what lies beside ``lib/python``."""
    files: dict[str, bytes] = {}
    tree = dict(_nodes(prefix or {}, "", files))
    below = Node(NodeKind.OPEN, dict(_nodes(site, SITE_PACKAGES, files)))
    library = dict(tree["lib"].children) if "lib" in tree else {}
    library["python"] = Node(NodeKind.OPEN, {"site-packages": below})
    tree["lib"] = Node(NodeKind.OPEN, library)
    manifest = Manifest(
        name=canonicalize_name(name),
        display_name=name,
        version="1.0",
        wheel_filename=f"{name}-1.0-py3-none-any.whl",
        wheel_sha256=hashlib.sha256(name.encode()).hexdigest(),
        wheel_size_bytes=1,
        dist_info=f"{name}-1.0.dist-info",
        tree=tree,
        entry_points=scripts,
        reach=(),
        warnings=(),
    )
    return MemorySource(manifest, files)


class MemorySource:
    """A source and its files."""

    def __init__(self, manifest: Manifest, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.source = Source(manifest, f"/store/v1/entries/{manifest.name}-1.0-{manifest.wheel_sha256[:12]}")


class MemoryLibrary:
    """Answers planning's questions from memory."""

    def __init__(self, *sources: MemorySource) -> None:
        self._files = {item.source.root: item.files for item in sources}

    def children(self, source: Source, directory: str) -> Mapping[str, Node]:
        """See `plan.fold.Library`."""
        names: dict[str, Node] = {}
        for path in self._files[source.root]:
            if path.startswith(directory + "/"):
                name, _, rest = path[len(directory) + 1 :].partition("/")
                names[name] = Node(NodeKind.FOLD if rest else NodeKind.LINK)
        return names

    def row(self, source: Source, path: str) -> FileRow:
        """See `plan.fold.Library`."""
        data = self._files[source.root][path]
        return FileRow(path, hashlib.sha256(data).hexdigest(), len(data), executable=False)

    def content(self, source: Source, path: str) -> bytes:
        """See `plan.fold.Library`."""
        return self._files[source.root][path]


def _nodes(tree: Tree, place: str, files: dict[str, bytes]) -> list[tuple[str, Node]]:
    nodes = []
    for name, value in tree.items():
        path = f"{place}/{name.rstrip('/')}" if place else name.rstrip("/")
        if isinstance(value, str):
            files[path] = value.encode()
            kind = NodeKind.FRESH if name.endswith(".pth") else NodeKind.LINK
            nodes.append((name, Node(kind)))
            continue
        children = dict(_nodes(value, path, files))
        node = Node(NodeKind.OPEN, children) if name.endswith("/") else Node(NodeKind.FOLD)
        nodes.append((name.rstrip("/"), node))
    return nodes
