"""Where Pythons are, in the order in which a person would expect them to be taken. Nothing is started here."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NEWEST_MINOR = 20
OLDEST_MINOR = 8
_MINORS = range(NEWEST_MINOR, OLDEST_MINOR - 1, -1)
_FILE_LIMIT_BYTES = 4096
_SAFE_VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*(?:/envs/[A-Za-z0-9][A-Za-z0-9_.+-]*)?")

_USUAL_PLACES = (
    "~/.local/share/uv/python/*/bin",
    "~/.asdf/installs/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin",
    "~/.rye/py/*/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/opt/homebrew/bin",
    "/opt/python/*/bin",
    "/Library/Frameworks/Python.framework/Versions/*/bin",
    "~/AppData/Local/Programs/Python/*",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What discovery depends on besides the disk.

    Attributes:
        path: directories of PATH, in order, without empty and relative ones.
        directory: the working directory, absolute.
        home: the home directory; "" when there is none.
        pyenv_root: where pyenv keeps its versions; None without pyenv.
        pyenv_version: value of PYENV_VERSION, "" when unset.
        usual: directories (glob patterns) that are looked at last.
    """

    path: tuple[str, ...]
    directory: str
    home: str = ""
    pyenv_root: str | None = None
    pyenv_version: str = ""
    usual: tuple[str, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str], directory: str) -> Surroundings:
        """Take the surroundings from the variables of a process that runs in ``directory``."""
        # A relative directory in PATH would let a project that was only looked at choose the program.
        path = tuple(entry for entry in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(entry))
        home = environ.get("HOME") or environ.get("USERPROFILE") or ""
        root = environ.get("PYENV_ROOT") or (os.path.join(home, ".pyenv") if home else "")
        if not os.path.isdir(os.path.join(root, "versions")):
            shims = (entry for entry in path if os.path.basename(os.path.normpath(entry)) == "shims")
            parents = (os.path.dirname(os.path.normpath(entry)) for entry in shims)
            root = next((parent for parent in parents if os.path.isfile(os.path.join(parent, "libexec", "pyenv"))), "")
        usual = tuple(place for place in _USUAL_PLACES if home or not place.startswith("~"))
        return cls(
            path=path,
            directory=directory,
            home=home,
            pyenv_root=root or None,
            pyenv_version=environ.get("PYENV_VERSION", ""),
            usual=tuple(glob.escape(home) + place[1:] if place.startswith("~") else place for place in usual),
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that may be a Python.

    Attributes:
        path: absolute; may be a link, may be broken.
        minor: the series that its name promises, None where the name says nothing.
    """

    path: str
    minor: tuple[int, int] | None = None


def on_path(surroundings: Surroundings, names: tuple[str, ...]) -> Iterator[Candidate]:
    """Yield the programs on PATH with one of ``names``: directory by directory, then in the order of ``names``.

    A shim of pyenv stands for the program that it would start; where it would start none it is passed over.
    """
    for directory in surroundings.path:
        for name in names:
            candidate = program_at(surroundings, directory, name)
            if candidate is not None:
                yield candidate


def everywhere(surroundings: Surroundings) -> Iterator[Candidate]:
    """Yield every program that may be a Python: on PATH, of pyenv, and in the usual places."""
    names = _all_names()
    yield from on_path(surroundings, names)
    patterns = (
        [os.path.join(glob.escape(surroundings.pyenv_root), "versions", "*", "bin")] if surroundings.pyenv_root else []
    )
    for pattern in (*patterns, *surroundings.usual):
        for directory in sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]:
            promised = _minor_of_installation(directory)
            for name in names:
                if is_program(os.path.join(directory, name)):
                    yield Candidate(os.path.join(directory, name), _minor_of(name) or promised)


def _all_names() -> tuple[str, ...]:
    names = [
        f"{stem}3.{minor}{flag}" for minor in _MINORS for stem, flag in (("python", ""), ("python", "t"), ("pypy", ""))
    ]
    return (*names, "python3", "pypy3", "python", "python.exe")


def _minor_of(name: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(?:python|pypy)3\.([0-9]+)t?", name)
    return (3, int(match[1])) if match else None


def _minor_of_installation(directory: str) -> tuple[int, int] | None:
    """Return the series that a manager's directory is named after (``versions/3.6.15/bin``)."""
    match = re.match(r"(?:cpython-|python-)?([0-9]+)\.([0-9]+)", os.path.basename(os.path.dirname(directory)))
    return (int(match[1]), int(match[2])) if match else None


def program_at(surroundings: Surroundings, directory: str, name: str) -> Candidate | None:
    """Return the program ``name`` of ``directory``, or the one that it stands for when it is a shim of pyenv."""
    path = os.path.join(directory, name)
    if not is_program(path):
        return None
    root = surroundings.pyenv_root
    if root is not None and os.path.realpath(directory) == os.path.realpath(os.path.join(root, "shims")):
        return behind_shim(surroundings, name)
    return Candidate(path, _minor_of(name))


def is_program(path: str) -> bool:
    """Tell whether ``path`` leads to a file that may be started; broken links do not."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and os.access(path, os.X_OK)


def behind_shim(surroundings: Surroundings, name: str) -> Candidate | None:
    """Return the program that pyenv's shim ``name`` would start in these surroundings, or None.

    pyenv's rules: PYENV_VERSION, else the nearest ``.python-version`` from the working directory upwards, else the
    file ``version`` of its root; of the versions listed there, the first that has the program. The shim itself is a
    shell script that takes a tenth of a second and fails for every version that is not selected.
    """
    for version in _selected_versions(surroundings):
        if version == "system":
            shims = os.path.realpath(os.path.join(surroundings.pyenv_root or "", "shims"))
            for directory in surroundings.path:
                path = os.path.join(directory, name)
                if os.path.realpath(directory) != shims and is_program(path):
                    return Candidate(path, _minor_of(name))
            continue
        installation = pyenv_version_directory(surroundings, version)
        if installation is not None and is_program(os.path.join(installation, "bin", name)):
            return Candidate(os.path.join(installation, "bin", name), _minor_of(name))
    return None


def _selected_versions(surroundings: Surroundings) -> list[str]:
    if surroundings.pyenv_version:
        return surroundings.pyenv_version.split(":")
    directory = surroundings.directory
    while True:
        versions = read_version_file(os.path.join(directory, ".python-version"))
        parent = os.path.dirname(directory)
        if versions or parent == directory:
            break
        directory = parent
    return versions or read_version_file(os.path.join(surroundings.pyenv_root or "", "version")) or ["system"]


def pyenv_version_directory(surroundings: Surroundings, version: str) -> str | None:
    """Return pyenv's directory for ``version``: of that very name, else the newest whose number begins with it."""
    if surroundings.pyenv_root is None or not _SAFE_VERSION_NAME.fullmatch(version):
        return None
    versions = os.path.join(surroundings.pyenv_root, "versions")
    for name in (version, version.removeprefix("python-")):
        if os.path.isdir(os.path.join(versions, name)):
            return os.path.join(versions, name)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", version):
        return None
    try:
        names = [name for name in os.listdir(versions) if re.fullmatch(re.escape(version) + r"(\.[0-9]+)+", name)]
    except OSError:
        return None
    newest = max(names, key=lambda name: [int(part) for part in name.split(".")], default=None)
    return None if newest is None else os.path.join(versions, newest)


def read_version_file(path: str) -> list[str]:
    """Return the versions that a ``.python-version`` file lists; empty when there is none that can be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return []
        with open(path, "rb") as stream:
            text = stream.read(_FILE_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    lines = (line.partition("#")[0] for line in text.splitlines())
    return [word for line in lines for word in line.split()]
