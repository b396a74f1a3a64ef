"""Extras and groups from pyproject.toml to the environment and back: exact, remembered, refused in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tomli

from tests.support.loopback import LoopbackIndex
from tests.support.projects import everywhere, format_project, offer, packages_of, read_lock, selected, versions
from tests.support.world import Outcome, World

Run = Callable[..., Outcome]


@pytest.fixture
def parts(world: World, index: LoopbackIndex) -> World:
    """A project with an extra, a default group and another one that share a package."""
    for name in ("base", "speed", "tester", "writer", "common"):
        offer(index, name, "1.0", requires=["common"] if name in ("tester", "writer") else [])
    text = format_project(
        ["base"], extras={"fast": ["speed"]}, groups={"dev": ["tester"], "docs": ["writer"]}, requires_python=">=3.8"
    )
    (world.project / "pyproject.toml").write_text(text)
    return world


def ok(outcome: Outcome) -> Outcome:
    assert outcome.status == 0, outcome.err
    return outcome


def refused(outcome: Outcome, code: str, status: int = 2) -> str:
    assert f"error[{code}]" in outcome.err, outcome.err
    assert outcome.status == status
    return outcome.err


def there(world: World) -> set[str]:
    return {path.name.partition("-")[0] for path in world.site.glob("*.dist-info")}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "base tester common"),
        (["--no-dev"], "base"),
        (["--no-default-groups"], "base"),
        (["--group", "docs"], "base tester common writer"),
        (["--group", "Docs", "--no-group", "dev"], "base common writer"),
        (["--only-group", "docs"], "common writer"),
        (["--only-dev"], "tester common"),
        (["--extra", "FAST"], "base tester common speed"),
        (["--all-extras", "--no-dev"], "base speed"),
        (["--all-groups"], "base tester common writer"),
        (["--all-groups", "--no-group", "docs", "--all-extras"], "base tester common speed"),
    ],
)
def test_sync_installs_exactly_what_is_asked_for_and_run_and_relink_keep_it(
    parts: World, inside: Run, words: list[str], expected: str
) -> None:
    ok(inside("sync", "--all-groups", "--all-extras"))
    ok(inside("sync", *words))
    assert there(parts) == set(expected.split())
    assert ok(inside("sync", *words)).err.startswith("Checked ")
    (parts.site / "common.py").unlink(missing_ok=True)
    ok(inside("relink"))
    assert there(parts) == set(expected.split())
    inside("run", "python", "-c", "pass")
    assert there(parts) == set(expected.split())
    ok(inside("sync"))
    assert there(parts) == {"base", "tester", "common"}


def test_a_glance_does_not_take_one_set_of_parts_for_another(parts: World) -> None:
    parts.run("sync", "--group", "docs")
    assert " - writer 1.0" in parts.run("sync").err
    assert there(parts) == {"base", "tester", "common"}
    assert " + writer 1.0" in parts.run("run", "--group", "docs", "python", "-c", "import writer").err
    assert parts.run("run", "python", "-c", "import writer").err == ""
    assert parts.run("sync", "--group", "docs").err.startswith("Checked ")


def test_a_second_worktree_gets_its_own_parts_without_the_network(
    parts: World, inside: Run, index: LoopbackIndex
) -> None:
    ok(inside("sync", "--group", "docs"))
    ok(inside("sync", "--no-dev"))
    first = parts.project
    parts.project = parts.place / "second"
    parts.project.mkdir()
    for name in ("pyproject.toml", "pylock.toml"):
        (parts.project / name).write_bytes((first / name).read_bytes())
    index.forget_requests()
    ok(inside("sync", "--group", "docs", "--offline"))
    assert there(parts) == {"base", "tester", "common", "writer"}
    ok(inside("sync", "--no-dev", "--offline"))
    assert there(parts) == {"base"}
    assert index.count() == 0


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--group", "dcos"], "group-unknown", "docs"),
        (["--only-group", "dcos"], "group-unknown", "docs"),
        (["--no-group", "dve"], "group-unknown", "dev"),
        (["--extra", "fats"], "extra-unknown", "fast"),
        (["--only-group", "docs", "--extra", "fast"], "usage", "--group"),
    ],
)
def test_parts_that_do_not_exist_are_refused_with_those_that_do(
    parts: World, inside: Run, words: list[str], code: str, hint: str
) -> None:
    ok(inside("sync"))
    assert hint in refused(inside("sync", *words), code).partition("hint:")[2]
    assert there(parts) == {"base", "tester", "common"}


@pytest.mark.parametrize(
    ("flags", "table"),
    [
        (["--group", "Extra_Tools"], ("dependency-groups", "extra-tools")),
        (["--dev"], ("dependency-groups", "dev")),
        (["--optional", "plus"], ("project", "optional-dependencies", "plus")),
    ],
)
def test_add_and_remove_edit_the_list_that_is_named_and_keep_comments(
    parts: World, inside: Run, flags: list[str], table: tuple[str, ...]
) -> None:
    path = parts.project / "pyproject.toml"
    path.write_text("# mine\n" + path.read_text().replace('dev = ["tester"]', 'dev = [\n  "tester",  # why\n]'))
    ok(inside("sync", "--group", "docs"))
    ok(inside("add", "gamma", *flags))
    content = tomli.loads(path.read_text())
    value = content
    for key in table:
        value = value[key]
    assert "gamma>=3.0" in value
    assert content["project"]["dependencies"] == ["base"]
    assert "# why" in path.read_text()
    assert path.read_text().startswith("# mine\n")
    assert there(parts) == {"base", "tester", "common", "writer", "gamma"}
    assert f"pyvstore remove {' '.join(flags).replace('Extra_Tools', 'extra-tools')} gamma".replace(
        "--dev", "--group dev"
    ) in refused(inside("remove", "gamma"), "requirement-unknown")
    ok(inside("remove", "gamma", *flags))
    assert there(parts) == {"base", "tester", "common", "writer"}
    assert "# why" in path.read_text()


def test_a_group_that_is_deleted_afterwards_leaves_the_environment(parts: World, inside: Run) -> None:
    ok(inside("sync", "--group", "docs"))
    path = parts.project / "pyproject.toml"
    path.write_text(path.read_text().replace('docs = ["writer"]\n', ""))
    inside("run", "python", "-c", "pass")
    assert there(parts) == {"base", "tester", "common"}
    assert "writer" not in versions(parts.project)
    refused(inside("sync", "--group", "docs"), "group-unknown")


@pytest.mark.parametrize(
    ("before", "flags", "expected"),
    [
        (["--only-group", "docs"], ["--group", "lint"], "common writer gamma"),
        (["--only-group", "docs"], ["--dev"], "common writer tester gamma"),
        (["--only-group", "docs"], [], "base common writer gamma"),
        (["--only-group", "docs"], ["--optional", "fast"], "base common writer speed gamma"),
        (["--no-dev"], ["--dev"], "base tester common gamma"),
        (["--no-default-groups"], ["--dev"], "base tester common gamma"),
        (["--no-dev"], [], "base gamma"),
        (["--no-dev"], ["--group", "docs"], "base common writer gamma"),
    ],
)
def test_who_adds_to_a_part_has_it_and_who_removes_from_it_has_the_same_parts(
    parts: World, inside: Run, before: list[str], flags: list[str], expected: str
) -> None:
    ok(inside("sync", *before))
    ok(inside("add", "gamma", *flags))
    assert there(parts) == set(expected.split())
    ok(inside("remove", "gamma", *flags))
    assert there(parts) == set(expected.split()) - {"gamma"}


def test_removing_from_a_group_that_is_not_installed_does_not_install_it(parts: World, inside: Run) -> None:
    ok(inside("add", "gamma", "--group", "docs"))
    ok(inside("sync"))
    ok(inside("remove", "gamma", "--group", "docs"))
    assert there(parts) == {"base", "tester", "common"}


def test_a_group_that_was_alone_and_is_deleted_leaves_the_default_with_a_sentence(parts: World, inside: Run) -> None:
    ok(inside("sync", "--only-group", "docs"))
    path = parts.project / "pyproject.toml"
    path.write_text(path.read_text().replace('docs = ["writer"]\n', ""))
    said = inside("run", "python", "-c", "pass").err
    assert "warning[group-gone]: the environment had the group docs alone" in said
    assert there(parts) == {"base", "tester", "common"}
    assert "group-gone" not in inside("run", "python", "-c", "pass").err


def test_what_an_extra_has_through_another_one_is_direct(parts: World, inside: Run) -> None:
    text = format_project(["base"], extras={"fast": ["speed"], "all": ["app[fast]"]}, requires_python=">=3.8")
    (parts.project / "pyproject.toml").write_text(text)
    ok(inside("sync", "--extra", "all"))
    assert list(parts.site.glob("speed-*.dist-info/REQUESTED"))


# ── parts that exclude each other ────────────────────────────────────────────────────────────────────────────────

CONFLICT = 'conflicts = [[{extra = "cpu"}, {extra = "cuda"}]]'


@pytest.fixture
def rivals(world: World, index: LoopbackIndex) -> World:
    """An index with a package in two builds, and what needs one or the other."""
    offer(index, "tensor", "2.0+cpu", "2.0+cuda")
    offer(index, "vision", "1.0", requires=["tensor"])
    return world


def write(world: World, settings: str, **more: object) -> None:
    text = format_project(["vision"], settings=settings, requires_python=">=3.8", **more)  # type: ignore[arg-type]
    (world.project / "pyproject.toml").write_text(text)


def test_extras_that_exclude_each_other_have_a_version_each(rivals: World, inside: Run) -> None:
    extras = {"cpu": ["tensor==2.0+cpu"], "cuda": ["tensor==2.0+cuda"]}
    write(rivals, "", extras=extras)
    assert "tensor" in refused(inside("lock"), "no-solution", 1)
    write(rivals, CONFLICT, extras=extras)
    ok(inside("lock"))
    first = rivals.files()
    ok(inside("lock", "--upgrade"))
    assert rivals.files() == first
    for environment in everywhere():
        for extra in ("cpu", "cuda"):
            assert selected(rivals.project, environment, extras=[extra])["tensor"] == f"2.0+{extra}"
        assert selected(rivals.project, environment).keys() == {"vision", "tensor"}
    for extra in ("cpu", "cuda", "cpu"):
        ok(inside("sync", "--extra", extra))
        assert len(list(rivals.site.glob(f"tensor-2.0+{extra}.dist-info"))) == 1
        assert there(rivals) == {"vision", "tensor"}
    message = refused(inside("sync", "--extra", "cpu", "--extra", "cuda"), "parts-conflict")
    assert "extra cpu and extra cuda exclude each other" in message
    refused(inside("sync", "--all-extras"), "parts-conflict")


def test_overlapping_sets_exclude_by_pairs(rivals: World, inside: Run, index: LoopbackIndex) -> None:
    offer(index, "tensor", "1.0")
    write(
        rivals,
        'conflicts = [[{extra = "cpu"}, {extra = "cuda"}], [{extra = "cuda"}, {group = "old"}],'
        ' [{extra = "cpu"}, {group = "old"}]]',
        extras={"cpu": ["tensor==2.0+cpu"], "cuda": ["tensor==2.0+cuda"]},
        groups={"old": ["tensor<2"]},
    )
    ok(inside("lock"))
    for environment in everywhere():
        assert selected(rivals.project, environment, groups=["old"])["tensor"] == "1.0"
        assert selected(rivals.project, environment, extras=["cuda"])["tensor"] == "2.0+cuda"
    message = refused(inside("sync", "--extra", "cuda", "--group", "old"), "parts-conflict")
    assert "extra cuda and group old exclude each other" in message


def test_a_part_that_excludes_a_default_group_is_had_without_it(rivals: World, inside: Run) -> None:
    write(
        rivals,
        'conflicts = [[{extra = "cuda"}, {group = "dev"}]]',
        extras={"cuda": ["tensor==2.0+cuda"]},
        groups={"dev": ["tensor==2.0+cpu"]},
    )
    ok(inside("sync"))
    assert list(rivals.site.glob("tensor-2.0+cpu.dist-info"))
    for environment in everywhere():
        assert selected(rivals.project, environment)["tensor"] == "2.0+cpu"
        assert selected(rivals.project, environment, groups=["dev"])["tensor"] == "2.0+cpu"
        assert selected(rivals.project, environment, groups=[], extras=["cuda"])["tensor"] == "2.0+cuda"
    first = packages_of(rivals.project)
    (rivals.project / "pyproject.toml").write_text(
        (rivals.project / "pyproject.toml").read_text().replace("vision", "vision>=0")
    )
    ok(inside("lock"))
    assert packages_of(rivals.project) == first
    refused(inside("sync", "--extra", "cuda"), "parts-conflict")
    ok(inside("sync", "--extra", "cuda", "--no-dev"))
    assert list(rivals.site.glob("tensor-2.0+cuda.dist-info"))
    assert read_lock(rivals.project)["default-groups"] == ["pyvstore-default"]


def test_a_group_alone_has_nothing_of_the_project_whose_versions_depend_on_it(
    rivals: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "base", "1.0")
    offer(index, "vision", "2.0", requires=["tensor==2.0+cuda"])
    write(
        rivals,
        'conflicts = [[{group = "old"}, {group = "new"}]]',
        groups={"old": ["tensor==2.0+cpu"], "new": ["base"]},
    )
    ok(inside("sync", "--group", "old"))
    assert list(rivals.site.glob("vision-1.0.dist-info"))
    ok(inside("sync", "--only-group", "old"))
    assert there(rivals) == {"tensor"}
    ok(inside("sync", "--only-group", "new"))
    assert there(rivals) == {"base"}
    ok(inside("sync", "--group", "new"))
    assert there(rivals) == {"base", "vision", "tensor"}


def test_what_includes_a_part_excludes_what_that_part_excludes(rivals: World, inside: Run) -> None:
    write(
        rivals,
        CONFLICT,
        extras={"cpu": ["tensor==2.0+cpu"], "cuda": ["tensor==2.0+cuda"], "all": ["app[cpu]"]},
        groups={"ci": ["app[all]"], "old": [{"include-group": "ci"}]},
    )
    ok(inside("lock"))
    for environment in everywhere():
        assert selected(rivals.project, environment, extras=["all"])["tensor"] == "2.0+cpu"
        assert selected(rivals.project, environment, extras=["all", "cpu"], groups=["ci"])["tensor"] == "2.0+cpu"
        assert selected(rivals.project, environment, extras=["cuda"])["tensor"] == "2.0+cuda"
    ok(inside("sync", "--extra", "all", "--extra", "cpu", "--group", "old"))
    assert list(rivals.site.glob("tensor-2.0+cpu.dist-info"))
    for flags, named in (
        (["--extra", "all", "--extra", "cuda"], "extra all and extra cuda"),
        (["--group", "old", "--extra", "cuda"], "extra cuda and group old"),
    ):
        assert f"{named} exclude each other" in refused(inside("sync", *flags), "parts-conflict")


def test_a_lock_is_stale_when_a_part_begins_to_include_another_one(rivals: World, inside: Run) -> None:
    settings = 'conflicts = [[{group = "old"}, {group = "new"}]]'
    write(rivals, settings, groups={"old": ["tensor==2.0+cpu"], "new": [], "ci": ["tensor==2.0+cpu"]})
    ok(inside("lock"))
    write(rivals, settings, groups={"old": ["tensor==2.0+cpu"], "new": [], "ci": [{"include-group": "old"}]})
    assert "the setting conflicts changed" in refused(inside("lock", "--check"), "lock-stale", 1)


def test_many_parts_that_exclude_each_other_are_answered_and_too_many_are_refused(
    rivals: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "many", *(f"{number}.0" for number in range(1, 13)))
    extras = {f"x{number}": [f"many=={number}"] for number in range(1, 13)}
    members = ", ".join(f'{{extra = "{name}"}}' for name in extras)
    write(rivals, f"conflicts = [[{members}]]", extras=extras)
    ok(inside("lock"))
    for environment in everywhere():
        assert selected(rivals.project, environment, extras=["x7"])["many"] == "7.0"
    extras = {f"{side}{number}": ["many"] for number in range(20) for side in "ab"}
    sets = ", ".join(f'[{{extra = "a{number}"}}, {{extra = "b{number}"}}]' for number in range(20))
    write(rivals, f"conflicts = [{sets}]", extras=extras)
    message = refused(inside("lock"), "conflicts-too-many")
    assert "more than 100 combinations" in message
    assert "hint:" in message
