"""Pythons that nobody named: nothing old is dug out for them.

For months after a Python is released most projects have no wheel for it, and what has one may be years old. A version
that has files for the Python before is as good there. And where the newest version of a project excludes new Pythons,
older ones without that bound do not work there either: they were only written before anybody knew.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyvstore.model.platforms import platform_name
from pyvstore.resolution.universe import Universe


class Newcomers:
    """Which points go by the files of which others, and which are shut out by whom.

    Args:
        universe: all points.
        newest: markers of the newest Python.
        newer: markers of all Pythons that nobody named.
        required: the points where a file is required, whatever the Python.
    """

    def __init__(self, universe: Universe, newest: Iterable[str], newer: Iterable[str], required: int) -> None:
        self._universe = universe
        self._newer = _union(universe, newer)
        late = _union(universe, newest) & ~required
        machines: dict[tuple[str | None, str], list[int]] = {}
        for position, point in enumerate(universe.points if late else ()):
            machine = platform_name(point.markers, point.tags), point.markers["implementation_name"]
            machines.setdefault(machine, []).append(position)
        self._pairs: list[tuple[int, int]] = []
        for positions in machines.values():
            before = [position for position in positions if not late >> position & 1]
            last = max((universe.points[position].python_full_version for position in before), default=None)
            model = sum(1 << position for position in before if universe.points[position].python_full_version == last)
            after = sum(1 << position for position in positions) & late
            if model and after:
                self._pairs.append((model, after))

    def served(self, files: int, pythons: int) -> int:
        """Return where a release counts as having a file: ``files``, and what goes by them among ``pythons``."""
        for model, after in self._pairs:
            if files & model == model:
                files |= after & pythons
        return files

    def capped(self, pythons: int) -> int:
        """Return where no version of a project can be used whose newest version accepts ``pythons``."""
        if not pythons or not self._newer & ~pythons:
            return 0
        points = self._universe.points
        top = max(points[position].python_full_version for position in range(len(points)) if pythons >> position & 1)
        above = (position for position, point in enumerate(points) if point.python_full_version > top)
        return self._newer & sum(1 << position for position in above)


def _union(universe: Universe, markers: Iterable[str]) -> int:
    mask = 0
    for marker in markers:
        mask |= universe.marker_mask(marker)
    return mask
