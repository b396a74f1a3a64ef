"""Other installers install our lockfiles: pip and uv choose the same packages as `sync` does, part by part."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.projects import everywhere, format_project, is_covered, offer, selected
from tests.support.sdists import build_sdist
from tests.support.world import World

HERE = ".".join(map(str, sys.version_info[:2]))
UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
MAIN = {"base": "2.0", "leaf": "1.0", "split": "2.0" if sys.version_info >= (3, 12) else "1.0"}
LINT, DEV, DOCS, FAST = {"linter": "1.0"}, {"tester": "1.0"}, {"writer": "1.0", "themes": "1.0"}, {"speed": "1.0"}

# Our options, what pip is given, what uv is given, and what is then there.
WAYS = [
    ([], ["-r", "{lock}"], [], {**MAIN, **LINT, **DEV}),
    (["--extra", "fast"], ["-r", "{lock}[fast]"], ["--extra", "fast"], {**MAIN, **LINT, **DEV, **FAST}),
    (["--group", "docs", "--no-default-groups"], ["--group", "{lock}:docs"], ["--group", "docs"], {**MAIN, **DOCS}),
    (["--group", "dev", "--no-default-groups"], ["--group", "{lock}:dev"], ["--group", "dev"], {**MAIN, **LINT, **DEV}),
]


@pytest.fixture
def shared(world: World, index: LoopbackIndex) -> World:
    """A project with an extra, groups that include each other, a default group, markers and a fork by Python."""
    offer(index, "leaf", "1.0")
    offer(index, "base", "2.0", requires=["leaf", "only-windows; sys_platform == 'win32'"])
    offer(index, "only-windows", "1.0")
    offer(index, "split", "1.0")
    offer(index, "split", "2.0", requires_python=">=3.12")
    for name in ("linter", "tester", "themes", "speed"):
        offer(index, name, "1.0")
    offer(index, "writer", "1.0", requires=["themes", "leaf"])
    text = format_project(
        ["base", "split<2; python_version < '3.12'", "split>=2; python_version >= '3.12'"],
        extras={"fast": ["speed"]},
        groups={"lint": ["linter"], "dev": [{"include-group": "lint"}, "tester"], "docs": ["writer"]},
        requires_python=f">={min(HERE, '3.11', key=lambda version: int(version[2:]))}",
    )
    (world.project / "pyproject.toml").write_text(text)
    world.run("lock")
    return world


def installed_in(site: Path) -> dict[str, str]:
    found = {}
    for info in site.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        found[name.replace("_", "-")] = version
    return found


@pytest.mark.parametrize(("ours", "expected"), [(ours, expected) for ours, _, _, expected in WAYS])
def test_sync_installs_the_parts(shared: World, ours: list[str], expected: dict[str, str]) -> None:
    shared.run("sync", *ours)
    assert installed_in(shared.site) == expected


@pytest.mark.parametrize(("words", "expected"), [(words, expected) for _, words, _, expected in WAYS])
def test_pip_installs_the_same(shared: World, words: list[str], expected: dict[str, str], tmp_path: Path) -> None:
    lock = str(shared.project / "pylock.toml")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-input", "--dry-run"),
            *("--ignore-installed", "--quiet", "--report", "-"),
            *(word.format(lock=lock) for word in words),
        ],
        cwd=tmp_path,
        env={**shared.environ, "PIP_CONFIG_FILE": "/dev/null", "PIP_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "Invalid requirement" in result.stderr or "no such option" in result.stderr:
        pytest.skip("this pip does not read lockfiles")
    assert result.returncode == 0, result.stderr
    found = {
        entry["metadata"]["name"].replace("_", "-"): entry["metadata"]["version"]
        for entry in json.loads(result.stdout)["install"]
    }
    assert found == expected


@pytest.mark.skipif(UV is None, reason="uv is not here")
@pytest.mark.parametrize(("words", "expected"), [(words, expected) for _, _, words, expected in WAYS])
def test_uv_installs_the_same(shared: World, words: list[str], expected: dict[str, str], tmp_path: Path) -> None:
    target = tmp_path / "target"
    result = subprocess.run(
        [
            *(str(UV), "pip", "sync", "--no-config", "--python", sys.executable, "--target", str(target)),
            *("--preview", "pylock.toml", *words),
        ],
        cwd=shared.project,
        env={**shared.environ, "UV_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert installed_in(target) == expected


def test_the_lock_selects_on_every_machine_what_its_markers_promise(shared: World) -> None:
    for environment in everywhere():
        assert is_covered(shared.project, environment)
        found = selected(shared.project, environment, groups=())
        assert ("only-windows" in found) == (environment["sys_platform"] == "win32")
        assert found["split"] == ("1.0" if environment["python_version"] == "3.11" else "2.0")
        assert found.keys() <= {"base", "leaf", "split", "only-windows"}
        assert selected(shared.project, environment).keys() >= {"linter", "tester"}
        assert "speed" in selected(shared.project, environment, extras=["fast"])


# ── what the lock does not cover ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("words", [("sync",), ("run", "python", "-c", "pass"), ("add", "gamma")])
def test_a_machine_that_the_lock_does_not_cover_is_refused_with_the_setting_that_helps(
    world: World, words: tuple[str, ...]
) -> None:
    text = format_project(["alpha"], settings='platforms = ["windows-x86_64"]', requires_python=f">={HERE}")
    (world.project / "pyproject.toml").write_text(text)
    world.run("lock")
    before = world.files()
    err = world.fail(*words, code="lock-environment").err
    assert "pylock.toml does not cover CPython" in err
    assert 'set `platforms = ["windows-x86_64", "linux-' in err
    assert world.files() == before
    assert not world.venv.exists()


def test_a_package_without_a_wheel_for_here_names_itself(world: World, index: LoopbackIndex) -> None:
    offer(index, "foreign", "1.0", tag="py3-none-win_amd64")
    (world.project / "pyproject.toml").write_text(format_project(["foreign"], requires_python=f">={HERE}"))
    assert "foreign 1.0 has no file for" in world.run("lock").err
    assert "foreign 1.0 has no wheel for CPython" in world.fail("sync", code="no-wheel").err


@pytest.mark.parametrize(("has_sdist", "code"), [(False, "no-wheel"), (True, "build-required")])
def test_a_wheel_that_came_after_the_lock_is_found_by_what_the_refusal_advises(
    world: World, index: LoopbackIndex, has_sdist: bool, code: str
) -> None:
    offer(index, "late", "1.0", tag="py3-none-win_amd64")
    if has_sdist:
        index.add(*build_sdist("late", "1.0"))
    (world.project / "pyproject.toml").write_text(format_project(["late"], requires_python=f">={HERE}"))
    refusal = world.fail("sync", code=code).err
    advice = re.search("`pyvstore (lock [^`]+)`", refusal)
    assert advice is not None
    offer(index, "late", "1.0", tag=f"cp{HERE.replace('.', '')}-none-any")
    world.run("lock")
    world.fail("sync", code=code)
    world.run(*advice[1].split())
    world.run("sync")
    assert installed_in(world.site) == {"late": "1.0"}


def test_a_lock_says_what_the_machines_of_each_platform_must_have(world: World, index: LoopbackIndex) -> None:
    offer(index, "modern", "1.0", tag="py3-none-manylinux_2_28_x86_64.macosx_14_0_arm64.win_amd64")
    offer(index, "classic", "1.0", tag="py3-none-manylinux2014_x86_64.macosx_11_0_arm64.win_amd64")
    settings = 'platforms = ["linux-x86_64", "macos-arm64", "windows-x86_64"]'
    text = format_project(["modern", "classic"], settings=settings, requires_python=f">={HERE}")
    (world.project / "pyproject.toml").write_text(text)
    needs = [
        "linux-x86_64 needs glibc 2.28 or newer (modern 1.0)",
        "macos-arm64 needs macOS 14.0 or newer (modern 1.0)",
    ]
    new, same, checked = (world.run("lock", "-v", *words).err for words in ([], [], ["--check"]))
    for err in (new, same, checked):
        assert [line for line in err.splitlines() if "needs" in line] == needs
    assert "needs" not in world.run("lock").err
    events = map(json.loads, world.run("lock", "--json").out.splitlines())
    assert [(event["platform"], event["version"]) for event in events if event["event"] == "platform_needs"] == [
        ("linux-x86_64", "2.28"),
        ("macos-arm64", "14.0"),
    ]
