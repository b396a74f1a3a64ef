"""A refusal is never given because of what a page did not have some minutes ago."""

import shutil
from collections.abc import Callable

import pytest

from tests.integration.refusals import Run, project_of
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal

OLD = build_wheel("delta", "1.0", files={"delta.py": ""})
NEW = build_wheel("delta", "1.2", files={"delta.py": "new = True\n"})
MADE_FOR_OTHERS = build_wheel("delta", "1.2", files={"delta.py": ""}, requires_python=">=3.99")
Change = Callable[[LoopbackIndex], object]

QUARANTINED = {"status": "quarantined", "reason": "unsafe"}
BROKEN: dict[str, Change] = {
    "the version is missing": lambda index: index.add(*OLD),
    "there is no file at all": lambda index: index.add_project("delta"),
    "the names are of another project": lambda index: index.add("other-1.2-py3-none-any.whl", NEW[1], project="delta"),
    "it is yanked by everybody": lambda index: index.add(
        *build_wheel("delta", "1.2", files={"delta.py": ""}, requires=["alpha>9"]), yanked="bad"
    ),
    "there is no hash": lambda index: index.add(*NEW, hash=False),
    "it is quarantined": lambda index: [index.add(*NEW), index.statuses.update(delta=QUARANTINED)],
    "it is for no Python": lambda index: index.add(*MADE_FOR_OTHERS, requires_python=">=3.99"),
}


def _mend(index: LoopbackIndex) -> None:
    index.statuses.clear()
    index.add(*NEW)


@pytest.mark.parametrize("problem", BROKEN)
def test_the_same_command_works_as_soon_as_the_index_is_mended(
    world: World, inside: Run, index: LoopbackIndex, problem: str
) -> None:
    project_of(world)
    BROKEN[problem](index)
    refused = inside("add", "delta==1.2")
    assert refused.status == 1, refused
    assert "error[no-" in refused.err or "error[project-quarantined]" in refused.err, refused.err
    _mend(index)
    done = inside("add", "delta==1.2")
    assert done.status == 0, done.err
    assert "delta 1.2" in done.err


def test_pages_that_were_believed_are_asked_about_once_before_a_refusal(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    project_of(world)
    index.add(*OLD)
    assert inside("add", "delta").status == 0
    index.forget_requests()
    assert "error[no-" in inside("add", "delta==1.2").err
    # Whether gamma is looked at before delta is found wanting, and by how many threads, is a matter of luck.
    assert index.paths().count("/simple/delta/") == 1
    assert set(index.paths()) <= {"/simple/delta/", "/simple/gamma/"}
    assert all("if-none-match" in request.headers for request in index.requests)


def test_a_refusal_that_was_just_asked_for_is_not_asked_for_again(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    project_of(world, '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\n')
    index.add(*OLD)
    assert "error[no-" in inside("add", "delta==1.2").err
    assert index.paths().count("/simple/delta/") == 1


def test_what_can_be_answered_from_fresh_pages_asks_for_none(world: World, inside: Run, index: LoopbackIndex) -> None:
    project_of(world)
    assert inside("add", "alpha").status == 0
    (world.project / "pylock.toml").unlink()
    index.forget_requests()
    assert inside("lock").status == 0
    assert index.requests == []


def test_offline_a_refusal_asks_for_nothing(world: World, inside: Run, index: LoopbackIndex) -> None:
    project_of(world)
    index.add(*OLD)
    assert inside("add", "delta").status == 0
    index.forget_requests()
    assert "error[no-" in inside("add", "delta==1.2", "--offline").err
    assert index.requests == []


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("folder", ["a b", "größe", "[x]", "a\\b", "50%"])
def test_a_link_with_letters_that_no_url_has_is_locked_and_fetched(
    world: World, inside: Run, index: LoopbackIndex, folder: str, html: bool
) -> None:
    index.html = html
    filename, content = OLD
    index.add(filename, content, url=f"{index.root}/files/{folder}/{filename}")
    index.answer(f"/files/{folder}/{filename}", content)
    project_of(world)
    done = inside("add", "delta")
    assert done.status == 0, done.err
    assert (world.project / "pylock.toml").read_text().isascii()
    _forget(world)
    synced = inside("sync")
    assert synced.status == 0, synced.err


def _forget(world: World) -> None:
    unseal(world.place)
    shutil.rmtree(world.home)
    shutil.rmtree(world.venv)


# ── files that were replaced or taken away since a page was heard ───────────────────────────────────────────────

REPLACED = build_wheel("delta", "1.0", files={"delta.py": "again = True\n"})


def _heard_before(world: World, inside: Run, index: LoopbackIndex) -> None:
    """The page of delta, and the metadata of its wheel, are known and fresh; nothing of it is installed."""
    index.add(*OLD)
    project_of(world, PYPROJECT_OF_DELTA)
    assert inside("lock").status == 0
    (world.project / "pylock.toml").unlink()


PYPROJECT_OF_DELTA = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["delta"]\n'
CHANGES_BEHIND_A_PAGE: dict[str, Change] = {
    "a file was replaced": lambda index: index.add(*REPLACED),
    "a file was replaced and a newer one came": lambda index: [index.add(*REPLACED), index.add(*NEW)],
    "a file was taken away for a newer one": lambda index: _take_away(index),
}


def _take_away(index: LoopbackIndex) -> None:
    index.withdraw(OLD[0])
    index.fail(OLD[0], 404)
    index.add(*NEW)


@pytest.mark.parametrize("words", [("add", "delta"), ("add", "gamma"), ("sync",)])
@pytest.mark.parametrize("change", CHANGES_BEHIND_A_PAGE)
def test_a_page_is_asked_for_anew_when_its_file_is_another(
    world: World, inside: Run, index: LoopbackIndex, change: str, words: tuple[str, ...]
) -> None:
    _heard_before(world, inside, index)
    CHANGES_BEHIND_A_PAGE[change](index)
    index.forget_requests()
    done = inside(*words)
    assert done.status == 0, done.err
    assert index.paths().count("/simple/delta/") == 1
    assert inside("sync", "--check").status == 0


@pytest.mark.parametrize("change", CHANGES_BEHIND_A_PAGE)
def test_the_hint_of_a_lock_whose_file_was_replaced_leads_on(
    world: World, inside: Run, index: LoopbackIndex, change: str
) -> None:
    _heard_before(world, inside, index)
    assert inside("lock").status == 0
    CHANGES_BEHIND_A_PAGE[change](index)
    refused = inside("sync")
    assert "remove pylock.toml, then run `pyvstore lock`" in refused.err
    (world.project / "pylock.toml").unlink()
    assert inside("lock").status == 0
    done = inside("sync")
    assert done.status == 0, done.err


@pytest.mark.parametrize("words", [("add", "delta"), ("sync",)])
def test_an_index_that_goes_on_promising_another_file_is_asked_once_more_and_then_refused(
    world: World, inside: Run, index: LoopbackIndex, words: tuple[str, ...]
) -> None:
    _heard_before(world, inside, index)
    index.corrupt(OLD[0])
    index.forget_requests()
    refused = inside(*words)
    assert "error[hash-mismatch]" in refused.err
    assert "tell those who run the index" in refused.err
    assert index.paths().count("/simple/delta/") == 1
    assert index.paths().count(f"/files/{OLD[0]}") == 1
    assert not (world.project / "pylock.toml").exists()
    index.behave()
    assert inside(*words).status == 0


def test_a_page_that_was_doubted_still_serves_offline(world: World, inside: Run, index: LoopbackIndex) -> None:
    _heard_before(world, inside, index)
    index.corrupt(OLD[0])
    assert inside("sync").status == 1
    done = inside("lock", "--offline")
    assert done.status == 0, done.err
