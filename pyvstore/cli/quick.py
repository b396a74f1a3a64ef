"""The options of the hot commands, parsed without typer, whose import costs more than relinking a small project.

What this parser does not know (help, a misspelled option, a missing value) it leaves to `app`, which explains. A test
holds both to the same options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals

Action = Callable[[Globals, Console], int]

SYNC_FLAGS = {
    "--frozen": "frozen",
    "--locked": "locked",
    "--check": "check",
    "--dry-run": "dry_run",
    "--offline": "offline",
}
RUN_FLAGS = {"--frozen": "frozen", "--locked": "locked", "--offline": "offline"}
NO_SYNC = "--no-sync"
RELINK_DRY_RUN = "--dry-run"
PYTHON = "--python"


def parse_quickly(words: Sequence[str]) -> Action | None:
    """Return what a plain `sync`, `run` or `relink` asks for; None for everything else."""
    if not words:
        return None
    command, *rest = words
    if command == "sync":
        return _sync(rest)
    if command == "run":
        return _run(rest)
    if command == "relink" and set(rest) <= {RELINK_DRY_RUN}:
        from pyvstore.cli.actions import relink

        return partial(relink, dry_run=bool(rest))
    return None


def _sync(words: Sequence[str]) -> Action | None:
    found, left = _take(words, SYNC_FLAGS)
    if left:
        return None
    from pyvstore.cli.actions import sync
    from pyvstore.ops.options import SyncOptions

    python = found.pop(PYTHON, None)
    return partial(sync, wanted=SyncOptions(python=python, **dict.fromkeys(found, True)))


def _run(words: Sequence[str]) -> Action | None:
    found, left = _take(words, {**RUN_FLAGS, NO_SYNC: NO_SYNC})
    if left[:1] == ["--"]:
        left = left[1:]
    elif left and left[0].startswith("-"):
        return None
    if not left:
        return None
    from pyvstore.cli.actions import run
    from pyvstore.ops.options import SyncOptions

    python = found.pop(PYTHON, None)
    no_sync = found.pop(NO_SYNC, None) is not None
    wanted = SyncOptions(python=python, **dict.fromkeys(found, True))
    return partial(run, wanted=wanted, command=left, no_sync=no_sync)


def _take(words: Sequence[str], flags: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Take known options from the front; return what they set and what is left from the first unknown word on."""
    found: dict[str, str] = {}
    left = list(words)
    while left:
        name, has_value, value = left[0].partition("=")
        if left[0] in flags:
            found[flags[left.pop(0)]] = ""
        elif name == PYTHON and (has_value or len(left) > 1):
            left.pop(0)
            found[PYTHON] = value if has_value else left.pop(0)
        else:
            break
    return found, left
