"""The look that comes before every "up to date": cheap enough for each `sync` and `run`.

It imports next to nothing, because it stands between a person and the program that they want to run. It answers one
question: is the farm still exactly what the last successful sync left, for the same inputs? It really looks: every link
is read and followed, every file of ours is compared by size and time with what we wrote, the directory of packages is
listed, and the inputs are hashed. Anything unexpected means "look closer": the full command decides what it means.

The state file (``.venv/pyvstore.json``) is written by `farm.state` alone; this module only reads it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping

TYPE_CHECKING = False  # the constant that type checkers know; importing `typing` would cost more than the glance
if TYPE_CHECKING:
    from typing import Any

STATE_NAME = "pyvstore.json"
STATE_FORMAT = 1
JOURNAL_NAME = ".pyvstore-journal"
LONGEST_STATE_BYTES = 1 << 28

_VARIABLES = ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
_PREFIX = "PYVSTORE_"
_LONGEST_INPUT_BYTES = 1 << 26
_NOT_INPUTS = ("PYVSTORE_COLOR",)


def digest_files(root: str, names: Iterable[str]) -> dict[str, str | None]:
    """Return the sha256 of each file (relative to ``root``, or absolute); None for one that is not there.

    What is no file, cannot be read or is longer than any input has no digest but says so: whoever reads it complains.
    """
    return {name: _digest_file(os.path.join(root, name)) for name in names}


def _digest_file(path: str) -> str | None:
    try:
        return hashlib.sha256(read_regular(path, _LONGEST_INPUT_BYTES)).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return "unreadable"


def read_regular(path: str, limit_bytes: int) -> bytes:
    """Return the content of a regular file of at most ``limit_bytes``; raises OSError for everything else.

    A project's files may come from a stranger: a pipe would be waited for, and a device read, for ever.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit_bytes:
        raise OSError(errno.EINVAL, "not a regular file of a fit size", path)
    with open(path, "rb") as stream:
        return stream.read(limit_bytes)


def digest_variables(environ: Mapping[str, str]) -> str:
    """Return one digest of every environment variable that settings depend on (values may be secrets)."""
    relevant = sorted(
        (name, value)
        for name, value in environ.items()
        if name in _VARIABLES or (name.startswith(_PREFIX) and name not in _NOT_INPUTS)
    )
    return hashlib.sha256(repr(relevant).encode("utf-8", "surrogateescape")).hexdigest()


def look(root: str, prefix: str, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the farm's state when nothing at all has changed since the last sync, else None.

    Args:
        root: the project's folder.
        prefix: absolute path of its environment.
        environ: the process's environment variables.

    Never raises for what it finds on disk: whatever is odd is a reason to look closer.
    """
    try:
        state = json.loads(read_regular(os.path.join(prefix, STATE_NAME), LONGEST_STATE_BYTES))
        if _is_unchanged(state, root, prefix, environ):
            return dict(state)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        pass
    return None


def _is_unchanged(state: Mapping[str, Any], root: str, prefix: str, environ: Mapping[str, str]) -> bool:
    return bool(
        state["format"] == STATE_FORMAT
        and state["complete"] is True
        and state["prefix"] == prefix
        and not os.path.lexists(os.path.join(root, JOURNAL_NAME))
        and state["inputs"]["variables"] == digest_variables(environ)
        and _same_files(state["inputs"]["files"], root)
        and _same_interpreter(state["interpreter"])
        and _same_links(state["links"], state["store"] + "/", prefix + "/")
        and _same_sizes(state["files"], prefix + "/")
        and all(sorted(os.listdir(prefix + "/" + path)) == names for path, names in state["listings"].items())
    )


def _same_files(files: Mapping[str, str | None], root: str) -> bool:
    return digest_files(root, files) == files


def _same_interpreter(interpreter: Mapping[str, Any]) -> bool:
    return fingerprint(interpreter["path"]) == str(interpreter["fingerprint"])


def _same_links(links: Mapping[str, str], store: str, prefix: str) -> bool:
    readlink, follow = os.readlink, os.stat
    for path, target in links.items():
        name = prefix + path
        if readlink(name) != (target if target[:1] != "+" else store + target[1:]):
            return False
        follow(name)  # follows the link: raises when it dangles
    return True


def _same_sizes(files: Mapping[str, list[Any]], prefix: str) -> bool:
    for path, (_, size, modified, *_former) in files.items():
        status = os.lstat(prefix + path)
        if status.st_size != size or status.st_mtime_ns != modified:
            return False
    return True


def fingerprint(path: str) -> str:
    """Return a text that changes when the file behind ``path`` is replaced; raises OSError when it is gone."""
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
