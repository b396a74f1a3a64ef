from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from packaging.markers import default_environment

from pyvstore.interpreter import target
from tests.support.pythons import make_script


def test_this_python_describes_itself() -> None:
    facts = json.loads(json.dumps(target.describe()))
    assert facts["version"][:3] == list(sys.version_info[:3])
    environment = {name: value for name, value in default_environment().items() if name != "extra"}
    assert facts["markers"] == environment
    assert facts["paths"]["purelib"] == f"/P/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def test_the_last_line_of_its_output_is_the_answer() -> None:
    result = subprocess.run([sys.executable, "-I", target.__file__], capture_output=True, check=True)
    assert json.loads(result.stdout.splitlines()[-1])["implementation"] == target.describe()["implementation"]


def test_the_version_of_musl_is_what_its_loader_says(tmp_path: Path) -> None:
    text = "echo 'musl libc (x86_64)' >&2\necho 'Version 1.2.4' >&2\necho 'Usage: ...' >&2\nexit 1\n"
    loader = make_script(tmp_path / "ld-musl-x86_64.so.1", text)
    assert target.musl_version(str(loader)) == "1.2.4"
    assert target.musl_version(str(make_script(tmp_path / "other", "echo no >&2"))) is None
    assert target.musl_version(None) is None


def test_the_loader_of_musl_is_found_among_what_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = tmp_path / "maps"
    maps.write_text("7f0-7f1 r-xp 00000000 08:01 1234   /lib/ld-musl-x86_64.so.1\n7f2-7f3 rw-p 00000000 00:00 0\n")
    real_open = builtins.open
    monkeypatch.setattr(builtins, "open", lambda _, **options: real_open(maps, **options))
    assert target.musl_loader() == "/lib/ld-musl-x86_64.so.1"
    maps.unlink()
    assert target.musl_loader() is None


def test_a_c_library_that_is_not_gnus_has_no_glibc_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.36")
    assert target.glibc_version() == "2.36"
    monkeypatch.setattr(os, "confstr", lambda _: "")
    assert target.glibc_version() is None
    monkeypatch.delattr(os, "confstr")
    assert target.glibc_version() is None


def test_a_debug_build_is_known_by_its_flag_or_by_its_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, int | None] = {"Py_DEBUG": 1}
    monkeypatch.setattr(sysconfig, "get_config_var", answers.get)
    assert target.is_debug_build()
    answers["Py_DEBUG"] = 0
    assert not target.is_debug_build()
    answers.clear()
    monkeypatch.setattr(sys, "gettotalrefcount", lambda: 1, raising=False)
    assert target.is_debug_build()


def test_a_prerelease_is_written_as_pep_508_says(monkeypatch: pytest.MonkeyPatch) -> None:
    class Version(NamedTuple):
        major: int = 3
        minor: int = 15
        micro: int = 0
        releaselevel: str = "beta"
        serial: int = 3

    monkeypatch.setattr(sys, "implementation", SimpleNamespace(name="other", version=Version()))
    assert target.describe_markers()["implementation_version"] == "3.15.0b3"


def test_a_python_that_is_too_old_says_only_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 6, 15, "final", 0))
    assert set(target.describe()) == {"version", "implementation"}
