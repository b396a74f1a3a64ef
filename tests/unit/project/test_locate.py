from __future__ import annotations

import builtins
import os
from pathlib import Path

import pytest

from pyvstore.errors import FarmError, ProjectError
from pyvstore.project.locate import (
    EnvironmentPlace,
    PlaceKind,
    examine_environment,
    find_project_root,
    require_project_root,
)


def make_project(directory: Path, text: str = "[project]\n") -> str:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pyproject.toml").write_text(text)
    return str(directory)


def test_the_nearest_project_above_is_found(tmp_path: Path) -> None:
    make_project(tmp_path)
    inner = make_project(tmp_path / "a" / "b")
    deep = Path(inner) / "src" / "x"
    deep.mkdir(parents=True)
    assert find_project_root(str(deep)) == inner
    assert find_project_root(str(tmp_path / "a")) == str(tmp_path)


def test_a_file_with_a_project_table_wins_over_a_nearer_one_without(tmp_path: Path) -> None:
    make_project(tmp_path)
    tools_only = make_project(tmp_path / "a", "[tool.x]\n")
    assert find_project_root(tools_only) == str(tmp_path)


def test_without_any_project_table_the_nearest_file_counts(tmp_path: Path) -> None:
    make_project(tmp_path, "")
    nearer = make_project(tmp_path / "a", "[tool.x]\n")
    assert find_project_root(str(tmp_path / "a"), home=str(tmp_path.parent)) == nearer


def test_a_broken_file_counts_so_that_it_is_reported_and_not_passed_by(tmp_path: Path) -> None:
    make_project(tmp_path)
    broken = make_project(tmp_path / "a", "[project")
    assert find_project_root(broken) == broken


def test_the_home_directory_is_no_project_of_those_below(tmp_path: Path) -> None:
    home = make_project(tmp_path / "home")
    below = tmp_path / "home" / "x" / "y"
    below.mkdir(parents=True)
    assert find_project_root(str(below), home=home) is None
    assert find_project_root(home, home=home + os.sep) == home


def test_nothing_above_home_is_looked_at(tmp_path: Path) -> None:
    make_project(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    assert find_project_root(str(home), home=str(home)) is None


def test_a_project_that_must_be_there_is_asked_for_with_the_command_that_makes_one(tmp_path: Path) -> None:
    root = make_project(tmp_path / "a")
    assert require_project_root(root) == root
    with pytest.raises(ProjectError) as caught:
        require_project_root(str(tmp_path), home=str(tmp_path))
    assert caught.value.code == "no-project"
    assert "pyvstore init" in str(caught.value.hint)


def test_every_kind_of_place_is_told_apart(tmp_path: Path) -> None:
    def at(name: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        return path

    at("empty")
    (at("killed") / ".pyvenv.cfg.0a1b2c3d.pyvstore-tmp").touch()
    (at("ours") / "pyvenv.cfg").write_text("home = /x\nPyvstore = 0.1\n")
    (at("ours-by-state") / "pyvstore.json").touch()
    (at("venv") / "pyvenv.cfg").write_text("home = /x\nprompt = pyvstore\n")
    (at("folder") / "x").touch()
    (at("linked-state") / "pyvstore.json").symlink_to(tmp_path / "file")
    os.mkfifo(at("pipe-cfg") / "pyvenv.cfg")
    (at("unreadable-cfg") / "pyvenv.cfg").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("ours")
    (tmp_path / "dangling").symlink_to("nowhere")
    kinds = {
        "absent": PlaceKind.ABSENT,
        "empty": PlaceKind.EMPTY,
        "killed": PlaceKind.EMPTY,
        "ours": PlaceKind.OURS,
        "ours-by-state": PlaceKind.OURS,
        "venv": PlaceKind.FOREIGN_VENV,
        "pipe-cfg": PlaceKind.FOREIGN_VENV,
        "unreadable-cfg": PlaceKind.FOREIGN_VENV,
        "folder": PlaceKind.FOREIGN_DIRECTORY,
        "linked-state": PlaceKind.FOREIGN_DIRECTORY,
        "file": PlaceKind.FILE,
        "pipe": PlaceKind.FILE,
        "link": PlaceKind.LINK,
        "dangling": PlaceKind.DANGLING_LINK,
    }
    assert {name: examine_environment(str(tmp_path / name)).kind for name in kinds} == kinds


def test_a_link_is_reported_with_its_target_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to("elsewhere")
    path = str(tmp_path / ".venv")
    place = examine_environment(path)
    assert place == EnvironmentPlace(path=path, kind=PlaceKind.DANGLING_LINK, target="elsewhere")
    with pytest.raises(FarmError) as caught:
        place.require_usable()
    assert caught.value.causes == (f"{path} is a link to a place that does not exist: elsewhere",)


@pytest.mark.parametrize("kind", PlaceKind)
def test_only_nothing_and_what_is_ours_may_be_used(kind: PlaceKind) -> None:
    place = EnvironmentPlace(path="/p/.venv", kind=kind)
    if kind in {PlaceKind.ABSENT, PlaceKind.EMPTY, PlaceKind.OURS}:
        place.require_usable()
        assert place.is_usable
        return
    with pytest.raises(FarmError) as caught:
        place.require_usable()
    assert caught.value.code == "environment-not-ours"
    assert "/p/.venv" in caught.value.message
    assert "mv /p/.venv /p/.venv.old" in str(caught.value.hint)


def test_a_directory_that_cannot_be_listed_is_somebody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> list[str]:
        raise PermissionError

    monkeypatch.setattr(os, "listdir", refuse)
    assert examine_environment(str(tmp_path)).kind is PlaceKind.FOREIGN_DIRECTORY


def test_a_configuration_that_cannot_be_read_does_not_make_a_directory_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyvenv.cfg").write_text("pyvstore = 0.1\n")
    assert examine_environment(str(tmp_path)).kind is PlaceKind.OURS

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(builtins, "open", refuse)
    assert examine_environment(str(tmp_path)).kind is PlaceKind.FOREIGN_VENV


def test_a_disk_that_does_not_answer_hides_neither_a_project_nor_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path)
    (tmp_path / ".venv").mkdir()

    def fail(path: str, **_: object) -> os.stat_result:
        raise OSError(116, "Stale file handle", path)

    monkeypatch.setattr(os, "stat", fail)
    monkeypatch.setattr(os, "lstat", fail)
    with pytest.raises(ProjectError, match=r"pyproject\.toml cannot be read"):
        find_project_root(root)
    with pytest.raises(ProjectError, match=r"\.venv cannot be read"):
        examine_environment(str(tmp_path / ".venv"))
