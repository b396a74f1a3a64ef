"""From the project's requirements and settings to what the resolver is asked."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import UsageError
from pyvstore.model.artifact import Artifact
from pyvstore.ops.asking import Exclusion, Usable, lattice_of, names_of, policy_of, roots_of
from pyvstore.requirements.project import ProjectRequirements, parse_project
from pyvstore.requirements.settings import Settings, merge_settings, project_layer
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Builds, Prereleases, Strategy

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)


def settings(**values: Any) -> Settings:
    table = {key.replace("_", "-"): value for key, value in values.items()}
    return merge_settings([project_layer({"tool": {"pyvstore": table}})])


def project(**tables: Any) -> ProjectRequirements:
    groups = tables.pop("groups", {})
    head = {key.replace("_", "-"): value for key, value in tables.items()}
    return parse_project({"project": {"name": "demo", "version": "1", **head}, "dependency-groups": groups})


def artifact(filename: str = "a-1.0-py3-none-any.whl", **changes: Any) -> Artifact:
    values: dict[str, Any] = {"url": f"https://files.example/{filename}", "index_url": "https://index.example/"}
    return Artifact(name=NormalizedName("a"), version=Version("1.0"), filename=filename, **{**values, **changes})


PARTS = project(optional_dependencies={"x": ["b"], "y": []}, groups={"dev": ["c"], "docs": []})


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "default"),
    [
        ({}, {"dev"}),
        ({"default_groups": "all"}, {"dev", "docs"}),
        ({"default_groups": ["docs"]}, {"docs"}),
        ({"default_groups": []}, set()),
    ],
)
def test_the_group_dev_is_installed_unasked_unless_a_setting_says_otherwise(
    asked: dict[str, Any], default: set[str]
) -> None:
    names = names_of(PARTS, settings(**asked))
    assert names.default_groups == default
    assert (set(names.extras), set(names.dependency_groups)) == ({"x", "y"}, {"dev", "docs"})


def test_a_project_without_the_group_dev_has_no_default_group() -> None:
    assert names_of(project(groups={"docs": []}), Settings()).default_groups == frozenset()


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"default_groups": ["nope"]}, "default-groups: the project has no group 'nope'", "it has dev, docs"),
        (
            {"conflicts": [[{"extra": "x"}, {"extra": "z"}]]},
            "conflicts: the project has no extra 'z'",
            "it has x, y",
        ),
        (
            {"conflicts": [[{"group": "x"}, {"extra": "x"}]]},
            "conflicts: the project has no group 'x'",
            "it has dev, docs",
        ),
    ],
)
def test_a_setting_that_names_what_is_not_there_is_refused(asked: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        names_of(PARTS, settings(**asked))
    assert caught.value.message == f"tool.pyvstore.{message}"
    assert (caught.value.code, caught.value.hint) == ("setting", hint)


def test_a_project_without_groups_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        names_of(project(), settings(default_groups=["dev"]))
    assert caught.value.hint == "it has no groups at all"


# ── roots and lattice ────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_is_asked_for_has_its_scope_and_its_place() -> None:
    asked = project(
        dependencies=["a>=1"],
        optional_dependencies={"x": ["b", "demo[y]"], "y": ["c"]},
        groups={"dev": ["d", {"include-group": "lint"}], "lint": ["e"]},
    )
    found = {(str(root.requirement), root.scope, root.origin) for root in roots_of(asked)}
    assert found == {
        ("a>=1", "", "project.dependencies"),
        ("b", "extra:x", "project.optional-dependencies.x"),
        ("c", "extra:x", "project.optional-dependencies.x"),
        ("c", "extra:y", "project.optional-dependencies.y"),
        ("d", "group:dev", "dependency-groups.dev"),
        ("e", "group:dev", "dependency-groups.dev"),
        ("e", "group:lint", "dependency-groups.lint"),
    }


def test_the_lattice_is_what_project_and_settings_say() -> None:
    asked = settings(
        platforms=["windows-x86_64"],
        environments=["python_version < '3.13'"],
        conflicts=[[{"extra": "x"}, {"group": "dev"}]],
    )
    tables: dict[str, Any] = {"optional_dependencies": {"x": []}, "groups": {"dev": []}}
    assert lattice_of(project(requires_python="<3.14,>=3.11", **tables), asked) == Lattice(
        requires_python=">=3.11,<3.14",
        platforms=("windows-x86_64",),
        environments=("python_version < '3.13'",),
        conflicts=(("extra:x", "group:dev"),),
    )
    assert lattice_of(project(), Settings()) == Lattice()


# ── policy ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "builds", "wheels"),
    [
        ({}, Builds.LAST, True),
        ({"no_build": ["A"]}, Builds.NEVER, True),
        ({"no_build": ["b"]}, Builds.LAST, True),
        ({"no_build": [":all:"]}, Builds.NEVER, True),
        ({"no_binary": ["a"]}, Builds.ALLOWED, False),
        ({"no_binary": [":all:"]}, Builds.ALLOWED, False),
        ({"no_binary": ["b"]}, Builds.LAST, True),
        ({"no_binary": [":all:"], "no_build": ["a"]}, Builds.NEVER, False),
    ],
)
def test_lists_of_packages_decide_which_files_count(asked: dict[str, Any], builds: Builds, wheels: bool) -> None:
    policy = policy_of(settings(**asked), Lattice(), offline=False)
    name = NormalizedName("a")
    assert (policy.builds(name), policy.wheels_allowed(name)) == (builds, wheels)


@pytest.mark.parametrize(
    ("requires_python", "below", "newer"),
    [
        ("", ("python_version >= '3'",), ("python_version > '3.8'",)),
        (">=3.11", (), ("python_version > '3.11'",)),
        (">=3.11,<3.13", (), ()),
    ],
)
def test_only_what_nobody_named_may_be_left_out(
    requires_python: str, below: tuple[str, ...], newer: tuple[str, ...]
) -> None:
    policy = policy_of(Settings(), Lattice(requires_python=requires_python), offline=False)
    assert (policy.may_leave_out, policy.may_leave_out_newer) == (below, newer)


def test_settings_become_the_policy_of_their_name() -> None:
    asked = settings(
        prereleases="allow",
        resolution="lowest-direct",
        constraints=["a<2"],
        overrides=["b==1"],
        exclude=["c"],
        required_environments=["os_name == 'nt'"],
        exclude_newer="7 days",
    )
    once = project(dependencies=["d<9"]).dependencies
    policy = policy_of(asked, Lattice(), bounds=once, offline=True)
    assert (policy.prereleases, policy.strategy) == (Prereleases.ALLOW, Strategy.LOWEST_DIRECT)
    assert [str(bound) for bound in policy.constraints] == ["a<2", "d<9"]
    assert [str(bound) for bound in policy.overrides] == ["b==1"]
    assert set(policy.excluded) == {"c"}
    assert policy.files_required_on == ("os_name == 'nt'",)
    assert (policy.exclude_newer, policy.offline) == ("7 days", True)
    plain = policy_of(Settings(), Lattice(), offline=False)
    assert (plain.files_required_on, plain.exclude_newer, plain.offline) == ((), None, False)


# ── files that are too new ───────────────────────────────────────────────────────────────────────────────────────

EARLY, LATE = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 2, 27, tzinfo=timezone.utc)
AT = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("asked", "uploaded", "reason"),
    [
        ({}, LATE, None),
        ({}, None, None),
        ({"exclude_newer": "2026-01-31"}, EARLY, None),
        ({"exclude_newer": "2026-01-31"}, LATE, "newer than 2026-02-01 00:00 UTC"),
        ({"exclude_newer": AT}, EARLY, "newer than 2026-01-01 00:00 UTC"),
        ({"exclude_newer": "7 days"}, EARLY, None),
        ({"exclude_newer": "7 days"}, LATE, "newer than 2026-02-22 00:00 UTC"),
        ({"exclude_newer": "7 days"}, None, "of unknown age"),
        ({"exclude_newer": "7 days", "exclude_newer_package": {"a": False}}, LATE, None),
        ({"exclude_newer": "7 days", "exclude_newer_package": {"a": False}}, None, None),
        ({"exclude_newer": "7 days", "exclude_newer_package": {"b": False}}, LATE, "newer than"),
        ({"exclude_newer_package": {"A": "2026-01-31"}}, LATE, "newer than"),
        ({"exclude_newer_package": {"b": "2026-01-31"}}, LATE, None),
        ({"exclude_newer": "2020-01-01", "exclude_newer_package": {"a": "2026-12-31"}}, LATE, None),
    ],
)
def test_a_file_counts_when_it_is_older_than_its_limit(
    asked: dict[str, Any], uploaded: datetime | None, reason: str | None
) -> None:
    found = Exclusion.of(settings(**asked), NOW).excluded(artifact(upload_time=uploaded))
    assert (found or "").startswith(reason or "")
    assert (found is None) == (reason is None)


# ── files that serve ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("filename", "changes", "is_usable"),
    [
        ("a-1.0-py3-none-any.whl", {}, True),
        ("a-1.0-py2.py3-none-any.whl", {}, True),
        ("a-1.0-1-cp312-cp312-win32.manylinux2014_x86_64.whl", {}, True),
        ("a-1.0-cp312-cp312-win_amd64.whl", {}, False),
        ("a-1.0-cp310-cp310-manylinux2014_x86_64.whl", {}, False),
        ("a-1.0.tar.gz", {}, False),
        ("a-1.0-py3-none-any.whl", {"yanked": ""}, False),
        ("a-1.0-py3-none-any.whl", {"requires_python": ">=3.12"}, True),
        ("a-1.0-py3-none-any.whl", {"requires_python": ">=3.13"}, False),
        ("a-1.0-py3-none-any.whl", {"requires_python": "<3.11"}, False),
        ("a-1.0-py3-none-any.whl", {"requires_python": "nonsense"}, True),
    ],
)
def test_a_wheel_is_worth_a_guess_where_some_environment_can_use_it(
    filename: str, changes: dict[str, Any], is_usable: bool
) -> None:
    usable = Usable(Lattice(requires_python=">=3.11,<3.13", platforms=("linux-x86_64",)))
    assert usable(artifact(filename, **changes)) == is_usable
    assert usable(artifact(filename, **changes)) == is_usable  # by what it remembers
