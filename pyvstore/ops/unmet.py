"""Say what installed wheels require and do not find, though the lockfile is what it should be."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from pyvstore.lockfile.unmet import Installed, Unmet, unmet_requirements
from pyvstore.model.environment import Interpreter
from pyvstore.model.foreign import parse_requirement
from pyvstore.model.manifest import SITE_PACKAGES
from pyvstore.ops.context import Project
from pyvstore.ops.converge import Converged, tell_once
from pyvstore.ops.entries import Obtained
from pyvstore.requirements.settings import Settings
from pyvstore.wheel.metadata import parse_core_metadata

_plain = re.compile(r"[A-Za-z0-9._\[\],<>=!~+*-]+").fullmatch  # what a stranger wrote and a shell may be given


def tell_unmet(
    project: Project, converged: Converged, obtained: Obtained, interpreter: Interpreter, settings: Settings
) -> None:
    """Warn, once in the life of an environment each, where `converge` changed which distributions are in it."""
    if not converged.changes:
        return
    exempt = {*settings.exclude, *(canonicalize_name(parse_requirement(text).name) for text in settings.overrides)}
    installed = []
    for entry in obtained.entries:
        manifest = entry.manifest
        metadata = parse_core_metadata(entry.read(f"{SITE_PACKAGES}/{manifest.dist_info}/METADATA"))
        installed.append(
            Installed(
                name=manifest.name,
                version=manifest.version,
                requires_dist=metadata.requires_dist,
                requires_python=metadata.requires_python,
            )
        )
    for unmet in unmet_requirements(installed, interpreter.environment, exempt=exempt):
        key = f"unmet-requirement:{unmet.dependent}:{unmet.requirement}"
        tell_once(project, "unmet-requirement", _sentence(unmet), key=key)


def _sentence(unmet: Unmet) -> str:
    name = unmet.dependent.partition(" ")[0]
    there = f"the environment has {unmet.found}" if unmet.found else "the environment has none"
    if unmet.requirement.startswith("Python "):
        advice = f"choose another Python, or require another version of {name}"
    elif _plain(unmet.requirement):
        advice = f"require it yourself (`pyvstore add '{unmet.requirement}'`), or another version of {name}"
    else:
        advice = f"require another version of {name}"
    return (
        f"the wheel of {unmet.dependent} wants {unmet.requirement}, and {there}: "
        f"the version was chosen by another of its files, which says otherwise; {advice}"
    )
