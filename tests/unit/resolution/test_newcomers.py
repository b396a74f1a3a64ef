"""Pythons that nobody named: they get what the others get, or are left out; nothing is dug out for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from packaging.requirements import Requirement

from pyvstore.model.platforms import NEWEST_PYTHON
from pyvstore.ops.asking import policy_of
from pyvstore.requirements.settings import merge_settings
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import RootRequirement
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published

NEWEST, BEFORE = (f"3.{NEWEST_PYTHON[1] - back}" for back in (0, 1))
TAGS = {name: "cp{0}-cp{0}-manylinux_2_17_x86_64".format(name.replace(".", "")) for name in (NEWEST, BEFORE)}
Projects = Mapping[str, Mapping[str, Any]]


def answer(projects: Projects, *lines: str, requires_python: str) -> Resolution:
    lattice = Lattice(requires_python=requires_python, platforms=("linux-x86_64",))
    return resolve(
        [RootRequirement(requirement=Requirement(line)) for line in lines],
        universe=Universe.of(lattice),
        source=MemorySource(projects),
        policy=policy_of(merge_settings([]), lattice, offline=False),
    )


def told(resolution: Resolution) -> list[tuple[str, str, str | None]]:
    return [(package.name, package.version, package.marker) for package in resolution.packages]


COMPILED = {"fast": {"1": Published(tags=["py3-none-any"]), "2": Published(tags=[TAGS[BEFORE]])}}


def test_an_old_version_with_files_for_the_newest_python_is_not_dug_out() -> None:
    resolution = answer(COMPILED, "fast", requires_python=f">={BEFORE}")
    assert told(resolution) == [("fast", "2", None)]


def test_where_the_newest_python_was_named_it_gets_a_version_that_has_files_there() -> None:
    resolution = answer(COMPILED, "fast", requires_python=f">={BEFORE},<=3.{NEWEST_PYTHON[1]}.99")
    assert told(resolution) == [
        ("fast", "1", f"python_version == '{NEWEST}'"),
        ("fast", "2", f"python_version < '{NEWEST}'"),
    ]


def test_wheels_for_the_newest_python_are_locked_where_there_are_some() -> None:
    both = {"fast": {"1": Published(tags=[TAGS[BEFORE], TAGS[NEWEST]])}}
    (package,) = answer(both, "fast", requires_python=f">={BEFORE}").packages
    assert len(package.wheels) == 2
    assert not package.without_wheels


CAPPED = {
    "host": {"1": Published(), "2": Published(requires=["plugin"])},
    "plugin": {"1": Published(), "2": Published(requires_python=f"<{NEWEST}")},
}


def test_a_python_that_a_package_in_use_excludes_is_left_out_and_old_versions_stay_where_they_are() -> None:
    resolution = answer(CAPPED, "host", requires_python=f">={BEFORE}")
    assert told(resolution) == [("host", "2", None), ("plugin", "2", None)]
    assert resolution.left_out == (f"plugin is not for Python {NEWEST} on linux-x86_64",)
    assert resolution.covered != resolution.universe.full


def test_where_that_python_was_named_older_versions_serve_it() -> None:
    resolution = answer(CAPPED, "host", requires_python=f">={BEFORE},<=3.{NEWEST_PYTHON[1]}.99")
    assert ("plugin", "1", f"python_version == '{NEWEST}'") in told(resolution)
    assert not resolution.left_out


@pytest.mark.parametrize("marker", [f"python_version < '{NEWEST}'", f"python_version == '{BEFORE}'"])
def test_a_package_that_is_not_needed_there_leaves_no_python_out(marker: str) -> None:
    resolution = answer({**CAPPED, "fine": {"1": []}}, f"plugin; {marker}", "fine", requires_python=f">={BEFORE}")
    assert resolution.covered == resolution.universe.full
    assert ("plugin", "2", f"python_version < '{NEWEST}'") in told(resolution)


@pytest.mark.parametrize("bound", ["==2", "<3"])
def test_a_python_that_the_wanted_version_excludes_is_left_out_although_a_later_one_lets_it_in(bound: str) -> None:
    plugin = {**CAPPED["plugin"], "3": Published(requires_python=f"<3.{NEWEST_PYTHON[1] + 1}")}
    host = {"1": Published(), "2": Published(requires=[f"plugin{bound}"])}
    resolution = answer({"host": host, "plugin": plugin}, "host", requires_python=f">={BEFORE}")
    assert told(resolution) == [("host", "2", None), ("plugin", "2", None)]
    assert resolution.left_out == (f"plugin is not for Python {NEWEST} on linux-x86_64",)


def test_a_single_release_of_python_that_all_wanted_versions_exclude_is_left_out() -> None:
    hole = f"!={BEFORE}.1,>=3.8"
    projects = {
        "host": {"1": Published(), "2": Published(requires=["plugin==2"])},
        "plugin": {"1": Published(), "2": Published(requires_python=hole)},
    }
    resolution = answer(projects, "host", requires_python=f">=3.{NEWEST_PYTHON[1] - 2}")
    assert told(resolution) == [("host", "2", None), ("plugin", "2", None)]
    assert resolution.left_out == (f"plugin is not for Python {BEFORE}.1 on linux-x86_64",)
    loose = {**projects, "host": {"2": Published(requires=["plugin"])}}
    versions = {version for name, version, _ in told(answer(loose, "host", requires_python=">=3.12"))}
    assert versions == {"1", "2"}


def test_a_later_version_that_lets_it_in_again_is_what_counts() -> None:
    plugin = {**CAPPED["plugin"], "3": Published(requires_python=f"<3.{NEWEST_PYTHON[1] + 1}")}
    resolution = answer({**CAPPED, "plugin": plugin}, "host", requires_python=f">={BEFORE}")
    assert told(resolution) == [("host", "2", None), ("plugin", "3", None)]


def test_a_prerelease_or_a_withdrawn_version_excludes_nobody() -> None:
    plugin = {"1": Published(), "2": Published(requires_python=f"<{NEWEST}", yanked=True)} | {
        "3rc1": Published(requires_python=f"<{NEWEST}")
    }
    resolution = answer({"plugin": plugin}, "plugin", requires_python=f">={BEFORE}")
    assert told(resolution) == [("plugin", "1", None)]
    assert resolution.covered == resolution.universe.full
