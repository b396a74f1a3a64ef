"""Collects, while a wheel's files go by, what the manifest of its entry needs, so that no file is read twice.

Only native files are looked at again, by their written copies, and only at their headers; and files that were linked
from the store's pool instead of inflated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from pyvstore.model.manifest import SCRIPTS, SITE_PACKAGES, FileRow, Manifest, NativeReach, Node, NodeKind
from pyvstore.wheel.contents import PayloadFile, WheelContents
from pyvstore.wheel.fold_tree import TreeFacts, build_tree
from pyvstore.wheel.launcher import is_python_script
from pyvstore.wheel.names import parents_of
from pyvstore.wheel.namespaces import declared_namespaces, is_namespace_init
from pyvstore.wheel.native import native_format, outward_reach, read_native

_HEAD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the store writes beside an entry's files.

    Attributes:
        manifest: for planning.
        rows: every file, sorted by the components of its path.
        uses_numba_cache: some module asks numba to cache machine code beside itself. Such code inlines other packages,
            so a cache that projects share would serve one project's numbers to another.
    """

    manifest: Manifest
    rows: tuple[FileRow, ...]
    uses_numba_cache: bool


class Survey:
    """A `PayloadObserver` for one wheel. Every payload file is noted or adopted once; then `finish` is called."""

    def __init__(self, contents: WheelContents) -> None:
        self._contents = contents
        self._rows: list[FileRow] = []
        self._unseen: list[PayloadFile] = []
        self._natives: list[tuple[str, str]] = []
        self._namespaces: set[str] = set()
        self._python_scripts: set[str] = set()
        self._uses_numba_cache = False
        self._declared = f"{SITE_PACKAGES}/{contents.dist_info}/namespace_packages.txt"

    def note(self, file: PayloadFile, sha256: str, head: bytes) -> None:
        """Take note of a file whose first piece was ``head``."""
        self._rows.append(FileRow(file.path, sha256, file.size_bytes, file.executable))
        self._look(file.path, head)

    def adopt(self, file: PayloadFile, sha256: str) -> None:
        """Take note of a file that the caller had already by this hash; `finish` will open it."""
        self._rows.append(FileRow(file.path, sha256, file.size_bytes, file.executable))
        self._unseen.append(file)

    def _look(self, path: str, head: bytes) -> None:
        form = native_format(head)
        if form is not None:
            self._natives.append((path, form))
        elif path.endswith(".py"):
            if path.endswith("/__init__.py") and is_namespace_init(head):
                self._namespaces.add(path.rpartition("/")[0])
            if b"cache=True" in head and b"jit" in head:
                self._uses_numba_cache = True
        if path.startswith(SCRIPTS + "/") and is_python_script(head):
            self._python_scripts.add(path)
        if path == self._declared:
            self._namespaces.update(f"{SITE_PACKAGES}/{directory}" for directory in declared_namespaces(head))

    def finish(self, open_file: Callable[[str], BinaryIO], *, wheel_sha256: str, wheel_size_bytes: int) -> Surveyed:
        """Return what was learnt.

        Args:
            open_file: opens the written copy of an entry path for reading; called for native and adopted files.
            wheel_sha256: lower-case hex of the whole wheel.
            wheel_size_bytes: its size.

        Raises what ``open_file`` raises; a broken native file is no error.
        """
        for file in self._unseen:
            with closing(open_file(file.path)) as stream:
                self._look(file.path, stream.read(_HEAD_BYTES))
        natives: list[NativeReach] = []
        for path, form in self._natives:
            with closing(open_file(path)) as stream:
                natives.append(read_native(path, form, stream))
        manifest = build_manifest(
            self._contents,
            self._rows,
            natives,
            facts=TreeFacts(
                dist_info=self._contents.dist_info,
                namespaces=self._namespaces,
                natives=frozenset(path for path, _ in self._natives),
                python_scripts=self._python_scripts,
            ),
            wheel=(wheel_sha256, wheel_size_bytes),
        )
        rows = tuple(sorted(self._rows, key=lambda row: row.path.split("/")))
        return Surveyed(manifest, rows, self._uses_numba_cache)


def build_manifest(
    contents: WheelContents,
    rows: Iterable[FileRow],
    natives: Iterable[NativeReach],
    *,
    facts: TreeFacts,
    wheel: tuple[str, int],
) -> Manifest:
    """Build the manifest of an entry from its files. ``wheel`` is the whole wheel's (sha256 hex, size)."""
    paths = [row.path for row in rows]
    tree = build_tree(paths, facts)
    directories = parents_of(paths)
    private = tuple(f"{SITE_PACKAGES}/{name}/" for name in _folded_packages(tree))
    return Manifest(
        name=contents.name.name,
        display_name=contents.metadata.display_name,
        version=str(contents.name.version),
        wheel_filename=contents.filename,
        wheel_sha256=wheel[0],
        wheel_size_bytes=wheel[1],
        dist_info=contents.dist_info,
        tree=tree,
        entry_points=contents.entry_points,
        reach=outward_reach(
            natives,
            held={path.rpartition("/")[2] for path in paths},
            is_private=lambda directory: directory in directories and f"{directory}/".startswith(private),
        ),
        warnings=contents.warnings,
    )


def _folded_packages(tree: Mapping[str, Node]) -> frozenset[str]:
    """Return the names that are folded directly in site-packages.

    What folds deeper down lies in a namespace, where other distributions may fill the same directory: ten wheels share
    ``nvidia/cu13/lib``.
    """
    children = tree
    for name in SITE_PACKAGES.split("/"):
        children = children[name].children
    return frozenset(name for name, node in children.items() if node.kind is NodeKind.FOLD)
