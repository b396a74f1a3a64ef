"""Fold: show many entries as one tree with as few links as possible.

A directory of one entry that may be linked whole becomes one link. Where entries meet, the shared path becomes a real
directory and folding goes on below it. Never folded are the directories that their manifests call open (namespaces,
prefix directories, ``.dist-info``), even when one entry owns them today: another tool's write would land in the store.

Winners: where two entries give one path different contents, the later source wins, as the later installed wheel does
with pip; sources come dependencies first, so a dependent wins over what it depends on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from pyvstore.errors import FarmError
from pyvstore.model.environment import PrefixLayout
from pyvstore.model.farm import Conflict
from pyvstore.model.manifest import HEADERS, SCRIPTS, SITE_PACKAGES, EntryPoint, FileRow, Manifest, Node, NodeKind

_DIRECTORIES = (NodeKind.FOLD, NodeKind.OPEN)
_JUNK = ("license", "licence", "readme", "changelog", "changes", "notice", "authors", "copying")


@dataclass(frozen=True, slots=True)
class Source:
    """An entry as the fold sees it: its manifest and the absolute path of its root."""

    manifest: Manifest
    root: str


class Library(Protocol):
    """Answers questions about an entry's inside; asked only where entries meet or a file is copied."""

    def children(self, source: Source, directory: str) -> Mapping[str, Node]:
        """Return the nodes directly inside ``directory`` (entry-relative), a `NodeKind.FOLD` of the fold tree."""

    def row(self, source: Source, path: str) -> FileRow:
        """Return the manifest's row for the file ``path`` (entry-relative)."""

    def content(self, source: Source, path: str) -> bytes:
        """Return the bytes of the file ``path`` (entry-relative)."""


class Shape(str, Enum):
    """How one path is made."""

    DIRECTORY = "directory"
    LINK = "link"
    COPY = "copy"
    FRESH = "fresh"
    SCRIPT = "script"
    LAUNCHER = "launcher"


_SHAPE_OF = {
    NodeKind.LINK: Shape.LINK,
    NodeKind.COPY: Shape.COPY,
    NodeKind.FRESH: Shape.FRESH,
    NodeKind.SCRIPT: Shape.SCRIPT,
}


@dataclass(frozen=True, slots=True)
class Folded:
    """One path of the fold.

    Attributes:
        shape: how it is made.
        source: whose it is; None for directories.
        path: entry-relative path it comes from ("" for directories and launchers).
        launcher: set for `Shape.LAUNCHER`.
    """

    shape: Shape
    source: Source | None = None
    path: str = ""
    launcher: EntryPoint | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """The result: farm-relative path → what is there (parents before children), and who met whom."""

    items: Mapping[str, Folded]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """``source`` has ``node`` at its entry-relative ``path``."""

    source: Source
    path: str
    node: Node | EntryPoint

    @property
    def is_directory(self) -> bool:
        return isinstance(self.node, Node) and self.node.kind in _DIRECTORIES


@dataclass(slots=True)
class _Level:
    """One path of the farm while it is being decided: who claims it, and what is claimed below it."""

    claims: list[_Claim] = field(default_factory=list)
    below: dict[str, _Level] = field(default_factory=dict)

    def at(self, path: str) -> _Level:
        level = self
        for name in path.split("/"):
            level = level.below.setdefault(name, _Level())
        return level

    def claim_children(self, source: Source, path: str, children: Mapping[str, Node]) -> None:
        for name, node in children.items():
            self.at(name).claims.append(_Claim(source, f"{path}/{name}" if path else name, node))


_DIRECTORY = Folded(Shape.DIRECTORY)


def fold(sources: Sequence[Source], layout: PrefixLayout, library: Library) -> Fold:
    """Fold ``sources`` (dependencies first) into a prefix of ``layout``.

    Every file of every source is reachable at its farm path, except the losers of conflicts. Raises FarmError with code
    ``overlap-kind`` where one path is a directory in one entry and a file in another.
    """
    root = _Level()
    for source in sources:
        _claim_geometry(root, source, layout)
    folder = _Folder(library)
    folder.open(root, "")
    return Fold(folder.items, tuple(folder.conflicts))


def _claim_geometry(root: _Level, source: Source, layout: PrefixLayout) -> None:
    """Claim all that ``source`` has, with the entry's geometry turned into the farm's."""
    mapped = geometry(source.manifest.name, layout)

    def claim(path: str, children: Mapping[str, Node]) -> None:
        for name, node in children.items():
            child = f"{path}/{name}" if path else name
            place = mapped.get(child)
            if place is not None and node.kind is NodeKind.OPEN:
                root.at(place).claim_children(source, child, node.children)
            elif any(special.startswith(child + "/") for special in mapped) and node.kind is NodeKind.OPEN:
                claim(child, node.children)
            else:
                root.at(place or child).claims.append(_Claim(source, child, node))

    claim("", source.manifest.tree)
    for point in source.manifest.entry_points:
        root.at(f"{layout.scripts}/{point.name}").claims.append(_Claim(source, "", point))


def geometry(name: str, layout: PrefixLayout) -> Mapping[str, str]:
    """Return the directories of ``name``'s entry that a farm has elsewhere: entry-relative → farm-relative."""
    mapped = {
        SITE_PACKAGES: layout.site_packages,
        f"{HEADERS}/{name}": f"{layout.headers}/{name}",
        SCRIPTS: layout.scripts,
    }
    return {**mapped, "lib64": "lib"} if layout.lib64_link else mapped


class _Folder:
    def __init__(self, library: Library) -> None:
        self._library = library
        self.items: dict[str, Folded] = {}
        self.conflicts: list[Conflict] = []

    def open(self, level: _Level, path: str) -> None:
        """Make ``path`` a real directory (the root is one already) and decide everything in it."""
        if path:
            self.items[path] = _DIRECTORY
        for claim in level.claims:
            level.claim_children(claim.source, claim.path, self._children(claim))
        for name in sorted(level.below):
            self._place(level.below[name], f"{path}/{name}" if path else name)

    def _children(self, claim: _Claim) -> Mapping[str, Node]:
        node = claim.node
        if isinstance(node, Node) and node.kind is NodeKind.OPEN:
            return node.children
        return self._library.children(claim.source, claim.path)

    def _place(self, level: _Level, path: str) -> None:
        directories = [claim for claim in level.claims if claim.is_directory]
        files = [claim for claim in level.claims if not claim.is_directory]
        if files and (directories or level.below):
            self._refuse(path, directories, files)
        if files:
            self.items[path] = self._file(path, files)
        elif len(directories) == 1 and not level.below and _kind(directories[0]) is NodeKind.FOLD:
            self.items[path] = Folded(Shape.LINK, directories[0].source, directories[0].path)
        else:
            self.open(level, path)

    def _refuse(self, path: str, directories: Sequence[_Claim], files: Sequence[_Claim]) -> None:
        owners = ", ".join(sorted({claim.source.manifest.name for claim in directories})) or "the environment itself"
        others = ", ".join(sorted({claim.source.manifest.name for claim in files}))
        raise FarmError(
            f"{path} is a directory in {owners} and a file in {others}",
            code="overlap-kind",
            hint="remove one of the two distributions; they cannot be in one environment",
        )

    def _file(self, path: str, claims: Sequence[_Claim]) -> Folded:
        winner = claims[-1]
        if len(claims) > 1 and not self._agree(path, claims):
            owners = tuple(dict.fromkeys(claim.source.manifest.name for claim in claims))
            if len(owners) > 1:  # a wheel may well contradict itself; installers let its launcher win, and so do we
                self.conflicts.append(Conflict(path, owners, winner.source.manifest.name))
        node = winner.node
        if isinstance(node, EntryPoint):
            return Folded(Shape.LAUNCHER, winner.source, launcher=node)
        return Folded(_SHAPE_OF[node.kind], winner.source, winner.path)

    def _agree(self, path: str, claims: Sequence[_Claim]) -> bool:
        name = path.rsplit("/", 1)[-1]
        if name.lower().split(".")[0] in _JUNK:
            return True  # nothing imports a LICENSE or a README
        if any(isinstance(claim.node, EntryPoint) for claim in claims):
            targets = {_target(claim.node) for claim in claims}
            return len(targets) == 1 and None not in targets
        rows = [self._library.row(claim.source, claim.path) for claim in claims]
        if len({(row.sha256, row.executable) for row in rows}) == 1:
            return True
        return name == "__init__.py" and len({self._meaning(claim) for claim in claims}) == 1

    def _meaning(self, claim: _Claim) -> str:
        import ast
        import warnings

        content = self._library.content(claim.source, claim.path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a stranger's escapes are not our user's business
                return ast.dump(ast.parse(content))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return content.hex()


def _kind(claim: _Claim) -> NodeKind | None:
    return claim.node.kind if isinstance(claim.node, Node) else None


def _target(node: Node | EntryPoint) -> tuple[str, str, bool] | None:
    return (node.module, node.attribute, node.gui) if isinstance(node, EntryPoint) else None
