"""The path of every day is light: what it imports, what it asks of the system, what an environment costs."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal

NAMES = [f"pack{number}" for number in range(9)]
LINKS_OF_ONE = len(["folder", "module", "part of the namespace", "METADATA", "WHEEL", "entry_points.txt", "RECORD"])
START = "import sys; from pyvstore.cli.entry import main; sys.argv = ['pyvstore', *sys.argv[1:]]; main()"

OURS = {"pyvstore", "pyvstore.cli", "pyvstore.cli.entry", "pyvstore.glance"}
STANDARD = {"__future__", "collections", "copyreg", "enum", "functools", "hashlib", "itertools", "json", "keyword"} | {
    *("operator", "re", "reprlib", "types", "sre_compile", "sre_parse", "sre_constants", "errno"),
}
HEAVY = {"typer", "click", "rich", "httpx", "resolvelib", "tomlkit", "tomli", "packaging", "dataclasses", "typing"} | {
    *("subprocess", "ssl", "socket", "threading", "platformdirs", "pathlib", "inspect", "contextlib", "shutil"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = tmp_path_factory.mktemp("light")
    with LoopbackIndex() as index:
        for name in NAMES:
            files = {f"{name}/__init__.py": "", f"{name}/deep/data.txt": "x", f"{name}_one.py": "", "space/" + name: ""}
            scripts = {"console_scripts": {name: f"{name}:main"}}
            index.add(*build_wheel(name, files=files, entry_points=scripts))
        world = World(place, index)
        world.run("add", *NAMES)
        yield world
    unseal(place)


def imported(world: World, *words: str) -> set[str]:
    """Return the modules that a command imports beyond those of a bare Python."""

    def listed(code: str, *arguments: str) -> set[str]:
        result = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", code, *arguments],
            cwd=world.project,
            env=world.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", result.stderr, re.MULTILINE))

    found = listed(START, *words)
    assert "pyvstore.cli.entry" in found
    return found - listed("pass")


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (("sync",), OURS | {"pyvstore.cli.console"}),
        (("-q", "sync"), OURS),
        (("run", "true"), OURS | {"pyvstore.ops", "pyvstore.ops.launch"}),
        (("run", "--", "true"), OURS | {"pyvstore.ops", "pyvstore.ops.launch"}),
    ],
)
def test_the_path_of_every_day_imports_only_what_it_needs(world: World, words: tuple[str, ...], ours: set[str]) -> None:
    found = imported(world, *words)
    assert {name for name in found if name.partition(".")[0] == "pyvstore"} == ours
    tops = {name.partition(".")[0] for name in found}
    assert {name for name in tops if not name.startswith("_")} - {"pyvstore"} <= STANDARD
    assert not tops & HEAVY
    assert len(found) <= 45, sorted(found)


def test_a_run_that_takes_the_long_way_imports_no_typer_or_resolver_either(world: World) -> None:
    (world.site / "pack0").unlink()
    found = {name.partition(".")[0] for name in imported(world, "relink")}
    assert not found & {"typer", "click", "rich", "httpx", "resolvelib", "tomlkit", "http", "ssl"}
    assert world.python("import pack0; print('mended')") == "mended"


@pytest.mark.parametrize("words", [("lock",), ("lock", "--check")])
def test_a_lock_that_is_up_to_date_imports_no_typer_client_or_resolver(world: World, words: tuple[str, ...]) -> None:
    found = imported(world, *words)
    assert not {name.partition(".")[0] for name in found} & {"typer", "click", "rich", "httpx", "resolvelib", "tomlkit"}
    assert not found & {"pyvstore.index.client", "pyvstore.resolution.engine", "pyvstore.wheel.archive"}


def other_project(world: World, name: str, packages: list[str]) -> World:
    """Return the same machine with another project that has ``packages``."""
    other = World.__new__(World)
    other.place, other.index, other.home, other.environ = world.place, world.index, world.home, world.environ
    other.project = world.place / name
    other.project.mkdir()
    other.run("add", *packages)
    return other


def calls_of(world: World, *words: str) -> list[tuple[str, str]]:
    """Return the system calls of a command as (name, first path), from the moment when it reads the state."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("there is no strace")
    log = world.place / "calls.txt"
    result = subprocess.run(
        [strace, "-f", "-qq", "-s", "500", "-o", log, sys.executable, "-m", "pyvstore", *words],
        cwd=world.project,
        env=world.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0 and "ptrace" in result.stderr:
        pytest.skip("strace may not trace here")
    assert result.returncode == 0, result.stderr
    calls = re.findall(r'^\d+ +(\w+)\([^"\n]*(?:"([^"]*)")?', log.read_text(errors="replace"), re.MULTILINE)
    first = next(at for at, (_, path) in enumerate(calls) if path.endswith("/.venv/pyvstore.json"))
    return calls[first:]


def farm_calls(world: World) -> tuple[Counter[str], int, dict[str, int]]:
    """Return calls on paths of the environment by kind, the number of files opened, and the sizes of the state."""
    world.run("sync")
    calls = calls_of(world, "sync")
    state = json.loads((world.venv / "pyvstore.json").read_text())
    looks = {"newfstatat": "stat", "stat": "stat", "lstat": "stat", "statx": "stat", "readlink": "readlink"}
    below = f"{world.venv}/"
    kinds = Counter(looks[name] for name, path in calls if name in looks and path.startswith(below))
    opens = sum(1 for name, path in calls if name in {"open", "openat"} and str(world.place) in path)
    return kinds, opens, {key: len(state[key]) for key in ("links", "files", "listings")}


def test_a_sync_with_nothing_to_do_makes_two_calls_a_link_and_opens_a_fixed_number_of_files(world: World) -> None:
    small = other_project(world, "small", NAMES[:2])
    found = [farm_calls(small), farm_calls(world)]
    for kinds, opens, sizes in found:
        assert kinds["readlink"] == sizes["links"]
        assert kinds["stat"] - sizes["links"] - sizes["files"] <= 1  # whether standard paths are there
        # the state, three inputs, the user's settings, and one listing
        assert opens <= 6
    assert found[0][1] == found[1][1]
    assert found[1][2]["links"] - found[0][2]["links"] == LINKS_OF_ONE * (len(NAMES) - 2)


def disk(prefix: Path) -> dict[str, set[str]]:
    """Return what is in an environment by kind."""
    kinds: dict[str, set[str]] = {"links": set(), "files": set(), "directories": set()}
    for path in prefix.rglob("*"):
        mode = path.lstat().st_mode
        kind = "links" if stat.S_ISLNK(mode) else "directories" if stat.S_ISDIR(mode) else "files"
        kinds[kind].add(path.relative_to(prefix).as_posix())
    return kinds


def test_a_second_environment_is_exactly_what_was_planned(world: World) -> None:
    second = World.__new__(World)
    second.place, second.index, second.home, second.environ = world.place, world.index, world.home, world.environ
    second.project = world.place / "second"
    second.project.mkdir()
    for name, content in world.files().items():
        (second.project / name).write_bytes(content)
    match = re.search(r"^Would change (\d+) paths$", second.run("sync", "--dry-run").err, re.MULTILINE)
    assert match is not None
    calls = Counter(name for name, _ in _changes(second))
    found = disk(second.venv)
    state = json.loads((second.venv / "pyvstore.json").read_text())
    assert found["files"] - {"pyvstore.json"} == set(state["files"])
    assert found["links"] == set(state["links"])
    assert found["directories"] == set(state["directories"])
    assert int(match[1]) == sum(map(len, found.values())) - 1
    assert found == disk(world.venv)
    packages = len(NAMES)
    site = [path for path in found["links"] if "/site-packages/" in path]
    assert len(site) == packages * LINKS_OF_ONE
    assert len([path for path in found["directories"] if "/site-packages/" in path]) == packages + 1
    own = {path for path in found["links"] if (second.venv / path).lstat().st_nlink == 1}
    assert own == set(found["links"]) - set(site)  # the links into the store are further names of its own links
    if calls:
        assert calls["symlink"] + calls["symlinkat"] == len(own)
        assert calls["mkdir"] + calls["mkdirat"] == len(found["directories"]) + 1


def _changes(world: World) -> list[tuple[str, str]]:
    if shutil.which("strace") is None:
        world.run("sync")
        return []
    log = world.place / "changes.txt"
    command = ["strace", "-f", "-qq", "-s", "500", "-o", str(log), sys.executable, "-m", "pyvstore", "sync"]
    result = subprocess.run(command, cwd=world.project, env=world.environ, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        world.run("sync")
        return []
    below = os.fspath(world.venv)
    calls = re.findall(r"^\d+ +(\w+)\((.*)\) += 0$", log.read_text(errors="replace"), re.MULTILINE)
    return [(name, arguments) for name, arguments in calls if f'"{below}' in arguments]
