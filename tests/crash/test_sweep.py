"""A crash sweep: kill before every change of the disk, look, run again.

After each death: no half entry is visible, and the same command run again ends as if nothing had happened: the same
pyproject.toml and pylock.toml, the same farm, nothing left behind. The short form tries a spread of the kill points;
`PYVSTORE_TEST_LONG=1` tries all of them.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyvstore.store.layout import MANIFEST_NAME
from pyvstore.wheel.manifest_format import parse_manifest_rows
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import unseal

KILLER = str(Path(__file__).with_name("killer.py"))
IS_LONG = bool(os.environ.get("PYVSTORE_TEST_LONG"))
SHORT_POINTS = 14


@pytest.fixture(scope="module")
def index() -> Iterator[LoopbackIndex]:
    with LoopbackIndex() as server:
        server.add(*build_wheel("alpha", "1.0", files={"alpha/__init__.py": "import beta\n"}, requires=["beta"]))
        server.add(
            *build_wheel(
                "beta",
                "2.0",
                files={"beta/__init__.py": "", "space/part/__init__.py": ""},
                entry_points={"console_scripts": {"beta": "beta:main"}},
            )
        )
        server.add(*build_wheel("gamma", "3.0", files={"gamma.py": "", "space/other/__init__.py": ""}))
        yield server


class World:
    """A project and a store of their own, copied from a template so that each death starts from the same place."""

    def __init__(self, place: Path, index: LoopbackIndex) -> None:
        self.place = place
        self.project = place / "project"
        self.home = place / "home"
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(place),
            "PYVSTORE_HOME": str(self.home),
            "PYVSTORE_INDEX_URL": index.url,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def run(self, *command: str, kill_at: int = -1) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, KILLER, str(kill_at), *command],
            cwd=self.project,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def changes(self, *command: str) -> int:
        result = self.run(*command, kill_at=0)
        assert result.returncode == 0, result.stderr
        match = re.search(r"changes: (\d+)", result.stderr)
        assert match is not None
        return int(match[1])

    def check_store(self) -> None:
        """Every visible entry is complete."""
        for entry in (self.home / "v1" / "entries").glob("*"):
            lines = (entry / MANIFEST_NAME).read_bytes().splitlines()
            for row in parse_manifest_rows(lines[1]):
                assert hashlib.sha256((entry / row.path).read_bytes()).hexdigest() == row.sha256

    def check_tidy(self) -> None:
        """Nothing is left of what was under way."""
        # What is only remembered (pages, Pythons, selections) is swept when it is old: others may be writing it.
        remembered = [self.home / "v1" / shelf for shelf in ("index", "interpreters", "selections")]
        left = [path for path in self.place.rglob("*.pyvstore-tmp") if not any(map(path.is_relative_to, remembered))]
        assert left == []
        assert list((self.home / "v1" / "stage").iterdir()) == []
        assert list((self.home / "v1" / "tmp").iterdir()) == []
        assert not (self.project / ".pyvstore-journal").exists()
        assert not (self.project / ".venv" / "displaced").exists()

    def farm(self) -> dict[str, str]:
        """Every path of the environment but those whose content tells the place or the time."""
        farm = {}
        root = self.project / ".venv"
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            if "__pycache__" in name or name == "pyvstore.json":
                continue
            if path.is_symlink():
                farm[name] = os.readlink(path).replace(str(self.place), "")
            elif path.is_file():
                farm[name] = path.read_text().replace(str(self.place), "")
            else:
                farm[name] = "directory"
        return farm

    def imports(self, module: str) -> bool:
        python = self.project / ".venv" / "bin" / "python"
        return subprocess.run([python, "-c", f"import {module}"], check=False).returncode == 0


def copy(template: World, place: Path, index: LoopbackIndex) -> World:
    # The store is copied with its modes; links in the farm name the old place, as after a move.
    shutil.copytree(template.place, place, symlinks=True)
    return World(place, index)


def points(total: int) -> list[int]:
    if IS_LONG or total <= SHORT_POINTS:
        return list(range(1, total + 1))
    return sorted({1 + round(step * (total - 1) / (SHORT_POINTS - 1)) for step in range(SHORT_POINTS)})


@pytest.fixture
def cleanup(tmp_path: Path) -> Iterator[None]:
    yield
    unseal(tmp_path)


def sweep(tmp_path: Path, index: LoopbackIndex, before: list[list[str]], command: list[str], module: str) -> None:
    template = World(tmp_path / "template", index)
    template.project.mkdir(parents=True, exist_ok=True)
    for step in before:
        result = template.run(*step)
        assert result.returncode == 0, result.stderr
    reference = copy(template, tmp_path / "reference", index)
    total = reference.changes(*command)
    assert total > 20
    expected = reference.farm()
    files = [(reference.project / name).read_text() for name in ("pyproject.toml", "pylock.toml")]
    for point in points(total):
        world = copy(template, tmp_path / f"kill-{point}", index)
        died = world.run(*command, kill_at=point)
        # Threads may make a change more or less, so the last points may come too late to kill.
        assert died.returncode == 137 or point > total - 5, died.stderr
        if (world.home / "v1" / "entries").exists():
            world.check_store()
        again = world.run(*command)
        assert again.returncode == 0, f"after death at {point} of {total}: {again.stderr}"
        world.check_store()
        world.check_tidy()
        assert world.farm() == expected, f"after death at {point} of {total}"
        assert [(world.project / name).read_text() for name in ("pyproject.toml", "pylock.toml")] == files
        assert world.imports(module)
        unseal(world.place)
        shutil.rmtree(world.place)


@pytest.mark.usefixtures("cleanup")
def test_add_killed_anywhere_ends_the_same_when_run_again(tmp_path: Path, index: LoopbackIndex) -> None:
    sweep(tmp_path, index, [], ["add", "alpha"], "alpha")


@pytest.mark.usefixtures("cleanup")
def test_a_second_add_killed_anywhere_ends_the_same_when_run_again(tmp_path: Path, index: LoopbackIndex) -> None:
    sweep(tmp_path, index, [["add", "alpha"]], ["add", "gamma"], "alpha, gamma, space.part, space.other")


@pytest.mark.usefixtures("cleanup")
def test_sync_killed_anywhere_ends_the_same_when_run_again(tmp_path: Path, index: LoopbackIndex) -> None:
    first = World(tmp_path / "first", index)
    first.project.mkdir(parents=True)
    assert first.run("add", "alpha", "gamma").returncode == 0
    template = World(tmp_path / "template", index)
    template.project.mkdir(parents=True)
    for name in ("pyproject.toml", "pylock.toml"):
        shutil.copy(first.project / name, template.project / name)
    sweep(tmp_path, index, [], ["sync"], "alpha, gamma")
