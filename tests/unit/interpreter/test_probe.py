from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from pyvstore.errors import InterpreterError
from pyvstore.interpreter.probe import base_of, probe
from tests.support.pythons import facts_of, make_python, make_script


def refusal(path: Path, timeout_seconds: float = 5.0) -> InterpreterError:
    with pytest.raises(InterpreterError) as caught:
        probe(str(path), timeout_seconds=timeout_seconds)
    return caught.value


def test_a_python_is_what_it_says_of_itself(tmp_path: Path) -> None:
    path = make_python(tmp_path / "bin" / "python3.12")
    link = tmp_path / "python"
    link.symlink_to(path)
    interpreter = probe(str(link))
    assert interpreter.executable == str(link)
    assert interpreter.real_executable == str(path)
    assert interpreter.home == str(path.parent)
    assert (interpreter.implementation, interpreter.version) == ("CPython", "3.12.1")
    assert interpreter.environment.tags[:2] == ("cp312-cp312-linux_x86_64", "cp312-cp312-manylinux_2_36_x86_64")
    assert interpreter.environment.python_minor == "3.12"
    assert interpreter.layout.site_packages == "lib/python3.12/site-packages"
    assert interpreter.layout.scripts == "bin"
    assert interpreter.layout.headers == "include/site/python3.12"
    assert not interpreter.layout.lib64_link


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({"free_threaded": True}, "cp312-cp312t-linux_x86_64"),
        ({"debug": True}, "cp312-cp312d-linux_x86_64"),
        ({"debug": True, "free_threaded": True}, "cp312-cp312td-linux_x86_64"),
        ({"bits": 32}, "cp312-cp312-linux_i686"),
        ({"platform": "linux-aarch64", "bits": 32}, "cp312-cp312-linux_armv8l"),
        ({"platform": "freebsd-14.0-amd64"}, "cp312-cp312-freebsd_14_0_amd64"),
    ],
)
def test_the_first_tag_follows_the_build(tmp_path: Path, changes: dict[str, Any], tag: str) -> None:
    assert probe(str(make_python(tmp_path / "python", **changes))).environment.tags[0] == tag


def test_a_python_on_musl_takes_no_manylinux(tmp_path: Path) -> None:
    tags = probe(str(make_python(tmp_path / "python", glibc=None, musl="1.2.4"))).environment.tags
    assert tags[1] == "cp312-cp312-musllinux_1_2_x86_64"
    assert not any("manylinux" in tag for tag in tags)


@pytest.mark.parametrize(("soabi", "expected"), [("cpython-312-arm-linux-gnueabihf", True), ("cpython-312-arm", False)])
def test_32_bit_arm_takes_manylinux_only_with_hardware_floats(tmp_path: Path, soabi: str, expected: bool) -> None:
    path = make_python(tmp_path / "python", platform="linux-armv7l", bits=32, soabi=soabi)
    assert any("manylinux" in tag for tag in probe(str(path)).environment.tags) is expected


def test_pypy_has_its_own_tags_and_paths(tmp_path: Path) -> None:
    interpreter = probe(str(make_python(tmp_path / "pypy3", "3.10.14", "PyPy")))
    assert interpreter.implementation == "PyPy"
    assert interpreter.environment.tags[0] == "pp310-pypy310_pp73-linux_x86_64"
    assert interpreter.layout.site_packages == "lib/pypy3.10/site-packages"


def test_pypy_without_a_known_abi_takes_pure_wheels_alone(tmp_path: Path) -> None:
    interpreter = probe(str(make_python(tmp_path / "pypy3", "3.10.14", "PyPy", extension_suffix=None)))
    assert all(tag.split("-")[1] == "none" for tag in interpreter.environment.tags)


@pytest.mark.parametrize(
    ("system", "changes", "tag"),
    [
        ("darwin", {"macos": "14.2.1", "platform": "macosx-11.0-arm64"}, "cp312-cp312-macosx_14_0_arm64"),
        ("darwin", {"macos": "13", "platform": "macosx-11.0-arm64"}, "cp312-cp312-macosx_13_0_arm64"),
        ("win32", {"platform": "win-amd64"}, "cp312-cp312-win_amd64"),
        ("win32", {"platform": "win-arm64"}, "cp312-cp312-win_arm64"),
        ("win32", {"platform": "win32"}, "cp312-cp312-win32"),
    ],
)
def test_other_systems_have_their_tags(tmp_path: Path, system: str, changes: dict[str, Any], tag: str) -> None:
    markers = {**facts_of(tmp_path)["markers"], "sys_platform": system, "platform_machine": "arm64"}
    path = make_python(tmp_path / "python", markers=markers, **changes)
    assert probe(str(path)).environment.tags[0] == tag


def test_paths_of_windows_become_posix(tmp_path: Path) -> None:
    paths = {
        "purelib": "C:\\P\\Lib\\site-packages",
        "platlib": "C:\\P\\Lib\\site-packages",
        "scripts": "C:\\P\\Scripts",
    }
    layout = probe(str(make_python(tmp_path / "python", paths=paths))).layout
    assert (layout.site_packages, layout.scripts) == ("Lib/site-packages", "Scripts")


def test_lib64_needs_a_link_where_binary_packages_go_there(tmp_path: Path) -> None:
    paths = {**facts_of(tmp_path)["paths"], "platlib": "/P/lib64/python3.12/site-packages"}
    assert probe(str(make_python(tmp_path / "python", paths=paths))).layout.lib64_link


def test_a_build_from_a_repository_has_a_version_that_can_be_compared(tmp_path: Path) -> None:
    interpreter = probe(str(make_python(tmp_path / "python", "3.15.0a1+")))
    assert interpreter.version == interpreter.environment.markers["python_full_version"] == "3.15.0a1"


# Those that cannot be used


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo 'pyenv: python3.10: command not found' >&2\nexit 127",
            "status 127: pyenv: python3.10: command not found",
        ),
        ("printf '\\033[31mred\\n' >&2\nexit 1", "status 1: [31mred"),
        ("exit 3", "it ended with status 3"),
        ("kill -SEGV $$", "it ended with status -11"),
        ("true", "it did not answer like a Python"),
        ("echo hello", "it did not answer like a Python"),
        ("echo '[1]'", "it did not answer like a Python"),
        ("echo '{}'", "its answer has no version"),
        ('echo \'{"version": ["3"]}\'', "its answer has no version"),
        ('echo \'{"version": [3, 12], "implementation": "CPython"}\'', "its answer makes no sense: KeyError"),
    ],
)
def test_a_program_that_is_no_python_is_a_reason(tmp_path: Path, script: str, reason: str) -> None:
    error = refusal(make_script(tmp_path / "python", script))
    assert error.code == "python-broken"
    assert reason in error.causes[0]
    assert error.causes[0].isprintable()


@pytest.mark.parametrize(
    "changes",
    [
        {"paths": {"purelib": "/elsewhere", "platlib": "/P/x", "scripts": "/P/bin"}},
        {"paths": {"purelib": "/P/../x", "platlib": "/P/x", "scripts": "/P/bin"}},
        {"markers": []},
        {"executable": "/gone/python"},
        {"executable": "/a\nb"},
        {"glibc": None, "free_threaded": "x"},
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    error = refusal(make_python(tmp_path / "python", **changes))
    assert "makes no sense" in error.causes[0]


@pytest.mark.parametrize(
    ("version", "implementation", "said"),
    [("3.7.16", "CPython", "Python 3.7.16, which is older"), ("3.12.0", "GraalVM", "neither CPython nor PyPy")],
)
def test_what_is_not_supported_is_named(tmp_path: Path, version: str, implementation: str, said: str) -> None:
    error = refusal(make_python(tmp_path / "python", version, implementation))
    assert error.code == "python-unsupported"
    assert said in error.message


def test_a_python_of_another_architecture_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 57)
    path.chmod(0o755)
    assert "it does not start: Exec format error" in refusal(path).causes[0]
    assert "No such file" in refusal(tmp_path / "nothing").causes[0]


def test_a_python_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    path = make_script(tmp_path / "python", f"sleep 60 &\necho $! > '{tmp_path}/child'\nwait\n")
    started = time.monotonic()
    error = refusal(path, timeout_seconds=0.5)
    assert time.monotonic() - started < 5
    assert error.causes == ("it did not answer within 0.5 s",)
    child = int((tmp_path / "child").read_text())
    state = Path(f"/proc/{child}/stat")
    deadline = time.monotonic() + 5
    while state.exists() and state.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_output_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = make_script(tmp_path / "python", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\n")
    assert refusal(path, timeout_seconds=2.0).code == "python-broken"


def test_what_a_python_leaves_running_does_not_hold_us_up(tmp_path: Path) -> None:
    path = make_python(tmp_path / "python")
    path.write_text(path.read_text().replace("echo start", "sleep 60 &\necho start"))
    started = time.monotonic()
    assert probe(str(path)).version == "3.12.1"
    assert time.monotonic() - started < 5


def test_variables_that_bend_a_python_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("__PYVENV_LAUNCHER__", "/nowhere")
    path = make_python(tmp_path / "python")
    path.write_text(path.read_text().replace("echo start", f"env > '{tmp_path}/env'; echo start"))
    probe(str(path))
    seen = (tmp_path / "env").read_text()
    assert "nowhere" not in seen
    assert "SYSTEM_VERSION_COMPAT=0" in seen


# Virtual environments


def make_environment(prefix: Path, base: Path, *, copies: bool = False) -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text(f"include-system-site-packages = false\nHome = {base.parent}\n")
    python = prefix / "bin" / "python"
    if copies:
        python.write_bytes(base.read_bytes())
    else:
        python.symlink_to(base)
    return python


@pytest.mark.parametrize("copies", [False, True])
def test_an_environment_stands_for_the_python_that_it_was_made_from(tmp_path: Path, copies: bool) -> None:
    base = make_python(tmp_path / "base" / "bin" / "python")
    inner = make_environment(tmp_path / "a", base, copies=copies)
    outer = make_environment(tmp_path / "b", inner, copies=copies)
    for python in (inner, outer):
        assert base_of(str(python)) == str(base)
        assert probe(str(python)).executable == str(base)


def test_an_environment_without_its_base_stands_for_itself(tmp_path: Path) -> None:
    base = make_python(tmp_path / "base" / "bin" / "python")
    python = make_environment(tmp_path / "a", base, copies=True)
    base.unlink()
    assert base_of(str(python)) == str(python)


def test_environments_that_lead_to_each_other_end(tmp_path: Path) -> None:
    base = make_python(tmp_path / "base" / "python")
    pythons = [make_environment(tmp_path / name, base, copies=True) for name in ("a", "b")]
    for here, there in (pythons, reversed(pythons)):
        (here.parent.parent / "pyvenv.cfg").write_text(f"home = {there.parent}\n")
    assert base_of(str(pythons[0])) in map(str, pythons)


def test_a_configuration_without_a_home_is_none(tmp_path: Path) -> None:
    python = make_environment(tmp_path / "a", make_python(tmp_path / "base" / "python"))
    (tmp_path / "a" / "pyvenv.cfg").write_text("version = 3.12\n")
    assert base_of(str(python)) == str(python)
