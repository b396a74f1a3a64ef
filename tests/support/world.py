"""A machine of its own for a test: a home, a store, an index on loopback, projects, and the command line."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.loopback import LoopbackIndex


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str


class World:
    """Runs the real command line in subprocesses that see nothing of the developer's own settings."""

    executable = sys.executable
    user: int | None = None
    """Who runs the command line; needs root when it is somebody else."""
    umask = -1

    def __init__(self, place: Path, index: LoopbackIndex) -> None:
        self.place = place
        self.index = index
        self.home = place / "store-home"
        self.project = place / "project"
        self.project.mkdir(parents=True)
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(place),
            "PYVSTORE_HOME": str(self.home),
            "PYVSTORE_INDEX_URL": index.url,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LC_ALL": "C.UTF-8",
        }

    def try_run(self, *words: str, cwd: Path | None = None, **variables: str) -> Outcome:
        """Run ``pyvstore WORDS...`` and return how it ended."""
        result = subprocess.run(
            [self.executable, "-m", "pyvstore", *words],
            cwd=cwd or self.project,
            env={**self.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            umask=self.umask,
        )
        assert "Traceback" not in result.stderr, result.stderr
        return Outcome(result.returncode, result.stdout, result.stderr)

    def run(self, *words: str, cwd: Path | None = None, **variables: str) -> Outcome:
        """Run a command that must succeed."""
        outcome = self.try_run(*words, cwd=cwd, **variables)
        assert outcome.status == 0, outcome.err
        return outcome

    def fail(self, *words: str, code: str, status: int = 1, cwd: Path | None = None, **variables: str) -> Outcome:
        """Run a command that must fail with ``error[code]``."""
        outcome = self.try_run(*words, cwd=cwd, **variables)
        assert f"error[{code}]" in outcome.err, outcome.err
        assert outcome.status == status, outcome.err
        return outcome

    @property
    def venv(self) -> Path:
        """The project's environment."""
        return self.project / ".venv"

    @property
    def site(self) -> Path:
        """Its directory of packages."""
        (site,) = self.venv.glob("lib/python3*/site-packages")
        return site

    def python(self, code: str) -> str:
        """Run ``code`` with the environment's Python and return what it prints."""
        environ = {name: value for name, value in self.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [self.venv / "bin" / "python", "-c", code],
            cwd=self.place,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def store_hash(self) -> str:
        """A digest over every file of every entry: path, mode and content; bytecode left out."""
        digest = hashlib.sha256()
        for path in sorted((self.home / "v1" / "entries").rglob("*")):
            if "__pycache__" in path.parts:
                continue
            status = path.lstat()
            digest.update(f"{path.relative_to(self.home)} {stat.S_IFMT(status.st_mode)} {status.st_mode}\n".encode())
            if path.is_symlink():
                digest.update(os.readlink(path).encode())
            elif path.is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def files(self) -> dict[str, bytes]:
        """The project's two files, those that exist."""
        names = ("pyproject.toml", "pylock.toml")
        return {name: (self.project / name).read_bytes() for name in names if (self.project / name).exists()}


def unseal(place: Path) -> None:
    """Make every directory writable, so that pytest can remove the test's folder as an ordinary user."""
    for directory, names, _ in os.walk(place):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755)
