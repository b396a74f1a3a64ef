"""The farm's state file: what we made, for which inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyvstore.errors import FarmError
from pyvstore.farm.trouble import changing, reading
from pyvstore.fs.files import write_atomic
from pyvstore.glance import LONGEST_STATE_BYTES, STATE_FORMAT, STATE_NAME, read_regular
from pyvstore.model.farm import Made
from pyvstore.model.parts import DEFAULT_PARTS, Parts, format_parts, parse_parts


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPackage:
    """One distribution of the farm, for `list` and for the summary of changes."""

    name: str
    version: str
    direct: bool
    entry: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FarmState:
    """What the state file says.

    Attributes:
        prefix: absolute path of the environment when it was made.
        store: absolute path of the store's format directory.
        complete: False between the two writes of a change.
        input_files: name → sha256, see `glance.digest_files`.
        input_variables: see `glance.digest_variables`.
        interpreter: executable by which the environment's Python was found.
        interpreter_fingerprint: see `glance.fingerprint`.
        is_usual_python: nobody asked for this Python; discovery chose it.
        packages: what is installed, sorted by name.
        made: every path that is ours.
        stamps: file path → (size in bytes, mtime in ns) when the sync ended.
        listings: names in the directories of packages when the sync ended.
        told: keys of messages that are said once per project.
        parts: which optional parts of the project are in the environment.
    """

    prefix: str
    store: str
    complete: bool
    input_files: Mapping[str, str | None] = field(default_factory=dict)
    input_variables: str = ""
    interpreter: str = ""
    interpreter_fingerprint: str = ""
    is_usual_python: bool = False
    packages: tuple[InstalledPackage, ...] = ()
    made: Mapping[str, Made] = field(default_factory=dict)
    stamps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    listings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    parts: Parts = DEFAULT_PARTS


_NONSENSE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def read_state(prefix: str) -> FarmState | None:
    """Read the state of the farm at ``prefix``; None when there is none, or when it makes no sense (it is then lost).

    Raises FarmError: ``farm-newer`` when a newer pyvstore wrote it, ``farm-unreadable`` when it is no file, or one that
    cannot be read.
    """
    try:
        with reading(prefix):
            try:
                data = read_regular(os.path.join(prefix, STATE_NAME), LONGEST_STATE_BYTES)
            except (FileNotFoundError, NotADirectoryError):
                return None
        raw = json.loads(data)
        if not isinstance(raw, dict):
            return None
        if isinstance(raw.get("format"), int) and raw["format"] > STATE_FORMAT:
            raise FarmError(
                f"{prefix} was made by a newer pyvstore",
                code="farm-newer",
                hint="upgrade pyvstore, or delete the environment and run `pyvstore sync`",
            )
        return _parse(raw)
    except _NONSENSE:
        return None


def write_state(state: FarmState) -> None:
    """Replace the state file of ``state.prefix`` in one step; the directory must exist.

    Raises FarmError (``farm-write``).
    """
    data = json.dumps(_format(state), separators=(",", ":"), ensure_ascii=True).encode()
    with changing(state.prefix):
        write_atomic(os.path.join(state.prefix, STATE_NAME), data)


def _format(state: FarmState) -> dict[str, Any]:
    store = state.store + "/"
    links = {
        path: "+" + made.target[len(store) :] if made.target.startswith(store) else made.target
        for path, made in state.made.items()
        if made.target is not None
    }
    files = {
        path: [made.sha256, *state.stamps.get(path, (-1, -1)), *([made.former] if made.former else [])]
        for path, made in state.made.items()
        if made.sha256 is not None
    }
    return {
        "format": STATE_FORMAT,
        "complete": state.complete,
        "prefix": state.prefix,
        "store": state.store,
        "inputs": {"files": dict(state.input_files), "variables": state.input_variables},
        "interpreter": {"path": state.interpreter, "fingerprint": state.interpreter_fingerprint},
        "usual_python": state.is_usual_python,
        "packages": [[item.name, item.version, item.direct, item.entry] for item in state.packages],
        "links": links,
        "files": files,
        "directories": [path for path, made in state.made.items() if made.target is None and made.sha256 is None],
        "listings": {path: list(names) for path, names in state.listings.items()},
        "told": list(state.told),
        "parts": format_parts(state.parts),
    }


def _parse(raw: Mapping[str, Any]) -> FarmState:
    if raw["format"] != STATE_FORMAT:
        raise ValueError(raw["format"])
    store = _place(raw["store"])
    made: dict[str, Made] = {path: Made() for path in raw["directories"]}
    for path, target in raw["links"].items():
        made[path] = Made(target=f"{store}/{target[1:]}" if _place(target).startswith("+") else target)
    stamps = {}
    for path, (sha256, size_bytes, modified, *former) in raw["files"].items():
        made[path] = Made(sha256=str(sha256), former=str(former[0]) if former else None)
        if size_bytes >= 0:
            stamps[path] = (int(size_bytes), int(modified))
    listings = {_inside(path): tuple(map(_place, names)) for path, names in raw["listings"].items()}
    for path in made:
        _inside(path)
    return FarmState(
        prefix=_place(raw["prefix"]),
        store=store,
        complete=raw["complete"] is True,
        input_files=dict(raw["inputs"]["files"]),
        input_variables=str(raw["inputs"]["variables"]),
        interpreter=_place(raw["interpreter"]["path"]),
        interpreter_fingerprint=str(raw["interpreter"]["fingerprint"]),
        is_usual_python=raw["usual_python"] is True,
        packages=tuple(
            InstalledPackage(name=str(name), version=str(version), direct=bool(direct), entry=str(entry))
            for name, version, direct, entry in raw["packages"]
        ),
        made=made,
        stamps=stamps,
        listings=listings,
        told=tuple(map(str, raw["told"])),
        parts=parse_parts(raw.get("parts", {})),
    )


def _place(value: object) -> str:
    """Return a path that the system takes; raises TypeError or ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError(value)
    if "\0" in value:
        raise ValueError(value)
    os.fsencode(value)
    return value


def _inside(value: object) -> str:
    """Return a path that stays in the environment, wherever that is; raises as `_place`."""
    path = _place(value)
    if not {"", ".", ".."}.isdisjoint(path.split("/")) or os.path.isabs(path) or os.path.splitdrive(path)[0]:
        raise ValueError(path)
    return path
