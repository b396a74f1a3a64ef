"""What the command line locks obeys the law, and the law has teeth."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import tomli

from tests.support.law import Facts, breaches
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World

PYPROJECT = """
[project]
name = "project"
version = "1"
requires-python = ">=3.11"
dependencies = ["top[more]", "old; python_version < '3.12'"]
[project.optional-dependencies]
x = ["native"]
all = ["project[x]"]
[dependency-groups]
test = ["tester"]
dev = [{ include-group = "test" }, "linter; sys_platform == 'win32'"]
[tool.pyvstore]
package = false
"""
FACTS = {
    "top": Facts(("base>=1", "extension; extra == 'more'", "wine; sys_platform == 'win32'")),
    "base": Facts((), ">=3.8"),
    "extension": Facts(("base<3",)),
    "wine": Facts(),
    "old": Facts((), "<3.12"),
    "native": Facts(),
    "tester": Facts(("top",)),
    "linter": Facts(),
}
Lock = dict[str, Any]


def facts(package: Mapping[str, Any]) -> Facts:
    return FACTS[package["name"]]


@pytest.fixture
def lock(world: World, index: LoopbackIndex) -> Lock:
    for name, known in FACTS.items():
        tag = "cp311-abi3-win_amd64" if name == "wine" else "py3-none-any"
        python = known.requires_python or None
        plain = [line for line in known.requires_dist if "extra ==" not in line]
        extras = {"more": ["extension"]} if name == "top" else None
        index.add(*build_wheel(name, "2", requires=plain, extras=extras, requires_python=python, tag=tag))
    (world.project / "pyproject.toml").write_text(PYPROJECT)
    world.run("lock")
    return tomli.loads((world.project / "pylock.toml").read_text())


def test_a_lock_obeys_the_law_and_each_breach_of_it_is_seen(lock: Lock) -> None:
    project = tomli.loads(PYPROJECT)
    assert breaches(lock, project, facts) == []

    def seen(broken_name: str, **changes: Any) -> str:
        broken = copy.deepcopy(lock)
        package = next(package for package in broken["packages"] if package["name"] == broken_name)
        package.update(changes)
        return "\n".join(breaches(broken, project, facts))

    assert "top 2 misses base>=1" in seen("base", name="tester")
    assert "tester is there twice" in seen("base", name="tester")
    assert "base 3 does not satisfy base<3 of extension 2" in seen("base", version="3")
    assert "old 2 excludes this Python on linux-x86_64 3.13.0" in seen("old", marker="python_version > '3'")
    assert "nobody asks for wine on macos-arm64" in seen("wine", marker="python_version > '3'")
    assert "no file of base 2 on windows-x86_64" in seen("base", wheels=[{"name": "base-2-py3-none-linux_x86_64.whl"}])
    assert breaches({**lock, "environments": ["os_name == 'java'"]}, project, facts) == ["no environment is covered"]


def test_locking_twice_and_reordering_requirements_give_the_same_packages(world: World, lock: Lock) -> None:
    path = world.project / "pylock.toml"
    before = path.read_bytes()
    path.unlink()
    world.run("lock")
    assert path.read_bytes() == before
    line = '"top[more]", "old; python_version < \'3.12\'"'
    (world.project / "pyproject.toml").write_text(PYPROJECT.replace(line, ", ".join(reversed(line.split(", ")))))
    path.unlink()
    world.run("lock")
    assert tomli.loads(path.read_text())["packages"] == lock["packages"]
