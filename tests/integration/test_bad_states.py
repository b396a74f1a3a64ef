"""Files of ours that a stranger wrote or a disk damaged: the state, the journal, what the store remembers."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyvstore.glance import look
from tests.integration.refusals import PYPROJECT, Run, project_of, snapshot
from tests.support.world import World

DEEP = "[" * 100_000


def synced(world: World, inside: Run) -> None:
    project_of(world)
    assert inside("sync").status == 0


def changed(path: Path, change: Callable[[dict[str, object]], None]) -> str:
    value = json.loads(path.read_bytes())
    change(value)
    return json.dumps(value)


def _set(*keys: str, to: object) -> Callable[[dict[str, object]], None]:
    def change(value: dict[str, object]) -> None:
        place: dict[str, object] = value
        for key in keys[:-1]:
            inner = place[key]
            assert isinstance(inner, dict)
            place = inner
        place[keys[-1]] = to

    return change


TEXTS = {
    "nothing": b"",
    "a bracket": b"{",
    "null": b"null",
    "a number": b"7",
    "a list": b"[]",
    "an empty table": b"{}",
    "not UTF-8": b"\xff\xfe",
    "a NUL": b"\0" * 4096,
    "brackets a hundred thousand deep": DEEP.encode(),
    "a number of five thousand digits": b"9" * 5000,
    "only a format": b'{"format": 1}',
    "a format that is infinite": b'{"format": Infinity}',
    "a format that is a text": b'{"format": "1"}',
}
HOSTILE = {
    "a link outside": _set("links", to={"../../victim": "/etc/passwd"}),
    "an absolute link": _set("links", to={"/tmp/victim": "/etc/passwd"}),
    "a link with NUL": _set("links", to={"lib/a\0b": "x"}),
    "a link with half a character": _set("links", to={"lib/\ud800": "x"}),
    "a link to half a character": _set("links", to={"lib/a": "\ud800"}),
    "the environment itself as a link": _set("links", to={"": "x"}),
    "links that are a list": _set("links", to=[["lib/a", "x"]]),
    "a link to a number": _set("links", to={"lib/a": 7}),
    "the environment itself as a directory": _set("directories", to=["", ".", "lib/."]),
    "a directory outside": _set("directories", to=["../.."]),
    "a directory that is a number": _set("directories", to=[7]),
    "directories that are a text": _set("directories", to="lib"),
    "a file of infinite size": _set("files", to={"lib/a": ["0", float("inf"), 1]}),
    "a file of no size": _set("files", to={"lib/a": ["0"]}),
    "files that are a number": _set("files", to=7),
    "a file with NUL": _set("files", to={"a\0": ["0", 1, 1]}),
    "a listing outside": _set("listings", to={"/": ["etc"]}),
    "a listing with NUL": _set("listings", to={"a\0b": []}),
    "an interpreter with NUL": _set("interpreter", to={"path": "/a\0b", "fingerprint": "x"}),
    "an interpreter that is a number": _set("interpreter", to={"path": 7, "fingerprint": 8}),
    "another interpreter": _set("interpreter", to={"path": "/bin/sh", "fingerprint": "x"}),
    "a store elsewhere": _set("store", to="/etc"),
    "a store with NUL": _set("store", to="/a\0b"),
    "another prefix": _set("prefix", to="/etc"),
    "a prefix with NUL": _set("prefix", to="/etc\0"),
    "inputs that are a list": _set("inputs", to=[]),
    "inputs that never end": _set("inputs", "files", to={"/dev/zero": "x"}),
    "packages of numbers": _set("packages", to=[1, 2]),
    "packages with escapes": _set("packages", to=[["\x1b[31mx", "\x1b]0;y\x07", True, "z"]]),
    "told that is a number": _set("told", to=7),
}


def check_recovery(world: World, inside: Run, victims: dict[str, object]) -> None:
    look(str(world.project), str(world.venv), os.environ)
    for words in (
        ["sync", "--dry-run"],
        ["list"],
        ["sync", "--check"],
        ["relink"],
        ["sync"],
        ["add", "alpha"],
        ["sync"],
    ):
        outcome = inside(*words)
        may_fail = words in (["list"], ["sync", "--check"])
        assert outcome.status == 0 or (may_fail and outcome.status == 1), (words, outcome)
    assert (world.site / "gamma.py").exists()
    assert (world.site / "alpha" / "__init__.py").exists()
    assert {name: value for name, value in snapshot(world).items() if name in victims} == victims


@pytest.mark.parametrize("name", [*TEXTS, *HOSTILE])
def test_a_state_with(world: World, inside: Run, name: str) -> None:
    synced(world, inside)
    (world.place / "victim").write_text("precious")
    (world.project / "own.py").write_text("precious")
    path = world.venv / "pyvstore.json"
    victims = {key: value for key, value in snapshot(world).items() if key in {"victim", "project/own.py"}}
    assert len(victims) == 2
    path.write_bytes(TEXTS[name] if name in TEXTS else changed(path, HOSTILE[name]).encode())
    check_recovery(world, inside, victims)


def test_a_state_that_was_cut_anywhere_is_made_again(world: World, inside: Run) -> None:
    synced(world, inside)
    path = world.venv / "pyvstore.json"
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 12)):
        path.write_bytes(whole[:length])
        assert inside("sync").status == 0
        assert json.loads(path.read_bytes())["complete"] is True
        assert (world.site / "gamma.py").exists()


@pytest.mark.parametrize("kind", ["directory", "pipe", "device"])
def test_a_state_that_is_no_file_is_neither_read_nor_waited_for(world: World, inside: Run, kind: str) -> None:
    synced(world, inside)
    path = world.venv / "pyvstore.json"
    path.unlink()
    makers: dict[str, Callable[[], object]] = {
        "directory": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
    }
    makers[kind]()
    assert look(str(world.project), str(world.venv), os.environ) is None
    for words in (["sync"], ["list"], ["relink"], ["run", "python", "-V"]):
        outcome = inside(*words)
        if outcome.status:
            assert "error[" in outcome.err
    if kind == "directory":
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    assert inside("sync").status == 0
    assert (world.site / "gamma.py").exists()


def journal(files: object, **more: object) -> bytes:
    return json.dumps({"format": 1, "files": files, **more}).encode()


EVIL = base64.b64encode(b"evil").decode()
JOURNALS = {
    **TEXTS,
    "another file": journal({".bashrc": EVIL}),
    "a file outside": journal({"../victim": EVIL}),
    "an absolute file": journal({"/tmp/victim": EVIL}),
    "one that is ours and one that is not": journal({"pylock.toml": EVIL, "own.py": None}),
    "a file with NUL": journal({"a\0": EVIL}),
    "half a character": journal({"\ud800": EVIL}),
    "files that are a list": journal(["pylock.toml"]),
    "files that are null": journal(None),
    "a content that is a number": journal({"pylock.toml": 7}),
    "a content that is not base64": journal({"pylock.toml": "***"}),
    "a content that is not ASCII": journal({"pylock.toml": "\u00e4"}),
}


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_with(world: World, inside: Run, name: str) -> None:
    synced(world, inside)
    (world.place / "victim").write_text("precious")
    (world.project / "own.py").write_text("precious")
    before = snapshot(world)
    (world.project / ".pyvstore-journal").write_bytes(JOURNALS[name])
    assert inside("sync").status == 0
    assert snapshot(world) == before


@pytest.mark.parametrize("kind", ["directory", "pipe", "link", "device"])
def test_a_journal_that_is_no_file(world: World, inside: Run, kind: str) -> None:
    synced(world, inside)
    path = world.project / ".pyvstore-journal"
    victim = world.place / "victim"
    victim.write_bytes(journal({"pyproject.toml": EVIL}))
    makers: dict[str, Callable[[], object]] = {
        "directory": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to(victim),
        "device": lambda: path.symlink_to("/dev/zero"),
    }
    makers[kind]()
    outcome = inside("sync")
    assert outcome.status == 0 or "error[" in outcome.err
    assert (world.project / "pyproject.toml").read_text() == PYPROJECT
    assert victim.exists()
    if path.is_dir():
        path.rmdir()
    assert inside("sync").status == 0


def test_a_journal_of_a_stranger_is_as_much_as_the_files_that_he_could_have_written(world: World, inside: Run) -> None:
    synced(world, inside)
    (world.project / ".pyvstore-journal").write_bytes(journal({"pyproject.toml": EVIL}))
    assert inside("sync").status == 1
    assert (world.project / "pyproject.toml").read_bytes() == b"evil"


SHELVES = ("selections", "interpreters", "projects", "index/pages", "index/metadata")


@pytest.mark.parametrize("name", TEXTS)
def test_what_the_store_remembers_may_be(world: World, inside: Run, name: str) -> None:
    synced(world, inside)
    for shelf in SHELVES:
        for path in (world.home / "v1" / shelf).rglob("*"):
            if path.is_file():
                path.write_bytes(TEXTS[name])
    for words in (["sync"], ["relink"], ["lock"], ["add", "alpha"], ["remove", "alpha"], ["list"]):
        outcome = inside(*words)
        assert outcome.status == 0, (words, outcome)
    assert (world.site / "gamma.py").exists()


def manifests(world: World) -> list[Path]:
    return sorted((world.home / "v1" / "entries").glob("*/pyvstore-manifest.jsonl"))


def rewrite(path: Path, data: bytes) -> None:
    path.parent.chmod(0o755)
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize("line", [0, 1])
@pytest.mark.parametrize("name", [*TEXTS, "half of it", "infinite sizes"])
def test_a_manifest_that_is(world: World, inside: Run, name: str, line: int) -> None:
    """An entry without a manifest that can be read is an absent one: fetched again, and said so by who cannot."""
    synced(world, inside)
    (path,) = manifests(world)
    lines = path.read_bytes().splitlines(keepends=True)
    texts = {
        **TEXTS,
        "half of it": lines[line][: len(lines[line]) // 2],
        "infinite sizes": lines[line].replace(b":95", b":Infinity").replace(b",0,", b",Infinity,"),
    }
    lines[line] = texts[name]
    rewrite(path, b"".join(lines))
    (world.venv / "pyvstore.json").unlink()
    for words in (["relink"], ["sync"], ["sync"], ["add", "alpha"], ["relink"]):
        outcome = inside(*words)
        if outcome.status:
            assert words == ["relink"] or line == 1, (words, outcome)
            assert "hint: " in outcome.err
    assert (world.site / "gamma.py").exists()


@pytest.mark.parametrize("damage", ["empty", "gone", "directory"])
def test_a_record_of_the_shelf_that_was_damaged_is_made_again(world: World, inside: Run, damage: str) -> None:
    synced(world, inside)
    (path,) = (world.home / "v1" / "records").iterdir()
    good = path.read_bytes()
    assert b"gamma.py" in good
    path.unlink()
    if damage == "empty":
        path.touch()
    elif damage == "directory":
        path.mkdir()
    (world.venv / "pyvstore.json").unlink()
    assert inside("relink").status == 0
    assert path.read_bytes() == good
