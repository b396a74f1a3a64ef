"""What is learned from versions that all fail alike: few are read, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import pytest
from packaging.requirements import Requirement

from pyvstore.errors import BuildError, ResolutionError
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Policy, RootRequirement
from pyvstore.resolution.universe import Universe
from tests.scenarios.judge import is_satisfiable, problems_with, selected
from tests.unit.resolution.memory_source import MemorySource, Published, chosen

LATTICE = Lattice(requires_python=">=3.12,<3.14", platforms=("linux-x86_64",))
VERSIONS = 1_000
Projects = Mapping[str, Mapping[str, Published | Sequence[str]]]


def answer(source: MemorySource, *lines: str, policy: Policy | None = None) -> Resolution:
    return resolve(
        [RootRequirement(requirement=Requirement(line)) for line in lines],
        universe=Universe.of(LATTICE),
        source=source,
        policy=policy,
    )


def cloud(versions: int, *, fits: Sequence[int]) -> dict[str, Mapping[str, Published | Sequence[str]]]:
    """Return a project that is at odds with the newest ``http``, but for some versions."""
    return {
        "cloud": {f"1.{n}": [] if n in fits else ["http<2"] for n in range(versions)},
        "http": {"1": [], "2": []},
        "web": {"1": ["http>=2"]},
    }


WITH_A_BOUND_SINCE = cloud(VERSIONS, fits=range(300))
WORLDS: dict[str, tuple[Projects, list[str], dict[str, str]]] = {
    "a bound of the project": (WITH_A_BOUND_SINCE, ["cloud", "http>=2"], {"cloud": "1.299", "http": "2"}),
    "a bound of another package": (WITH_A_BOUND_SINCE, ["cloud", "web==1"], {"cloud": "1.299", "http": "2"}),
    "only the oldest": (cloud(VERSIONS, fits=[0]), ["cloud", "http>=2"], {"cloud": "1.0", "http": "2"}),
    "two projects in lockstep": (
        {
            **WITH_A_BOUND_SINCE,
            "sdk": {f"1.{n}": [f"cloud>=1.{n},<1.{n + 1}"] for n in range(VERSIONS)},
            "tool": {f"1.{n}": [f"cloud==1.{n}"] for n in range(VERSIONS)},
        },
        ["sdk", "tool", "cloud", "http>=2"],
        {"sdk": "1.299", "tool": "1.299", "cloud": "1.299"},
    ),
    "pins that go with the version": (
        {
            "plugin": {f"1.{n}": [f"host==1.{n}"] for n in range(VERSIONS)},
            "host": {f"1.{n}": [] for n in range(VERSIONS)},
        },
        ["plugin", "host==1.417"],
        {"plugin": "1.417"},
    ),
    "a project that is nowhere": (
        {"cloud": {f"1.{n}": ["nowhere"] if n > 299 else [] for n in range(VERSIONS)}},
        ["cloud"],
        {"cloud": "1.299"},
    ),
    "a project that has to be built": (
        {
            "cloud": {f"1.{n}": ["source"] if n > 299 else [] for n in range(VERSIONS)},
            "source": {"1": Published(tags=(), sdist=True, failure=BuildError("unbuilt", code="build-required"))},
        },
        ["cloud"],
        {"cloud": "1.299"},
    ),
    "an extra": (
        {
            "cloud": {
                f"1.{n}": Published(extras={"all": ["http<2"] if n > 299 else ["http"]}) for n in range(VERSIONS)
            },
            "http": {"1": [], "2": []},
        },
        ["cloud[all]", "http>=2"],
        {"cloud": "1.299"},
    ),
}


@pytest.mark.parametrize("world", WORLDS)
def test_the_newest_version_that_fits_is_found_without_reading_all_that_do_not(world: str) -> None:
    projects, lines, expected = WORLDS[world]
    source = MemorySource(projects)
    found = chosen(answer(source, *lines).packages)
    assert expected.items() <= found.items()
    assert len(source.read) < 100 * len(projects)


def test_a_bound_on_some_pythons_costs_no_more_than_one_everywhere() -> None:
    projects: Projects = {
        "cloud": {f"1.{n}": ["http<2; python_version < '3.13'"] if n > 299 else [] for n in range(VERSIONS)},
        "http": {"1": [], "2": []},
    }
    source = MemorySource(projects)
    packages = answer(source, "cloud", "http>=2").packages
    assert {(package.name, package.version, package.marker) for package in packages} == {
        ("cloud", "1.299", "python_version < '3.13'"),
        ("cloud", "1.999", "python_version == '3.13'"),
        ("http", "2", None),
    }
    assert len(source.read) < 100


def test_a_version_that_fits_among_many_that_do_not_is_found_where_no_other_does() -> None:
    source = MemorySource(cloud(200, fits=[77]))
    assert chosen(answer(source, "cloud", "http>=2").packages)["cloud"] == "1.77"
    assert len(source.read) == len(set(source.read))


def test_a_refusal_has_read_every_version_once() -> None:
    source = MemorySource(cloud(200, fits=[]))
    with pytest.raises(ResolutionError) as caught:
        answer(source, "cloud", "http>=2")
    assert caught.value.code == "no-solution"
    assert "your project wants cloud, and cloud wants http<2" in caught.value.causes[0]
    assert sorted(source.read) == sorted(["http 2", *(f"cloud 1.{n}" for n in range(200))])


def test_nothing_is_passed_over_where_versions_fail_for_different_reasons() -> None:
    """Each wants one more thing that cannot be had, and the oldest wants nothing."""
    projects = {"cloud": {f"1.{n}": [f"missing-{n}"] if n else [] for n in range(30)}}
    assert chosen(answer(MemorySource(projects), "cloud").packages) == {"cloud": "1.0"}


@pytest.mark.parametrize("seed", range(60))
def test_passing_over_versions_loses_no_answer(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random worlds of many versions, where lessons are drawn from a single failure already."""
    monkeypatch.setattr("pyvstore.resolution.lessons.ALIKE", 1)
    monkeypatch.setattr("pyvstore.resolution.lessons.PROBES", 2)
    random = Random(seed)
    names = ("a", "b", "c", "d")

    def line() -> str:
        bound = random.choice(
            ("", f"<{random.randrange(2, 9)}", f">={random.randrange(9)}", f"=={random.randrange(9)}")
        )
        return random.choice(names) + bound + random.choice(("", "", "; python_version < '3.13'"))

    projects = {
        name: {
            str(n): Published(
                requires=[line() for _ in range(random.randrange(3))],
                metadata_requires_python=random.choice((None,) * 9 + ("<3.13", "<3")),
            )
            for n in range(1, random.randrange(4, 10))
        }
        for name in names
    }
    source = MemorySource(projects)
    roots = ["a", "b", line()]
    points = LATTICE.points()
    try:
        resolution = answer(source, *roots)
    except ResolutionError:
        assert not all(is_satisfiable(source, roots, point.markers) for point in points)
        return
    for point in points:
        selection, problems = selected(resolution, point.markers)
        assert not problems
        assert not problems_with(source, roots, selection, point.markers)
