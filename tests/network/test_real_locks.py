"""Real projects: what is locked for them obeys the law, in every environment and for every part."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
import tomli
from packaging.utils import NormalizedName

from pyvstore.index.client import IndexClient
from pyvstore.index.source import IndexSource
from pyvstore.index.spec import IndexSpec
from pyvstore.requirements.indexes import PUBLIC_INDEX_URL
from tests.network.machine import Machine
from tests.support.law import Facts, breaches

PROJECTS = sorted(
    path.parent for path in (Path(__file__).parents[2] / "fixtures" / "projects").glob("*/pyproject.toml")
)
SHORT = {"command-line-tool", "django-rest-service"}

pytestmark = pytest.mark.network


def test_there_are_ten_projects_with_a_hundred_requirements() -> None:
    lines = 0
    for project in PROJECTS:
        table = tomli.loads((project / "pyproject.toml").read_text())
        assert "exclude-newer" in table["tool"]["pyvstore"], project.name
        lists = [table["project"].get("dependencies", [])]
        lists += [*table["project"].get("optional-dependencies", {}).values()]
        lists += [*table.get("dependency-groups", {}).values()]
        lines += sum(isinstance(line, str) for found in lists for line in found)
    assert len(PROJECTS) >= 10
    assert lines >= 100


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_the_lock_of_a_real_project_obeys_the_law(machine: Machine, project: Path) -> None:
    if project.name not in SHORT and "PYVSTORE_TEST_LONG" not in os.environ:
        pytest.skip("a long test")
    text = (project / "pyproject.toml").read_text()
    (machine.project / "pyproject.toml").write_text(text)
    said = machine.pyvstore("lock")
    lock = tomli.loads((machine.project / "pylock.toml").read_text())
    index = IndexSpec(url=PUBLIC_INDEX_URL, name="public")
    with IndexClient(index, str(machine.home / "v1" / "index")) as client, IndexSource(client) as source:

        @cache
        def known(name: str, version: str) -> Facts:
            releases = source.releases(NormalizedName(name))
            metadata = source.metadata(next(one for one in releases if str(one.version) == version))
            return Facts(metadata.requires_dist, metadata.requires_python or "")

        found = breaches(lock, tomli.loads(text), lambda package: known(package["name"], package["version"]))
    # Where a package has no file for some machine, locking said so.
    assert [breach for breach in found if not breach.startswith("no file of ")] == []
    assert all(breach.split()[3] in said for breach in found)
    path = machine.project / "pylock.toml"
    before = path.read_bytes()
    path.unlink()
    machine.pyvstore("lock")
    assert path.read_bytes() == before
