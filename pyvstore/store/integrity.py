"""Whether an entry is still what was put into the store.

Modes keep everybody but root from changing an entry; a tool that root runs in an environment writes through links. That
shows in a directory that farms link to: names come and go in it for the last time before the manifest is written, so it
is older than the manifest for ever. One look at what must be looked at anyway tells when to look closer. What changes
deeper inside alone is not seen this way.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping

from pyvstore.model.manifest import FileRow, Node, NodeKind
from pyvstore.store.layout import MANIFEST_NAME


def last_change(children: Mapping[str, Node], place: str) -> int:
    """Return when the directories that farms link to last gained or lost a name, in ns; 0 where there are none.

    Raises FileNotFoundError or NotADirectoryError when something is missing that a farm could link to or copy. Inside
    linked directories nobody looks.
    """
    newest = 0
    for name, node in children.items():
        path = f"{place}/{name}"
        if node.kind is NodeKind.OPEN:
            newest = max(newest, last_change(node.children, path))
        else:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                newest = max(newest, status.st_mtime_ns)
    return newest


def differences(root: str, rows: Mapping[str, FileRow]) -> list[str]:
    """Return the paths, relative to ``root``, that are not as ``rows`` say: missing, changed or added. Reads all files.

    Bytecode folders and the manifest do not count.
    """
    seen = dict(_files(root, ""))
    differing = [path for path in seen if path not in rows and path != MANIFEST_NAME]
    for path, row in rows.items():
        status = seen.get(path)
        is_file = status is not None and stat.S_ISREG(status.st_mode) and status.st_size == row.size_bytes
        if not is_file or _digest(f"{root}/{path}") != row.sha256:
            differing.append(path)
    return sorted(differing)


def _files(root: str, directory: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(os.path.join(root, directory)) as found:
        for item in found:
            path = f"{directory}/{item.name}" if directory else item.name
            if not item.is_dir(follow_symlinks=False):
                yield path, item.stat(follow_symlinks=False)
            elif item.name != "__pycache__":
                yield from _files(root, path)


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
