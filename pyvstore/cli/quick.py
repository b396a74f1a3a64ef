"""The options of the hot commands, parsed without typer, whose import costs more than relinking a small project.

What this parser does not know (help, a misspelled option, a missing value) it leaves to `app`, which explains. A test
holds both to the same options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pyvstore.cli.choices import PART_FLAGS, PART_VALUES, SETTING_VALUES, parts_from, settings_from
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals

if TYPE_CHECKING:
    from pyvstore.model.parts import Parts
    from pyvstore.ops.options import SyncOptions

Action = Callable[[Globals, Console], int]
Found = dict[str, list[str]]

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
LOCK_FLAGS = {"--check": "check", "--upgrade": "upgrade", "-U": "upgrade", "--offline": "offline"}
PACKAGE = "--upgrade-package"
LOCK_VALUES = {PACKAGE: PACKAGE, "-P": PACKAGE, **SETTING_VALUES}
PYTHON = "--python"
VALUES = {PYTHON: PYTHON, **PART_VALUES, **SETTING_VALUES}


def parse_quickly(words: Sequence[str]) -> Action | None:
    """Return what a plain `sync`, `run`, `lock` or `relink` asks for; None for everything else."""
    if not words:
        return None
    command, *rest = words
    if command == "sync":
        return _sync(rest)
    if command == "run":
        return _run(rest)
    if command == "lock":
        return _lock(rest)
    if command == "relink" and set(rest) <= {RELINK_DRY_RUN}:
        from pyvstore.cli.actions import relink

        return partial(relink, dry_run=bool(rest))
    return None


def _sync(words: Sequence[str]) -> Action | None:
    found, left = _take(words, {**SYNC_FLAGS, **PART_FLAGS}, VALUES)
    if left:
        return None
    from pyvstore.cli.actions import sync
    from pyvstore.model.parts import DEFAULT_PARTS

    return partial(sync, wanted=_options(found, SYNC_FLAGS, parts_from(found) or DEFAULT_PARTS))


def _run(words: Sequence[str]) -> Action | None:
    found, left = _take(words, {**RUN_FLAGS, **PART_FLAGS, NO_SYNC: NO_SYNC}, VALUES)
    if left[:1] == ["--"]:
        left = left[1:]
    elif left and left[0].startswith("-"):
        return None
    if not left:
        return None
    from pyvstore.cli.actions import run

    wanted = _options(found, RUN_FLAGS, parts_from(found))
    return partial(run, wanted=wanted, command=left, no_sync=NO_SYNC in found)


def _lock(words: Sequence[str]) -> Action | None:
    found, left = _take(words, LOCK_FLAGS, LOCK_VALUES)
    if left:
        return None
    from pyvstore.cli.actions import lock
    from pyvstore.cli.choices import Lock

    settings = settings_from({key: values[-1] for key, values in found.items()})
    wanted = Lock("check" in found, "upgrade" in found, tuple(found.get(PACKAGE, ())), settings)
    return partial(lock, wanted=wanted, offline="offline" in found)


def _options(found: Found, flags: Mapping[str, str], parts: Parts | None) -> SyncOptions:
    from pyvstore.ops.options import SyncOptions

    switches: dict[str, Any] = {key: True for key in flags.values() if key in found}
    last = {key: values[-1] for key, values in found.items()}
    return SyncOptions(python=last.get(PYTHON), parts=parts, flags=settings_from(last), **switches)


def _take(words: Sequence[str], flags: Mapping[str, str], values: Mapping[str, str]) -> tuple[Found, list[str]]:
    """Take known options from the front; return what they set and what is left from the first unknown word on."""
    found: Found = {}
    left = list(words)
    while left:
        name, has_value, value = left[0].partition("=")
        if left[0] in flags:
            found[flags[left.pop(0)]] = [""]
        elif name in values and (has_value or len(left) > 1):
            left.pop(0)
            found.setdefault(values[name], []).append(value if has_value else left.pop(0))
        else:
            break
    return found, left
