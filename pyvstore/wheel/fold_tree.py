"""The fold tree of an entry: which directories a farm may link whole, and how it shows every other path.

Below site-packages
    A regular package folds, ``*.libs`` and ``*-stubs`` too. Never folded: namespaces of every kind, ``nvidia``, and
    directories whose name no import can spell; below them regular packages fold, and so does what holds no module.
In the prefix
    The directories that programs share are real; what lies in them folds, except configuration and kernelspecs, which
    people edit and delete: copies. Stray files are copies, native ones links.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pyvstore.model.manifest import SCRIPTS, SITE_PACKAGES, Node, NodeKind

NOT_EXPORTED = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"})
"""Files of ``.dist-info`` that are a farm's own, whatever the wheel ships."""

REAL_DIRECTORIES = frozenset(
    {
        *("bin", "lib", "lib64", "etc", "include", "share", "Scripts", "lib/python"),
        *("share/man", "share/doc", "share/applications", "share/icons", "share/jupyter"),
        *("share/jupyter/kernels", "share/jupyter/labextensions", "share/jupyter/nbextensions"),
        *("share/jupyter/lab", "share/jupyter/lab/settings", "share/jupyter/lab/extensions"),
    }
)
_COPIED = ("etc", "share/jupyter/kernels")
_INTERPRETER_LIBRARY = re.compile(r"lib(?:64)?/(?:python|pypy)[0-9.]+t?(?:/site-packages)?")
_EXTENSION_MODULE = re.compile(r"(?P<stem>[^.]+)(?P<abi>\.[\w-]+)*\.(?:so|pyd)")

_FOLD = Node(NodeKind.FOLD)
_LINK = Node(NodeKind.LINK)
_COPY = Node(NodeKind.COPY)
_FRESH = Node(NodeKind.FRESH)
_SCRIPT = Node(NodeKind.SCRIPT)


@dataclass(slots=True)
class _Directory:
    directories: dict[str, _Directory] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeFacts:
    """What the files say about themselves; all paths are entry paths.

    Attributes:
        dist_info: name of the ``.dist-info`` directory.
        namespaces: directories that are legacy namespaces although they may have an ``__init__``.
        natives: native files.
        python_scripts: files in ``bin/`` whose interpreter is Python.
    """

    dist_info: str
    namespaces: Collection[str]
    natives: Collection[str]
    python_scripts: Collection[str]


def build_tree(paths: Iterable[str], facts: TreeFacts) -> Mapping[str, Node]:
    """Return the children of the entry's root. ``paths`` are all its files; ``__pycache__`` is not among them."""
    root = _Directory()
    for path in paths:
        *parents, name = path.split("/")
        level = root
        for parent in parents:
            level = level.directories.setdefault(parent, _Directory())
        level.files.append(name)
    return _Builder(facts).prefix("", root)


class _Builder:
    def __init__(self, facts: TreeFacts) -> None:
        self._facts = facts

    def prefix(self, path: str, directory: _Directory) -> Mapping[str, Node]:
        """Return the children of a real directory of the prefix; ``path`` is "" for the root."""
        start = f"{path}/" if path else ""
        nodes = {name: self._prefix_file(path, start + name) for name in directory.files}
        nodes |= {name: self._prefix_directory(start + name, below) for name, below in directory.directories.items()}
        return _sorted(nodes)

    def _prefix_file(self, path: str, child: str) -> Node:
        if child in self._facts.natives:
            return _LINK
        if path != SCRIPTS:
            return _COPY
        return _SCRIPT if child in self._facts.python_scripts else _FRESH

    def _prefix_directory(self, path: str, directory: _Directory) -> Node:
        if path == SITE_PACKAGES:
            return Node(NodeKind.OPEN, self._site_packages(directory))
        if path in _COPIED:
            return _copies(directory)
        if path in REAL_DIRECTORIES or _INTERPRETER_LIBRARY.fullmatch(path):
            return Node(NodeKind.OPEN, self.prefix(path, directory))
        return _FOLD

    def _site_packages(self, directory: _Directory) -> Mapping[str, Node]:
        nodes = {name: _FRESH if name.endswith((".pth", ".start")) else _LINK for name in directory.files}
        for name, below in directory.directories.items():
            path = f"{SITE_PACKAGES}/{name}"
            if name == self._facts.dist_info:
                nodes[name] = _dist_info(below)
            elif name.endswith((".libs", "-stubs")) or (name != "nvidia" and self._is_regular(path, name, below)):
                nodes[name] = _FOLD
            else:
                nodes[name] = self._open(path, below)
        return _sorted(nodes)

    def _open(self, path: str, directory: _Directory) -> Node:
        nodes = dict.fromkeys(directory.files, _LINK)
        for name, below in directory.directories.items():
            child = f"{path}/{name}"
            folds = self._is_regular(child, name, below) or not _holds_module(below)
            nodes[name] = _FOLD if folds else self._open(child, below)
        return Node(NodeKind.OPEN, _sorted(nodes))

    def _is_regular(self, path: str, name: str, directory: _Directory) -> bool:
        """Whether this directory is a package of one owner: importable, with an ``__init__`` of its own."""
        return (
            name.isidentifier()
            and path not in self._facts.namespaces
            and any(_module_name(file) == "__init__" for file in directory.files)
        )


def _sorted(nodes: Mapping[str, Node]) -> Mapping[str, Node]:
    return dict(sorted(nodes.items()))


def _dist_info(directory: _Directory) -> Node:
    nodes = {name: _LINK for name in directory.files if name not in NOT_EXPORTED}
    nodes |= dict.fromkeys(directory.directories, _FOLD)
    return Node(NodeKind.OPEN, _sorted(nodes))


def _copies(directory: _Directory) -> Node:
    nodes = dict.fromkeys(directory.files, _COPY)
    nodes |= {name: _copies(below) for name, below in directory.directories.items()}
    return Node(NodeKind.OPEN, _sorted(nodes))


def _module_name(file: str) -> str | None:
    """Return the module that a file defines by its name, or None.

    A ``.so`` without an ABI tag that begins with ``lib`` is a library, not a module: nobody imports ``libfoo``.
    """
    for suffix in (".py", ".pyc"):
        if file.endswith(suffix):
            stem = file[: -len(suffix)]
            return stem if stem.isidentifier() else None
    match = _EXTENSION_MODULE.fullmatch(file)
    if match is None or not match["stem"].isidentifier():
        return None
    return None if match["abi"] is None and file.startswith("lib") else match["stem"]


def _holds_module(directory: _Directory) -> bool:
    return any(_module_name(file) is not None for file in directory.files) or any(
        _holds_module(below) for below in directory.directories.values()
    )
