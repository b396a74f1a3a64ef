"""Modes, users and homes: who may what, and that the umask decides nothing."""

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.world import World, unseal

NOBODY = 65534


def modes(world: World) -> dict[str, str]:
    found = {}
    for path in world.place.rglob("*"):
        if not path.is_symlink():
            name = re.sub(r"[0-9a-f]{12,}", "…", str(path.relative_to(world.place)))
            found[name] = oct(stat.S_IMODE(path.lstat().st_mode))
    return found


@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077, 0o777])
def test_the_umask_decides_no_mode(tmp_path: Path, index: LoopbackIndex, umask: int) -> None:
    found = []
    for place, mask in ((tmp_path / "usual", 0o022), (tmp_path / "odd", umask)):
        world = World(place, index)
        world.umask = mask
        world.run("add", "alpha")
        found.append(modes(world))
        unseal(place)
    assert found[1] == found[0]
    assert found[0]["project/pyproject.toml"] == found[0]["store-home/v1/locks/store"] == "0o644"


@pytest.fixture
def ordinary(index: LoopbackIndex) -> Iterator[World]:
    """A world whose commands an ordinary user runs, who owns the project's parent and nothing else."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("becoming somebody else needs root")
    place = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    place.chmod(0o755)
    world = World(place / "world", index)
    world.user = NOBODY
    for path in (world.place, world.project):
        os.chown(path, NOBODY, NOBODY)
    world.executable = python_for_everybody(world)
    yield world
    unseal(place)
    shutil.rmtree(place)


def python_for_everybody(world: World) -> str:
    """Return a Python that runs the command line for others too; root's own is often out of their reach."""
    for place in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            world.executable = place
            if world.try_run("store", "path").status == 0:
                return place
    pytest.skip("an ordinary user cannot start any Python here")


def test_a_project_that_is_not_ones_own_is_refused_and_unchanged(ordinary: World) -> None:
    os.chown(ordinary.project, 0, 0)
    outcome = ordinary.fail("add", "alpha", code="project-unwritable")
    assert f"hint: make {ordinary.project} writable" in outcome.err
    assert os.listdir(ordinary.project) == []


def test_an_environment_that_is_not_ones_own_is_refused_and_unchanged(ordinary: World) -> None:
    ordinary.run("add", "alpha")
    shutil.rmtree(ordinary.venv)
    os.chown(ordinary.project, 0, 0)
    ordinary.fail("sync", code="farm-write")
    ordinary.fail("relink", code="farm-write")
    assert sorted(os.listdir(ordinary.project)) == ["pylock.toml", "pyproject.toml"]


def test_anothers_store_is_not_written_and_the_refusal_says_what_to_set(ordinary: World) -> None:
    ordinary.run("add", "alpha")
    shutil.rmtree(ordinary.venv)
    for path in (ordinary.home, *ordinary.home.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    for command in (["sync"], ["relink"], ["add", "gamma"]):
        assert "hint: set PYVSTORE_HOME" in ordinary.fail(*command, code="store-write").err
    assert not ordinary.venv.exists()
    ordinary.run("sync", PYVSTORE_HOME=str(ordinary.place / "mine"))


def test_entries_that_root_made_are_used_and_others_added_beside_them(ordinary: World) -> None:
    ordinary.run("add", "alpha")
    shutil.rmtree(ordinary.venv)
    for path in (ordinary.home / "v1" / "entries").rglob("*"):
        os.chown(path, 0, 0, follow_symlinks=False)
    ordinary.run("sync")
    ordinary.run("add", "gamma")


def test_a_store_in_a_closed_place_is_refused(ordinary: World) -> None:
    closed = ordinary.place / "closed"
    closed.mkdir(mode=0o700)
    ordinary.fail("add", "alpha", code="store-write", PYVSTORE_HOME=str(closed / "store"))
    assert os.listdir(ordinary.project) == []


@pytest.mark.parametrize("home", ["", "/nonexistent", "/root", "/dev/null"])
def test_without_a_home_of_ones_own_a_store_elsewhere_is_enough(ordinary: World, home: str) -> None:
    store = ordinary.environ.pop("PYVSTORE_HOME")
    outcome = ordinary.try_run("add", "alpha", HOME=home)
    assert outcome.status == 1
    assert re.search(r"error\[store(-write)?\]", outcome.err)
    assert "hint: " in outcome.err
    ordinary.run("add", "alpha", HOME=home, PYVSTORE_HOME=store)
