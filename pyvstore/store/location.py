"""Where the store is, and where it must not be."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyvstore.errors import StoreError, UsageError

HOME_VARIABLE = "PYVSTORE_HOME"


def store_home(environ: Mapping[str, str]) -> str:
    """Return the absolute path of the store's home: ``$PYVSTORE_HOME``, else the platform's user data directory.

    Raises UsageError when the variable is not an absolute path (a relative one would mean another store in every
    folder) and StoreError when the user has no home at all.
    """
    chosen = environ.get(HOME_VARIABLE, "")
    if chosen:
        expanded = os.path.expanduser(chosen)
        if not os.path.isabs(expanded):
            raise UsageError(
                f"{HOME_VARIABLE} is not an absolute path: {chosen}",
                code="store-home",
                hint=f"set {HOME_VARIABLE} to an absolute path",
            )
        return os.path.normpath(expanded)
    import platformdirs

    home = platformdirs.user_data_dir("pyvstore", appauthor=False)
    if not os.path.isabs(home):
        raise StoreError(
            "there is no place for the store, because this user has no home folder",
            code="store-home",
            hint=f"set {HOME_VARIABLE} to an absolute path",
        )
    return home


def check_apart(home: str, prefix: str) -> None:
    """Refuse a store inside an environment, or at a path that begins with the environment's path as a string.

    pip compares prefixes as strings and then deletes. Raises StoreError (``store-location``).
    """
    for store in {home, os.path.realpath(home)}:
        for environment in {prefix, os.path.realpath(prefix)}:
            if store.startswith(environment):
                raise StoreError(
                    f"the store {home} must not be in, or begin with, the environment {prefix}",
                    code="store-location",
                    causes=["tools that uninstall packages would take the store for a part of the environment"],
                    hint=f"set {HOME_VARIABLE} to another place",
                )
