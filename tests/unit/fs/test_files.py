import os
import stat
from pathlib import Path

import pytest

from pyvstore.fs.files import create_file, make_directories, make_directory, write_atomic, write_chunks
from pyvstore.fs.journal import JOURNAL_NAME, recover, replace_together
from pyvstore.fs.links import make_second_name
from pyvstore.fs.locks import lock, try_lock
from pyvstore.fs.removal import remove_bytecode, remove_empty_directory, remove_file, remove_tree


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_are_ours_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(str(tmp_path / "file"), b"x", mode=0o644)
        make_directory(str(tmp_path / "directory"), mode=0o755)
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o644
    assert mode(tmp_path / "directory") == 0o755


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "inside").touch()
    with pytest.raises(OSError, match="target"):
        write_atomic(str(target), b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_new_file_never_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), create_file(str(tmp_path / "link"), mode=0o644):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_is_not_a_directory_that_was_there_already(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert make_directory(str(tmp_path / "real")) is False
    with pytest.raises(FileExistsError):
        make_directory(str(tmp_path / "link"))


def test_missing_ancestors_are_made(tmp_path: Path) -> None:
    make_directories(str(tmp_path / "a" / "b" / "c"))
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_a_temporary_name_stays_within_what_file_systems_allow(tmp_path: Path) -> None:
    write_atomic(str(tmp_path / ("n" * 250)), b"x")
    assert [len(path.name) for path in tmp_path.iterdir()] == [250]


def test_a_second_name_is_the_same_file_and_says_when_it_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    assert make_second_name(str(tmp_path / "one"), str(tmp_path / "two"))
    assert (tmp_path / "one").samefile(tmp_path / "two")
    assert not make_second_name(str(tmp_path / "absent"), str(tmp_path / "three"))


def test_removing_a_tree_removes_links_and_not_what_they_lead_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    tree = tmp_path / "tree"
    (tree / "sealed").mkdir(parents=True)
    (tree / "sealed" / "file").touch(mode=0o444)
    (tree / "sealed" / "link").symlink_to(outside)
    (tree / "sealed").chmod(0o555)
    tree.chmod(0o555)
    remove_tree(str(tree))
    assert not tree.exists()
    assert (outside / "precious").exists()


def test_a_link_to_a_tree_is_no_tree(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(NotADirectoryError):
        remove_tree(str(tmp_path / "link"))
    assert (tmp_path / "real").is_dir()


def test_removing_says_whether_there_was_anything(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert remove_file(str(tmp_path / "file"))
    assert not remove_file(str(tmp_path / "file"))
    assert not remove_empty_directory(str(tmp_path / "full"))
    assert not remove_empty_directory(str(tmp_path / "absent"))


def test_only_bytecode_is_removed_from_a_cache(tmp_path: Path) -> None:
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    (cache / "a.cpython-312.pyc").touch()
    (cache / "b.nbi").touch()
    remove_bytecode(str(cache))
    assert [path.name for path in cache.iterdir()] == ["b.nbi"]
    (cache / "b.nbi").unlink()
    remove_bytecode(str(cache))
    remove_bytecode(str(cache))
    assert not cache.exists()


def test_a_lock_excludes_and_a_shared_one_does_not(tmp_path: Path) -> None:
    path = str(tmp_path / "locks" / "one")
    with lock(path), try_lock(path) as held:
        assert not held
    with lock(path, shared=True), try_lock(path, shared=True) as held:
        assert held
        with try_lock(path) as exclusive:
            assert not exclusive
    with try_lock(path) as held:
        assert held


def test_a_lock_whose_file_was_replaced_still_excludes(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with lock(str(path)):
        path.unlink()
        with lock(str(path)), try_lock(str(path)) as held:
            assert not held


def test_files_that_change_together_keep_their_modes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o600)
    replace_together(str(tmp_path), {"a": b"new", "b": b"also new"})
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "b").read_text() == "also new"
    assert mode(tmp_path / "a") == 0o600
    replace_together(str(tmp_path), {"a": b"newer", "b": None})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_a_journal_found_later_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyvstore.fs.journal._finish", die)
    with pytest.raises(KeyboardInterrupt):
        replace_together(str(tmp_path), {"a": b"new", "b": b"new"})
    assert (tmp_path / "a").read_text() == "old"
    monkeypatch.undo()
    assert recover(str(tmp_path), ("a", "b"))
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "new"
    assert not recover(str(tmp_path), ("a", "b"))


def test_half_written_copies_are_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".a.0123abcd.pyvstore-tmp", ".b.0123abcd.pyvstore-tmp", ".a.swp", "a.pyvstore-tmp"):
        (tmp_path / name).touch()
    recover(str(tmp_path), ("a",))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.swp", ".b.0123abcd.pyvstore-tmp", "a.pyvstore-tmp"]


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"{",
        b'{"files": 1}',
        b'{"files": {"a": "???"}}',
        b'{"files": {"../a": "eA=="}}',
        b'{"files": {".bashrc": "eA=="}}',
    ],
)
def test_a_strangers_journal_changes_nothing(tmp_path: Path, journal: bytes) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / JOURNAL_NAME).write_bytes(journal)
    assert not recover(str(tmp_path), ("a", "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_journal_is_not_written_through_a_link_that_leads_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    home = tmp_path / "home"
    home.mkdir()
    (home / "a").symlink_to(outside)
    (home / "real").write_text("old")
    (home / "b").symlink_to("real")
    replace_together(str(home), {"a": b"new", "b": b"new"})
    assert outside.read_text() == "precious"
    assert (home / "real").read_text() == "new"
    assert (home / "b").is_symlink()


def test_names_with_separators_are_a_programming_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        replace_together(str(tmp_path), {"a/b": b""})


def test_a_journal_that_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b'{"files": {"a": "eA=="}}')
    home = tmp_path / "home"
    home.mkdir()
    (home / JOURNAL_NAME).symlink_to(outside)
    assert not recover(str(home), ("a",))
    os.mkfifo(home / JOURNAL_NAME)
    assert not recover(str(home), ("a",))
    with (home / JOURNAL_NAME).open("wb") as stream:
        stream.truncate(1 << 40)
    assert not recover(str(home), ("a",))
    assert list(home.iterdir()) == []
    assert outside.exists()


def test_a_directory_has_its_mode_from_the_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chmod", lambda *_: None)
    make_directory(str(tmp_path / "directory"), mode=0o755)
    assert mode(tmp_path / "directory") == 0o755


def test_a_full_disk_names_the_file_that_did_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="one"):
        write_chunks(str(tmp_path / "one"), [b"x"], mode=0o644)
    with pytest.raises(OSError, match="two"):
        write_atomic(str(tmp_path / "two"), b"x", durable=True)
    assert not list(tmp_path.glob(".two*"))


@pytest.mark.parametrize("failing", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_files_that_change_together_are_all_old_when_one_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, error: BaseException
) -> None:
    (tmp_path / "one").write_bytes(b"old")
    replace, calls = os.replace, []

    def fail(source: str, destination: str) -> None:
        calls.append(destination)
        if len(calls) == failing:
            raise error
        replace(source, destination)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(type(error)):
        replace_together(str(tmp_path), {"one": b"new", "two": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"one": b"old"}


def test_a_lock_on_a_read_only_file_system_is_taken_without_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.touch()
    real = os.open

    def refuse(name: str, flags: int, *rest: int) -> int:
        if flags & (os.O_RDWR | os.O_CREAT):
            raise OSError(30, "Read-only file system", name)
        return real(name, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    with lock(str(path)), try_lock(str(path)) as held:
        assert not held
