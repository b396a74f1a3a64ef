"""Programs that answer like a Python, and the real ones of the machine that the tests run on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

_PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def real_pythons() -> list[Any]:
    """Return pytest parameters: the system's Python and one CPython of each series; skipped where absent."""
    system = "/usr/bin/python3"
    absent = [] if os.path.exists(system) else [pytest.mark.skip(reason="the system has no Python")]
    parameters = [pytest.param(system, id="system", marks=absent)]
    for minor in range(8, 15):
        found = sorted(_PYENV.glob(f"3.{minor}.*/bin/python3.{minor}"))
        marks = [] if found else [pytest.mark.skip(reason=f"pyenv has no Python 3.{minor}")]
        parameters.append(pytest.param(str(found[-1]) if found else "", id=f"3.{minor}", marks=marks))
    return parameters


def facts_of(executable: Path, version: str = "3.12.1", implementation: str = "CPython") -> dict[str, Any]:
    """Return what a Python of 64-bit Linux says of itself."""
    release = Version(version.rstrip("+")).release
    series = f"{release[0]}.{release[1]}"
    nodot = series.replace(".", "")
    site = f"/P/lib/{'pypy' if implementation == 'PyPy' else 'python'}{series}/site-packages"
    return {
        "version": [*release, "final", 0],
        "implementation": implementation,
        "executable": str(executable),
        "markers": {
            "implementation_name": implementation.lower(),
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": implementation,
            "platform_release": "6.1",
            "platform_system": "Linux",
            "platform_version": "#1",
            "python_full_version": version,
            "python_version": series,
            "sys_platform": "linux",
        },
        "paths": {"purelib": site, "platlib": site, "scripts": "/P/bin"},
        "platform": "linux-x86_64",
        "bits": 64,
        "soabi": f"cpython-{nodot}-x86_64-linux-gnu",
        "extension_suffix": f".pypy{nodot}-pp73-x86_64-linux-gnu.so" if implementation == "PyPy" else ".so",
        "free_threaded": False,
        "debug": False,
        "macos": "",
        "glibc": "2.36",
        "musl": None,
    }


def make_python(path: Path, version: str = "3.12.1", implementation: str = "CPython", **changes: object) -> Path:
    """Write a program at ``path`` that answers as a Python would; each start leaves a line in ``<path>.log``."""
    facts = {**facts_of(path, version, implementation), **changes}
    return make_script(path, f"echo start >> '{path}.log'\ncat <<'END'\n{json.dumps(facts)}\nEND\n")


def make_script(path: Path, text: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shutil.which('sh')}\n{text}")
    path.chmod(0o755)
    return path


def starts_of(path: Path) -> int:
    """Return how often the program of `make_python` was started."""
    log = Path(f"{path}.log")
    return len(log.read_text().splitlines()) if log.exists() else 0
