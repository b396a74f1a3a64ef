"""Scenarios through `pyvstore lock`, in this process: an index on loopback, a pyproject.toml, the lockfile judged."""

from __future__ import annotations

import importlib.util
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tomli

from pyvstore.cli.guard import run_guarded
from tests.support.loopback import LoopbackIndex
from tests.support.projects import everywhere, format_project, selected
from tests.support.wheels import build_wheel

SHARED = Path(__file__).resolve().parents[3] / "shared"
OWN = sorted((Path(__file__).parents[2] / "fixtures" / "scenarios").glob("*.toml"))
# It asks for what this product decides otherwise: upper bounds of requires-python hold.
OTHERWISE = {"python-less-than-current"}


def tool(name: str) -> ModuleType:
    """Import a module of the tools beside the repository."""
    if name not in sys.modules:
        specification = importlib.util.spec_from_file_location(name, SHARED / "tools" / f"{name}.py")
        assert specification is not None
        assert specification.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
    return sys.modules[name]


def shared_cases() -> list[Path]:
    if tuple(sys.version_info) < (3, 11) or not (SHARED / "tools" / "score_scenarios.py").is_file():
        return []
    return sorted((SHARED / "scenarios").rglob("*.toml"))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[dict[str, Any], str]]:
    for name in ("lock_oracle", "scenario_server", "score_scenarios"):
        tool(name)
    scenarios, server = tool("scenario_server").serve([SHARED / "scenarios"])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield scenarios, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to lock in, and nothing of the developer's own settings."""
    for name in ("HOME", "PYVSTORE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("PYVSTORE_INDEX_URL", raising=False)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


@pytest.mark.skipif(not shared_cases(), reason="the shared scenarios and their tools are not beside the repository")
@pytest.mark.parametrize("path", shared_cases(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shared_scenario_is_locked(
    path: Path, served: tuple[dict[str, Any], str], clean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenarios, base = served
    score = tool("score_scenarios")
    key = f"{path.parent.name}/{path.stem}"
    scenario = scenarios[key]
    options, expected = scenario.get("resolver_options", {}), scenario["expected"]
    if options.get("python_platform"):
        pytest.skip("needs an option that the product does not have")
    if path.stem in OTHERWISE:
        pytest.skip("the product decides otherwise on purpose")
    url = f"{base}/s/{key}/simple/"

    def lock(constraints: tuple[str, ...] = ()) -> tuple[int, str]:
        (clean / "pyproject.toml").write_text(score.pyproject(scenario, url, constraints), encoding="utf-8")
        return run_guarded(["lock"]), capsys.readouterr().err

    status, err = lock()
    if status:
        assert status == 1
        assert re.search(r"error\[no-", err), err
        assert not expected["satisfiable"] or key in score.EITHER, err
        return
    assert expected["satisfiable"] or key in score.EITHER or options.get("universal")
    packages = locked(clean)
    if options.get("universal"):
        document = tomli.loads((clean / "pylock.toml").read_text(encoding="utf-8"))
        assert score.unsound(scenario, document, packages) == ""
        assert lock(("a-name-that-nothing-requires>=1",))[0] == 0
        assert locked(clean) == packages
        return
    oracle, python = tool("lock_oracle"), score.target_python(scenario)
    point = {
        **oracle.PLATS["linux-x86_64"],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "implementation_version": python,
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "platform_release": "",
        "platform_version": "",
    }
    chosen, problems = oracle.select(packages, point)
    assert not problems
    assert not oracle.check_env(oracle.World(scenario), chosen, point)
    if expected.get("packages"):
        assert {name: str(version) for name, version in chosen.items()} == expected["packages"]


def locked(folder: Path) -> list[dict[str, Any]]:
    packages = tomli.loads((folder / "pylock.toml").read_text(encoding="utf-8")).get("packages", [])
    assert isinstance(packages, list)
    return packages


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_scenario_of_our_own_is_locked_as_written(
    path: Path, clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tomli.loads(path.read_text(encoding="utf-8"))
    with LoopbackIndex() as index:
        for name, versions in case["packages"].items():
            index.add_project(name)
            for version, entry in versions.items():
                offer(index, name, version, entry)
        monkeypatch.setenv("PYVSTORE_INDEX_URL", index.url)
        text = format_project(case["requires"], requires_python=case.get("requires_python", ">=3.12"))
        (clean / "pyproject.toml").write_text(text, encoding="utf-8")
        status = run_guarded(["lock"])
        err = capsys.readouterr().err
        if not case.get("satisfiable", True):
            assert status == 1
            assert "error[no-" in err
            return
        assert status == 0, err
        first = (clean / "pylock.toml").read_bytes()
        (clean / "pylock.toml").unlink()
        assert run_guarded(["lock"]) == 0
        assert (clean / "pylock.toml").read_bytes() == first
    found: dict[str, set[str]] = {}
    for package in locked(clean):
        found.setdefault(package["name"], set()).add(package["version"])
    assert found == {
        name: set(versions) if isinstance(versions, dict) else {versions} for name, versions in case["expected"].items()
    }
    for environment in everywhere():
        if environment["python_version"] != "3.11":
            selected(clean, environment)  # fails for a name that is there twice


def offer(index: LoopbackIndex, name: str, version: str, entry: dict[str, Any]) -> None:
    """Publish one version of a scenario."""
    for tag in entry.get("tags", ["py3-none-any"]):
        built = build_wheel(
            name,
            version,
            files={},
            requires=entry.get("requires", ()),
            extras=entry.get("extras"),
            requires_python=entry.get("metadata_requires_python", entry.get("requires_python")),
            tag=tag,
        )
        index.add(*built, requires_python=entry.get("requires_python"), yanked=entry.get("yanked"))
