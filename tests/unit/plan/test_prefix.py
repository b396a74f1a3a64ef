from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pyvstore import __version__
from pyvstore.model.environment import Interpreter, PrefixLayout, TargetEnvironment
from pyvstore.model.farm import Directory, File, Image, Link
from pyvstore.plan.prefix import plan_prefix, safe_prompt

INTERPRETER = Interpreter(
    executable="/usr/bin/python3",
    real_executable="/usr/bin/python3.12",
    home="/usr/bin",
    implementation="CPython",
    version="3.12.1",
    layout=PrefixLayout(site_packages="lib/python3.12/site-packages", scripts="bin", headers="include/site/python3.12"),
    environment=TargetEnvironment(
        markers={"python_version": "3.12", "python_full_version": "3.12.1"}, tags=("cp312-cp312-linux_x86_64",)
    ),
    fingerprint="1-2-3",
)
NASTY = """it's "a" $HOME `id` !x \\n (b) é"""


def text_of(image: Image, path: str) -> str:
    item = image[path]
    assert isinstance(item, File)
    return item.data.decode()


def write(image: Image, prefix: Path) -> None:
    for path, item in image.items():
        place = prefix / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item, File):
            place.write_bytes(item.data)
        elif isinstance(item, Link):
            place.symlink_to(item.target)
        else:
            place.mkdir()


# What is planned


def test_the_configuration_comes_first_and_says_that_the_environment_is_ours() -> None:
    image = plan_prefix(INTERPRETER, "/p/.venv", "app")
    assert next(iter(image)) == "pyvenv.cfg"
    assert text_of(image, "pyvenv.cfg").splitlines() == [
        "home = /usr/bin",
        "include-system-site-packages = false",
        "version = 3.12.1",
        "executable = /usr/bin/python3.12",
        "prompt = app",
        f"pyvstore = {__version__}",
    ]


def test_the_interpreter_is_linked_once_and_its_other_names_lead_to_that_link() -> None:
    image = plan_prefix(INTERPRETER, "/p/.venv", "app")
    links = {path: item.target for path, item in image.items() if isinstance(item, Link)}
    assert links == {"bin/python": "/usr/bin/python3.12", "bin/python3": "python", "bin/python3.12": "python"}
    assert image["lib/python3.12/site-packages"] == Directory()


def test_lib64_is_linked_where_the_interpreter_looks_there() -> None:
    layout = replace(INTERPRETER.layout, lib64_link=True)
    assert plan_prefix(replace(INTERPRETER, layout=layout), "/p/.venv", "app")["lib64"] == Link("lib")


@pytest.mark.parametrize(
    ("implementation", "binary", "names"),
    [
        ("CPython", "/opt/bin/python3.12t", {"python3", "python3.12", "python3.12t"}),
        ("CPython", "/opt/bin/interpreter", {"python3", "python3.12"}),
        ("CPython", "/opt/bin/python", {"python3", "python3.12"}),
        ("CPython", "C:\\Python\\python3.12", {"python3", "python3.12"}),
        ("PyPy", "/opt/bin/pypy3.12", {"python3", "python3.12", "pypy", "pypy3", "pypy3.12"}),
    ],
)
def test_the_names_of_the_interpreter_are_those_that_people_type(
    implementation: str, binary: str, names: set[str]
) -> None:
    interpreter = replace(INTERPRETER, implementation=implementation, real_executable=binary)
    image = plan_prefix(interpreter, "/p/.venv", "app")
    assert {path.partition("/")[2] for path, item in image.items() if item == Link("python")} == names


@pytest.mark.parametrize(
    "interpreter",
    [
        replace(INTERPRETER, home="/x\ny"),
        replace(INTERPRETER, real_executable="/x\ry"),
        replace(INTERPRETER, version="3.12\nhome = /evil"),
    ],
)
def test_a_line_break_never_reaches_the_configuration(interpreter: Interpreter) -> None:
    with pytest.raises(ValueError, match="line break"):
        plan_prefix(interpreter, "/p/.venv", "app")


@pytest.mark.parametrize(
    ("prompt", "safe"),
    [
        ("my app-1.0", "my app-1.0"),
        ("$(rm -rf ~)", "_rm -rf _"),
        ("100%n", "100_n"),
        ("a\nhome = /evil", "a_home _ _evil"),
        ("Größe", "Größe"),
        ("\udc80x", "_x"),
        ("@PREFIX@", "_PREFIX_"),
        ("  ", "venv"),
        ("", "venv"),
    ],
)
def test_a_prompt_is_text_and_nothing_else(prompt: str, safe: str) -> None:
    assert safe_prompt(prompt) == safe
    assert f"prompt = {safe}\n" in text_of(plan_prefix(INTERPRETER, "/p", prompt), "pyvenv.cfg")


def test_a_path_that_is_not_unicode_is_written_as_its_bytes() -> None:
    item = plan_prefix(INTERPRETER, "/p/\udcff", "app")["bin/activate"]
    assert isinstance(item, File)
    assert b"VIRTUAL_ENV='/p/\xff'\n" in item.data


# What the shells make of it

SHELLS = {
    "sh": (["sh", "-eu"], ". {activate}", 'echo "$PS1"', "activate", "export PYTHONHOME=/h"),
    "bash": (["bash", "--norc", "-eu"], ". {activate}", 'echo "$PS1"', "activate", "export PYTHONHOME=/h"),
    "dash": (["dash", "-eu"], ". {activate}", 'echo "$PS1"', "activate", "export PYTHONHOME=/h"),
    "zsh": (["zsh", "-f", "-eu"], ". {activate}", 'echo "$PS1"', "activate", "export PYTHONHOME=/h"),
    "fish": (["fish", "--no-config"], "source {activate}", "fish_prompt", "activate.fish", "set -gx PYTHONHOME /h"),
    "tcsh": (["tcsh", "-f"], "source {activate}", 'echo "$prompt:q"', "activate.csh", "setenv PYTHONHOME /h"),
}
PROMPTS = {"fish": "function fish_prompt; echo old; end", "tcsh": "set prompt='old'"}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two environments whose ``show`` tells what a program sees."""
    made = []
    for name in (NASTY, "second"):
        prefix = tmp_path / name / ".venv"
        write(plan_prefix(INTERPRETER, str(prefix), name), prefix)
        made.append(prefix)
    show = tmp_path / "tools" / "show"
    show.parent.mkdir()
    show.write_text(
        '#!/bin/sh\nprintf "%s|%s|%s|%s\\n" '
        '"${VIRTUAL_ENV-unset}" "${VIRTUAL_ENV_PROMPT-unset}" "${PYTHONHOME-unset}" "$PATH"\n'
    )
    show.chmod(0o755)
    return made[0], made[1]


def run(shell: str, script: str, places: tuple[Path, Path], **variables: str) -> list[str]:
    command = SHELLS[shell][0]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    tools = str(places[1].parent.parent / "tools")
    environ = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": tools, "LC_ALL": "C.UTF-8", **variables}
    if "LD_LIBRARY_PATH" in os.environ:
        environ["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    executable = shutil.which(command[0])
    path = places[1].parent.parent / "script"
    path.write_text(script, encoding="utf-8")
    result = subprocess.run(
        [str(executable), *command[1:], str(path)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.stderr == ""
    assert result.returncode == 0
    return result.stdout.splitlines()


def quoted(shell: str, path: Path) -> str:
    if shell == "fish":
        return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"
    text = "'" + str(path).replace("'", "'\\''") + "'"
    return text.replace("!", "\\!") if shell == "tcsh" else text


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_enters_and_leaves_the_environment(shell: str, places: tuple[Path, Path]) -> None:
    _, source, prompt, name, home = SHELLS[shell]
    first, _ = places
    enter = source.format(activate=quoted(shell, first / "bin" / name))
    old = PROMPTS.get(shell, "PS1=old")
    lines = run(shell, f"{home}\n{old}\nshow\n{enter}\nshow\n{prompt}\ndeactivate\nshow\n{prompt}\n", places)
    before, inside, shown, after, restored = lines
    tools = str(places[1].parent.parent / "tools")
    assert before == f"unset|unset|/h|{tools}:/usr/bin:/bin"
    assert inside == f"{first}|{safe_prompt(NASTY)}|unset|{first}/bin:{tools}:/usr/bin:/bin"
    assert shown == f"({safe_prompt(NASTY)}) old"
    assert (after, restored) == (before, "old")


@pytest.mark.parametrize("shell", SHELLS)
def test_entering_another_environment_leaves_the_first(shell: str, places: tuple[Path, Path]) -> None:
    _, source, prompt, name, _ = SHELLS[shell]
    first, second = (source.format(activate=quoted(shell, place / "bin" / name)) for place in places)
    old = PROMPTS.get(shell, "PS1=old")
    lines = run(shell, f"{old}\n{first}\n{second}\nshow\n{prompt}\n{second}\nshow\ndeactivate\nshow\n", places)
    tools = str(places[1].parent.parent / "tools")
    inside = f"{places[1]}|second|unset|{places[1]}/bin:{tools}:/usr/bin:/bin"
    assert lines == [inside, "(second) old", inside, f"unset|unset|unset|{tools}:/usr/bin:/bin"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_prompt_is_left_alone_on_request(shell: str, places: tuple[Path, Path]) -> None:
    _, source, prompt, name, _ = SHELLS[shell]
    enter = source.format(activate=quoted(shell, places[0] / "bin" / name))
    old = PROMPTS.get(shell, "PS1=old")
    script = f"{old}\n{enter}\n{prompt}\ndeactivate\n{prompt}\n"
    assert run(shell, script, places, VIRTUAL_ENV_DISABLE_PROMPT="1") == ["old", "old"]


def test_a_shell_without_a_prompt_and_with_strict_options_can_enter(places: tuple[Path, Path]) -> None:
    script = f"unset PS1\n. {quoted('sh', places[0] / 'bin' / 'activate')}\ndeactivate\nshow\n"
    assert run("sh", script, places)[0].startswith("unset|unset|unset|")


def test_powershell_enters_and_leaves_the_environment(places: tuple[Path, Path]) -> None:
    powershell = shutil.which("pwsh")
    if powershell is None:
        pytest.skip("pwsh is not installed")
    path = str(places[0] / "bin" / "Activate.ps1").replace("'", "''")
    script = f"& '{path}'; Write-Output $env:VIRTUAL_ENV; deactivate; Write-Output \"[$env:VIRTUAL_ENV]\""
    result = subprocess.run(
        [powershell, "-NoProfile", "-Command", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines() == [str(places[0]), "[]"]
