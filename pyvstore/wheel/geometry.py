"""Where each file of a wheel stands in its entry (the shape is drawn in `model.manifest`).

=====================  =======================================================
in the wheel           in the entry
=====================  =======================================================
the root, ``purelib``  ``lib/python/site-packages/``
``platlib``            the same: the target's two directories are one
``scripts``            ``bin/``
``headers``            ``include/<normalised name>/``
``data``               the entry's root
=====================  =======================================================
"""

from __future__ import annotations

from collections.abc import Collection

from packaging.utils import NormalizedName

from pyvstore.model.manifest import HEADERS, SCRIPTS, SITE_PACKAGES
from pyvstore.wheel.entry_points import script_name_fault

BYTECODE_DIRECTORY = "__pycache__"
_SCRIPT_DIRECTORIES = frozenset({"bin", "scripts"})
_ENVIRONMENT_FILES = frozenset({"pyvenv.cfg", ".gitignore"})
_OURS = ("pyvstore", ".pyvstore")


def entry_path(member: str, data_directory: str | None, name: NormalizedName) -> str:
    """Return the entry path of an archive member whose name was judged safe already.

    Raises ValueError, with the reason as its text, for a scheme that the specification does not know, for what would
    take the place of the environment's own files or of the store's, and for scripts that must not be.
    """
    if data_directory is None or not member.startswith(data_directory + "/"):
        return f"{SITE_PACKAGES}/{member}"
    scheme, slash, rest = member[len(data_directory) + 1 :].partition("/")
    if not slash:
        raise ValueError("is a file where the .data directory has its schemes")
    if scheme in ("purelib", "platlib"):
        top = rest.partition("/")[0]
        if top.lower().endswith(".dist-info"):
            raise ValueError("hides a second .dist-info directory in .data")
        return f"{SITE_PACKAGES}/{rest}"
    if scheme == "headers":
        return f"{HEADERS}/{name}/{rest}"
    if scheme == "scripts":
        path = f"{SCRIPTS}/{rest}"
    elif scheme == "data":
        path = rest
    else:
        raise ValueError(f"belongs to the unknown scheme {scheme!r}")
    fault = _prefix_fault(path)
    if fault is not None:
        raise ValueError(fault)
    return path


def _prefix_fault(path: str) -> str | None:
    """Say why nothing may stand at this path of a prefix, or None. Folds case: the target's filesystem may."""
    top, slash, rest = path.lower().partition("/")
    if not slash and top in _ENVIRONMENT_FILES:
        return f"would replace the environment's own {top}"
    if top.startswith(_OURS):
        return "has a name that pyvstore keeps for itself"
    if top in _SCRIPT_DIRECTORIES and slash and "/" not in rest:
        fault = script_name_fault(path.partition("/")[2])
        return None if fault is None else f"is a script that {fault}"
    if top in _SCRIPT_DIRECTORIES and not slash:
        return "is a file where the environment has its scripts"
    if path.lower().startswith(("lib/python/", "lib64/python/")) or path.lower() in ("lib", "lib/python", "include"):
        return "would stand in the store's own layout"
    return None


def is_bytecode_to_drop(member: str, members: Collection[str]) -> bool:
    """Whether ``member`` is bytecode that the interpreter makes itself: beside its source, or in ``__pycache__``."""
    if BYTECODE_DIRECTORY in member:
        return BYTECODE_DIRECTORY in member.split("/")
    return member.endswith((".pyc", ".pyo")) and member[:-1] in members
