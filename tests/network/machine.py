"""The command line on real packages, with the settings of the machine's own network and nothing else of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOOLS = Path(sys.executable).parent
_OWN = ("PYVSTORE_", "PIP_", "UV_", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")


class Machine:
    """A project on a machine whose store is ``home``."""

    def __init__(self, place: Path, home: Path, environ: dict[str, str]) -> None:
        self.place = place
        self.home = home
        self.project = place / "project"
        self.project.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in environ.items() if not name.startswith(_OWN) or name == "PIP_CERT"}
        self.environ = kept | {"PYVSTORE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "UV_NO_CONFIG": "1"}
        self.source = str(Path(__file__).parents[2])
        self._python = sys.executable
        self._uv = str(TOOLS / "uv")
        self._prefix: list[str] = []

    def become(self, user: int, tools: Path) -> None:
        """Run everything as another user from now on, with the programs in ``tools``; what there is becomes theirs."""
        self._python, self._uv, self.source = str(tools / "python"), str(tools / "uv"), ""
        for path in (self.place, *self.place.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)
        self._prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]

    def pyvstore(self, *words: str, **variables: str) -> str:
        """Run a command of ours that must succeed; return what it says on both streams."""
        environ = {**self.environ, "PYTHONPATH": self.source, **variables}
        return self._run([self._python, "-m", "pyvstore", *words], environ)

    def tool(self, *words: str) -> str:
        """Run a program of the environment by its path."""
        return self._run([str(self.venv / "bin" / words[0]), *words[1:]], self.environ)

    def python(self, code: str) -> str:
        """Run ``code`` in the environment."""
        return self.tool("python", "-c", code).strip()

    def pip(self, *words: str) -> str:
        """Run a new pip against the environment."""
        command = [
            self._python,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--python",
            str(self.venv / "bin/python"),
        ]
        return self._run([*command, *words], self.environ)

    def uv(self, *words: str, venv: Path | None = None) -> str:
        """Run ``uv pip`` against the environment."""
        environ = self.environ | {"VIRTUAL_ENV": str(venv or self.venv), "UV_CACHE_DIR": str(self.place / "uv-cache")}
        return self._run([self._uv, "pip", *words], environ)

    @property
    def venv(self) -> Path:
        return self.project / ".venv"

    def _run(self, command: Sequence[str], environ: dict[str, str]) -> str:
        result = subprocess.run(
            [*self._prefix, *command],
            cwd=self.project,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        return result.stdout + result.stderr

    def listed(self) -> dict[str, str]:
        """Return what we say is installed: name → version."""
        lines = self.pyvstore("list", "--json").splitlines()
        return {item["name"]: item["version"] for item in json.loads(lines[0])}

    def listed_by_uv(self) -> dict[str, str]:
        """Return what uv says is installed."""
        out = self.uv("list", "--format", "json")
        return {item["name"]: item["version"] for item in json.loads(out.splitlines()[0])}

    def store_hash(self) -> str:
        """A digest over all files of all entries: path, mode, content; bytecode left out."""
        digest = hashlib.sha256()
        for directory, below, files in os.walk(self.home / "v1" / "entries"):
            below[:] = sorted(name for name in below if name != "__pycache__")
            for name in (".", *sorted(files)):
                path = os.path.join(directory, name)
                digest.update(f"{path} {os.lstat(path).st_mode}\n".encode())
                if name != ".":
                    digest.update(Path(path).read_bytes())
        return digest.hexdigest()
