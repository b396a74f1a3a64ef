"""A refusal is never given because of what a page did not have some minutes ago."""

import shutil
from collections.abc import Callable

import pytest

from pyvstore.resolution.engine import resolve
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
    assert index.paths() == ["/simple/delta/"]
    assert all("if-none-match" in request.headers for request in index.requests)


@pytest.mark.parametrize("changed", [False, True])
def test_a_refusal_is_worked_out_again_only_where_one_of_its_pages_changed(
    world: World, inside: Run, index: LoopbackIndex, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    worked_out: list[int] = []

    def counting(*arguments: object, **options: object) -> object:
        worked_out.append(1)
        return resolve(*arguments, **options)  # type: ignore[arg-type]

    project_of(world)
    index.add(*OLD)
    assert inside("add", "delta").status == 0
    monkeypatch.setattr("pyvstore.ops.locking.resolve_requirements", counting)
    index.add(*(build_wheel("delta", "1.1") if changed else build_wheel("beta", "2.1")))
    index.forget_requests()
    assert "error[no-version]" in inside("add", "delta==1.2").err
    assert len(worked_out) == 1 + changed
    assert index.paths().count("/simple/beta/") == 0
    # Once more nothing is believed but what is asked for again.
    index.add(*NEW)
    assert inside("add", "delta==1.2").status == 0


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
