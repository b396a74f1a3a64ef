"""Make a plan's changes.

Order: set aside what is in the way, remove, make directories, link, write files. Every step is idempotent and each link
or file appears in one step, so that a kill between any two of them leaves a farm that the next sync converges.
"""

from __future__ import annotations

import contextlib
import os

from pyvstore.farm.trouble import changing
from pyvstore.fs.files import make_directories, make_directory, rename, write_atomic
from pyvstore.fs.links import Linker, make_second_name
from pyvstore.fs.removal import remove_bytecode, remove_empty_directory, remove_file
from pyvstore.model.farm import File
from pyvstore.plan.sync import SyncPlan

DISPLACED = "displaced"


def apply_plan(plan: SyncPlan, prefix: str, linker: Linker | None = None) -> str | None:
    """Change the farm at ``prefix`` (an existing directory) as ``plan`` says, links by ``linker``.

    Returns the directory (absolute) to which things that were not ours have been moved, if there were any. Raises
    FarmError naming the path that could not be changed; what was changed until then stays, and the same call later
    finishes it.
    """
    hand = _Hand(prefix, linker or Linker())
    with changing(prefix):
        for path in plan.set_aside:
            hand.set_aside(path)
        for path in plan.remove:
            hand.remove(path)
        for path in plan.remove_directories:
            hand.remove_directory(path)
        for path in plan.make_directories:
            make_directory(os.path.join(prefix, path))
        for path, target in plan.links.items():
            hand.link(path, target)
        for path, file in plan.files.items():
            hand.write(path, file)
    return hand.aside


class _Hand:
    def __init__(self, prefix: str, linker: Linker) -> None:
        self._prefix = prefix
        self._linker = linker
        self._twins: dict[str, str] = {}
        self.aside: str | None = None

    def _place(self, path: str) -> str:
        return os.path.join(self._prefix, path)

    def set_aside(self, path: str) -> None:
        if self.aside is None:
            self.aside = self._new_aside()
        place = os.path.join(self.aside, path)
        make_directories(os.path.dirname(place))
        with contextlib.suppress(FileNotFoundError):
            rename(self._place(path), place)

    def _new_aside(self) -> str:
        base = os.path.join(self._prefix, DISPLACED)
        make_directory(base)  # refuses a link: it would lead out of the environment
        number = 1
        while not make_directory(os.path.join(base, str(number))):
            number += 1
        return os.path.join(base, str(number))

    def remove(self, path: str) -> None:
        remove_file(self._place(path))
        directory, name = os.path.split(self._place(path))
        if name.endswith(".py"):
            self._remove_bytecode_of(os.path.join(directory, "__pycache__"), name[:-3])

    def _remove_bytecode_of(self, cache: str, module: str) -> None:
        if os.path.islink(cache) or not os.path.isdir(cache):
            return
        for name in os.listdir(cache):
            if name.startswith(module + ".") and name.endswith(".pyc"):
                remove_file(os.path.join(cache, name))

    def remove_directory(self, path: str) -> None:
        place = self._place(path)
        remove_bytecode(os.path.join(place, "__pycache__"))
        remove_empty_directory(place)

    def link(self, path: str, target: str) -> None:
        place = self._place(path)
        try:
            self._linker.make(target, place)
        except FileExistsError:
            self._make_room(path)
            self._linker.replace(target, place)

    def write(self, path: str, file: File) -> None:
        self._make_room(path)
        place = self._place(path)
        twin = self._twins.get(file.twin) if file.twin else None
        if twin is not None and not os.path.lexists(place) and make_second_name(twin, place):
            return
        write_atomic(place, file.data, mode=0o755 if file.executable else 0o644)
        if file.twin:
            self._twins[file.twin] = place

    def _make_room(self, path: str) -> None:
        """Set aside a directory of ours that could not be emptied: somebody put things into it."""
        place = self._place(path)
        if os.path.isdir(place) and not os.path.islink(place):
            self.set_aside(path)
