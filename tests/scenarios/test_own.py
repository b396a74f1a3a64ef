"""The scenarios of ``fixtures/scenarios``: an index, a project, and exactly what must come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.requirements import Requirement

from pyvstore.errors import ResolutionError
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import RootRequirement
from pyvstore.resolution.universe import Universe
from tests.scenarios.judge import problems_with, selected
from tests.unit.resolution.memory_source import MemorySource, Published

FIXTURES = Path(__file__).parents[2] / "fixtures" / "scenarios"
PATHS = sorted(FIXTURES.glob("*.toml"))


def solve(case: dict[str, Any], old: Resolution | None = None) -> tuple[Resolution, MemorySource]:
    source = MemorySource(
        {
            name: {version: Published(**entry) for version, entry in versions.items()}
            for name, versions in case["packages"].items()
        }
    )
    resolution = resolve(
        [RootRequirement(requirement=Requirement(line)) for line in case["requires"]],
        universe=Universe.of(Lattice(requires_python=case.get("requires_python", ">=3.12"))),
        source=source,
        preferences=old.pins if old else None,
        regions=old.regions if old else (),
    )
    return resolution, source


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_scenario_comes_out_as_written(path: Path) -> None:
    case = tomli.loads(path.read_text(encoding="utf-8"))
    if not case.get("satisfiable", True):
        with pytest.raises(ResolutionError, match="cannot be met"):
            solve(case)
        return
    resolution, source = solve(case)
    universe = resolution.universe
    found: dict[str, dict[str, int]] = {}
    for package in resolution.packages:
        found.setdefault(package.name, {})[package.version] = package.mask
    expected = {
        name: {
            version: universe.marker_mask(marker)
            for version, marker in (versions.items() if isinstance(versions, dict) else [(versions, None)])
        }
        for name, versions in case["expected"].items()
    }
    assert found == expected
    for point in universe.points:
        chosen, problems = selected(resolution, point.markers)
        assert not problems
        assert not problems_with(source, case["requires"], chosen, point.markers)
    again, _ = solve(case, resolution)
    assert [(p.name, p.version, p.marker) for p in again.packages] == [
        (p.name, p.version, p.marker) for p in resolution.packages
    ]
    assert again.regions == resolution.regions


def test_there_are_scenarios() -> None:
    assert len(PATHS) >= 10
