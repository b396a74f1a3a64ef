"""The registry of farms: the roots from which garbage collection will mark.

A farm is registered before its first link is made, so that a sweep can never win the race. A root names its machine and
file system: only the same machine may one day declare it dead, and only while the device it lived on is there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os

from pyvstore.fs.files import sweep_temporaries, write_atomic
from pyvstore.store.store import Store, store_error


def project_identifier(prefix: str) -> str:
    """Return the file-name-safe identifier of the farm at the absolute path ``prefix``."""
    return hashlib.sha256(os.fsencode(prefix)).hexdigest()[:24]


def register(store: Store, prefix: str) -> bool:
    """Note in the store that the farm at ``prefix`` uses it; return whether that was news.

    The project's lock is held. A store on a read-only file system keeps no note, and loses no entry either. Raises
    StoreError when the store cannot be written for another reason.
    """
    shelf, name = store.shelf("projects"), project_identifier(prefix) + ".json"
    path = os.path.join(shelf, name)
    try:
        root = {"format": 1, "farm": prefix, "machine": _machine(), "device": _device(prefix)}
        data = json.dumps(root, sort_keys=True).encode() + b"\n"
        try:
            with open(path, "rb") as stream:
                if stream.read() == data:
                    return False
        except FileNotFoundError:
            pass
        sweep_temporaries(shelf, [name])
        write_atomic(path, data)
    except OSError as error:
        if error.errno == errno.EROFS:
            return False
        raise store_error("this project could not be registered with the store", error) from error
    return True


def _machine() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    import platform

    return platform.node()


def _device(prefix: str) -> int:
    place = prefix
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    return os.stat(place).st_dev
