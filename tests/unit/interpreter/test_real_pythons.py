"""What is computed from outside must be what each real Python finds inside; skipped where pyenv has none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import packaging
import pytest

from pyvstore.fs.files import make_directories, write_atomic
from pyvstore.fs.links import make_link
from pyvstore.interpreter.probe import base_of, probe
from pyvstore.model.environment import Interpreter
from pyvstore.model.farm import Directory, File
from pyvstore.plan.prefix import plan_prefix
from tests.support.pythons import real_pythons

_INSIDE = """\
import json, sys
sys.path.insert(0, sys.argv[1])
try:
    from packaging.markers import default_environment
    from packaging.tags import sys_tags
    is_ours = True
except (ImportError, TypeError):  # too new for this Python
    from pip._vendor.packaging.markers import default_environment
    from pip._vendor.packaging.tags import sys_tags
    is_ours = False
print(json.dumps([[str(tag) for tag in sys_tags()], default_environment(), is_ours]))
"""
_ENVIRONMENT = """\
import json, site, sys, sysconfig
import only_here
print(json.dumps({
    "prefix": sys.prefix, "base": sys.base_prefix, "executable": sys.executable, "path": sys.path,
    "paths": sysconfig.get_paths(), "sites": site.getsitepackages(), "module": only_here.__file__,
    "base_executable": getattr(sys, "_base_executable", None),
}))
"""


def make_environment(interpreter: Interpreter, prefix: Path) -> Path:
    for path, item in plan_prefix(interpreter, str(prefix), "app").items():
        place = os.path.join(prefix, path)
        make_directories(place if isinstance(item, Directory) else os.path.dirname(place))
        if isinstance(item, File):
            write_atomic(place, item.data)
        elif not isinstance(item, Directory):
            make_link(item.target, place)
    return prefix / "bin" / "python"


def output(*command: object) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "COV"))}
    result = subprocess.run([str(part) for part in command], env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def packaging_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("packaging")
    shutil.copytree(os.path.dirname(packaging.__file__), directory / "packaging")
    return directory


@pytest.mark.parametrize("executable", real_pythons())
def test_tags_and_markers_are_those_that_the_python_finds_itself(executable: str, packaging_alone: Path) -> None:
    interpreter = probe(executable)
    tags, environment, is_ours = json.loads(output(executable, "-I", "-c", _INSIDE, packaging_alone))
    environment.pop("extra", None)
    assert dict(interpreter.environment.markers) == environment
    if is_ours:
        assert list(interpreter.environment.tags) == tags
    else:
        # The pip of a Python that is too old for this packaging has an older one: another order, and one tag less.
        nodot = interpreter.environment.python_minor.replace(".", "")
        assert set(interpreter.environment.tags) ^ set(tags) <= {f"cp{nodot}-none-any"}


@pytest.mark.parametrize("executable", real_pythons())
def test_the_planned_environment_works(executable: str, tmp_path: Path) -> None:
    interpreter = probe(executable)
    prefix = tmp_path / "my project" / ".venv"
    python = make_environment(interpreter, prefix)
    site = prefix / interpreter.layout.site_packages
    (site / "only_here.py").touch()
    for name in ("python", "python3", f"python{interpreter.environment.python_minor}"):
        seen = json.loads(output(prefix / "bin" / name, "-c", _ENVIRONMENT))
        assert seen["prefix"] == str(prefix)
        assert seen["base"] == os.path.dirname(interpreter.home)
        assert seen["executable"] == str(prefix / "bin" / name)
        assert str(site) in seen["path"]
        assert str(site) in seen["sites"]
        assert seen["paths"]["purelib"] == seen["paths"]["platlib"] == str(site)
        assert seen["paths"]["scripts"] == str(prefix / "bin")
        assert seen["module"] == str(site / "only_here.py")
    assert "usage: venv" in output(python, "-m", "venv", "--help")
    assert base_of(str(python)) == interpreter.real_executable
    assert probe(str(python)).environment == interpreter.environment


@pytest.mark.parametrize("executable", real_pythons())
def test_an_environment_can_be_made_from_inside_the_planned_one(executable: str, tmp_path: Path) -> None:
    python = make_environment(probe(executable), tmp_path / ".venv")
    output(python, "-m", "venv", "--without-pip", tmp_path / "inner")
    assert base_of(str(tmp_path / "inner" / "bin" / "python")) == probe(executable).real_executable
    code = "import sys; print(sys.prefix, sys.base_prefix)"
    base = os.path.dirname(probe(executable).home)
    assert output(tmp_path / "inner" / "bin" / "python", "-c", code).split() == [str(tmp_path / "inner"), base]


def test_this_python_is_what_it_is() -> None:
    assert probe(sys.executable).version == ".".join(map(str, sys.version_info[:3]))


def test_other_tools_recognise_the_planned_environment(tmp_path: Path) -> None:
    interpreter = probe(sys.executable)
    prefix = tmp_path / ".venv"
    python = make_environment(interpreter, prefix)
    metadata = prefix / interpreter.layout.site_packages / "example-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: example\nVersion: 1.0\n")
    (metadata / "RECORD").write_text("")
    tools = []
    uv = shutil.which("uv")
    if uv:
        tools.append([uv, "pip", "list", "--format=json", "--python", str(prefix)])
        tools.append([uv, "pip", "list", "--format=json", "--python", str(python)])
    pip = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    if pip.returncode == 0:
        tools.append([sys.executable, "-m", "pip", "--python", str(python), "list", "--format=json"])
    if not tools:
        pytest.skip("neither uv nor pip is here")
    for tool in tools:
        assert json.loads(output(*tool)) == [{"name": "example", "version": "1.0"}]
