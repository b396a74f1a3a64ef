"""`list`: the distributions in the environment, ours and others'."""

from __future__ import annotations

import os
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from pyvstore.errors import FarmError
from pyvstore.farm.state import read_state
from pyvstore.ops.context import Context
from pyvstore.plan.image import INSTALLER
from pyvstore.project.locate import examine_environment


@dataclass(frozen=True, slots=True)
class Listed:
    """One distribution by its normalised name, as uv lists it; ``is_ours`` unless another tool installed it."""

    name: str
    version: str
    is_ours: bool


def list_packages(context: Context) -> tuple[Listed, ...]:
    """Return what is in the environment now, sorted by normalised name.

    Looks at the metadata on disk, as pip does, not at the lockfile. Raises FarmError (``no-environment``) when there is
    none, or when what is there is not ours.
    """
    project = context.project()
    examine_environment(project.prefix).require_usable()
    state = read_state(project.prefix)
    if state is None:
        raise FarmError(
            f"{project.prefix} does not exist yet", code="no-environment", hint="run `pyvstore sync` to make it"
        )
    listed = []
    for site in state.listings:
        place = os.path.join(project.prefix, site)
        names = os.listdir(place) if os.path.isdir(place) else []
        listed += [found for name in names if name.endswith(".dist-info") and (found := _read(place, name))]
    return tuple(sorted(listed, key=lambda item: item.name))


def _read(place: str, dist_info: str) -> Listed | None:
    name = version = ""
    try:
        with open(os.path.join(place, dist_info, "METADATA"), encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.startswith("Name:"):
                    name = line[5:].strip()
                elif line.startswith("Version:"):
                    version = line[8:].strip()
                if (name and version) or not line.strip():
                    break
    except OSError:
        return None
    return Listed(canonicalize_name(name), version, _installer(place, dist_info) == INSTALLER) if name else None


def _installer(place: str, dist_info: str) -> str:
    try:
        with open(os.path.join(place, dist_info, "INSTALLER"), encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""
