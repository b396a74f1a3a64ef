from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.errors import WheelError
from pyvstore.model.manifest import EntryPoint
from pyvstore.wheel.entry_points import parse_entry_points, script_name_fault


def test_launchers_are_read_as_importlib_reads_them() -> None:
    text = b"""# a comment
; another
before = any:group
[console_scripts]
Foo = foo.cli:main
foo-bar=foo:App.run [extra, other]
spaced = foo : main
colon:name = foo:main
no equals sign

[gui_scripts]
foow = foo:gui
[other.group]
python = evil:main
"""
    points, warnings = parse_entry_points(text, "x")
    assert points == (
        EntryPoint("Foo", "foo.cli", "main", gui=False),
        EntryPoint("colon:name", "foo", "main", gui=False),
        EntryPoint("foo-bar", "foo", "App.run", gui=False),
        EntryPoint("foow", "foo", "gui", gui=True),
        EntryPoint("spaced", "foo", "main", gui=False),
    )
    assert [code for code, _ in warnings] == ["entry-point-name"]


def test_pip_and_names_that_only_resemble_the_interpreter_are_allowed() -> None:
    for name in (
        "pip",
        "pip3.12",
        "python-argcomplete-check",
        "activate-global-python-argcomplete",
        "ipython3",
        "python_x",
    ):
        assert script_name_fault(name) is None


HOSTILE = [
    *("python", "python3", "python3.12", "python3.13t", "Python", "pythonw", "python.exe", "PYTHON3.EXE", "pypy3.11"),
    *("activate", "activate.ps1", "Activate.ps1", "activate.csh", "activate.fish", "activate.bat", "activate_this.py"),
    *("deactivate.bat", "a/b", "../a", "/a", "..", ".", "-x", "a\\b", "a\nb", "a\x1bb", "a\u202eb", "x" * 300),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(name: str) -> None:
    assert script_name_fault(name) is not None
    if "\n" not in name:
        with pytest.raises(WheelError) as caught:
            parse_entry_points(f"[console_scripts]\n{name} = a:b\n".encode(), "foo.whl")
        assert caught.value.code == "wheel-entry-points"
        assert all(cause.isprintable() for cause in caught.value.causes)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(WheelError):
        parse_entry_points(b"[gui_scripts]\n= a:b\n", "x")


NO_REFERENCES = [
    *("", "foo", "foo:", ":main", "foo:main()", "os;x:main", "foo:main\tand more", "foo:a b", "import os", "a:b:c"),
    *("foo:main #x", "a:b[c"),
]


@pytest.mark.parametrize("value", NO_REFERENCES)
def test_a_value_that_is_no_reference_is_refused(value: str) -> None:
    with pytest.raises(WheelError) as caught:
        parse_entry_points(f"[console_scripts]\nx = {value}\n".encode(), "x")
    assert "names no function" in caught.value.causes[0]


@pytest.mark.parametrize("value", ["foo-bar:main", "1foo:main", "foo.class:main", "foo..bar:main", "foo:1", "foo.:x"])
def test_a_reference_that_nothing_can_import_makes_no_launcher(value: str) -> None:
    points, warnings = parse_entry_points(f"[console_scripts]\nx = {value}\n".encode(), "x")
    assert points == ()
    assert [code for code, _ in warnings] == ["entry-point-dropped"]


def test_the_last_of_two_declarations_counts() -> None:
    points, warnings = parse_entry_points(b"[console_scripts]\nx = a:b\nx = a:b\nx = c:d\n", "x")
    assert points == (EntryPoint("x", "c", "d", gui=False),)
    assert [code for code, _ in warnings] == ["entry-point-twice"]


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(WheelError):
        parse_entry_points(b"[console_scripts]\n\xff = a:b\n", "x")


@given(st.text(max_size=80))
def test_whatever_is_accepted_can_be_a_file_name_and_python_source(text: str) -> None:
    try:
        points, _ = parse_entry_points(b"[console_scripts]\n" + text.encode("utf-8", "ignore"), "x")
    except WheelError:
        return
    for point in points:
        assert "/" not in point.name
        assert point.name.isprintable() or " " in point.name
        compile(f"from {point.module} import {point.attribute.partition('.')[0]}", "x", "exec")
