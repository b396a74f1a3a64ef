"""`run`: an environment that is as it should be, for a program that starts in it."""

from __future__ import annotations

from pyvstore.errors import FarmError
from pyvstore.ops.context import Context
from pyvstore.ops.options import SyncOptions
from pyvstore.ops.sync import sync
from pyvstore.project.locate import PlaceKind, examine_environment


def prepare(context: Context, options: SyncOptions, *, no_sync: bool) -> str:
    """Sync the project unless told not to; return the absolute path of its environment.

    Raises what `sync` raises, and FarmError when there is none and none is to be made
    (``no-environment``), or when what is there is not ours.
    """
    if not no_sync:
        sync(context, options)
        return context.project().prefix
    prefix = context.project().prefix
    place = examine_environment(prefix)
    place.require_usable()
    if place.kind is not PlaceKind.OURS:
        raise FarmError(
            f"{prefix} does not exist yet", code="no-environment", hint="run `pyvstore sync`, or leave out `--no-sync`"
        )
    return prefix
