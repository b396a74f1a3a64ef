from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pyvstore.errors import InterpreterError
from pyvstore.fs.remembered import read_remembered, write_remembered
from pyvstore.interpreter import cache as cache_module
from pyvstore.interpreter.cache import InterpreterCache
from tests.support.pythons import make_python, make_script, starts_of


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "interpreters"


def only_file(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def test_a_python_is_asked_once(tmp_path: Path, directory: Path) -> None:
    path = make_python(tmp_path / "python")
    first = InterpreterCache(str(directory)).get(str(path))
    assert InterpreterCache(str(directory)).get(str(path)) == first
    assert InterpreterCache(str(directory)).read(str(path)) == first
    assert starts_of(path) == 1


def test_an_answer_that_is_kept_starts_no_process(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_python(tmp_path / "python")
    expected = InterpreterCache(str(directory)).get(str(path))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert InterpreterCache(str(directory)).get(str(path)) == expected


def test_every_name_of_a_binary_shares_its_answer_and_shows_its_own_name(tmp_path: Path, directory: Path) -> None:
    path = make_python(tmp_path / "python3.12")
    link = tmp_path / "python3"
    link.symlink_to("python3.12")
    kept = InterpreterCache(str(directory))
    assert kept.get(str(path)).executable == str(path)
    assert kept.get(str(link)).executable == str(link)
    assert starts_of(path) == 1


def test_without_a_directory_nothing_is_kept_but_within_one_run(tmp_path: Path) -> None:
    path = make_python(tmp_path / "python")
    kept = InterpreterCache(None)
    assert kept.read(str(path)) is None
    assert kept.get(str(path)) == kept.get(str(path))
    InterpreterCache(None).get(str(path))
    assert starts_of(path) == 2


def test_a_replaced_binary_is_asked_again(tmp_path: Path, directory: Path) -> None:
    path = make_python(tmp_path / "python")
    InterpreterCache(str(directory)).get(str(path))
    status = path.stat()
    make_python(tmp_path / "new", "3.12.2", executable=str(path))
    os.utime(tmp_path / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(tmp_path / "new", path)
    assert InterpreterCache(str(directory)).get(str(path)).version == "3.12.2"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"key": 1}', b"\xff"])
def test_a_damaged_answer_counts_as_absent(tmp_path: Path, directory: Path, damage: bytes) -> None:
    path = make_python(tmp_path / "python")
    expected = InterpreterCache(str(directory)).get(str(path))
    only_file(directory).write_bytes(damage)
    assert InterpreterCache(str(directory)).read(str(path)) is None
    assert InterpreterCache(str(directory)).get(str(path)) == expected
    assert InterpreterCache(str(directory)).read(str(path)) == expected


def test_an_answer_that_somebody_edited_counts_as_absent(tmp_path: Path, directory: Path) -> None:
    path = make_python(tmp_path / "python")
    InterpreterCache(str(directory)).get(str(path))
    kept = only_file(directory)
    kept.write_bytes(kept.read_bytes().replace(b'"version":"', b'"version":"x'))
    assert InterpreterCache(str(directory)).read(str(path)) is None


@pytest.mark.parametrize("place", [("version",), ("environment", "tags"), ("environment", "markers"), ("layout",)])
def test_a_wrong_type_in_an_answer_counts_as_damage(tmp_path: Path, directory: Path, place: tuple[str, ...]) -> None:
    path = make_python(tmp_path / "python")
    InterpreterCache(str(directory)).get(str(path))
    kept = read_remembered(str(only_file(directory)))
    assert kept is not None
    parent: Any = kept["interpreter"]
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = [1]
    write_remembered(str(only_file(directory)), kept)
    assert InterpreterCache(str(directory)).read(str(path)) is None


def test_answers_are_those_of_this_machine_and_this_version(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_python(tmp_path / "python")
    InterpreterCache(str(directory)).get(str(path))
    with monkeypatch.context() as patch:
        patch.setattr(platform, "uname", lambda: os.uname_result(("Linux", "n", "7.0", "#2", "x86_64")))
        patch.setattr(cache_module, "_machine", lambda: ("another",))
        assert InterpreterCache(str(directory)).read(str(path)) is None
    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "__version__", "999")
        assert InterpreterCache(str(directory)).read(str(path)) is None
    assert InterpreterCache(str(directory)).read(str(path)) is not None


def test_what_only_leads_to_a_python_is_never_a_key(tmp_path: Path, directory: Path) -> None:
    one, two = make_python(tmp_path / "one" / "python"), make_python(tmp_path / "two" / "python", "3.11.2")
    choice = tmp_path / "choice"
    shim = make_script(tmp_path / "shims" / "python", f"exec $(cat '{choice}') \"$@\"\n")
    for path, version in ((one, "3.12.1"), (two, "3.11.2"), (one, "3.12.1")):
        choice.write_text(str(path))
        assert InterpreterCache(str(directory)).get(str(shim)).version == version
    assert not directory.exists()


def test_a_refusal_is_remembered_within_one_run_only(tmp_path: Path, directory: Path) -> None:
    path = make_script(tmp_path / "python", f"echo start >> '{tmp_path}/python.log'\nexit 1\n")
    kept = InterpreterCache(str(directory))
    for _ in range(2):
        with pytest.raises(InterpreterError):
            kept.get(str(path))
    assert starts_of(path) == 1
    with pytest.raises(InterpreterError):
        InterpreterCache(str(directory)).get(str(path))
    assert starts_of(path) == 2


def test_a_directory_that_cannot_be_written_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = make_python(tmp_path / "python")
    assert InterpreterCache(str(tmp_path / "file" / "x")).get(str(path)).version == "3.12.1"


def test_a_machine_without_a_c_library_by_name_has_answers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "confstr")
    assert cache_module._machine()[-1] == ""
