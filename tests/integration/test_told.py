"""What a refusal says of indexes: which was asked, and who wants what could not be had."""

from __future__ import annotations

from tests.integration.refusals import Run, project_of
from tests.support.loopback import LoopbackIndex
from tests.support.projects import offer
from tests.support.world import World

PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["{wanted}"]\n'


def test_offline_it_is_told_who_wants_what_was_never_fetched(world: World, inside: Run, index: LoopbackIndex) -> None:
    offer(index, "tool", "1.0", requires=["core>=2"])
    offer(index, "core", "2.0", requires=["wire"])
    index.add_project("wire")
    project_of(world, PROJECT.format(wanted="tool"))
    index.fail("/simple/wire/", 403)
    refused = inside("lock")
    assert "error[index-forbidden]" in refused.err, refused.err
    assert "cause: tool 1.0 wants core>=2, and core 2.0 wants wire\n" in refused.err
    index.forget_requests()
    offline = inside("lock", "--offline")
    assert "error[offline]: the page of wire on" in offline.err, offline.err
    assert "cause: tool 1.0 wants core>=2, and core 2.0 wants wire\n" in offline.err
    assert "hint: run again without `--offline`" in offline.err
    assert index.requests == []


def test_what_nobody_but_the_project_wants_needs_no_telling(world: World, inside: Run) -> None:
    project_of(world, PROJECT.format(wanted="never"))
    offline = inside("lock", "--offline")
    assert "error[offline]: the page of never on" in offline.err
    assert "cause:" not in offline.err


def test_where_several_indexes_are_listed_it_is_told_which_one_was_asked(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "tool", "1.0", requires=["elsewhere"])
    settings = f'[[tool.pyvstore.index]]\nname = "company"\nurl = "{index.url}"\n'
    settings += '[[tool.pyvstore.index]]\nname = "mirror"\nurl = "https://mirror.example/simple/"\n'
    for wanted, code in (("tool", "no-such-project"), ("tool>=2", "no-version")):
        project_of(world, PROJECT.format(wanted=wanted) + settings)
        refused = inside("lock")
        assert f"error[{code}]" in refused.err, refused.err
        assert "here company and not mirror" in refused.err
