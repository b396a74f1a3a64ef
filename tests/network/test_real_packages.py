"""The main job on packages that people use. Run with ``--network``."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.machine import TOOLS, Machine
from tests.support.world import unseal

pytestmark = pytest.mark.network

SETS = {
    "numpy": (["numpy"], "import numpy; assert numpy.eye(2).sum() == 2", []),
    "web": (
        ["fastapi[standard]", "sqlalchemy", "boto3"],
        "import fastapi, sqlalchemy, boto3, uvicorn, pydantic",
        ["uvicorn --version", "fastapi --version"],
    ),
    "namespaces": (
        ["google-cloud-storage", "azure-storage-blob", "sphinx"],
        "import google.cloud.storage, azure.storage.blob, azure.core, sphinx, sphinxcontrib.htmlhelp, google.api_core",
        ["sphinx-build --version"],
    ),
    "jupyter": (
        ["jupyterlab"],
        "import jupyterlab, ipykernel, zmq",
        ["jupyter lab --version", "jupyter kernelspec list"],
    ),
    "tools": (
        ["black", "ruff", "pytest", "pytest-mock"],
        "import black, pytest, pytest_mock",
        ["black --version", "ruff --version", "pytest --version"],
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_add_relink_move_and_remove(machine: Machine, name: str) -> None:
    requirements, imports, tools = SETS[name]
    machine.pyvstore("add", *requirements)
    machine.python(imports)
    for tool in tools:
        machine.tool(*tool.split())
    assert machine.listed() == machine.listed_by_uv()
    machine.pip("check")
    machine.uv("check")
    store = machine.store_hash()
    shutil.rmtree(machine.venv)
    machine.pyvstore("relink", PYVSTORE_INDEX_URL="http://127.0.0.1:9/simple/")
    machine.python(imports)
    moved = machine.place / "moved"
    machine.project.rename(moved)
    machine.project = moved
    machine.pyvstore("relink")
    machine.python(imports)
    for tool in tools:
        machine.tool(*tool.split())
    assert "Checked " in machine.pyvstore("sync")
    machine.pyvstore("remove", re.split(r"[\[<>=]", requirements[-1])[0])
    assert machine.store_hash() == store


def test_qt_finds_its_libraries_behind_links(machine: Machine) -> None:
    machine.pyvstore("add", "PySide6-Essentials")
    assert machine.python("from PySide6 import QtCore; print(QtCore.QLibraryInfo.version().majorVersion())") == "6"


def test_the_lock_is_installed_by_pip_and_by_uv_to_the_same_set(machine: Machine) -> None:
    machine.pyvstore("add", "--python", sys.executable, "requests", "rich")
    ours = machine.listed()
    by_uv = machine.place / "by-uv"
    subprocess.run([TOOLS / "uv", "venv", "-q", "--python", sys.executable, by_uv], check=True, env=machine.environ)
    machine.uv("sync", str(machine.project / "pylock.toml"), venv=by_uv)
    by_pip = machine.place / "by-pip"
    subprocess.run([TOOLS / "uv", "venv", "-q", "--python", sys.executable, by_pip], check=True, env=machine.environ)
    command = [sys.executable, "-m", "pip", "--python", str(by_pip / "bin/python"), "install", "-q"]
    subprocess.run([*command, "-r", str(machine.project / "pylock.toml")], check=True, env=machine.environ)
    for venv in (by_uv, by_pip):
        machine.project.joinpath(".venv").rename(machine.place / "kept")
        machine.project.joinpath(".venv").symlink_to(venv)
        assert machine.listed_by_uv() == ours
        machine.project.joinpath(".venv").unlink()
        (machine.place / "kept").rename(machine.project / ".venv")


@pytest.fixture
def everybodys_venv() -> Iterator[Path]:
    """This source, pip and uv where any user may run them; skips where no Python is for everybody."""
    system = Path("/usr/bin/python3")
    check = [str(system), "-c", "import sys; raise SystemExit(sys.version_info < (3, 10))"]
    if not system.exists() or subprocess.run(check, check=False).returncode:
        pytest.skip("the system has no Python that the tool runs on")
    place = Path(tempfile.mkdtemp(prefix="pyvstore-tools-"))
    place.chmod(0o755)
    environ = {**os.environ, "UV_CACHE_DIR": str(place / "cache"), "UV_LINK_MODE": "copy"}
    source = Path(__file__).parents[2]
    subprocess.run(
        [str(TOOLS / "uv"), "venv", "-q", "--python", str(system), str(place / "venv")], check=True, env=environ
    )
    command = [str(TOOLS / "uv"), "pip", "install", "-q", "--python", str(place / "venv/bin/python")]
    subprocess.run([*command, str(source), "pip>=26.1", "uv"], check=True, env=environ)
    yield place / "venv"
    unseal(place)
    shutil.rmtree(place)


@pytest.mark.parametrize("user", ["this user", "an ordinary user"])
def test_pip_and_uv_in_the_environment_leave_the_store_as_it_is(
    machine: Machine, user: str, request: pytest.FixtureRequest
) -> None:
    if user == "an ordinary user":
        if os.getuid() != 0 or shutil.which("setpriv") is None:
            pytest.skip("only root can become another user")
        tools: Path = request.getfixturevalue("everybodys_venv")
        machine = Machine(tools.parent / "place", tools.parent / "place" / "home", dict(os.environ))
        machine.home.mkdir()
        machine.environ["HOME"] = str(machine.home)
        machine.become(65534, tools / "bin")
    machine.pyvstore("add", "requests", "black")
    store = machine.store_hash()
    machine.pip("uninstall", "-y", "requests", "black")
    machine.pyvstore("relink")
    machine.uv("uninstall", "urllib3", "click")
    machine.pyvstore("relink")
    machine.uv("install", "-q", "-U", "--reinstall", "idna", "platformdirs")
    machine.pyvstore("relink")
    machine.pip("install", "-q", "--force-reinstall", "--no-deps", "certifi", "pathspec")
    assert machine.store_hash() == store
    machine.pyvstore("relink")
    machine.python("import requests, black, click, urllib3, certifi, pathspec, idna")
    assert machine.listed() == machine.listed_by_uv()
    assert machine.store_hash() == store


def test_two_machines_write_the_same_lock(machine: Machine, tmp_path: Path) -> None:
    machine.pyvstore("add", "jinja2", "click")
    other = Machine(tmp_path / "other", tmp_path / "other-home", dict(os.environ))
    shutil.copy(machine.project / "pyproject.toml", other.project / "pyproject.toml")
    other.pyvstore("lock")
    assert (other.project / "pylock.toml").read_bytes() == (machine.project / "pylock.toml").read_bytes()
