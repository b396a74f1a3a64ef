from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyvstore.interpreter.places import (
    Candidate,
    Surroundings,
    behind_shim,
    everywhere,
    on_path,
    pyenv_version_directory,
    read_version_file,
)
from tests.support.pythons import make_python, make_script


def pyenv(tmp_path: Path, *versions: str) -> Path:
    root = tmp_path / "pyenv"
    for version in versions:
        series = ".".join(version.split(".")[:2])
        for name in ("python", "python3", f"python{series}"):
            make_python(root / "versions" / version / "bin" / name, version)
            make_script(root / "shims" / name, "exit 127\n")
    return root


def around(tmp_path: Path, root: Path | None = None, *path: Path, version: str = "") -> Surroundings:
    work = tmp_path / "work" / "deep"
    work.mkdir(parents=True, exist_ok=True)
    return Surroundings(
        path=tuple(map(str, path)),
        directory=str(work),
        pyenv_root=str(root) if root else None,
        pyenv_version=version,
    )


def test_path_is_searched_in_its_order_and_each_directory_in_that_of_the_names(tmp_path: Path) -> None:
    for name in ("b/python3", "b/python3.12", "a/python3"):
        make_python(tmp_path / name)
    found = list(on_path(around(tmp_path, None, tmp_path / "b", tmp_path / "a"), ("python3.12", "python3", "python")))
    assert found == [
        Candidate(str(tmp_path / "b" / "python3.12"), (3, 12)),
        Candidate(str(tmp_path / "b" / "python3")),
        Candidate(str(tmp_path / "a" / "python3")),
    ]


def test_what_cannot_be_started_is_no_candidate(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to("nothing")
    (tmp_path / "python3.12").write_text("not executable")
    (tmp_path / "python").mkdir()
    os.mkfifo(tmp_path / "pypy3", 0o777)
    assert list(everywhere(around(tmp_path, None, tmp_path))) == []


def test_a_directory_of_path_that_cannot_exist_is_passed_over(tmp_path: Path) -> None:
    assert list(on_path(around(tmp_path, None, Path("/x\0y")), ("python",))) == []


def test_installations_of_managers_are_found_with_the_series_that_they_are_named_after(tmp_path: Path) -> None:
    root = pyenv(tmp_path, "3.6.15", "3.12.1")
    make_python(tmp_path / "uv" / "cpython-3.13.1-linux" / "bin" / "python3")
    make_python(tmp_path / "plain" / "python3")
    surroundings = Surroundings(
        path=(),
        directory=str(tmp_path),
        pyenv_root=str(root),
        usual=(str(tmp_path / "uv" / "*" / "bin"), str(tmp_path / "plain"), str(tmp_path / "absent" / "*")),
    )
    found = {candidate.path.removeprefix(str(tmp_path)): candidate.minor for candidate in everywhere(surroundings)}
    assert found == {
        "/pyenv/versions/3.12.1/bin/python3.12": (3, 12),
        "/pyenv/versions/3.12.1/bin/python3": (3, 12),
        "/pyenv/versions/3.12.1/bin/python": (3, 12),
        "/pyenv/versions/3.6.15/bin/python3": (3, 6),
        "/pyenv/versions/3.6.15/bin/python": (3, 6),
        "/uv/cpython-3.13.1-linux/bin/python3": (3, 13),
        "/plain/python3": None,
    }


# The shims of pyenv


def test_a_shim_stands_for_the_version_that_is_selected(tmp_path: Path) -> None:
    root = pyenv(tmp_path, "3.11.7", "3.12.1")
    (root / "version").write_text("3.11.7\n")
    surroundings = around(tmp_path, root, root / "shims")
    expected = str(root / "versions" / "3.11.7" / "bin")
    assert [candidate.path for candidate in on_path(surroundings, ("python3.12", "python3.11", "python3"))] == [
        f"{expected}/python3.11",
        f"{expected}/python3",
    ]


def test_the_nearest_version_file_wins_over_the_global_one_and_the_variable_over_both(tmp_path: Path) -> None:
    root = pyenv(tmp_path, "3.10.1", "3.11.7", "3.12.1")
    (root / "version").write_text("3.10.1\n")
    surroundings = around(tmp_path, root)

    def selected(surroundings: Surroundings) -> str:
        candidate = behind_shim(surroundings, "python3")
        assert candidate is not None
        return Path(candidate.path).parent.parent.name

    assert selected(surroundings) == "3.10.1"
    (tmp_path / "work" / ".python-version").write_text("# ours\n3.9 3.11\n")
    assert selected(surroundings) == "3.11.7"
    assert selected(around(tmp_path, root, version="9.9:3.12.1")) == "3.12.1"


def test_the_systems_version_is_the_rest_of_path(tmp_path: Path) -> None:
    root = pyenv(tmp_path, "3.12.1")
    system = make_python(tmp_path / "bin" / "python3")
    surroundings = around(tmp_path, root, root / "shims", tmp_path / "bin")
    assert behind_shim(surroundings, "python3") == Candidate(str(system))
    assert behind_shim(surroundings, "python2") is None


@pytest.mark.parametrize(
    ("version", "directory"),
    [
        ("3.12.1", "3.12.1"),
        ("3.12", "3.12.10"),
        ("3", "3.12.10"),
        ("python-3.12.1", "3.12.1"),
        ("my-env", "my-env"),
        ("3.13", None),
        ("nothing", None),
        ("../versions/3.12.1", None),
        ("/3.12.1", None),
        ("..", None),
    ],
)
def test_a_version_names_a_directory_of_pyenv(tmp_path: Path, version: str, directory: str | None) -> None:
    root = pyenv(tmp_path, "3.12.1", "3.12.10", "3.12.9")
    (root / "versions" / "my-env").mkdir()
    found = pyenv_version_directory(around(tmp_path, root), version)
    assert found == (str(root / "versions" / directory) if directory else None)


def test_without_pyenv_no_version_names_a_directory(tmp_path: Path) -> None:
    assert pyenv_version_directory(around(tmp_path), "3.12") is None
    assert pyenv_version_directory(around(tmp_path, tmp_path / "gone"), "3.12") is None


# What the process tells


def test_surroundings_are_taken_from_the_variables(tmp_path: Path) -> None:
    (tmp_path / ".pyenv" / "versions").mkdir(parents=True)
    surroundings = Surroundings.of(
        {"PATH": f"/a:.:bin::{tmp_path}", "HOME": str(tmp_path), "PYENV_VERSION": "3.12"}, "/work"
    )
    assert surroundings.path == ("/a", str(tmp_path))
    assert surroundings.pyenv_root == str(tmp_path / ".pyenv")
    assert (surroundings.home, surroundings.pyenv_version) == (str(tmp_path), "3.12")
    assert f"{tmp_path}/.local/share/uv/python/*/bin" in surroundings.usual


def test_pyenv_is_found_by_its_shims(tmp_path: Path) -> None:
    make_script(tmp_path / "opt" / "libexec" / "pyenv", "exit 0\n")
    surroundings = Surroundings.of({"PATH": f"{tmp_path}/other/shims:{tmp_path}/opt/shims/"}, "/work")
    assert surroundings.pyenv_root == str(tmp_path / "opt")


def test_without_a_home_only_places_of_the_machine_are_looked_at() -> None:
    surroundings = Surroundings.of({}, "/work")
    assert (surroundings.path, surroundings.home, surroundings.pyenv_root) == ((), "", None)
    assert surroundings.usual
    assert all(place.startswith("/") for place in surroundings.usual)


def test_a_version_file_lists_versions_between_comments(tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_bytes(b"# ours\r\n3.12.1 # why\r\n\r\n3.11 pypy3.10\xff\r\n")
    assert read_version_file(str(path)) == ["3.12.1", "3.11", "pypy3.10\ufffd"]
    assert read_version_file(str(tmp_path)) == []
    assert read_version_file(str(tmp_path / "absent")) == []
