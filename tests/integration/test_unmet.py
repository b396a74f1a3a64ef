"""Wheels of one version that disagree: the lock is made by one, and another is installed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.projects import format_project, offer
from tests.support.world import Outcome, World

HERE_TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}-none-any"


def write(world: World, dependencies: list[str], settings: str = "") -> None:
    (world.project / "pyproject.toml").write_text(format_project(dependencies, settings=settings))


@pytest.fixture
def twofold(world: World, index: LoopbackIndex) -> World:
    """A release whose wheel for this Python requires more than the one that locks are made by."""
    offer(index, "lib", "1.5", "2.0")
    offer(index, "tool", "1.0")
    offer(index, "twofold", "1.0")
    wanted = ["lib>=2; python_version >= '3'", "tool; sys_platform == 'none'", "absent[x]>=3"]
    offer(index, "twofold", "1.0", tag=HERE_TAG, requires=wanted)
    write(world, ["twofold", "lib<2"])
    return world


def unmet(outcome: Outcome) -> list[str]:
    return [line for line in outcome.err.splitlines() if line.startswith("warning[unmet-requirement]")]


@pytest.mark.usefixtures("twofold")
def test_a_wheel_that_requires_more_than_the_lock_knows_is_told_of_once(inside: Callable[..., Outcome]) -> None:
    missing, wrong = sorted(unmet(inside("sync")))
    assert "the wheel of twofold 1.0 wants absent[x]>=3, and the environment has none" in missing
    assert "require it yourself (`pyvstore add 'absent[x]>=3'`), or another version of twofold" in missing
    assert "the wheel of twofold 1.0 wants lib>=2, and the environment has 1.5" in wrong
    assert unmet(inside("sync")) == []
    assert unmet(inside("sync", "--frozen")) == []
    assert unmet(inside("add", "tool")) == []  # another change, and still no news


def test_no_command_is_advised_that_a_shell_would_read_otherwise(
    world: World, index: LoopbackIndex, inside: Callable[..., Outcome]
) -> None:
    offer(index, "twofold", "1.0")
    offer(
        index, "twofold", "1.0", tag=HERE_TAG, requires=["absent===1'|reboot|'", "far @ https://x.example/'|reboot|'"]
    )
    write(world, ["twofold"])
    found = unmet(inside("sync"))
    assert len(found) == 2
    assert not any("pyvstore add" in line for line in found)


def test_an_environment_made_anew_is_told_of_it_anew(twofold: World, inside: Callable[..., Outcome]) -> None:
    assert len(unmet(inside("add", "tool"))) == 2
    shutil.rmtree(twofold.venv)
    assert len(unmet(inside("sync", "--frozen"))) == 2


@pytest.mark.parametrize("settings", ['exclude = ["lib", "absent"]', 'exclude = ["absent"]\noverrides = ["lib<2"]'])
def test_what_the_user_replaced_is_no_reason_to_warn(
    twofold: World, inside: Callable[..., Outcome], settings: str
) -> None:
    write(twofold, ["twofold", "lib<2"], settings)
    assert unmet(inside("sync")) == []
