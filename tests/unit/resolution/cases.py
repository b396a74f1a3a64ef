"""Conflicts as data: what a project asks, what there is, what the refusal says, and that following its hint helps.

Keys of a file in ``fixtures/conflicts``: ``roots``, ``extras`` and ``groups`` are the project's requirements,
``python`` its ``requires-python``, ``settings`` its ``[tool.pyvstore]``; ``packages`` is the index. What is said stands
in ``code``, ``message``, ``lines`` and ``hint``, and ``about`` are the only packages that may be named. Each ``then``
is a step that the hint names in these very words: ``toml`` (a setting), ``python``, ``taken`` (out of a list of the
settings), ``without`` (a requirement or bound that goes from wherever it stands), ``more`` (a further requirement) or
``instead`` (one that takes the place of the first root).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import tomli

from pyvstore.ops.asking import Exclusion, lattice_of, policy_of, roots_of
from pyvstore.requirements.project import parse_project
from pyvstore.requirements.settings import merge_settings, project_layer
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published

FIXTURES = Path(__file__).parents[3] / "fixtures" / "conflicts"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)

Case = Mapping[str, Any]


def read_case(path: Path) -> Case:
    """Read one file."""
    return tomli.loads(path.read_text(encoding="utf-8"))


def answer(case: Case, source: MemorySource | None = None) -> Resolution:
    """Lock as the command would; raises ResolutionError."""
    pyproject = {
        "project": {
            "name": "the-project-itself",
            "requires-python": case.get("python") or ">=3.12,<3.15",
            "dependencies": case.get("roots", []),
            "optional-dependencies": case.get("extras", {}),
        },
        "dependency-groups": case.get("groups", {}),
        "tool": {"pyvstore": case.get("settings", {})},
    }
    requirements = parse_project(pyproject)
    settings = merge_settings([project_layer(pyproject)])
    lattice = lattice_of(requirements, settings)
    return resolve(
        roots_of(requirements),
        universe=Universe.of(lattice),
        source=source or source_of(case),
        policy=policy_of(settings, lattice, offline=False),
    )


def source_of(case: Case) -> MemorySource:
    """Return the index of a case."""
    settings = merge_settings([project_layer({"tool": {"pyvstore": case.get("settings", {})}})])
    projects = {
        name: {version: Published(**entry) for version, entry in versions.items()}
        for name, versions in case["packages"].items()
    }
    return MemorySource(projects, excluded=Exclusion.of(settings, NOW).excluded)


def followed(case: Case, step: Mapping[str, Any]) -> Case:
    """Return the case after one step of its hint was taken."""
    settings = {**case.get("settings", {}), **tomli.loads(step.get("toml", ""))}
    for key in ("constraints", "overrides"):
        settings[key] = _without(settings.get(key, []), step)
    for key, item in step.get("taken", {}).items():
        settings[key] = [other for other in settings[key] if other != item]
    roots = _without(case.get("roots", []), step)
    if "instead" in step:
        roots[0] = step["instead"]
    roots += [step["more"]] if "more" in step else []
    parts = {
        kind: {name: _without(lines, step) for name, lines in case.get(kind, {}).items()}
        for kind in ("extras", "groups")
    }
    return {**case, "settings": settings, "roots": roots, "python": step.get("python", case.get("python")), **parts}


def _without(lines: Sequence[str], step: Mapping[str, Any]) -> list[str]:
    return [line for line in lines if line.partition(";")[0].strip() != step.get("without")]


def backwards(value: Any) -> Any:
    """Return the same case with every table and list of it in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in reversed(value)] if isinstance(value, list) else value
