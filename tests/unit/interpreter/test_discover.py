from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from pyvstore.errors import InterpreterError
from pyvstore.interpreter.cache import InterpreterCache
from pyvstore.interpreter.discover import find_interpreter
from pyvstore.interpreter.places import Surroundings
from pyvstore.model.platforms import NEWEST_PYTHON
from tests.support.pythons import make_python, make_script, starts_of


@dataclass
class Machine:
    """A machine with nothing on it but what a test puts there."""

    root: Path
    surroundings: Surroundings

    def put(self, name: str, version: str, implementation: str = "CPython", **changes: object) -> Path:
        return make_python(self.root / name, version, implementation, **changes)

    def find(self, request: str | None = None, requires: str = "", *, project: str | None = None) -> str:
        """Return the path of what is found, relative to the machine's root."""
        interpreter = find_interpreter(
            request,
            SpecifierSet(requires) if requires else None,
            self.surroundings,
            InterpreterCache(str(self.root / "cache")),
            project=project,
        )
        return os.path.relpath(interpreter.executable, self.root)

    def refusal(self, request: str | None = None, requires: str = "") -> InterpreterError:
        with pytest.raises(InterpreterError) as caught:
            self.find(request, requires)
        return caught.value


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "work").mkdir()
    surroundings = Surroundings(
        path=(str(tmp_path / "one"), str(tmp_path / "two")),
        directory=str(tmp_path / "work"),
        home=str(tmp_path / "home"),
        usual=(str(tmp_path / "usual"), str(tmp_path / "versions" / "*" / "bin")),
    )
    return Machine(tmp_path, surroundings)


# What is preferred


def test_the_first_python3_on_path_is_taken_even_if_others_are_newer(machine: Machine) -> None:
    machine.put("one/python3", "3.11.2")
    newer = machine.put("one/python3.13", "3.13.0")
    machine.put("two/python3", "3.12.0")
    assert machine.find() == "one/python3"
    assert starts_of(newer) == 0


def test_the_next_on_path_is_taken_when_the_first_does_not_fit(machine: Machine) -> None:
    machine.put("one/python3", "3.11.2")
    machine.put("one/python", "2.7.18")
    machine.put("two/python3", "3.12.0")
    machine.put("usual/python3.13", "3.13.0")
    assert machine.find(requires=">=3.12") == "two/python3"


def test_without_one_on_path_the_newest_that_fits_is_taken(machine: Machine) -> None:
    machine.put("one/python3", "3.9.1")
    older = machine.put("one/python3.10", "3.10.1")
    machine.put("usual/python3.12", "3.12.1")
    machine.put("versions/3.12.4/bin/python3.12", "3.12.4")
    machine.put("versions/3.13.0/bin/python3", "3.13.0")
    assert machine.find(requires=">=3.10,<3.13") == "versions/3.12.4/bin/python3.12"
    assert starts_of(older) == 0


def test_a_python_without_a_version_in_its_name_is_ordered_by_what_it_says(machine: Machine) -> None:
    machine.put("usual/python3", "3.13.0")
    machine.put("usual/python3.12", "3.12.1")
    assert machine.find() == "usual/python3"


def test_a_request_prefers_the_name_with_its_version_in_each_directory(machine: Machine) -> None:
    machine.put("one/python3", "3.12.0")
    machine.put("two/python3.11", "3.11.0")
    machine.put("two/python3", "3.11.9")
    assert machine.find("3.11") == "two/python3.11"
    assert machine.find("3.12") == "one/python3"
    assert machine.find(">=3.10") == "one/python3"


def test_an_exact_version_is_exact(machine: Machine) -> None:
    machine.put("one/python3.12", "3.12.4")
    machine.put("usual/python3.12", "3.12.1")
    assert machine.find("3.12.1") == "usual/python3.12"
    assert "CPython 3.12.4 is not 3.12.2" in machine.refusal("3.12.2").causes[0]


def test_prereleases_are_taken_only_on_request_and_after_finals(machine: Machine) -> None:
    machine.put("one/python3", "3.15.0a1")
    machine.put("usual/python3.15", "3.15.0b1")
    machine.put("usual/python3.12", "3.12.0")
    assert machine.find() == "usual/python3.12"
    assert machine.find("3.15") == "usual/python3.15"
    assert machine.find("3.15.0a1") == "one/python3"
    assert machine.find(">=3.15a0") == "usual/python3.15"
    error = machine.refusal(">=3.13")
    assert "CPython 3.15.0a1 is a pre-release, which must be asked for by its version" in error.causes[0]
    machine.put("usual/python3.15", "3.15.0")
    assert machine.find("3.15") == "usual/python3.15"


def test_a_free_threaded_build_outside_path_is_taken_only_on_request(machine: Machine) -> None:
    machine.put("usual/python3.13t", "3.13.0", free_threaded=True)
    machine.put("usual/python3.12", "3.12.0")
    assert machine.find() == "usual/python3.12"
    assert machine.find("3.13t") == "usual/python3.13t"
    assert (
        machine.refusal("3.13")
        .causes[0]
        .endswith("CPython 3.13.0 is free-threaded, which must be asked for with `--python 3.13t`")
    )
    assert "CPython 3.12.0 is not free-threaded" in str(machine.refusal("3.12t").causes)
    machine.put("one/python3", "3.13.1", free_threaded=True)
    assert machine.find() == "one/python3"


def test_pypy_outside_path_is_taken_only_on_request(machine: Machine) -> None:
    machine.put("usual/pypy3.10", "3.10.14", "PyPy")
    assert machine.find("pypy") == "usual/pypy3.10"
    assert machine.find("pypy3.10") == "usual/pypy3.10"
    assert "PyPy 3.10.14 must be asked for with `--python pypy`" in machine.refusal().causes[0]
    assert "PyPy 3.10.14 is not CPython" in machine.refusal("cpython").causes[0]
    machine.put("two/pypy3.9", "3.9.0", "PyPy")
    assert machine.find("pypy3.9") == "two/pypy3.9"
    assert machine.refusal("pypy3.11").hint == "install PyPy, or name a Python with `--python /path/to/python`"


def test_broken_pythons_are_passed_by_and_named_in_the_end(machine: Machine) -> None:
    make_script(machine.root / "one" / "python3", "exit 127\n")
    (machine.root / "one" / "python").symlink_to("gone")
    machine.put("two/python3", "3.12.0")
    assert machine.find() == "two/python3"
    error = machine.refusal("3.13")
    assert f"{machine.root}/one/python3: it ended with status 127" in error.causes


def test_an_active_environment_stands_for_its_base(machine: Machine) -> None:
    base = machine.put("base/bin/python3.12", "3.12.1")
    machine.put("two/python3", "3.11.0")
    (machine.root / "env" / "bin").mkdir(parents=True)
    (machine.root / "env" / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    (machine.root / "env" / "bin" / "python3").symlink_to(base)
    machine.surroundings = replace(
        machine.surroundings, path=(str(machine.root / "env" / "bin"), *machine.surroundings.path)
    )
    assert machine.find() == "base/bin/python3.12"


# .python-version


def pin(machine: Machine, text: str) -> str:
    (machine.root / "work" / ".python-version").write_text(text)
    return str(machine.root / "work")


def test_the_projects_version_file_wins_over_path(machine: Machine) -> None:
    machine.put("one/python3", "3.12.0")
    machine.put("usual/python3.11", "3.11.5")
    assert machine.find(project=pin(machine, "3.11.5\n")) == "usual/python3.11"
    assert machine.find(project=pin(machine, "# nothing\n")) == "one/python3"
    assert machine.find("3.12", project=pin(machine, "3.11.5\n")) == "one/python3"


def test_a_version_file_that_does_not_fit_is_passed_by(machine: Machine) -> None:
    machine.put("one/python3", "3.12.0")
    machine.put("usual/python3.11", "3.11.5")
    project = pin(machine, "3.11\n3.9\nsystem\n")
    assert machine.find(requires=">=3.12", project=project) == "one/python3"


def test_another_patch_of_the_pinned_series_is_nearer_than_another_series(machine: Machine) -> None:
    machine.put("one/python3", "3.12.0")
    machine.put("usual/python3.11", "3.11.5")
    assert machine.find(project=pin(machine, "3.11.4\n")) == "usual/python3.11"


def test_a_version_file_may_name_an_environment_of_pyenv_but_no_program(machine: Machine) -> None:
    machine.put("one/python3", "3.12.0")
    machine.put("pyenv/versions/my-env/bin/python", "3.10.1")
    (machine.root / "pyenv" / "versions" / "broken" / "bin").mkdir(parents=True)
    evil = machine.put("work/evil", "3.13.0")
    machine.surroundings = replace(machine.surroundings, pyenv_root=str(machine.root / "pyenv"))
    assert machine.find(project=pin(machine, "my-env")) == "pyenv/versions/my-env/bin/python"
    assert machine.find(project=pin(machine, f"broken ./evil {evil} evil ../../work")) == "one/python3"
    assert starts_of(evil) == 0


# A named Python


def test_a_path_a_directory_or_a_name_can_be_given(machine: Machine) -> None:
    machine.put("work/.venv/bin/python", "3.12.0")
    machine.put("work/my", "3.11.0")
    machine.put("home/x", "3.10.0")
    machine.put("two/special", "3.9.0")
    for request, expected in {
        ".venv": "work/.venv/bin/python",
        "./.venv/bin/python": "work/.venv/bin/python",
        str(machine.root / "work" / ".venv"): "work/.venv/bin/python",
        "my": "work/my",
        "~/x": "home/x",
        "special": "two/special",
    }.items():
        assert machine.find(request) == expected


def test_a_prerelease_can_be_named_by_its_path(machine: Machine) -> None:
    assert machine.find(str(machine.put("work/x", "3.15.0a1"))) == "work/x"


@pytest.mark.parametrize("request_text", ["./nothing", "nothing", "work", "."])
def test_a_place_without_a_python_is_said_to_have_none(machine: Machine, request_text: str) -> None:
    error = machine.refusal(request_text)
    assert error.code == "no-python"
    assert request_text in error.message
    assert "--python 3.12" in str(error.hint)


def test_a_named_python_must_fit_the_project(machine: Machine) -> None:
    path = machine.put("work/x", "3.11.0")
    error = machine.refusal(str(path), ">=3.12")
    assert (error.code, error.exit_code) == ("python-excluded", 1)
    assert error.message == f"{path} is Python 3.11.0, but the project requires >=3.12"


def test_a_named_python_that_does_not_work_says_why(machine: Machine) -> None:
    make_script(machine.root / "work" / "x", "exit 9\n")
    error = machine.refusal("./x")
    assert (error.code, error.causes) == ("python-broken", ("it ended with status 9",))
    assert "--python 3.12" in str(error.hint)


def test_a_shim_that_is_named_stands_for_its_python(machine: Machine) -> None:
    root = machine.root / "pyenv"
    real = machine.put("pyenv/versions/3.12.1/bin/python3", "3.12.1")
    make_script(root / "shims" / "python3", "exit 127\n")
    make_script(root / "shims" / "python3.9", "exit 127\n")
    (root / "version").write_text("3.12.1")
    machine.surroundings = replace(machine.surroundings, pyenv_root=str(root))
    assert machine.find(str(root / "shims" / "python3")) == os.path.relpath(real, machine.root)
    assert machine.refusal(str(root / "shims" / "python3.9")).code == "no-python"


# When nothing fits


def test_the_error_lists_each_python_once_with_its_reason(machine: Machine) -> None:
    path = machine.put("one/python3", "3.11.2")
    (machine.root / "two").mkdir()
    (machine.root / "two" / "python3.11").symlink_to(path)
    machine.put("versions/3.6.15/bin/python3", "3.6.15")
    machine.put("usual/python3.10", "3.10.1")
    error = machine.refusal(requires=">=3.12")
    assert (error.code, error.message) == ("no-python", "no Python on this machine fits requires-python >=3.12")
    assert [cause.removeprefix(f"{machine.root}/") for cause in error.causes] == [
        "one/python3: CPython 3.11.2 is outside requires-python >=3.12",
        "usual/python3.10: Python 3.10 is outside requires-python >=3.12",
        "versions/3.6.15/bin/python3: Python 3.6 is older than 3.8",
    ]
    newest = ".".join(map(str, NEWEST_PYTHON))
    assert error.hint == f"install Python {newest}, or name a Python with `--python /path/to/python`"


def test_a_long_list_is_cut(machine: Machine) -> None:
    for number in range(20):
        machine.put(f"versions/3.10.{number}/bin/python3", f"3.10.{number}")
    causes = machine.refusal(requires=">=3.12").causes
    assert len(causes) == 12
    assert causes[-1] == "and 9 more"


def test_an_empty_machine_says_so(machine: Machine) -> None:
    assert machine.refusal().message == "there is no Python on this machine"
    assert machine.refusal().causes == ()


@pytest.mark.parametrize(
    ("request_text", "requires", "hint"),
    [
        ("3.12", "", "run `pyenv install 3.12`,"),
        ("3.13t", "", "run `pyenv install 3.13t`,"),
        (None, "<3.11", "run `pyenv install 3.10`,"),
        (None, ">=3.15", "run `pyenv install 3.15`,"),
        ("2.7", "", "ask for Python 3.8 or later"),
        ("3.9", ">=3.12", "change requires-python in pyproject.toml, or ask for a Python that it allows"),
        (None, "<3", "change requires-python in pyproject.toml"),
    ],
)
def test_the_hint_is_the_next_thing_to_do(machine: Machine, request_text: str | None, requires: str, hint: str) -> None:
    machine.surroundings = replace(machine.surroundings, pyenv_root=str(machine.root / "pyenv"))
    assert str(machine.refusal(request_text, requires).hint).startswith(hint)


def test_what_the_caller_prefers_goes_first_but_after_what_was_named(machine: Machine) -> None:
    machine.put("one/python3", "3.13.0")
    machine.put("two/python3.11", "3.11.1")
    machine.put("usual/python3.12", "3.12.1")

    def find(request: str | None = None, *, minor: str, project: str | None = None) -> str:
        interpreter = find_interpreter(
            request,
            None,
            machine.surroundings,
            InterpreterCache(str(machine.root / "cache")),
            project=project,
            preferred=lambda found: found.environment.python_minor == minor,
        )
        return os.path.relpath(interpreter.executable, machine.root)

    assert find(minor="3.12") == "usual/python3.12"
    assert find(minor="3.9") == "one/python3"
    assert find("3.11", minor="3.12") == "two/python3.11"
    (machine.root / "work" / ".python-version").write_text("3.11\n")
    assert find(minor="3.12", project=str(machine.root / "work")) == "two/python3.11"
