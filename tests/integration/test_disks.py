"""Real file systems that are full, out of inodes, or read-only. Mounting needs root; elsewhere these are skipped."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal


def mount(*words: str | Path) -> None:
    result = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {result.stderr.strip()}")


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex, mounted: object) -> Iterator[World]:  # noqa: ARG001 - unmounted after it
    yield World(tmp_path, index)
    unmount_below(tmp_path)
    unseal(tmp_path)


def unmount_below(place: Path) -> None:
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()[::-1]:
        if line.split()[1].startswith(f"{place}/"):
            subprocess.run(["umount", "-l", line.split()[1]], check=True)


@pytest.fixture
def mounted() -> Callable[[Path, str], None]:
    """Give a function that mounts a small file system."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root")

    def small(place: Path, options: str) -> None:
        place.mkdir(exist_ok=True)
        mount("-t", "tmpfs", "-o", options, "tmpfs", place)

    return small


@pytest.fixture
def large(index: LoopbackIndex, world: World) -> World:
    text = os.urandom(150_000).hex()
    files = {"large/__init__.py": "", "large/data.txt": text, **{f"large/m{n}.py": "x = 1\n" for n in range(40)}}
    index.add(*build_wheel("large", "1.0", files=files))
    return world


@pytest.mark.parametrize(
    ("shelf", "options"),
    [
        ("store-home", "size=64k"),
        ("store-home", "size=400k"),
        ("store-home", "nr_inodes=8"),
        ("store-home", "nr_inodes=14"),
        ("store-home", "nr_inodes=40"),
        ("project", "nr_inodes=4"),
        ("project", "nr_inodes=10"),
        ("project", "nr_inodes=20"),
        ("project", "size=8k"),
    ],
)
def test_a_full_disk_ends_in_an_error_and_the_same_command_goes_on_when_there_is_room(
    large: World, mounted: Callable[[Path, str], None], shelf: str, options: str
) -> None:
    world, place = large, large.place / shelf
    mounted(place, options)
    before = world.files()
    outcome = world.try_run("add", "large")
    assert outcome.status == 1, outcome.err
    assert "error[" in outcome.err
    assert "error[internal]" not in outcome.err
    assert "hint: free some space or some inodes" in outcome.err or "could not be put back" in outcome.err
    assert world.files() == before or len(world.files()) == 2
    for name in ("stage", "tmp"):
        assert not (world.home / "v1" / name).exists() or os.listdir(world.home / "v1" / name) == []
    mount("-o", "remount,size=20m,nr_inodes=5000", place)
    world.run("add", "large")
    assert world.python("import large; print('whole')") == "whole"


def read_only(place: Path) -> None:
    mount("--bind", place, place)
    mount("-o", "remount,ro,bind", place)


def test_a_read_only_store_that_has_everything_is_enough_for_a_new_project(world: World) -> None:
    world.run("add", "alpha", "gamma")
    files = world.files()
    read_only(world.home)
    world.project = world.place / "second"
    world.project.mkdir()
    for name, content in files.items():
        (world.project / name).write_bytes(content)
    assert "linked 3" in world.run("sync").err
    assert world.run("run", "beta").out == "beta speaks\n"
    shutil.rmtree(world.venv)
    world.run("relink")
    assert world.python("import alpha, gamma; print('linked')") == "linked"
    world.fail("add", "picky", code="store-write")
    assert world.files() == files


def test_a_read_only_project_is_checked_and_run_where_nothing_is_to_be_done(world: World) -> None:
    world.run("add", "alpha")
    read_only(world.project)
    for command in (["sync"], ["sync", "--frozen"], ["relink"], ["lock"], ["run", "beta"]):
        world.run(*command)
    world.fail("add", "gamma", code="project-unwritable")
    world.fail("remove", "alpha", code="project-unwritable")
