"""How new a machine must be for the wheels of a lock: what no marker can say, and so no lock can refuse by.

A package needs no more than the least demanding of the wheels that serve a point; a lock needs what its most demanding
package needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyvstore.lockfile.document import LockDocument, LockedPackage
from pyvstore.lockfile.filenames import expand_tags, tag_triple
from pyvstore.model.platforms import platform_name
from pyvstore.model.tags import Floor, platform_floor
from pyvstore.requirements.text import format_marker
from pyvstore.resolution.universe import Universe


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformFloor:
    """What the machines of one platform must have.

    Attributes:
        platform: name of the class.
        floor: the oldest system that everything in the lock runs on.
        packages: ``name version`` of those that run on no older one, sorted.
    """

    platform: str
    floor: Floor
    packages: tuple[str, ...]


def platform_floors(document: LockDocument, universe: Universe) -> tuple[PlatformFloor, ...]:
    """Return what each platform of ``universe`` needs for ``document``, extras and groups included.

    A platform where nothing asks for anything is not in it.
    """
    while True:
        masks = _masks(document, universe)
        if not universe.wanted:
            break
        universe = universe.refined()
    needs: dict[str, dict[Floor, set[str]]] = {}
    for name, where in _platforms(universe).items():
        for package, mask in zip(document.packages, masks, strict=True):
            for floor in _lowest(package, universe, mask & where):
                needs.setdefault(name, {}).setdefault(floor, set()).add(f"{package.name} {package.version}")
    return tuple(
        PlatformFloor(platform=name, floor=max(floors), packages=tuple(sorted(floors[max(floors)])))
        for name, floors in needs.items()
    )


def _masks(document: LockDocument, universe: Universe) -> list[int]:
    """Return where each package can be installed."""
    covered = 0 if document.environments else universe.full
    for environment in document.environments:
        covered |= universe.lock_marker_mask(format_marker(environment))
    return [
        covered
        & universe.lock_marker_mask(None if package.marker is None else format_marker(package.marker))
        & universe.requires_python_mask(None if package.requires_python is None else str(package.requires_python))
        for package in document.packages
    ]


def _platforms(universe: Universe) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, point in enumerate(universe.points):
        name = platform_name(point.markers, point.tags)
        if name is not None:
            found[name] = found.get(name, 0) | 1 << position
    return found


def _lowest(package: LockedPackage, universe: Universe, mask: int) -> Iterator[Floor]:
    """Yield the floors that some point of ``mask`` cannot do without."""
    serves: dict[Floor | None, int] = {}
    for wheel in package.wheels if mask else ():
        for tag in expand_tags(tag_triple(wheel.filename)):
            where = universe.tags_mask(tag) & mask
            if where:
                found = platform_floor(tag.rpartition("-")[2])
                floor = found[0] if found else None
                serves[floor] = serves.get(floor, 0) | where
    left = mask & ~serves.pop(None, 0)
    for floor in sorted(floor for floor in serves if floor is not None):
        if left & serves[floor]:
            yield floor
            left &= ~serves[floor]
