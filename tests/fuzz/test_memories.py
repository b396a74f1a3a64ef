"""What the tool itself remembers, and the project's files, changed at random under the whole command line."""

import base64
import json
import os
import stat
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.campaign import cases
from tests.fuzz.mutations import mutated_bytes, mutated_value
from tests.integration.refusals import Run, project_of
from tests.support.world import Outcome, World

pytestmark = pytest.mark.usefixtures("impatient")

PYPROJECT = (
    '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["gamma>=1", "alpha"]\n'
    '[dependency-groups]\ndev = ["beta"]\n[tool.pyvstore]\nprereleases = "allow"\n'
)
COMMANDS = (
    *(("sync",), ("relink",), ("sync", "--check"), ("list",), ("lock", "--offline"), ("sync", "--offline")),
    *(("add", "gamma"), ("remove", "alpha"), ("sync", "--frozen"), ("lock", "--check"), ("sync", "--dry-run")),
)
OURS = ("farm state", "manifest", "selection", "interpreter", "page", "metadata", "record", "root", "journal")
THEIRS = ("pyproject.toml", "pylock.toml")


def remembered(world: World, kind: str) -> list[Path]:
    store = world.home / "v1"
    return sorted(
        {
            "farm state": lambda: [world.venv / "pyvstore.json"],
            "manifest": lambda: [path for path in store.glob("entries/*/*") if path.is_file()],
            "selection": lambda: [*store.glob("selections/*.json")],
            "interpreter": lambda: [path for path in store.glob("interpreters/*") if path.is_file()],
            "page": lambda: [*store.glob("index/pages/*/*")],
            "metadata": lambda: [*store.glob("index/metadata/*/*/*")],
            "record": lambda: [path for path in store.glob("records/*") if path.is_file()],
            "root": lambda: [*store.glob("projects/*")],
            "journal": lambda: [world.project / ".pyvstore-journal"],
            "pyproject.toml": lambda: [world.project / "pyproject.toml"],
            "pylock.toml": lambda: [world.project / "pylock.toml"],
        }[kind]()
    )


def changed(random: Random, data: bytes) -> bytes:
    """Change a line of JSON in its structure, other bytes as they come."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    try:
        value = json.loads(lines[at])
    except ValueError:
        return mutated_bytes(random, data)
    if random.random() < 0.3:
        return mutated_bytes(random, data)
    lines[at] = json.dumps(mutated_value(random, value)).encode()
    return b"\n".join(lines)


def overwrite(path: Path, data: bytes) -> None:
    """Write a file in place though it or its folder is sealed."""
    os.chmod(path.parent, stat.S_IMODE(path.parent.stat().st_mode) | 0o200)
    if path.exists():
        os.chmod(path, 0o644)
    path.write_bytes(data)


def journal_of(world: World) -> bytes:
    files = {name: base64.b64encode((world.project / name).read_bytes()).decode() for name in THEIRS}
    return json.dumps({"format": 1, "files": files}).encode()


def sensible(name: str, outcome: Outcome) -> None:
    assert outcome.status in {0, 1, 2}, (name, outcome)
    assert outcome.status == 0 or "error[" in outcome.err, (name, outcome)


@pytest.mark.parametrize("kind", [*OURS, *THEIRS])
def test_what_is_remembered_and_was_changed_at_random_is_used_refused_or_made_again(
    world: World, inside: Run, kind: str
) -> None:
    project_of(world, PYPROJECT)
    (world.place / "precious").write_text("precious")
    (world.project / "own.py").write_text("precious")
    assert inside("sync").status == 0
    honest = {name: (world.project / name).read_bytes() for name in THEIRS}
    path, before = world.project, b""
    for name, random in cases(kind, 6):
        if kind == "journal":
            (world.project / ".pyvstore-journal").write_bytes(changed(random, journal_of(world)))
        else:
            path = random.choice(remembered(world, kind))
            before = path.read_bytes()
            overwrite(path, changed(random, before))
        sensible(name, inside(*random.choice(COMMANDS)))
        sensible(name, inside("sync"))
        (world.project / ".pyvstore-journal").unlink(missing_ok=True)
        for own, data in honest.items():
            (world.project / own).write_bytes(data)
        mended = inside("sync")
        if "farm-newer" in mended.err or "manifest-format" in mended.err:  # a number grew: not ours to touch
            overwrite(path, before)
            mended = inside("sync")
        assert mended.status == 0, (name, mended.err)
        assert inside("sync", "--check").status == 0, name
        for place in ("gamma.py", "alpha/__init__.py", "beta/sub/__init__.py"):
            assert (world.site / place).exists(), (name, place)
        assert {path.name for path in world.place.iterdir()} == {"precious", "project", "store-home"}, name
        for untouched in (world.place / "precious", world.project / "own.py"):
            assert untouched.read_text() == "precious", name
