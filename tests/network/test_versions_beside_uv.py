"""Real projects: what uv locks otherwise than we do, point by point, and for each difference the rule behind it.

A project's ``differences.toml`` lists them. What is not in the list, and what no longer differs, fails.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from tests.network.machine import TOOLS, Machine
from tests.support.law import MACHINES, MINORS
from tests.support.pythons import real_pythons

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(path.parent for path in (ROOT / "fixtures" / "projects").glob("*/pyproject.toml"))
RULES = ROOT / "docs" / "explanation" / "resolution-differences.md"
SHORT = {"django-rest-service", "cuda-torch"}
PATCH = 30
_MARKED = ("sys_platform", "platform_machine", "implementation_name", "platform_python_implementation")

Difference = tuple[str, str, str]
"""A project, the version that we choose, and the one that uv chooses; "" for none."""


def listed(project: Path) -> dict[str, Any]:
    path = project / "differences.toml"
    return tomli.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_every_listed_difference_has_a_rule_that_is_explained(project: Path) -> None:
    headings = re.findall(r"^## (.*)$", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    for difference in listed(project).get("differences", ()):
        assert difference.keys() == {"package", "ours", "uv", "rule"}
        assert difference["rule"] in headings


@pytest.mark.network
@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_uv_chooses_the_same_versions_but_for_what_is_listed(machine: Machine, project: Path) -> None:
    if project.name not in SHORT and "PYVSTORE_TEST_LONG" not in os.environ:
        pytest.skip("a long test")
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    known = listed(project)
    (machine.project / "pyproject.toml").write_text(text)
    machine.pyvstore("lock")
    ours = tomli.loads((machine.project / "pylock.toml").read_text())
    theirs = lock_of_uv(machine, text, without=known.get("uv-without", ()))
    found: set[Difference] = set()
    for name, environment in points():
        mine, other = selected(ours, environment), selected(theirs, environment)
        assert (mine is None) == (
            not SpecifierSet(ours["requires-python"]).contains(environment["python_full_version"])
        )
        assert (other is None) == (mine is None or name in known.get("uv-without", ()))
        if mine is not None and other is not None:
            names = mine.keys() | other.keys()
            found |= {(one, mine.get(one, ""), other.get(one, "")) for one in names if mine.get(one) != other.get(one)}
    assert found == {(one["package"], one["ours"], one["uv"]) for one in known.get("differences", ())}


def points() -> Iterator[tuple[str, dict[str, str]]]:
    for machine in MACHINES:
        for minor in MINORS:
            full = f"3.{minor}.{PATCH}"
            python = {"python_version": f"3.{minor}", "python_full_version": full, "implementation_version": full}
            yield machine.name, {**dict(machine.markers), **python}


def selected(lock: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return the versions with all extras and groups, or None where the lock is not for ``environment``."""
    if not SpecifierSet(lock["requires-python"]).contains(environment["python_full_version"]):
        return None
    markers = lock.get("environments")
    if markers and not any(marker(text).evaluate(dict(environment)) for text in markers):
        return None
    parts = {
        "extras": frozenset(lock.get("extras", ())),
        "dependency_groups": frozenset(lock.get("dependency-groups", ())),
    }

    @cache
    def holds(text: str) -> bool:
        return not text or marker(text).evaluate({**environment, **parts}, "lock_file")

    return {
        package["name"]: package["version"]
        for package in lock["packages"]
        if "version" in package and holds(package.get("marker", ""))
    }


def lock_of_uv(machine: Machine, text: str, *, without: list[str]) -> dict[str, Any]:
    """Return what uv locks for the same machines, as a pylock file with everything in it."""
    project = machine.place / "uv"
    project.mkdir()
    table = tomli.loads(text)
    markers = [
        " and ".join(f"{name} == '{dict(one.markers)[name]}'" for name in _MARKED)
        for one in MACHINES
        if one.name not in without
    ]
    (project / "pyproject.toml").write_text(f"{text}\n[tool.uv]\npackage = false\nenvironments = {markers}\n")
    wanted = SpecifierSet(table["project"]["requires-python"])
    pythons = [path for path in (str(one.values[0]) for one in real_pythons()) if path and fits(path, wanted)]
    if not pythons:
        pytest.skip(f"uv needs a Python {wanted}")
    environ = machine.environ | {"UV_CACHE_DIR": str(machine.place / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    export = "--format pylock.toml --all-extras --all-groups --frozen --output-file pylock.toml"
    for words in (f"lock --exclude-newer {table['tool']['pyvstore']['exclude-newer']}", f"export {export}"):
        command = [str(TOOLS / "uv"), *words.split(), "--quiet", "--python", pythons[-1]]
        done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return tomli.loads((project / "pylock.toml").read_text())


def fits(path: str, wanted: SpecifierSet) -> bool:
    found = re.search(r"python(3\.\d+)$", path)
    return found is not None and wanted.contains(f"{found[1]}.{PATCH}")


marker = cache(Marker)
