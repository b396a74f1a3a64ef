"""What installed wheels require and do not find."""

from __future__ import annotations

import pytest
from packaging.utils import NormalizedName

from pyvstore.lockfile.unmet import Installed, unmet_requirements
from tests.unit.lockfile.samples import LINUX


def wheel(name: str, version: str = "1.0", *requires: str, python: str | None = None) -> Installed:
    return Installed(name=NormalizedName(name), version=version, requires_dist=requires, requires_python=python)


def told(*wheels: Installed, exempt: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{item.dependent} wants {item.requirement}, has {item.found}"
        for item in unmet_requirements(wheels, LINUX, exempt=frozenset(map(NormalizedName, exempt)))
    ]


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ([], []),
        (["b"], []),
        (["B >=1.0,<2"], []),
        (["b[extra]==1.0"], []),
        (["b>=0.9b1"], []),
        (["a>=9"], []),  # of itself
        (["b>=2"], ["a 1.0 wants b>=2, has 1.0"]),
        (["missing"], ["a 1.0 wants missing, has None"]),
        (["Miss.ing[x] >=1"], ["a 1.0 wants miss-ing[x]>=1, has None"]),
        (["missing; sys_platform == 'linux'"], ["a 1.0 wants missing, has None"]),
        (["missing; python_full_version >= '3.12.1'"], ["a 1.0 wants missing, has None"]),
        (["missing; sys_platform == 'win32'"], []),
        (["missing; python_version < '3.12'"], []),
        (["missing; extra == 'x'"], []),
        (["missing; extra == 'x' or sys_platform == 'linux'"], ["a 1.0 wants missing, has None"]),
        (["missing @ https://example.org/x.whl"], ["a 1.0 wants missing @ https://example.org/x.whl, has None"]),
        (["b @ https://example.org/x.whl"], []),
        (["not a requirement", "missing; nonsense == '1'", "missing; 'dev' in dependency_groups"], []),
        (["missing", "b>=2", "missing"], ["a 1.0 wants missing, has None", "a 1.0 wants b>=2, has 1.0"]),
    ],
)
def test_a_requirement_that_holds_here_has_to_be_met_here(requires: list[str], expected: list[str]) -> None:
    assert told(wheel("a", "1.0", *requires), wheel("b")) == expected


def test_a_prerelease_that_is_there_is_good_enough() -> None:
    assert told(wheel("a", "1.0", "b>=1"), wheel("b", "2.0rc1")) == []


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (None, []),
        (">=3.8", []),
        ("nonsense", []),
        (">=3.13", ["a 1.0 wants Python >=3.13, has 3.12.1"]),
        ("<3.12", ["a 1.0 wants Python <3.12, has 3.12.1"]),
    ],
)
def test_the_python_has_to_be_one_that_the_wheel_is_for(python: str | None, expected: list[str]) -> None:
    assert told(wheel("a", python=python)) == expected


def test_what_the_user_replaced_or_dropped_is_not_missed() -> None:
    assert told(wheel("a", "1.0", "b>=2", "missing"), wheel("b"), exempt=("b", "missing")) == []
