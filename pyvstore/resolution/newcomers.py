"""The newest Python, whose wheels are still to come.

For months after a release most projects have no wheel for it, and what has one may be years old or for every Python.
Where the project does not name that Python, nothing is dug out for it: a version that has files for the one before is
as good there.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyvstore.model.platforms import platform_name
from pyvstore.resolution.universe import Universe


class Newcomers:
    """Which points go by the files of which others.

    Args:
        universe: all points.
        markers: of the newest Python.
        required: the points where a file is required, whatever the Python.
    """

    def __init__(self, universe: Universe, markers: Iterable[str], required: int) -> None:
        late = 0
        for marker in markers:
            late |= universe.marker_mask(marker)
        late &= ~required
        machines: dict[tuple[str | None, str], list[int]] = {}
        for position, point in enumerate(universe.points if late else ()):
            machine = platform_name(point.markers, point.tags), point.markers["implementation_name"]
            machines.setdefault(machine, []).append(position)
        self._pairs: list[tuple[int, int]] = []
        for positions in machines.values():
            before = [position for position in positions if not late >> position & 1]
            newest = max((universe.points[position].python_full_version for position in before), default=None)
            model = sum(1 << position for position in before if universe.points[position].python_full_version == newest)
            after = sum(1 << position for position in positions) & late
            if model and after:
                self._pairs.append((model, after))

    def served(self, files: int, pythons: int) -> int:
        """Return where a release counts as having a file: ``files``, and what goes by them among ``pythons``."""
        for model, after in self._pairs:
            if files & model == model:
                files |= after & pythons
        return files
