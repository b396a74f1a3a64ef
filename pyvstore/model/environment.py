"""The environment that something is *for*: the target's markers and tags, never those of the tool's own Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TYPE_CHECKING = False  # a type only: `packaging` costs more than the rest of a relink
if TYPE_CHECKING:
    from packaging.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetEnvironment:
    """One concrete kind of machine and Python.

    Attributes:
        markers: the eleven PEP 508 variables (``python_version`` … ``implementation_version``), without ``extra``.
        tags: supported wheel tags as text (``cp312-cp312-manylinux_2_28_x86_64``), most preferred first.
    """

    markers: Mapping[str, str]
    tags: tuple[str, ...]

    @property
    def python_full_version(self) -> Version:
        """The target's Python, with its patch number."""
        from packaging.version import Version

        return Version(self.markers["python_full_version"])

    @property
    def python_minor(self) -> str:
        """``3.12``."""
        return self.markers["python_version"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefixLayout:
    """Where a virtual environment of the target keeps its things; POSIX paths relative to the prefix.

    Attributes:
        site_packages: ``lib/python3.12/site-packages`` (``Lib/site-packages`` on Windows); purelib and platlib agree.
        scripts: ``bin`` or ``Scripts``.
        headers: ``include/site/python3.12``; below it one directory per distribution.
        lib64_link: whether the interpreter looks for its platlib in ``lib64``, so that ``lib64`` → ``lib`` is needed.
    """

    site_packages: str
    scripts: str
    headers: str
    lib64_link: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A Python on this machine that environments can be made for.

    Attributes:
        executable: absolute path by which it was found and is shown (may be a link).
        real_executable: absolute path of the base interpreter's real binary, no links; goes to ``bin/python``.
        home: directory for ``home =`` in pyvenv.cfg.
        implementation: ``CPython`` or ``PyPy``.
        version: ``3.12.1``.
        layout: see `PrefixLayout`.
        environment: markers and tags.
        fingerprint: changes when the binary is replaced (size and mtime in ns as text).
    """

    executable: str
    real_executable: str
    home: str
    implementation: str
    version: str
    layout: PrefixLayout
    environment: TargetEnvironment
    fingerprint: str
