"""Indexes that are large, deep, wide or tangled: an answer or an explanation, in bounded time and few requests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.refusals import Run
from tests.support.loopback import LoopbackIndex
from tests.support.projects import format_project, offer, selected, versions
from tests.support.projects import markers_of as machine
from tests.support.world import World


@pytest.fixture
def lock(world: World, inside: Run) -> Callable[..., str]:
    """Lock requirements, twice, the second time from nothing; return what was said. Traps: another outcome."""

    def run(*dependencies: str, code: str = "", **more: object) -> str:
        (world.project / "pyproject.toml").write_text(format_project(dependencies, **more))  # type: ignore[arg-type]

        def once() -> tuple[dict[str, bytes], str]:
            (world.project / "pylock.toml").unlink(missing_ok=True)
            outcome = inside("lock") if code else inside("lock", "-q")
            assert outcome.status == bool(code), outcome.err
            assert f"error[{code}]: " in outcome.err if code else not outcome.err
            return world.files(), outcome.err.partition("error[")[2]

        found = once()
        assert once() == found
        return found[1]

    return run


def pretend(index: LoopbackIndex, name: str, version: str, *requires: str) -> None:
    """Offer what nobody downloads: its metadata alone is right."""
    lines = [f"Requires-Dist: {line}" for line in requires]
    metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""]).encode()
    index.add(f"{name}-{version}-py3-none-any.whl", metadata, core_metadata=metadata)


# ── many versions ────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_three_thousand_versions_one_is_looked_at(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    for position in range(3000):
        pretend(index, "many", f"{position}.0")
    lock("many")
    assert versions(world.project) == {"many": "2999.0"}
    assert len(index.requests) <= 4


def test_three_hundred_versions_in_conflict_are_read_once_each_and_explained(
    lock: Callable[..., str], index: LoopbackIndex
) -> None:
    for position in range(300):
        pretend(index, "many", f"{position}.0", "low<1")
    offer(index, "low", "0", "1")
    err = lock("many", "low>=1", code="no-solution")
    assert "your project wants many, and many wants low<1" in err
    assert "your project wants low>=1" in err
    paths = [path for path in index.paths() if path.endswith(".metadata")]
    assert len(set(paths)) == len(paths)
    assert len(paths) <= 301


def test_pairs_of_versions_in_conflict_are_explained_in_a_few_lines(
    lock: Callable[..., str], index: LoopbackIndex
) -> None:
    for position in range(60):
        pretend(index, "left", f"{position}.0", f"right=={position}.0")
        pretend(index, "right", f"{position}.0", "low<1")
    offer(index, "low", "0", "1")
    err = lock("left", "low>=1", code="no-solution")
    assert "your project wants low>=1" in err
    assert len(index.requests) <= 2 * (2 * 60 + 5)


# ── circles ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_packages_that_require_each_other_are_locked(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    offer(index, "one", "1", requires=["two"])
    offer(index, "two", "1", requires=["three[x]"])
    offer(index, "three", "1", extras={"x": ["one"]})
    lock("one")
    assert versions(world.project) == {"one": "1", "three": "1", "two": "1"}


def test_a_circle_with_a_bound_takes_the_versions_that_fit_each_other(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    offer(index, "one", "1", requires=["two"])
    offer(index, "one", "2", requires=["two>=2"])
    offer(index, "two", "1")
    offer(index, "two", "2", requires=["one<2"])
    lock("one")
    assert versions(world.project) == {"one": "1", "two": "2"}


@pytest.mark.parametrize(
    ("requires", "extras", "asked", "expected"),
    [
        (["own"], {}, "own", {"own": "2"}),
        (["own>=1"], {}, "own", {"own": "2"}),
        (["own<2"], {}, "own", {"own": "1"}),
        ([], {"a": ["own[b]"], "b": ["leaf"]}, "own[a]", {"leaf": "1", "own": "2"}),
        ([], {"a": ["own[b]"], "b": ["own[a]", "leaf"]}, "own[A]", {"leaf": "1", "own": "2"}),
        ([], {"a": ["own[a]"]}, "own[a]", {"own": "2"}),
        (["own[a]"], {"a": ["leaf"]}, "own", {"leaf": "1", "own": "2"}),
        ([], {"all": ["own[a,b]"], "a": ["leaf"], "b": ["own[a]==2"]}, "own[all]", {"leaf": "1", "own": "2"}),
    ],
    ids=str,
)
def test_a_package_may_require_itself(
    world: World,
    lock: Callable[..., str],
    index: LoopbackIndex,
    requires: list[str],
    extras: dict[str, list[str]],
    asked: str,
    expected: dict[str, str],
) -> None:
    offer(index, "own", "1")
    offer(index, "leaf", "1")
    offer(index, "own", "2", requires=requires, extras=extras)
    lock(asked)
    assert versions(world.project) == expected


def test_an_extra_that_nobody_has_is_a_warning_that_names_who_lacks_it(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "one", "1", requires=["two[Fancy_Thing]"])
    offer(index, "two", "1", extras={"plain": []})
    (world.project / "pyproject.toml").write_text(format_project(["one[nothing]"]))
    outcome = inside("lock")
    assert outcome.status == 0
    assert "one 1 has no extra named nothing" in outcome.err
    assert "two 1 has no extra named fancy-thing" in outcome.err


def test_odd_spellings_are_one_project(world: World, lock: Callable[..., str], index: LoopbackIndex) -> None:
    offer(index, "odd-name", "1", "2")
    offer(index, "user", "1", requires=["Odd_.Name<2", "ODD---NAME >= 1"])
    lock("USER", "odd.name", "Odd_Name; sys_platform == 'linux'")
    assert versions(world.project) == {"odd-name": "1", "user": "1"}
    assert not [path for path in index.paths() if path.startswith("/simple/") and path.lower() != path]


# ── deep, wide and wordy ─────────────────────────────────────────────────────────────────────────────────────────


def test_five_hundred_packages_in_a_row_are_locked(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    for position in range(500):
        requires = [f"p{position + 1}"] if position < 499 else []
        pretend(index, f"p{position}", "1", *requires)
    lock("p0")
    assert len(versions(world.project)) == 500


def test_four_hundred_packages_side_by_side_are_locked(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    for position in range(400):
        pretend(index, f"p{position}", "1")
    offer(index, "top", "1", requires=[f"p{position}" for position in range(400)])
    lock("top")
    assert len(versions(world.project)) == 401


def test_a_marker_of_two_hundred_clauses_is_understood_and_written_short(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    clauses = [
        f"(python_version == '3.{position}' and platform_machine != 'm{position}')" for position in range(12, 212)
    ]
    offer(index, "leaf", "1")
    offer(index, "top", "1", requires=[f"leaf; {' or '.join(clauses)}"])
    lock("top")
    assert "leaf" not in selected(world.project, machine(python="3.11.4"))
    assert selected(world.project, machine("windows", "3.13.1")) == {"leaf": "1", "top": "1"}
    text = (world.project / "pylock.toml").read_text()
    assert "marker = \"python_version >= '3.12'\"" in text


def test_a_marker_that_tells_forty_patch_releases_apart_is_understood(
    world: World, lock: Callable[..., str], index: LoopbackIndex
) -> None:
    clauses = [
        f"(python_full_version == '3.12.{position}' and sys_platform == 'linux')" for position in range(0, 80, 2)
    ]
    offer(index, "leaf", "1")
    offer(index, "top", "1", requires=[f"leaf; {' or '.join(clauses)}"])
    lock("top", requires_python="==3.12.*", settings='platforms = ["linux-x86_64", "windows-x86_64"]')
    for patch in range(82):
        expected = patch < 80 and patch % 2 == 0
        assert ("leaf" in selected(world.project, machine(python=f"3.12.{patch}"))) == expected
    assert "leaf" not in selected(world.project, machine("windows", "3.12.2"))
