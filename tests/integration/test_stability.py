"""A lock that people share: branches are merged, conflicts resolved, and an upgrade moves what it must."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.refusals import Run
from tests.support.loopback import LoopbackIndex
from tests.support.projects import format_project, offer, packages_of, read_lock, versions
from tests.support.world import World

LISTED = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = [\n    "middle",\n]\n'


@pytest.fixture
def shared(world: World, inside: Run, index: LoopbackIndex) -> World:
    """A repository with a lock, from which other versions have appeared since."""
    offer(index, "middle", "1.0", requires=["below"])
    for name in ("aaa", "zzz", "below", "other"):
        offer(index, name, "1.0")
    (world.project / "pyproject.toml").write_text(LISTED)
    assert inside("lock").status == 0
    git(world, "init", "-q")
    git(world, "add", "pyproject.toml", "pylock.toml")
    git(world, "commit", "-qm", "begin")
    return world


def git(world: World, *words: str, status: int = 0) -> None:
    settings = ("user.name=n", "user.email=n@h.invalid", "init.defaultBranch=main", "commit.gpgsign=false")
    result = subprocess.run(
        ["git", *(word for setting in settings for word in ("-c", setting)), *words],
        cwd=world.project,
        env={"PATH": world.environ["PATH"], "HOME": str(world.place), "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stdout + result.stderr


def require(world: World, inside: Run, name: str, *, branch: str) -> None:
    """Have another requirement, locked and committed, on a branch of its own."""
    git(world, "checkout", "-q", "main")
    git(world, "checkout", "-qb", branch)
    lines = sorted(["middle", name])
    entries = "".join(f'    "{line}",\n' for line in lines)
    (world.project / "pyproject.toml").write_text(LISTED.replace('    "middle",\n', entries))
    assert inside("lock").status == 0
    git(world, "commit", "-qam", branch)


def merged(world: World, inside: Run) -> None:
    """Merge two branches that require different things; git can do it but for the digest of the lock."""
    require(world, inside, "aaa", branch="one")
    require(world, inside, "zzz", branch="two")
    git(world, "merge", "-q", "one", status=1)
    text = (world.project / "pylock.toml").read_text()
    assert text.count("<<<<<<<") == 1
    conflict = text.partition("<<<<<<<")[2].partition(">>>>>>>")[0]
    assert conflict.count("\n") == 4
    assert conflict.count("input-digest") == 2
    assert (world.project / "pyproject.toml").read_text().count("    ") == 3


def test_two_branches_conflict_in_the_digest_alone_and_lock_resolves_it(
    shared: World, inside: Run, index: LoopbackIndex
) -> None:
    merged(shared, inside)
    for name in ("aaa", "zzz", "below", "middle"):
        offer(index, name, "2.0")
    outcome = inside("lock")
    assert outcome.status == 0
    assert "warning[lock-conflict]: pylock.toml has a merge conflict" in outcome.err
    assert versions(shared.project) == {"aaa": "1.0", "below": "1.0", "middle": "1.0", "zzz": "1.0"}
    assert inside("lock", "--check").status == 0
    before = shared.files()
    assert "warning" not in inside("lock").err
    assert shared.files() == before


def test_whoever_takes_a_side_of_the_digest_by_hand_has_a_stale_lock(shared: World, inside: Run) -> None:
    merged(shared, inside)
    path = shared.project / "pylock.toml"
    lines = path.read_text().splitlines(keepends=True)
    start, middle, end = (next(n for n, line in enumerate(lines) if line.startswith(mark)) for mark in ("<", "=", ">"))
    path.write_text("".join(lines[:start] + lines[start + 1 : middle] + lines[end + 1 :]))
    outcome = inside("lock", "--check")
    assert outcome.status == 1
    assert "error[lock-stale]: " in outcome.err
    assert "by a merge" in outcome.err
    assert inside("lock").status == 0
    assert inside("lock", "--check").status == 0
    assert versions(shared.project) == {"aaa": "1.0", "below": "1.0", "middle": "1.0", "zzz": "1.0"}


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_where_both_sides_moved_one_package_the_side_that_was_merged_into_is_kept(
    shared: World, inside: Run, index: LoopbackIndex, style: str
) -> None:
    offer(index, "middle", "1.1", requires=["below"])
    require(shared, inside, "aaa", branch="one")
    assert inside("lock", "--upgrade-package", "middle").status == 0
    git(shared, "commit", "-qam", "newer")
    offer(index, "middle", "1.2", requires=["other"])
    require(shared, inside, "zzz", branch="two")
    assert inside("lock", "--upgrade-package", "middle").status == 0
    git(shared, "commit", "-qam", "newest")
    git(shared, "-c", f"merge.conflictStyle={style}", "merge", "-q", "one", status=1)
    assert inside("lock").status == 0
    assert versions(shared.project) == {"aaa": "1.0", "middle": "1.2", "other": "1.0", "zzz": "1.0"}


def test_a_conflict_in_pyproject_comes_first_and_nothing_is_written(shared: World, inside: Run) -> None:
    merged(shared, inside)
    path = shared.project / "pyproject.toml"
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n>>>>>>> one\n")
    before = shared.files()
    outcome = inside("lock")
    assert outcome.status == 1
    assert outcome.err.startswith("error[")
    assert "resolve the merge conflict" in outcome.err
    assert shared.files() == before


def test_of_a_conflict_without_a_lockfile_on_either_side_nothing_is_kept(shared: World, inside: Run) -> None:
    path = shared.project / "pylock.toml"
    before = path.read_bytes()
    path.write_text("<<<<<<< HEAD\nx =\n=======\ny =\n>>>>>>> one\n")
    assert "warning[lock-conflict]" in inside("lock").err
    assert path.read_bytes() == before


def test_a_conflict_with_a_lock_of_a_later_format_is_refused(shared: World, inside: Run) -> None:
    path = shared.project / "pylock.toml"
    later = path.read_text().replace('lock-version = "1.0"', 'lock-version = "2.0"')
    path.write_text(f"<<<<<<< HEAD\n{later}=======\n{path.read_text()}>>>>>>> one\n")
    before = shared.files()
    assert "error[lock-version]: " in inside("lock").err
    assert shared.files() == before


def test_an_upgrade_of_one_package_moves_it_and_what_it_must(world: World, inside: Run, index: LoopbackIndex) -> None:
    offer(index, "top", "1.0", requires=["shared>=1", "free"])
    offer(index, "side", "1.0", requires=["shared"])
    for name in ("shared", "free", "apart"):
        offer(index, name, "1.0")
    (world.project / "pyproject.toml").write_text(format_project(["top", "side", "apart"]))
    assert inside("lock").status == 0
    before = packages_of(world.project)
    offer(index, "top", "2.0", requires=["shared>=2", "free", "fresh"])
    offer(index, "fresh", "1.0")
    for name in ("side", "shared", "free", "apart"):
        offer(index, name, "2.0")
    assert inside("lock").status == 0
    assert packages_of(world.project) == before
    outcome = inside("lock", "--upgrade-package", "top")
    assert outcome.status == 0
    after = packages_of(world.project)
    assert {name for name in before if after.get(name) != before[name]} == {"top 1.0", "shared 1.0"}
    assert after.keys() - before.keys() == {"top 2.0", "shared 2.0", "fresh 1.0"}
    assert read_lock(world.project)["lock-version"] == "1.0"
