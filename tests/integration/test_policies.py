"""What settings change about a lock: each does what it says, makes an older lock stale by name, and can be undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from platformdirs import user_config_dir

from tests.support.loopback import LoopbackIndex
from tests.support.projects import format_project, is_covered, markers_of, offer, packages_of, selected, versions
from tests.support.sdists import build_sdist
from tests.support.world import Outcome, World

Run = Callable[..., Outcome]


@pytest.fixture
def shelf(index: LoopbackIndex) -> LoopbackIndex:
    """An index with several versions of what the settings choose between."""
    offer(index, "lib", "1.0", upload_time="2024-01-01T00:00:00Z")
    offer(index, "lib", "1.5", upload_time="2024-06-01T00:00:00Z")
    offer(index, "lib", "2.0", upload_time="2025-01-01T00:00:00Z")
    offer(index, "lib", "2.1", yanked="broken", upload_time="2025-01-02T00:00:00Z")
    offer(index, "lib", "3.0a1", upload_time="2025-03-01T00:00:00Z")
    offer(index, "tool", "1.0", requires=["lib>=1.0"], upload_time="2024-02-01T00:00:00Z")
    offer(index, "tool", "1.1", requires=["lib>=1.0,<3"], upload_time="2025-02-01T00:00:00Z")
    return index


def write(world: World, dependencies: list[str], settings: str = "", **more: object) -> None:
    text = format_project(dependencies, settings=settings, **more)  # type: ignore[arg-type]
    (world.project / "pyproject.toml").write_text(text)


def wheels_of(entry: dict[str, object]) -> list[str]:
    wheels = entry["wheels"]
    assert isinstance(wheels, list)
    return [wheel["url"].rpartition("/")[2] for wheel in wheels]


def ok(outcome: Outcome) -> Outcome:
    assert outcome.status == 0, outcome.err
    return outcome


def refused(outcome: Outcome, code: str, status: int = 1) -> str:
    assert f"error[{code}]" in outcome.err, outcome.err
    assert outcome.status == status
    return outcome.err


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("setting", "before", "after", "reason"),
    [
        (
            'constraints = ["lib<2", "unused<1"]',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "1.5", "tool": "1.1"},
            "the setting constraints changed from the default to lib<2, unused<1",
        ),
        (
            "constraints = [\"lib<2; sys_platform == 'win32'\"]",
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "1.5", "tool": "1.1"},
            "the setting constraints changed from the default to lib<2 ; sys_platform == 'win32'",
        ),
        (
            'overrides = ["lib==3.0a1"]',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "3.0a1", "tool": "1.1"},
            "the setting overrides changed from the default to lib==3.0a1",
        ),
        (
            'exclude = ["lib"]',
            {"lib": "2.0", "tool": "1.1"},
            {"tool": "1.1"},
            "the setting exclude changed from the default to lib",
        ),
        (
            'resolution = "lowest"',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "1.0", "tool": "1.0"},
            "the setting resolution changed from the default to lowest",
        ),
        (
            'resolution = "lowest-direct"',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "2.0", "tool": "1.0"},
            "the setting resolution changed from the default to lowest-direct",
        ),
        (
            'prereleases = "allow"\nconstraints = ["tool<1.1"]',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "3.0a1", "tool": "1.0"},
            "the setting prereleases changed from the default to allow",
        ),
        (
            "exclude-newer = 2024-12-31",
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "1.5", "tool": "1.0"},
            "the setting exclude-newer changed from the default to 2024-12-31",
        ),
        (
            'exclude-newer = "2024-01-01"\nexclude-newer-package = { tool = false }',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "1.0", "tool": "1.1"},
            "the setting exclude-newer-package changed from the default to tool:none",
        ),
        (
            'exclude-newer-package = { lib = "2024-03-01T00:00:00Z" }',
            {"lib": "2.0", "tool": "1.1"},
            {"lib": "1.0", "tool": "1.1"},
            "the setting exclude-newer-package changed from the default to lib:2024-03-01T00:00:00Z",
        ),
    ],
)
def test_a_setting_changes_the_lock_and_names_itself_when_the_lock_is_older(
    world: World,
    inside: Run,
    setting: str,
    before: dict[str, str],
    after: dict[str, str],
    reason: str,
) -> None:
    write(world, ["tool"])
    ok(inside("lock"))
    first = (world.project / "pylock.toml").read_bytes()
    assert versions(world.project) == before
    write(world, ["tool"], setting)
    assert reason in refused(inside("lock", "--check"), "lock-stale")
    assert reason in refused(inside("sync", "--locked"), "lock-stale")
    (world.project / "pylock.toml").unlink()
    ok(inside("lock"))
    assert versions(world.project) == after
    ok(inside("lock", "--check"))
    write(world, ["tool"])
    refused(inside("lock", "--check"), "lock-stale")
    ok(inside("lock", "--upgrade"))
    assert (world.project / "pylock.toml").read_bytes() == first


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--resolution", "lowest"], {"lib": "1.0", "tool": "1.0"}),
        (["--exclude-newer", "2024-12-31"], {"lib": "1.5", "tool": "1.0"}),
        (["--exclude-newer", "0 days"], {"lib": "2.0", "tool": "1.1"}),
        (["--prereleases", "disallow"], {"lib": "2.0", "tool": "1.1"}),
    ],
)
def test_a_flag_decides_once_and_the_lock_says_what_it_was_made_with(
    world: World, inside: Run, words: list[str], expected: dict[str, str]
) -> None:
    write(world, ["tool"])
    ok(inside("lock", *words))
    assert versions(world.project) == expected
    assert f"the setting {words[0][2:]} changed from {words[1]} to the default" in refused(
        inside("lock", "--check"), "lock-stale"
    )
    ok(inside("lock", *words))
    assert versions(world.project) == expected


@pytest.mark.parametrize(("when", "expected"), [("allow", "2.0b1"), ("if-necessary", "1.0"), ("disallow", "1.0")])
def test_prereleases_are_taken_as_the_setting_says(
    world: World, inside: Run, index: LoopbackIndex, when: str, expected: str
) -> None:
    offer(index, "steady", "1.0", "2.0b1")
    offer(index, "young", "0.1rc1")
    write(world, ["steady"], f'prereleases = "{when}"')
    ok(inside("lock"))
    assert versions(world.project) == {"steady": expected}
    write(world, ["young"], f'prereleases = "{when}"')
    if when == "disallow":
        assert "young 0.1rc1 is a pre-release" in refused(inside("lock"), "no-final")
    else:
        ok(inside("lock"))
        assert versions(world.project) == {"young": "0.1rc1"}


def test_an_age_is_measured_from_now(world: World, inside: Run, index: LoopbackIndex) -> None:
    now = datetime.now(timezone.utc)
    for version, days in (("1.0", 30), ("2.0", 5), ("3.0", 1)):
        offer(index, "fast", version, upload_time=(now - timedelta(days=days)).isoformat())
    for age, expected in (("7 days", "1.0"), ("P3D", "2.0"), ("12 hours", "3.0"), ("2 weeks", "1.0")):
        write(world, ["fast"], f'exclude-newer = "{age}"')
        (world.project / "pylock.toml").unlink(missing_ok=True)
        ok(inside("lock"))
        assert versions(world.project) == {"fast": expected}
        ok(inside("lock", "--check"))


def test_without_upload_times_everything_is_too_new_and_the_sentence_says_why(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "undated", "1.0")
    write(world, ["undated"], 'exclude-newer = "2030-01-01"')
    message = refused(inside("lock"), "no-old-version")
    assert "of unknown age (its index gives no upload times), and `exclude-newer` is set" in message
    write(world, ["undated"], 'exclude-newer = "2030-01-01"\nexclude-newer-package = { undated = false }')
    ok(inside("lock"))


def test_a_version_of_which_one_wheel_is_too_new_is_locked_without_that_wheel(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "late", "1.0", upload_time="2024-01-01T00:00:00Z")
    offer(index, "late", "1.0", tag="cp312-none-any", upload_time="2025-01-01T00:00:00Z")
    write(world, ["late"], "exclude-newer = 2024-06-01")
    ok(inside("lock"))
    (entry,) = packages_of(world.project).values()
    assert wheels_of(entry) == ["late-1.0-py3-none-any.whl"]


@pytest.mark.usefixtures("shelf")
def test_nothing_old_enough_is_said_with_the_cut_off(world: World, inside: Run) -> None:
    write(world, ["lib"], "exclude-newer = 2020-01-01")
    assert "newer than 2020-01-02 00:00 UTC (`exclude-newer`)" in refused(inside("lock"), "no-old-version")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ('constraints = ["lib @ https://example.test/lib.whl"]', "comes from a URL"),
        ('constraints = ["<2"]', "tool.pyvstore.constraints[0]"),
        ('resolution = "newest"', "is not one of `highest`, `lowest`, `lowest-direct`"),
        ('platforms = ["linux-x86-64"]', "did you mean `linux-x86_64`?"),
        ("platforms = []", "must name at least one platform"),
        ('environments = ["sys_platform = linux"]', "is not a marker"),
        ('exclude-newer = "yesterday"', "is neither a moment nor an age"),
        ('exclude-newer = "2024-01-01T00:00:00"', "a moment with its zone"),
        ("exclude-newer-package = { lib = true }", "tool.pyvstore.exclude-newer-package.lib"),
        ('default-groups = ["docs"]', "the project has no group 'docs'"),
        ('conflicts = [[{extra = "a"}, {extra = "b"}]]', "the project has no extra 'a'"),
        ('conflicts = [[{extra = "a"}]]', "must name at least two"),
        ("exclude = [3]", "must be a text"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_its_place(
    world: World, inside: Run, shelf: LoopbackIndex, setting: str, sentence: str
) -> None:
    write(world, ["lib"], setting)
    outcome = inside("lock")
    assert "error[setting" in outcome.err, outcome.err
    assert sentence in outcome.err
    assert outcome.status == 2
    assert not (world.project / "pylock.toml").exists()
    assert shelf.count() == 0


# ── upgrades ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_locked_versions_stay_until_they_are_given_up(world: World, inside: Run, index: LoopbackIndex) -> None:
    offer(index, "one", "1.0")
    offer(index, "two", "1.0")
    write(world, ["one", "two"])
    ok(inside("lock"))
    offer(index, "one", "1.1", "2.0")
    offer(index, "two", "2.0")
    ok(inside("lock"))
    assert versions(world.project) == {"one": "1.0", "two": "1.0"}
    ok(inside("lock", "--upgrade-package", "one<2"))
    assert versions(world.project) == {"one": "1.1", "two": "1.0"}
    ok(inside("lock", "--check"))
    outcome = ok(inside("lock", "-P", "One"))
    assert versions(world.project) == {"one": "2.0", "two": "1.0"}
    assert "~ one 1.1 → 2.0" in outcome.err
    ok(inside("lock", "--upgrade"))
    assert versions(world.project) == {"one": "2.0", "two": "2.0"}
    ok(inside("lock", "-P", "one==1.0"))
    assert versions(world.project) == {"one": "1.0", "two": "2.0"}


def test_upgrading_what_is_not_locked_is_refused(world: World, inside: Run) -> None:
    write(world, ["alpha"])
    ok(inside("lock"))
    assert "did you mean `alpha`?" in refused(inside("lock", "-P", "alpa"), "requirement-unknown", 2)
    (world.project / "pylock.toml").unlink()
    refused(inside("lock", "-P", "unlike-anything"), "requirement-unknown", 2)
    assert not (world.project / "pylock.toml").exists()
    ok(inside("lock", "-P", "beta<2"))
    assert versions(world.project) == {"alpha": "1.1", "beta": "1.5"}


def test_a_locked_version_that_was_yanked_is_kept_and_a_new_lock_avoids_it(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "sound", "1.0", "1.1")
    write(world, ["sound"])
    ok(inside("lock"))
    index.edit("sound-1.1-py3-none-any.whl", yanked="bad")
    write(world, ["sound", "gamma"])
    ok(inside("lock"))
    assert versions(world.project) == {"sound": "1.1", "gamma": "3.0"}
    ok(inside("lock", "--upgrade"))
    assert versions(world.project) == {"sound": "1.0", "gamma": "3.0"}


def test_a_locked_version_that_vanished_gives_way_to_another(world: World, inside: Run, index: LoopbackIndex) -> None:
    index.max_age = 0
    offer(index, "fleeting", "1.0", "1.1")
    write(world, ["fleeting"])
    ok(inside("lock"))
    index.withdraw("fleeting-1.1-py3-none-any.whl")
    write(world, ["fleeting", "gamma"])
    ok(inside("lock"))
    assert versions(world.project) == {"fleeting": "1.0", "gamma": "3.0"}


@pytest.mark.parametrize("upgrade", [["--upgrade"], ["-P", "alpha"]])
def test_an_upgrade_and_a_check_contradict_each_other(world: World, inside: Run, upgrade: list[str]) -> None:
    write(world, ["alpha"])
    ok(inside("lock"))
    before = world.files()
    refused(inside("lock", "--check", *upgrade), "usage", 2)
    assert world.files() == before


# ── platforms and environments ───────────────────────────────────────────────────────────────────────────────────


def test_platforms_decide_which_wheels_are_locked(world: World, inside: Run, index: LoopbackIndex) -> None:
    tags = ["manylinux_2_17_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64", "win_arm64", "win32"]
    for tag in tags:
        offer(index, "native", "1.0", tag=f"cp312-cp312-{tag}")

    def locked(platforms: str) -> list[str]:
        write(world, ["native"], platforms, requires_python="==3.12.*")
        ok(inside("lock"))
        (entry,) = packages_of(world.project).values()
        return sorted(wheel[len("native-1.0-cp312-cp312-") : -len(".whl")] for wheel in wheels_of(entry))

    assert locked('platforms = ["linux-x86_64"]') == ["manylinux_2_17_x86_64"]
    assert locked('platforms = ["linux-x86_64-musl"]') == ["musllinux_1_2_x86_64"]
    assert locked('platforms = ["windows-arm64", "windows-x86"]') == ["win32", "win_arm64"]
    assert locked('platforms = ["linux-x86_64", "linux-x86_64-musl"]') == [
        "manylinux_2_17_x86_64",
        "musllinux_1_2_x86_64",
    ]


def test_environments_narrow_the_lock(world: World, inside: Run, index: LoopbackIndex) -> None:
    offer(index, "wide", "1.0", requires=["beta; sys_platform == 'win32'", "gamma; python_version < '3.13'"])
    write(world, ["wide"])
    ok(inside("lock"))
    assert versions(world.project).keys() == {"wide", "beta", "gamma"}
    write(world, ["wide"], "environments = [\"sys_platform == 'linux'\"]")
    stale = refused(inside("lock", "--check"), "lock-stale")
    assert "the list of environments changed from none to sys_platform == 'linux'" in stale
    ok(inside("lock"))
    assert versions(world.project).keys() == {"wide", "gamma"}
    assert is_covered(world.project, markers_of("linux-arm"))
    assert not is_covered(world.project, markers_of("windows"))


def test_a_required_environment_without_a_wheel_is_refused_and_an_old_version_that_has_one_taken(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    setting = "required-environments = [\"sys_platform == 'win32'\"]"
    offer(index, "picked", "2.0", tag="py3-none-manylinux_2_17_x86_64")
    write(world, ["picked"])
    assert "picked 2.0 has no file for" in ok(inside("lock")).err
    write(world, ["picked"], setting)
    assert "picked" in refused(inside("lock"), "no-wheel")
    offer(index, "picked", "1.0")
    ok(inside("lock", "--upgrade"))
    assert selected(world.project, markers_of("windows")) == {"picked": "1.0"}


def test_no_binary_wants_sources_and_no_build_wheels(world: World, inside: Run, index: LoopbackIndex) -> None:
    offer(index, "both", "1.0", "2.0")
    index.add("both-2.0.tar.gz", sdist("both", "2.0"))
    index.add("both-3.0.tar.gz", sdist("both", "3.0"))

    def locked(settings: str) -> tuple[str, list[str]]:
        write(world, ["both"], settings)
        (world.project / "pylock.toml").unlink(missing_ok=True)
        ok(inside("lock"))
        (entry,) = packages_of(world.project).values()
        return str(entry["version"]), sorted({"wheels", "sdist"}.intersection(entry))

    assert locked("") == ("2.0", ["sdist", "wheels"])
    assert locked('no-build = ["both"]') == ("2.0", ["wheels"])
    assert locked('no-binary = ["both"]') == ("3.0", ["sdist"])
    assert locked('no-binary = [":all:"]') == ("3.0", ["sdist"])
    assert locked('no-build = [":all:"]') == ("2.0", ["wheels"])


def test_a_newer_version_that_would_have_to_be_built_is_told_once(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    offer(index, "both", "1.0")
    index.add("both-2.0.tar.gz", sdist("both", "2.0"))
    write(world, ["both"])
    told = "warning[passed-over]: both 1.0 is locked and not 2.0, which would have to be built"
    assert told in ok(inside("lock")).err
    assert "passed-over" not in ok(inside("lock", "--upgrade")).err


def sdist(name: str, version: str) -> bytes:
    import io
    import tarfile

    data = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n".encode()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def test_what_would_have_to_be_built_somewhere_is_told_once_and_together(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    for name in ("compiled", "runtime"):
        offer(index, name, "1.0", tag="py3-none-win_amd64")
        index.add(*build_sdist(name, "1.0"))
    offer(index, "foreign", "1.0", tag="py3-none-win_amd64")
    index.add(*build_sdist("classic", "1.0"))
    platforms = 'platforms = ["windows-x86_64", "linux-x86_64"]'
    write(world, ["compiled", "runtime", "foreign", "classic"], platforms, requires_python=">=3.12,<3.14")
    warnings = [line for line in ok(inside("lock")).err.splitlines() if line.startswith("warning[")]
    build = "nothing is built yet, so `sync` is refused there (`build-required`)"
    assert warnings == [
        f"warning[no-wheel]: {who} for Python 3.12\N{EN DASH}3.13{place}: {consequence}"
        for who, place, consequence in (
            ("classic 1.0 would have to be built from source", "", build),
            ("compiled 1.0 and runtime 1.0 would have to be built from source", " on linux-x86_64", build),
            ("foreign 1.0 has no file", " on linux-x86_64", "`sync` is refused there (`no-wheel`)"),
        )
    ]
    write(world, ["compiled", "runtime", "foreign", "classic", "gamma"], platforms, requires_python=">=3.12,<3.14")
    assert "warning[" not in ok(inside("lock")).err


def test_a_required_environment_takes_a_source_distribution_and_says_what_it_means(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    index.add(*build_sdist("classic", "1.0"))
    setting = "required-environments = [\"sys_platform == 'linux'\"]"
    write(world, ["classic"], setting)
    assert "classic 1.0 would have to be built from source" in ok(inside("lock")).err
    write(world, ["classic"], f'{setting}\nno-build = ["classic"]')
    assert "classic" in refused(inside("lock"), "no-wheel")


def user_file() -> Path:
    """The user's own settings file, whose folder is there; only for tests that run inside."""
    path = Path(user_config_dir("pyvstore", appauthor=False), "pyvstore.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_default_groups_of_the_user_are_those_that_a_project_has(
    world: World, inside: Run, shelf: LoopbackIndex
) -> None:
    assert shelf is not None
    write(world, [], groups={"dev": ["tool"], "docs": ["lib"]})
    file = user_file()
    file.write_text('default-groups = ["docs", "lint"]\n')
    ok(inside("sync"))
    assert list(world.site.glob("lib-*.dist-info"))
    assert not list(world.site.glob("tool-*.dist-info"))
    write(world, [], 'default-groups = ["lint"]', groups={"dev": ["tool"]})
    assert "error[setting]: tool.pyvstore.default-groups: the project has no group 'lint'" in inside("lock").err


def test_parts_that_the_user_declares_for_all_projects_are_refused_with_their_place(world: World, inside: Run) -> None:
    write(world, [])
    user_file().write_text('conflicts = [[{extra = "a"}, {extra = "b"}]]\n')
    message = refused(inside("lock"), "setting", 2)
    assert "conflicts in your settings file: the project has no extra 'a'" in message
