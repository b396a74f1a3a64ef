from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyvstore.errors import ProjectError
from pyvstore.fs import journal
from pyvstore.project.files import ProjectFiles, Snapshot


@pytest.fixture
def project(tmp_path: Path) -> ProjectFiles:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_bytes(b"[project]\n")
    return ProjectFiles(str(root))


def contents(project: ProjectFiles) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(project.root).iterdir()}


def test_both_files_are_replaced(project: ProjectFiles) -> None:
    project.commit(pyproject=b"[project] # new\n", lock=b"lock")
    assert contents(project) == {"pyproject.toml": b"[project] # new\n", "pylock.toml": b"lock"}
    assert project.read_lock() == b"lock"
    assert project.read_document().raw == b"[project] # new\n"


def test_a_file_with_the_same_bytes_is_left_alone(project: ProjectFiles) -> None:
    before = os.stat(project.pyproject_path)
    project.commit(pyproject=b"[project]\n")
    project.commit(lock=b"x")
    assert os.stat(project.pyproject_path) == before


def test_a_snapshot_puts_both_files_back(project: ProjectFiles) -> None:
    before = project.snapshot()
    assert before == Snapshot(pyproject=b"[project]\n", lock=None)
    project.commit(pyproject=b"", lock=b"lock")
    project.restore(before)
    assert contents(project) == {"pyproject.toml": b"[project]\n"}
    project.restore(before)
    assert project.snapshot() == before


def test_a_change_in_the_meantime_is_not_overwritten(project: ProjectFiles) -> None:
    before = project.snapshot()
    Path(project.pyproject_path).write_bytes(b"edited by hand")
    with pytest.raises(ProjectError, match=r"pyproject\.toml was changed") as caught:
        project.commit(pyproject=b"ours", lock=b"lock", since=before)
    assert caught.value.code == "project-changed"
    assert contents(project) == {"pyproject.toml": b"edited by hand"}
    Path(project.pyproject_path).write_bytes(b"[project]\n")
    Path(project.lock_path).write_bytes(b"by another command")
    with pytest.raises(ProjectError, match=r"pylock\.toml was changed"):
        project.commit(lock=b"lock", since=before)
    project.commit(lock=b"lock", since=project.snapshot())


def test_a_death_between_the_two_files_is_finished(project: ProjectFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    class DeathError(BaseException):
        pass

    real, calls = os.replace, []

    def dying(source: str, destination: str) -> None:
        calls.append(destination)
        if len(calls) >= 3:  # the journal, the first file, and death before the second
            raise DeathError
        real(source, destination)

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(DeathError):
        project.commit(pyproject=b"new", lock=b"lock")
    monkeypatch.undo()
    assert sorted(contents(project)) == [journal.JOURNAL_NAME, "pyproject.toml"]
    assert project.recover()
    assert contents(project) == {"pyproject.toml": b"new", "pylock.toml": b"lock"}
    assert not project.recover()


def test_a_folder_that_cannot_be_written_is_named(project: ProjectFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", project.root)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ProjectError) as caught:
        project.commit(lock=b"x")
    assert caught.value.code == "project-unwritable"
    assert project.root in caught.value.message
    assert "Permission denied" in caught.value.causes[0]


def test_a_link_inside_the_folder_is_followed_and_stays(project: ProjectFiles) -> None:
    (Path(project.root) / "config").mkdir()
    os.rename(project.pyproject_path, os.path.join(project.root, "config", "real.toml"))
    os.symlink("config/real.toml", project.pyproject_path)
    project.commit(pyproject=b"[project] # 2\n")
    assert os.path.islink(project.pyproject_path)
    assert project.read_document().raw == b"[project] # 2\n"


@pytest.mark.parametrize("name", ["pyproject.toml", "pylock.toml"])
def test_a_link_out_of_the_folder_is_refused_before_anything_is_read(project: ProjectFiles, name: str) -> None:
    outside = Path(project.root).parent / "outside.toml"
    outside.write_bytes(b"secret")
    path = Path(project.root) / name
    path.unlink(missing_ok=True)
    path.symlink_to(outside)
    with pytest.raises(ProjectError) as caught:
        project.commit(pyproject=b"x", lock=b"y")
    assert caught.value.code == "project-link"
    with pytest.raises(ProjectError, match="leads out of the project"):
        (project.read_document if name == "pyproject.toml" else project.read_lock)()
    assert outside.read_bytes() == b"secret"
    assert path.is_symlink()


def test_a_sibling_folder_with_the_same_beginning_is_outside(project: ProjectFiles) -> None:
    sibling = Path(project.root + "-old")
    sibling.mkdir()
    (sibling / "pylock.toml").write_bytes(b"x")
    os.symlink(sibling / "pylock.toml", project.lock_path)
    with pytest.raises(ProjectError, match="leads out"):
        project.read_lock()


def test_a_lockfile_without_end_is_refused(project: ProjectFiles) -> None:
    with open(project.lock_path, "wb") as stream:
        stream.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(ProjectError) as caught:
        project.read_lock()
    assert caught.value.code == "pylock-too-large"


def test_a_missing_pyproject_is_a_project_error(project: ProjectFiles) -> None:
    os.unlink(project.pyproject_path)
    assert project.snapshot().pyproject is None
    with pytest.raises(ProjectError) as caught:
        project.read_document()
    assert caught.value.code == "no-project"


def test_a_file_that_the_disk_does_not_show_is_not_taken_for_an_absent_one(
    project: ProjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> os.stat_result:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(os, "lstat", fail)
    with pytest.raises(ProjectError) as caught:
        project.snapshot()
    assert caught.value.code == "project-unreadable"
    assert caught.value.hint is not None
