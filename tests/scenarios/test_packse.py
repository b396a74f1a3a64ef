"""The shared resolution scenarios, where they are at hand, through the engine alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.requirements import Requirement

from pyvstore.errors import ResolutionError
from pyvstore.model.environment import TargetEnvironment
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Builds, Policy, Prereleases, RootRequirement, Strategy
from pyvstore.resolution.universe import Universe
from tests.scenarios.judge import is_covered, is_satisfiable, problems_with, selected
from tests.unit.resolution.memory_source import MemorySource, Published

SHARED = Path(__file__).resolve().parents[3] / "shared" / "scenarios"
PATHS = sorted(SHARED.rglob("*.toml"))

# An answer exists for every environment although the scenario says otherwise: its tool could not split there.
EITHER = {
    "non-local-fork-marker-direct",
    "non-local-fork-marker-transitive",
    "preferences-dependent-forking-conflicting",
    "conflict-in-fork",
}
# They ask for what this product decides otherwise: upper bounds of requires-python hold.
OTHERWISE = {"python-less-than-current"}
PATCHES = ("3.8.18", "3.9.18", "3.10.2", "3.10.13", "3.11.7", "3.12.1", "3.13.5")

pytestmark = pytest.mark.skipif(not PATHS, reason="the shared scenarios are not beside the repository")


def source_of(case: dict[str, Any]) -> MemorySource:
    return MemorySource(
        {
            name: {
                version: Published(
                    requires=entry.get("requires", ()),
                    extras=entry.get("extras", {}),
                    requires_python=entry.get("requires_python", ">=3.12"),
                    tags=(entry.get("wheel_tags") or ["py3-none-any"]) if entry.get("wheel", True) else (),
                    sdist=entry.get("sdist", True),
                    yanked=bool(entry.get("yanked")),
                )
                for version, entry in package["versions"].items()
            }
            for name, package in case.get("packages", {}).items()
        }
    )


def lattice_of(case: dict[str, Any]) -> Lattice:
    options = case.get("resolver_options", {})
    if options.get("universal"):
        return Lattice(requires_python=case["root"].get("requires_python", ">=3.12") or "")
    python = options.get("python") or case.get("environment", {}).get("python", "3.12")
    exact = python if python.count(".") > 1 else f"{python}.1"
    return Lattice(requires_python=f"=={exact}", platforms=("linux-x86_64",))


def solve(
    case: dict[str, Any], source: MemorySource, old: Resolution | None = None, constraints: tuple[str, ...] = ()
) -> Resolution:
    options, lattice = case.get("resolver_options", {}), lattice_of(case)
    universal = bool(options.get("universal"))
    policy = Policy(
        prereleases=Prereleases.ALLOW if options.get("prereleases") else Prereleases.IF_NECESSARY,
        strategy=Strategy(options.get("resolution", "highest")),
        constraints=tuple(map(Requirement, constraints)),
        builds=lambda name: (
            Builds.NEVER
            if name in options.get("no_build", ())
            else Builds.ALLOWED
            if name in options.get("no_binary", ())
            else Builds.LAST
        ),
        wheels_allowed=lambda name: name not in options.get("no_binary", ()),
        files_required_on=(),
        may_leave_out=("python_version >= '3'",) if universal and lattice.is_open_below else (),
    )
    return resolve(
        [RootRequirement(requirement=Requirement(line)) for line in case["root"].get("requires", ())],
        universe=Universe.of(lattice),
        source=source,
        policy=policy,
        preferences=old.pins if old else None,
        regions=old.regions if old else (),
    )


def concrete(case: dict[str, Any]) -> list[TargetEnvironment]:
    """Points that the resolver did not choose: patch releases in the middle of its intervals, too."""
    lattice = lattice_of(case)
    is_universal = case.get("resolver_options", {}).get("universal")
    return list((lattice.refined(PATCHES) if is_universal else lattice).points())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shared_scenario_is_answered(path: Path) -> None:
    case = tomli.loads(path.read_text(encoding="utf-8"))
    options, expected = case.get("resolver_options", {}), case["expected"]
    if options.get("python_platform"):
        pytest.skip("needs an option that the product does not have")
    if path.stem in OTHERWISE:
        pytest.skip("the product decides otherwise on purpose")
    source, roots = source_of(case), case["root"].get("requires", ())
    try:
        resolution = solve(case, source)
    except ResolutionError as error:
        assert error.code.startswith("no-")  # noqa: PT017 - refusing is right here, if it is done properly
        assert not expected["satisfiable"] or path.stem in EITHER
        return
    assert expected["satisfiable"] or path.stem in EITHER or options.get("universal")
    for point in concrete(case):
        if not is_covered(resolution, point.markers):
            assert not is_satisfiable(source, roots, point.markers)
            continue
        chosen, problems = selected(resolution, point.markers)
        assert not problems
        assert not problems_with(source, roots, chosen, point.markers)
        if expected.get("packages") and not options.get("universal"):
            assert chosen == expected["packages"]
    again = solve(case, source, resolution, ("a-name-that-nothing-requires>=1",))
    assert [(p.name, p.version, p.marker) for p in again.packages] == [
        (p.name, p.version, p.marker) for p in resolution.packages
    ]
