"""A disk that fails at any operation, and signals at any of them.

A fault ends in a coded error with a hint, or does not matter; a signal ends the command with its own status and leaves
nothing. Either way: no half entry is visible, pyproject.toml and pylock.toml are both old or both new, and the same
command run again ends as if nothing had happened. The short form tries a spread of the operations;
`PYVSTORE_TEST_LONG=1` tries all of them, with every fault.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from tests.crash.saboteur import is_possible
from tests.crash.test_sweep import IS_LONG, World, copy
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import unseal

FAULTS = ("ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "ESTALE", "EDQUOT", "EXDEV")
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
SHORT_POINTS = 5


@dataclass(frozen=True)
class Ended:
    status: int
    err: str
    operations: list[str]


class Saboteur:
    """See `tests.crash.saboteur`."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("saboteur.py")
        self.process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, world: World, *command: str, fatal: int = 0, fault: str = "EIO", forever: bool = False) -> Ended:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "place": str(world.place),
            "project": str(world.project),
            "environ": world.environ,
            "command": command,
            "fatal": fatal,
            "fault": fault,
            "forever": forever,
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def saboteur() -> Iterator[Saboteur]:
    saboteur = Saboteur()
    yield saboteur
    saboteur.process.communicate()


@pytest.fixture(scope="module")
def index() -> Iterator[LoopbackIndex]:
    with LoopbackIndex() as server:
        server.add(*build_wheel("alpha", "1.0", files={"alpha/__init__.py": "import beta\n"}, requires=["beta"]))
        entry_points = {"console_scripts": {"beta": "beta:main"}}
        files = {"beta/__init__.py": "", "space/part/__init__.py": ""}
        server.add(*build_wheel("beta", "2.0", files=files, entry_points=entry_points))
        server.add(*build_wheel("gamma", "3.0", files={"gamma.py": "", "space/other/__init__.py": ""}))
        yield server


SCENARIOS = {
    "a first add": ([], ["add", "alpha"]),
    "a second add": ([["add", "alpha"]], ["add", "gamma"]),
    "a sync with an empty store": ([["add", "alpha", "gamma"], ["forget"]], ["sync"]),
    "a relink": ([["add", "alpha", "gamma"], ["lose"]], ["relink"]),
    "a relink where nothing is missing": ([["add", "alpha", "gamma"]], ["relink"]),
    "a remove": ([["add", "alpha", "gamma"]], ["remove", "gamma"]),
}


class Scene:
    """A command and how it ends when nothing fails; the worlds it is tried in begin alike."""

    def __init__(self, place: Path, index: LoopbackIndex, saboteur: Saboteur, scenario: str) -> None:
        before, self.command = SCENARIOS[scenario]
        self.place, self.index, self.saboteur = place, index, saboteur
        self.template = World(place / "template", index)
        self.template.project.mkdir(parents=True)
        for step in before:
            if step in (["forget"], ["lose"]):
                shutil.rmtree(self.template.project / ".venv")
            if step == ["forget"]:
                unseal(self.template.home)
                shutil.rmtree(self.template.home)
            elif step != ["lose"]:
                ended = saboteur.run(self.template, *step)
                assert ended.status == 0, ended.err
        self.old = files_of(self.template)
        reference = copy(self.template, place / "reference", index)
        ended = saboteur.run(reference, *self.command)
        assert ended.status == 0, ended.err
        self.new, self.farm = files_of(reference), reference.farm()
        self.operations = ended.operations

    def worlds(self, count: int, name: str) -> Iterator[World]:
        for number in range(count):
            world = copy(self.template, self.place / f"{name}-{number}", self.index)
            yield world
            unseal(world.place)
            shutil.rmtree(world.place)

    def check_whole(self, world: World) -> None:
        """Nothing half made is visible."""
        if (world.home / "v1" / "entries").exists():
            world.check_store()
        is_open = (world.project / ".pyvstore-journal").exists()
        assert is_open or files_of(world) in (self.old, self.new)

    def check_again(self, world: World, *, after: Ended) -> None:
        """The same command ends as if nothing had happened, unless it did its work before."""
        again = self.saboteur.run(world, *self.command)
        did_it = after.status == 0 or files_of(world) == self.new
        assert again.status == 0 or ("requirement-unknown" in again.err and did_it), again.err
        if again.status != 0:
            assert self.saboteur.run(world, "sync").status == 0
        assert files_of(world) == self.new
        assert world.farm() == self.farm


def files_of(world: World) -> list[bytes | None]:
    paths = [world.project / name for name in ("pyproject.toml", "pylock.toml")]
    return [path.read_bytes() if path.exists() else None for path in paths]


def spread(total: int) -> list[int]:
    if IS_LONG:
        return list(range(1, total + 1))
    return sorted({1 + round(step * (total - 1) / (SHORT_POINTS - 1)) for step in range(SHORT_POINTS)})


@pytest.fixture(params=SCENARIOS)
def scene(request: pytest.FixtureRequest, tmp_path: Path, index: LoopbackIndex, saboteur: Saboteur) -> Iterator[Scene]:
    yield Scene(tmp_path, index, saboteur, request.param)
    unseal(tmp_path)


@pytest.mark.parametrize("forever", [False, True], ids=["once", "from then on"])
def test_a_disk_that_fails_anywhere_is_an_error_with_a_way_out_and_leaves_nothing_half(
    scene: Scene, forever: bool
) -> None:
    faults = cycle(FAULTS[::-1] if forever else FAULTS)
    for number in spread(len(scene.operations)):
        for fault in FAULTS if IS_LONG else [next(faults)]:
            is_counted = [is_possible(operation.partition(" ")[0], fault) for operation in scene.operations]
            if not is_counted[number - 1]:
                number = max((n for n in range(1, number) if is_counted[n - 1]), default=0)
            fatal = sum(is_counted[:number])
            where = f"{fault} at {scene.operations[number - 1]}"
            for world in scene.worlds(1, f"{fault}-{number}"):
                ended = scene.saboteur.run(world, *scene.command, fatal=fatal, fault=fault, forever=forever)
                check_ended(ended, where)
                scene.check_whole(world)
                if not forever and ended.status != 0:
                    assert files_of(world) == scene.old, where
                scene.check_again(world, after=ended)


def check_ended(ended: Ended, where: str) -> None:
    assert "Traceback" not in ended.err, f"{where}: {ended.err}"
    assert "error[internal]" not in ended.err, f"{where}: {ended.err}"
    assert ended.status in {0, 1, 2}, f"{where}: {ended.err}"
    if ended.status != 0:
        assert "error[" in ended.err, f"{where}: {ended.err}"
        assert "\nhint: " in ended.err, f"{where}: {ended.err}"


def test_a_signal_anywhere_ends_with_its_status_and_leaves_nothing(scene: Scene) -> None:
    signals = cycle(SIGNALS)
    total = len(scene.operations)
    for number in spread(total):
        for fault in SIGNALS if IS_LONG else [next(signals)]:
            where = f"{fault} at {scene.operations[number - 1]}"
            for world in scene.worlds(1, f"{fault}-{number}"):
                ended = scene.saboteur.run(world, *scene.command, fatal=number, fault=fault)
                # Threads may do an operation more or less, so the last points may come too late.
                assert ended.status == SIGNALS[fault] or (ended.status == 0 and number > total - 5), where + ended.err
                assert "Traceback" not in ended.err, f"{where}: {ended.err}"
                assert "error[" not in ended.err, f"{where}: {ended.err}"
                scene.check_whole(world)
                if (world.home / "v1" / "tmp").exists():
                    world.check_tidy()
                scene.check_again(world, after=ended)


@pytest.mark.parametrize("scene", ["a relink", "a remove"], indirect=True)
def test_a_kill_anywhere_is_made_good_by_the_next_command(scene: Scene) -> None:
    for number in spread(len(scene.operations)):
        for world in scene.worlds(1, f"kill-{number}"):
            ended = scene.saboteur.run(world, *scene.command, fatal=number, fault="SIGKILL")
            assert ended.status == 137 or number > len(scene.operations) - 5, ended.err
            scene.check_whole(world)
            scene.check_again(world, after=ended)
            world.check_tidy()
