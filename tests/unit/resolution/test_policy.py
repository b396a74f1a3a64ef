"""What a source distribution is worth, release by release."""

from __future__ import annotations

import pytest
from packaging.utils import NormalizedName

from pyvstore.events import SILENT
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Builds, Policy, always, in_the_end
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published

BOTH, HERE, NONE = 0b11, 0b01, 0
LINUX_WHEEL, MAC_WHEEL = "py3-none-manylinux2014_x86_64", "py3-none-macosx_11_0_arm64"
UNIVERSE = Universe.of(Lattice(requires_python="==3.12.*", platforms=("linux-x86_64", "windows-x86_64")))
NAME = NormalizedName("a")


@pytest.mark.parametrize(
    ("tags", "sdist", "never", "last", "allowed"),
    [
        ((), False, NONE, NONE, NONE),
        ((), True, NONE, NONE, BOTH),
        ((LINUX_WHEEL,), False, HERE, HERE, HERE),
        ((LINUX_WHEEL,), True, HERE, BOTH, BOTH),
        ((MAC_WHEEL,), True, NONE, NONE, BOTH),
        (("py3-none-any",), True, BOTH, BOTH, BOTH),
    ],
)
def test_a_source_distribution_serves_where_it_may(
    tags: tuple[str, ...], sdist: bool, never: int, last: int, allowed: int
) -> None:
    for builds, expected in ((Builds.NEVER, never), (Builds.LAST, last), (Builds.ALLOWED, allowed)):
        catalogue = Catalogue(
            source=MemorySource({"a": {"1": Published(tags=tags, sdist=sdist)}}),
            universe=UNIVERSE,
            policy=Policy(builds=lambda _name, builds=builds: builds),  # type: ignore[misc]
            reporter=SILENT,
        )
        offering = catalogue.offering(NAME)
        assert offering is not None
        assert catalogue.appraise(offering, 0).files == expected, builds
        assert catalogue.is_source_only(offering, 0) == (sdist and builds is not Builds.NEVER), builds


@pytest.mark.parametrize("sdist_python", [None, ">=3.13"])
def test_a_source_distribution_is_for_the_pythons_that_it_says(sdist_python: str | None) -> None:
    source = MemorySource({"a": {"1": Published(tags=(), sdist=True, requires_python=sdist_python)}})
    policy = Policy(builds=lambda _name: Builds.ALLOWED)
    catalogue = Catalogue(source=source, universe=UNIVERSE, policy=policy, reporter=SILENT)
    offering = catalogue.offering(NAME)
    assert offering is not None
    assert catalogue.appraise(offering, 0).files == (NONE if sdist_python else BOTH)


def test_without_a_word_sources_come_last_and_wheels_count() -> None:
    assert (Policy().builds(NAME), Policy().wheels_allowed(NAME)) == (Builds.LAST, True)
    assert (in_the_end(NAME), always(NAME)) == (Builds.LAST, True)
