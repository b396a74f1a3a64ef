"""Locks made through the library's own doors, without disk and index: what `pyvstore lock` does, and quicker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from pyvstore.lockfile.freshness import lock_inputs, preferences
from pyvstore.lockfile.parse import parse_lock
from pyvstore.lockfile.write import format_lock
from pyvstore.ops.asking import lattice_of, names_of, policy_of, roots_of
from pyvstore.ops.locking import Answer
from pyvstore.requirements.project import parse_project
from pyvstore.requirements.settings import merge_settings, project_layer
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.policy import Preference
from pyvstore.resolution.source import CandidateSource
from pyvstore.resolution.universe import Universe


@dataclass(frozen=True)
class Locked:
    """A lockfile and where it came from."""

    text: str
    resolution: Resolution

    @property
    def table(self) -> dict[str, Any]:
        """The lockfile as TOML."""
        return tomli.loads(self.text)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Its ``[[packages]]``."""
        found: list[dict[str, Any]] = self.table.get("packages", [])
        return found


def lock(source: CandidateSource, pyproject: Mapping[str, Any], old: Locked | None = None) -> Locked:
    """Lock ``pyproject``, beginning with the lockfile ``old``; raises what `resolve` raises."""
    requirements = parse_project(pyproject)
    settings = merge_settings([project_layer(pyproject)])
    lattice = lattice_of(requirements, settings)
    before = None if old is None else parse_lock(old.text)
    kept = {} if before is None else preferences(before)
    resolution = resolve(
        roots_of(requirements),
        universe=Universe.of(lattice),
        source=source,
        policy=policy_of(settings, lattice, offline=False),
        preferences={
            name: [Preference(str(version), marker) for version, marker in pins] for name, pins in kept.items()
        },
        regions=() if before is None else before.forks,
    )
    document = Answer(resolution, names_of(requirements, settings)).freeze(lock_inputs(requirements, settings))
    return Locked(format_lock(document), resolution)
