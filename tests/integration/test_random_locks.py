"""Random indexes through the command line: the same lock as through the library, whatever the order and the machine."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.integration.refusals import Run
from tests.property.test_locks import Asked, Index, breaches_of, some_world
from tests.support.loopback import LoopbackIndex
from tests.support.projects import format_project, read_lock
from tests.support.sdists import build_sdist
from tests.support.world import World
from tests.unit.resolution.memory_source import Published


def offer_all(server: LoopbackIndex, index: Index, random: Random) -> None:
    """Offer every file of a world in a new order; wheels that nobody downloads are their metadata."""
    releases = [(name, version, entry) for name, versions in index.items() for version, entry in versions.items()]
    random.shuffle(releases)
    for name, version, entry in releases:
        lines = metadata_of(name, version, entry)
        common: dict[str, Any] = {"requires_python": entry.requires_python, "yanked": entry.yanked or None}
        for tag in random.sample(list(entry.tags), len(entry.tags)):
            filename = f"{name}-{version}-{tag}.whl"
            server.withdraw(filename)
            server.add(filename, f"{tag}\n{lines}".encode(), core_metadata=lines.encode(), **common)
        if entry.sdist:
            filename, content = build_sdist(name, version, info=lines.encode())
            server.withdraw(filename)
            server.add(filename, content, **common)


def metadata_of(name: str, version: str, entry: Published) -> str:
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {entry.metadata_requires_python}"] if entry.metadata_requires_python else []
    lines += [f"Provides-Extra: {extra}" for extra in entry.extras]
    return "\n".join([*lines, *(f"Requires-Dist: {line}" for line in entry.lines()), ""])


def text_of(asked: Asked, dependencies: list[str]) -> str:
    quoted = ", ".join(f'"{platform}"' for platform in asked.platforms)
    conflict = 'conflicts = [[{ extra = "more" }, { group = "test" }]]\n' if asked.has_conflict else ""
    default = '["lint"]' if asked.has_default else "[]"
    return format_project(
        dependencies,
        extras={"more": asked.extras},
        groups={"lint": asked.group, "test": asked.test},
        requires_python=asked.python,
        settings=f"package = false\nplatforms = [{quoted}]\ndefault-groups = {default}\n{conflict}",
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_command_line_locks_what_the_library_does_whatever_the_order(
    world: World, inside: Run, index: LoopbackIndex, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    packages, asked, random, expected = some_world(seed)
    written = []
    for attempt in ("one home", "another home"):
        monkeypatch.setenv("PYVSTORE_HOME", str(world.place / attempt))
        offer_all(index, packages, random)
        dependencies = random.sample(asked.dependencies, len(asked.dependencies))
        (world.project / "pyproject.toml").write_text(text_of(asked, dependencies))
        (world.project / "pylock.toml").unlink(missing_ok=True)
        outcome = inside("lock")
        assert outcome.status == 0, outcome.err
        written.append((world.project / "pylock.toml").read_bytes())
    assert written[0] == written[1]
    table: Any = read_lock(world.project)
    kept = ("name", "version", "marker", "dependencies", "requires-python")
    assert [{key: entry.get(key) for key in kept} for entry in table.get("packages", [])] == [
        {key: entry.get(key) for key in kept} for entry in expected.entries
    ]
    assert breaches_of(packages, asked, table) == breaches_of(packages, asked, expected.table)
