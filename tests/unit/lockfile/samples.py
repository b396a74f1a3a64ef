"""Small locks, made from text, and the target environments that read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.lockfile.document import DependencyEdge, LockDocument
from pyvstore.lockfile.freeze import FrozenPackage, freeze
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.model.artifact import Artifact
from pyvstore.model.environment import TargetEnvironment

INDEX = "https://index.example/simple/"
FILES = "https://files.example/"

LINUX = TargetEnvironment(
    markers={
        "implementation_name": "cpython",
        "implementation_version": "3.12.1",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "#1",
        "python_full_version": "3.12.1",
        "python_version": "3.12",
        "sys_platform": "linux",
    },
    tags=("cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-linux_x86_64", "cp312-abi3-linux_x86_64", "py3-none-any"),
)
WINDOWS = TargetEnvironment(
    markers={
        **LINUX.markers,
        "os_name": "nt",
        "platform_machine": "AMD64",
        "platform_system": "Windows",
        "sys_platform": "win32",
    },
    tags=("cp312-cp312-win_amd64", "py3-none-any"),
)


def sha(text: str) -> str:
    """Return 64 hex digits that differ for different short texts."""
    return text.encode().hex().ljust(64, "0")[-64:]


def artifact(filename: str, **changes: Any) -> Artifact:
    """Return an artifact whose name and version are those of its file name."""
    stem = re.sub(r"\.(tar\.gz|tar\.bz2|zip|exe|whl)$", "", filename)
    name, version = stem.split("-")[:2]
    values: dict[str, Any] = {
        "name": NormalizedName(name.replace("_", "-")),
        "filename": filename,
        "url": FILES + filename.replace("+", "%2B"),
        "hashes": {"sha256": sha(filename)},
        "index_url": INDEX,
        **changes,
    }
    return Artifact(**values, version=Version(version))


def frozen(name: str, version: str = "1.0", **changes: Any) -> FrozenPackage:
    """Return a package with one wheel for everything; ``dependencies`` may be names."""
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    values: dict[str, Any] = {
        "name": NormalizedName(name),
        "version": Version(version),
        "artifacts": (artifact(filename),),
        "index_url": INDEX,
    }
    values |= changes
    values["dependencies"] = tuple(
        DependencyEdge(name=NormalizedName(edge)) if isinstance(edge, str) else edge
        for edge in values.get("dependencies", ())
    )
    return FrozenPackage(**values)


def lock(*packages: FrozenPackage, requirements: Sequence[str] = (), **arguments: Any) -> LockDocument:
    """Freeze ``packages``; ``requirements`` stand in project.dependencies."""
    inputs = LockInputs(requirements=tuple(("project.dependencies", text) for text in sorted(requirements)))
    return freeze(packages, arguments.pop("inputs", inputs), **arguments)
