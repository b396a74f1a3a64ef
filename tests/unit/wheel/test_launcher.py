from __future__ import annotations

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from pyvstore.model.manifest import EntryPoint
from pyvstore.wheel.launcher import is_python_script, posix_launcher, rewrite_script, windows_launcher

POINT = EntryPoint("tool", "pkg.cli", "App.run", gui=False)
posix = pytest.mark.skipif(sys.platform == "win32", reason="these launchers are for POSIX")
ODD_NAMES = [
    "plain",
    "with space",
    "it's",
    "a'''b",
    '"quoted"',
    "$HOME",
    "`id`",
    "'$'",
    "back\\slash",
    "back\\",
    "ünï",
    "*",
    "\\n\\x",
    "long" * 50,
]


def test_a_launcher_is_short_and_imports_little() -> None:
    assert posix_launcher(POINT, "/venv/bin/python") == (
        b"#!/venv/bin/python\n"
        b"import sys\n"
        b"from pkg.cli import App\n"
        b'if __name__ == "__main__":\n'
        b"    sys.exit(App.run())\n"
    )


def test_a_first_line_that_no_kernel_reads_is_avoided() -> None:
    fits = "/" + "x" * 123
    assert posix_launcher(POINT, fits).startswith(b"#!" + fits.encode() + b"\n")
    for path in (fits + "x", "/with space/python"):
        assert posix_launcher(POINT, path).startswith(b"#!/bin/sh\n'''exec' \"" + path.encode() + b'" "$0" "$@"\n')


def interpreter(directory: Path, name: str) -> str:
    """A command at an odd path that says so and becomes this interpreter."""
    place = directory / name / "python"
    place.parent.mkdir()
    place.symlink_to(sys.executable)
    return str(place)


def run(script: bytes, directory: Path, *arguments: str) -> str:
    file = directory / "script"
    file.write_bytes(script)
    file.chmod(0o755)
    result = subprocess.run([str(file), *arguments], capture_output=True, text=True, cwd=directory, check=False)
    assert result.stderr == ""
    return result.stdout


@posix
@pytest.mark.parametrize("name", ODD_NAMES)
def test_scripts_run_whatever_the_path_of_the_interpreter(name: str, tmp_path: Path) -> None:
    python = interpreter(tmp_path, f"{name} x")
    source = b"import sys\nprint(ascii(sys.orig_argv[0]), sys.argv[1:])\n"
    if not hasattr(sys, "orig_argv"):
        pytest.skip("this Python does not tell how it was called")
    output = run(rewrite_script(b"#!python -B\n" + source, python), tmp_path, "a b", "'c'")
    assert output == f"{python!a} ['a b', \"'c'\"]\n"


@posix
def test_a_launcher_calls_its_function_and_returns_its_status(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "cli.py").write_text(
        "class App:\n    @staticmethod\n    def run():\n        print('ran')\n        return 3\n"
    )
    file = tmp_path / "tool"
    file.write_bytes(posix_launcher(POINT, interpreter(tmp_path, "a b")))
    file.chmod(0o755)
    result = subprocess.run([str(file)], capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode, result.stderr) == ("ran\n", 3, "")


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("#!python", "#!/v/python"),
        ("#!pythonw", "#!/v/pythonw"),
        ("#!python3.12", "#!/v/python"),
        ("#! /usr/bin/python3", "#!/v/python"),
        ("#!/usr/bin/env python3", "#!/v/python"),
        ("#!/usr/bin/env -S python3 -u", "#!/v/python -u"),
        ("#!/usr/local/bin/python2.7 -E", "#!/v/python -E"),
        ("#!python -E -s", "#!/v/python"),
        ("#!python $(id)", "#!/v/python"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", ""])
def test_the_first_line_of_a_python_script_is_rewritten(line: str, first: str, newline: str) -> None:
    body = "print(1)\n" if newline else ""
    script = (line + newline + body).encode()
    assert is_python_script(script)
    assert rewrite_script(script, "/v/python", "/v/pythonw") == f"{first}\n{body}".encode()


def test_without_a_windowed_interpreter_the_usual_one_runs() -> None:
    assert rewrite_script(b"#!pythonw\n", "/v/python") == b"#!/v/python\n"


OTHER_FILES = [
    *(b"", b"python", b"#!/bin/sh\nexec python\n", b"#!pythonic\n", b"#!/usr/bin/env node\n", b"\x7fELF"),
    *(b"#!/usr/bin/perl python\n", b"#!/opt/pythonista\n", b"#!" + b"x" * 5000 + b"/python\n", b"#!" + b"x/" * 5000),
]


@pytest.mark.parametrize("data", OTHER_FILES, ids=range(len(OTHER_FILES)))
def test_other_files_come_back_unchanged(data: bytes) -> None:
    assert not is_python_script(data)
    assert rewrite_script(data, "/v/python") == data


@posix
def test_a_script_in_another_encoding_still_runs_with_the_longer_start(tmp_path: Path) -> None:
    source = "#!python\n# -*- coding: latin-1 -*-\nprint(ascii('é'))\n".encode("latin-1")
    assert run(rewrite_script(source, interpreter(tmp_path, "a b")), tmp_path) == "'\\xe9'\n"


@pytest.mark.parametrize("cookie", [b"utf-8", b"klingon", b"ascii"])
def test_an_encoding_that_cannot_be_changed_is_left_alone(cookie: bytes) -> None:
    body = b"# coding: " + cookie + b"\nx = '\xc3\xa9'\n"
    assert rewrite_script(b"#!python\n" + body, "/a b/python").endswith(b"' '''\n" + body)


def test_windows_launchers_are_executables_with_the_script_inside() -> None:
    name, data = windows_launcher(POINT, "C:\\v\\python.exe", "win-amd64")
    assert name == "tool.exe"
    assert data.startswith(b"MZ")
    assert b"from pkg.cli import App" in zipfile.ZipFile(BytesIO(data)).read("__main__.py")
    console = windows_launcher(EntryPoint("tool", "pkg.cli", "App.run", gui=True), "C:\\v\\python.exe", "win-amd64")
    assert console[1] != data
    with pytest.raises(ValueError, match="no launcher for vax"):
        windows_launcher(POINT, "C:\\v\\python.exe", "vax")
