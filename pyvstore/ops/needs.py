"""Say what the machines of each platform must have for what is locked."""

from __future__ import annotations

from pyvstore.events import PlatformNeeds, Reporter
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.floors import platform_floors
from pyvstore.ops.asking import lattice_of
from pyvstore.ops.lockfiles import Question
from pyvstore.resolution.universe import Universe


def tell(reporter: Reporter, document: LockDocument, asked: Question) -> None:
    """Emit an event for each platform where some wheel asks for anything."""
    universe = Universe.of(lattice_of(asked.requirements, asked.settings))
    for need in platform_floors(document, universe):
        major, minor = need.floor.version
        reporter.emit(PlatformNeeds(need.platform, need.floor.library, f"{major}.{minor}", need.packages))
