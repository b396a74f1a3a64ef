"""The farm wanted against the farm seen.

Four things decide what happens to a path: what we *want* there, what is *seen* there, what our state says we *made*
there, and, where the state was lost, whether a link looks like one of ours. Nothing that we did not make is deleted:
what stands in the way is *set aside* (moved, whole). The plan is empty when all is well, and planning again after
applying it gives an empty plan.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pyvstore.model.entry import parse_entry_dirname
from pyvstore.model.farm import (
    TEMPORARY_SUFFIX,
    Directory,
    Edits,
    File,
    Image,
    Item,
    Link,
    Made,
    Seen,
    SeenDirectory,
    SeenFile,
    SeenLink,
)

_STORE_LINK = re.compile(r"/v\d+/(?:entries/(?P<entry>[^/]+)/|records/(?P<record>[^/]+)\.[0-9a-f]{16}$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncPlan:
    """Changes to a farm, in the order in which they are made.

    Attributes:
        set_aside: things in our way that we did not make.
        remove: links and files of ours that are no longer wanted, or that become directories.
        remove_directories: real directories of ours that are no longer wanted, deepest first; kept while not empty.
        make_directories: parents first.
        links: path → target.
        files: path → file.
        foreign: names in our directories that are not ours and are left alone, sorted.
        kept: files of ours that somebody edited and that stay as they are.
    """

    set_aside: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    remove_directories: tuple[str, ...] = ()
    make_directories: tuple[str, ...] = ()
    links: Mapping[str, str]
    files: Mapping[str, File]
    foreign: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the farm is as it should be (foreign things do not count)."""
        return not (
            self.set_aside
            or self.remove
            or self.remove_directories
            or self.make_directories
            or self.links
            or self.files
        )

    @property
    def changes(self) -> int:
        """How many paths change."""
        return (
            len(self.set_aside)
            + len(self.remove)
            + len(self.remove_directories)
            + len(self.make_directories)
            + len(self.links)
            + len(self.files)
        )


def looks_like_ours(target: str) -> bool:
    """Whether a link's target has the shape that only our links have (used where the state was lost)."""
    match = _STORE_LINK.search(target)
    return match is not None and parse_entry_dirname(match["entry"] or match["record"]) is not None


def plan_sync(
    image: Image, seen: Mapping[str, Seen], made: Mapping[str, Made], *, site_packages: Collection[str]
) -> SyncPlan:
    """Plan the changes that turn what is ``seen`` into ``image``.

    Args:
        image: see `plan.image`; parents before children.
        seen: every path of ``image`` and of ``made`` that exists, and every name inside real directories among them.
        made: what the state says is ours. Empty when there is no state.
        site_packages: prefix-relative site-packages directories among ``image``'s and ``made``'s paths.
    """
    planner = _Planner(image, seen, made)
    for path, item in image.items():
        planner.want(path, item)
    planner.drop_unwanted()
    planner.look_for_foreign(site_packages)
    return planner.plan()


class _Planner:
    def __init__(self, image: Image, seen: Mapping[str, Seen], made: Mapping[str, Made]) -> None:
        self._image, self._seen, self._made = image, seen, made
        self._set_aside: dict[str, None] = {}
        self._remove: dict[str, None] = {}
        self._remove_directories: list[str] = []
        self._make_directories: list[str] = []
        self._links: dict[str, str] = {}
        self._files: dict[str, File] = {}
        self._foreign: list[str] = []
        self._kept: list[str] = []

    def plan(self) -> SyncPlan:
        return SyncPlan(
            set_aside=tuple(self._set_aside),
            remove=tuple(self._remove),
            remove_directories=tuple(self._remove_directories),
            make_directories=tuple(self._make_directories),
            links=self._links,
            files=self._files,
            foreign=tuple(sorted(self._foreign)),
            kept=tuple(self._kept),
        )

    def want(self, path: str, item: Item) -> None:
        seen = self._seen.get(path)
        if isinstance(item, Directory):
            if not isinstance(seen, SeenDirectory):
                self._clear(path, seen)
                self._make_directories.append(path)
        elif isinstance(item, Link):
            if not (isinstance(seen, SeenLink) and seen.target == item.target):
                self._clear(path, seen)
                self._links[path] = item.target
        else:
            self._want_file(path, item, seen)

    def _want_file(self, path: str, item: File, seen: Seen | None) -> None:
        wanted = hashlib.sha256(item.data).hexdigest()
        if isinstance(seen, SeenFile):
            if seen.sha256 == wanted and seen.executable == item.executable:
                return
            made = self._made.get(path)
            unchanged = made is not None and made.is_content(seen.sha256)
            if not unchanged and (
                item.edits is Edits.KEEP
                or (item.edits is Edits.KEEP_UNTIL_NEW and made is not None and made.sha256 == wanted)
            ):
                self._kept.append(path)
                return
        self._clear(path, seen, same_content=isinstance(seen, SeenFile) and seen.sha256 == wanted)
        self._files[path] = item

    def _clear(self, path: str, seen: Seen | None, *, same_content: bool = False) -> None:
        """Decide what happens to what is in the way at ``path``."""
        if seen is None or same_content:
            return
        if not self._is_ours(path, seen):
            self._set_aside[path] = None
        elif isinstance(seen, SeenDirectory):
            self._remove_directories.append(path)
        elif isinstance(self._image.get(path), Directory):
            self._remove[path] = None  # links and files are replaced in one step; a directory needs the place empty

    def _is_ours(self, path: str, seen: Seen) -> bool:
        made = self._made.get(path)
        if isinstance(seen, SeenLink):
            return (made is not None and made.target == seen.target) or looks_like_ours(seen.target)
        if isinstance(seen, SeenFile):
            return made is not None and made.is_content(seen.sha256)
        if isinstance(seen, SeenDirectory):
            return made is not None and made.target is None and made.sha256 is None
        return False

    def drop_unwanted(self) -> None:
        """Remove what we made and do not want any more; without a state, links that look like ours."""
        candidates = set(self._made)
        if not self._made:
            candidates = {
                path for path, seen in self._seen.items() if isinstance(seen, SeenLink) and looks_like_ours(seen.target)
            }
        gone = sorted((path for path in candidates if path not in self._image), key=lambda path: path.split("/"))
        for path in gone:
            seen = self._seen.get(path)
            if seen is None or isinstance(seen, SeenDirectory) or not self._is_ours(path, seen):
                continue
            if not self._below_replaced(path):
                self._remove[path] = None
        directories = [
            path
            for path in gone
            if isinstance(seen := self._seen.get(path), SeenDirectory) and self._is_ours(path, seen)
        ]
        # A directory that becomes a link or a file is emptied of ours first, so it joins the others: deepest first.
        replaced = self._remove_directories
        self._remove_directories = sorted({*directories, *replaced}, key=lambda path: path.split("/"), reverse=True)

    def _below_replaced(self, path: str) -> bool:
        return any(path.startswith(aside + "/") for aside in self._set_aside)

    def look_for_foreign(self, site_packages: Collection[str]) -> None:
        """Find what others put into our directories; set aside what would contradict or outlive our metadata.

        What a kill left half written is ours, and goes.
        """
        for path in self._seen:
            if path in self._image or path in self._made or path in self._remove:
                continue
            parent, _, name = path.rpartition("/")
            if name.endswith(TEMPORARY_SUFFIX):
                self._remove[path] = None
                continue
            if self._is_our_metadata(parent, site_packages):
                self._set_aside[path] = None
                continue
            if not isinstance(self._image.get(parent), Directory) or name == "__pycache__":
                continue
            if parent in site_packages and name.endswith(".dist-info") and self._has_metadata(parent, name):
                self._set_aside[path] = None
            else:
                self._foreign.append(path)

    def _is_our_metadata(self, directory: str, site_packages: Collection[str]) -> bool:
        """Whether ``directory`` is a ``.dist-info`` of ours, or below one; wanted or not."""
        site, _, below = directory.rpartition("/site-packages/")
        is_metadata = f"{site}/site-packages" in site_packages and below.partition("/")[0].endswith(".dist-info")
        return is_metadata and (directory in self._image or directory in self._made)

    def _has_metadata(self, site: str, dist_info: str) -> bool:
        """Whether we have metadata of the same project in the same directory."""
        project = _project_of(dist_info)
        places = (path.rpartition("/") for path in self._image if path.endswith(".dist-info"))
        return any(parent == site and _project_of(name) == project for parent, _, name in places)


def _project_of(dist_info: str) -> str:
    from packaging.utils import canonicalize_name  # only people with foreign metadata pay for it

    return canonicalize_name(dist_info.removesuffix(".dist-info").partition("-")[0])
