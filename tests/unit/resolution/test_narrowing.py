"""The setting that a hint names leaves out what it says, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import tomli

from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.narrowing import way_without
from pyvstore.resolution.universe import Universe

LATTICE = Lattice(requires_python=">=3.10")
LINUX = Lattice(requires_python=">=3.10", environments=("sys_platform == 'linux'", "platform_machine == 'arm64'"))
MUSL = Lattice(requires_python=">=3.13", platforms=("linux-x86_64", "linux-x86_64-musl", "windows-x86_64"))
AXIS = Lattice(requires_python=">=3.10", conflicts=(("extra:cpu", "extra:cuda"),))
CUT = LATTICE.refined({"3.12.4"})

WAYS = {
    "the oldest Pythons": (LATTICE, "python_version < '3.12'", 'requires-python = ">=3.12"'),
    "the newest Python": (LATTICE, "python_version >= '3.14'", 'requires-python = ">=3.10,<3.14"'),
    "both ends": (
        LATTICE,
        "python_version < '3.11' or python_version > '3.12'",
        'requires-python = ">=3.11,<3.13"',
    ),
    "what was bounded before": (
        replace(LATTICE, requires_python=">=3.10,!=3.11.*,<3.14"),
        "python_version >= '3.13'",
        'requires-python = ">=3.10,!=3.11.*,<3.13"',
    ),
    "a compatible release": (
        replace(LATTICE, requires_python="~=3.10"),
        "python_version < '3.12'",
        'requires-python = ">=3.12,~=3.10"',
    ),
    "no bound at all": (replace(LATTICE, requires_python=""), "python_version < '3.9'", 'requires-python = ">=3.9"'),
    "patch releases": (CUT, "python_full_version < '3.12.4'", 'requires-python = ">=3.12.4"'),
    "a Python in the middle": (LATTICE, "python_version == '3.12'", "environments = [\"python_version != '3.12'\"]"),
    "a platform": (
        LATTICE,
        "sys_platform == 'win32'",
        'platforms = ["linux-x86_64", "linux-aarch64", "macos-arm64", "macos-x86_64"]',
    ),
    "a corner": (
        replace(LATTICE, requires_python=">=3.10,<3.15"),
        "sys_platform == 'win32' and python_version == '3.14'",
        "environments = [\"python_version < '3.14' or sys_platform != 'win32'\"]",
    ),
    "a corner of what was narrowed before": (
        replace(LINUX, requires_python=f"{LINUX.requires_python},<3.15"),
        "sys_platform == 'linux' and python_version == '3.14'",
        (
            """environments = ["sys_platform == 'linux' and (python_version < '3.14' or sys_platform == 'darwin')", """
            """"platform_machine == 'arm64' and (python_version < '3.14' or sys_platform == 'darwin')"]"""
        ),
    ),
    "a Python with one of several parts": (
        AXIS,
        "python_version < '3.12' and 'cuda' in extras",
        'requires-python = ">=3.12"',
    ),
}


def settings_in(way: str) -> dict[str, object]:
    found = re.search(r"`([^`]*)`", way)
    assert found is not None
    return tomli.loads(found[1])


@pytest.mark.parametrize("what", WAYS)
def test_the_setting_leaves_out_what_fails_and_nothing_else(what: str) -> None:
    lattice, failing, expected = WAYS[what]
    universe = Universe.of(lattice)
    mask = universe.lock_marker_mask(failing)
    way = way_without(universe, mask)
    assert way is not None
    assert f"`{expected}`" in way
    values = {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in settings_in(way).items()
    }
    left = Universe.of(replace(lattice, **values))  # type: ignore[arg-type]
    dropped = universe.everywhere_like(mask)
    expected_points = [
        (dict(point.markers), point.tags)
        for position, point in enumerate(universe.points)
        if not dropped >> position & 1
    ]
    assert [(dict(point.markers), point.tags) for point in left.points] == expected_points


def test_a_c_library_is_left_out_by_its_platform() -> None:
    universe = Universe.of(MUSL)
    mask = sum(1 << position for position, name in enumerate(universe.machines) if name.endswith("-musl"))
    assert way_without(universe, mask) == (
        'leave linux-x86_64-musl out with `platforms = ["linux-x86_64", "windows-x86_64"]` in [tool.pyvstore]'
    )
    some = mask & universe.marker_mask("python_version == '3.14'")
    assert way_without(universe, some) is None  # no marker tells it from the other C library


def test_there_is_no_way_where_nothing_would_be_left() -> None:
    universe = Universe.of(LATTICE)
    assert way_without(universe, universe.full) is None
    assert way_without(Universe(universe.points), 1) is None


def test_machines_of_one_system_are_told_by_its_name() -> None:
    universe = Universe.of(LATTICE)
    everywhere_but_windows = universe.marker_mask("sys_platform != 'win32'")
    assert universe.describe(everywhere_but_windows).endswith(" on linux, macos")
    assert universe.describe(universe.marker_mask("platform_machine == 'x86_64'")).endswith(
        " on linux-x86_64, macos-x86_64"
    )
