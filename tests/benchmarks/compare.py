"""pyvstore beside uv, alternating, in one run on one machine: medians, spread, ratios, and exact counts.

    python -m tests.benchmarks.compare --python /usr/bin/python3.12 [--requirements FILE] [--rounds 5] [ROW...]

Rows: see ``ROWS``; all of them when none is named. Both lock for five platforms and every Python from the given one on.
Needs pyvstore and uv on PATH and an index that answers; ``other-locks`` are those of pip (for this machine alone), pdm
and poetry, where they are on PATH. Everything is made below a temporary folder, or below ``--place`` to choose the file
system; uv links as it does by default.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import stat
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROWS = ("cold-lock", "warm-lock", "other-locks", "cold-sync", "warm-environment", "no-op", "run", "disk")
ENVIRONMENTS = [
    "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "sys_platform == 'linux' and platform_machine == 'aarch64'",
    "sys_platform == 'darwin' and platform_machine == 'x86_64'",
    "sys_platform == 'darwin' and platform_machine == 'arm64'",
    "sys_platform == 'win32' and platform_machine == 'AMD64'",
]
"""What pyvstore locks for by default."""
OTHERS = {
    "pip": (("pip", "lock", "-q", "-r", "requirements.txt"), "PIP_CACHE_DIR", "pylock.toml"),
    "pdm": (("pdm", "lock", "-q"), "PDM_CACHE_DIR", "pdm.lock"),
    "poetry": (("poetry", "lock", "-q"), "POETRY_CACHE_DIR", "poetry.lock"),
}
"""Command, where its cache is, and what it writes."""
BOUND = "<3.15"
"""They refuse a project without an upper bound where some package has one."""


class Side:
    """One tool with a project and a cache of its own."""

    def __init__(self, place: Path, name: str, variables: dict[str, str]) -> None:
        self.project = place / name
        self.cache = place / f"{name}-cache"
        self.project.mkdir()
        self.environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | variables

    def seconds(self, *command: str) -> float:
        started = time.perf_counter()
        result = subprocess.run(
            command, cwd=self.project, env=self.environ, capture_output=True, text=True, check=False
        )
        taken = time.perf_counter() - started
        if result.returncode:
            sys.exit(f"{command} failed:\n{result.stderr}")
        return taken

    def forget(self, *names: str) -> None:
        for name in names:
            path = self.cache if name == "cache" else self.project / name
            if path.is_dir():
                subprocess.run(["chmod", "-R", "u+w", str(path)], check=False, stderr=subprocess.DEVNULL)
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


class Comparison:
    """The rows."""

    def __init__(self, place: Path, python: str, requirements: list[str], rounds: int) -> None:
        self.place = place
        self.requirements = requirements
        self.rounds = rounds
        self.python = python
        self.uv = Side(place, "uv", {"UV_CACHE_DIR": str(place / "uv-cache"), "UV_PYTHON": python})
        self.ours = Side(place, "pyvstore", {"PYVSTORE_HOME": str(place / "pyvstore-cache")})
        version = subprocess.check_output(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
        )
        self.text = f'[project]\nname = "x"\nversion = "0"\nrequires-python = ">={version.strip()}"\n'
        self.text += f"dependencies = {json.dumps(requirements)}\n"
        (self.uv.project / "pyproject.toml").write_text(
            f"{self.text}[tool.uv]\nenvironments = {json.dumps(ENVIRONMENTS)}\n"
        )
        (self.ours.project / "pyproject.toml").write_text(self.text)

    def row(self, name: str, uv: Callable[[], float], ours: Callable[[], float], *, warm_up: bool = True) -> None:
        theirs, mine = [], []
        for _ in range(self.rounds + warm_up):
            theirs.append(uv())
            mine.append(ours())
        theirs, mine = theirs[warm_up:], mine[warm_up:]
        print(
            f"{name:18} uv {_shown(theirs)}   pyvstore {_shown(mine)}   "
            f"ratio {statistics.median(mine) / statistics.median(theirs):.2f}",
            flush=True,
        )

    def cold_lock(self) -> None:
        def uv() -> float:
            self.uv.forget("cache", "uv.lock")
            return self.uv.seconds("uv", "lock")

        def ours() -> float:
            self.ours.forget("cache", "pylock.toml")
            return self.ours.seconds("pyvstore", "lock")

        self.row("cold-lock", uv, ours, warm_up=False)

    def warm_lock(self) -> None:
        """With all pages in the cache: a lock that is up to date, and one that has to be found again."""
        self.row("unchanged-lock", lambda: self.uv.seconds("uv", "lock"), lambda: self.ours.seconds("pyvstore", "lock"))

        def uv() -> float:
            self.uv.forget("uv.lock")
            return self.uv.seconds("uv", "lock")

        def ours() -> float:
            self.ours.forget("pylock.toml")
            return self.ours.seconds("pyvstore", "lock")

        self.row("warm-lock", uv, ours)

    def other_locks(self) -> None:
        for name, (command, cache, written) in OTHERS.items():
            if shutil.which(name) is None:
                print(f"{name}: not on PATH")
                continue
            side = Side(self.place, name, {cache: str(self.place / f"{name}-cache")})
            (side.project / "pyproject.toml").write_text(self.text.replace('"\ndep', f',{BOUND}"\ndep'))
            (side.project / "requirements.txt").write_text("\n".join(self.requirements))
            taken = []
            try:
                for _ in range(self.rounds):
                    side.forget("cache", written)
                    taken.append(side.seconds(*command))
            except SystemExit as failure:  # it may want more of the registry than there is
                print(f"{'cold-lock':18} {name}: {failure}", flush=True)
            else:
                print(f"{'cold-lock':18} {name} {_shown(taken)}", flush=True)

    def cold_sync(self) -> None:
        def uv() -> float:
            self.uv.forget("cache", ".venv")
            return self.uv.seconds("uv", "sync", "--frozen")

        def ours() -> float:
            self.ours.forget("cache", ".venv")
            return self.ours.seconds("pyvstore", "sync", "--frozen", "--python", self.python)

        self.row("cold-sync", uv, ours, warm_up=False)

    def warm_environment(self) -> None:
        def uv() -> float:
            self.uv.forget(".venv")
            return self.uv.seconds("uv", "sync")

        def ours() -> float:
            self.ours.forget(".venv")
            return self.ours.seconds("pyvstore", "sync")

        self.ours.seconds("pyvstore", "sync")
        self.row("warm-environment", uv, ours)

    def no_op(self) -> None:
        self.row(
            "no-op",
            lambda: self.uv.seconds("uv", "sync"),
            lambda: self.ours.seconds("pyvstore", "sync"),
        )

    def run(self) -> None:
        code = ("python", "-c", "pass")
        self.row(
            "run",
            lambda: self.uv.seconds("uv", "run", *code),
            lambda: self.ours.seconds("pyvstore", "run", *code),
        )
        python = str(self.ours.project / ".venv/bin/python")
        bare = [self.ours.seconds(python, "-c", "pass") for _ in range(self.rounds)]
        print(f"{'(bare python)':18} {_shown(bare)}")

    def disk(self) -> None:
        for side, name in ((self.uv, "uv"), (self.ours, "pyvstore")):
            size, inodes, links, directories = own_cost(side.project / ".venv")
            print(f"{'disk':18} {name}: {size} bytes, {inodes} inodes, {links} links, {directories} directories")


def own_cost(place: Path) -> tuple[int, int, int, int]:
    """Return (bytes, inodes, links, directories) that exist for this environment alone.

    A regular file whose inode has names outside the environment is shared with a cache and not counted.
    """
    names: dict[int, int] = {}
    found: dict[int, os.stat_result] = {}
    links = directories = 0
    for directory, below, files in os.walk(place):
        directories += 1
        for path in (directory, *(os.path.join(directory, name) for name in (*below, *files))):
            status = os.lstat(path)
            if os.path.isdir(path) and not os.path.islink(path) and path != directory:
                continue
            links += os.path.islink(path)
            names[status.st_ino] = names.get(status.st_ino, 0) + 1
            found[status.st_ino] = status
    own = [
        status
        for inode, status in found.items()
        if not (status.st_nlink > names[inode] and not stat.S_ISDIR(status.st_mode))
    ]
    return sum(status.st_blocks * 512 for status in own), len(own), links, directories


def _shown(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.3f} s [{min(seconds):.3f}-{max(seconds):.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--python", required=True)
    parser.add_argument("--requirements", type=Path, default=HERE / "ds.in")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--place", type=Path, default=None)
    options = parser.parse_args()
    requirements = [line.strip() for line in options.requirements.read_text().splitlines() if line.strip()]
    place = Path(tempfile.mkdtemp(prefix="pyvstore-compare-", dir=options.place))
    try:
        comparison = Comparison(place, options.python, requirements, options.rounds)
        rows = options.rows or [
            "cold-lock",
            "warm-lock",
            "other-locks",
            "cold-sync",
            "warm-environment",
            "no-op",
            "run",
            "disk",
        ]
        for row in rows:
            getattr(comparison, row.replace("-", "_"))()
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(place)], check=False)
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
