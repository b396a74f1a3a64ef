"""Metadata that says nonsense: a version that cannot be used is passed over, and a refusal says which and why."""

from __future__ import annotations

import pytest

from tests.integration.refusals import Run, project_of, refused_by_all
from tests.support.loopback import LoopbackIndex
from tests.support.projects import offer, packages_of, versions
from tests.support.wheels import build_wheel
from tests.support.world import World

GAMMA = "Metadata-Version: 2.1\nName: gamma\nVersion: 4.0\n"
DEEP = "(" * 3000 + "python_version > '3'" + ")" * 3000

# METADATA → what is said of it.
UNUSABLE: dict[str, tuple[str | bytes, str]] = {
    "a requirement that is none": (GAMMA + "Requires-Dist: beta >>> 3 !!\n", "its requirement 'beta >>> 3 !!'"),
    "an empty requirement": (GAMMA + "Requires-Dist:\n", "its requirement ''"),
    "a requirement with an escape": (GAMMA + "Requires-Dist: \x1b[31mbeta\n", "its requirement '\\x1b[31mbeta'"),
    "a requirement with NUL": (GAMMA + "Requires-Dist: be\0ta\n", "its requirement 'be\\x00ta'"),
    "a requirement with a wildcard out of place": (GAMMA + "Requires-Dist: beta>=1.*\n", "'beta>=1.*' is malformed"),
    "a requirement with a version that is none": (GAMMA + "Requires-Dist: beta>=2.0-final-x\n", "is malformed"),
    "a marker that compares nothing": (GAMMA + "Requires-Dist: beta; python_version > 3\n", "is malformed"),
    "a marker of a variable that is none": (GAMMA + "Requires-Dist: beta; nonsense == '3'\n", "is malformed"),
    "a marker three thousand deep": (GAMMA + f"Requires-Dist: beta; {DEEP}\n", "is malformed"),
    "a name of half a million letters": (GAMMA + f"Requires-Dist: {'b' * 500_000}\n", "is malformed"),
    "a version that is none": (GAMMA.replace("4.0", "four"), "its name or version is malformed: 'gamma', 'four'"),
    "no version": (GAMMA.replace("Version: 4.0\n", ""), "Version"),
    "no name": (GAMMA.replace("Name: gamma\n", ""), "Name"),
    "an empty name": (GAMMA.replace("gamma", ""), "Name"),
    "two names": (GAMMA + "Name: delta\n", "Name"),
    "two versions": (GAMMA + "Version: 5.0\n", "Version"),
    "another name": (GAMMA.replace("gamma", "delta"), "METADATA is that of 'delta 4.0'"),
    "another version": (GAMMA.replace("4.0", "5.0"), "METADATA is that of 'gamma 5.0'"),
    "a version with a local part": (GAMMA.replace("4.0", "4.0+x"), "METADATA is that of 'gamma 4.0+x'"),
    "a later format": (GAMMA.replace("2.1", "9.0"), "its Metadata-Version '9.0' is not 1.x or 2.x"),
    "letters that are not UTF-8": (GAMMA.encode() + b"Author: \xe4\n", "it is not UTF-8"),
    "a header in a header": (GAMMA + "Summary: a\r\nName: delta\r\n\r\nRequires-Dist: no\n", "Name"),
    "binary garbage": (bytes(range(256)) * 8, "Name"),
    "nothing": (b"", "Name"),
    "HTML": (b"<!DOCTYPE html><html><body>404</body></html>", "Name"),
    "ten thousand requirements": (
        GAMMA + "".join(f"Requires-Dist: beta!={n}\n" for n in range(10_001)),
        "it has 10,001 requirements",
    ),
}


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_version_is_passed_over_whose_metadata_has(
    world: World, inside: Run, index: LoopbackIndex, name: str
) -> None:
    metadata, why = UNUSABLE[name]
    index.add(*build_wheel("gamma", "4.0", files={"gamma.py": ""}), core_metadata=raw(metadata))
    project_of(world)
    assert inside("lock").status == 0
    assert versions(world.project) == {"gamma": "3.0"}
    (world.project / "pylock.toml").unlink()
    text = (world.project / "pyproject.toml").read_text()
    project_of(world, text.replace("gamma", "gamma>3"))
    (first, second) = refused_by_all(world, inside, [["lock"], ["add", "beta"]], "no-usable-version")
    assert "gamma 4.0 is unusable: " in first.err
    assert why in first.err
    assert first.err.splitlines()[-1].startswith("hint: ")
    assert why in second.err


# METADATA that is odd and means something → what gamma then needs.
USABLE: dict[str, tuple[str | bytes, str]] = {
    "a requires-python that is none": (GAMMA + "Requires-Python: new\n", "gamma"),
    "a name in other letters": (GAMMA.replace("gamma", "GAMMA"), "gamma"),
    "a shorter version": (GAMMA.replace("4.0", "v4"), "gamma"),
    "parentheses of old": (GAMMA + "Requires-Dist: beta (>=1)\n", "beta gamma"),
    "a name in odd letters": (GAMMA + "Requires-Dist: Odd_.-NAME\n", "gamma odd-name"),
    "a folded line": (GAMMA + "Requires-Dist: beta\n ; python_version > '3'\n", "beta gamma"),
    "an extra that is no name": (GAMMA + "Provides-Extra: a b c/../\n", "gamma"),
    "one requirement fifty thousand times": (GAMMA + "Requires-Dist: beta\n" * 50_000, "beta gamma"),
    "five megabytes of text": (GAMMA + "\n" + "x" * 5_000_000, "gamma"),
    "requirements after its headers": (GAMMA + "\nRequires-Dist: nowhere\n", "gamma"),
    "a byte-order mark": ("\ufeff" + GAMMA + "Requires-Dist: beta\n", "beta gamma"),
}


@pytest.mark.parametrize("name", USABLE)
def test_a_version_is_locked_whose_metadata_has(world: World, inside: Run, index: LoopbackIndex, name: str) -> None:
    metadata, needed = USABLE[name]
    offer(index, "odd-name", "1.0")
    index.add(*build_wheel("gamma", "4.0", files={"gamma.py": ""}), core_metadata=raw(metadata))
    project_of(world)
    outcome = inside("lock")
    assert outcome.status == 0, outcome.err
    assert " ".join(versions(world.project)) == needed
    assert "gamma 4.0" in packages_of(world.project)


def test_metadata_of_more_than_any_file_should_have_ends_the_lock_with_its_name(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    index.add(*build_wheel("gamma", "4.0", files={"gamma.py": ""}), core_metadata=raw(GAMMA + "\n" + "x" * 34_000_000))
    project_of(world)
    (outcome,) = refused_by_all(world, inside, [["lock"]], "index-metadata")
    assert "gamma-4.0-py3-none-any.whl.metadata cannot be read" in outcome.err


def test_wheels_of_one_version_that_disagree_are_locked_alike_in_any_order(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    one = build_wheel("gamma", "4.0", files={"gamma.py": ""}, tag="py3-none-win_amd64")
    other = build_wheel("gamma", "4.0", files={"gamma.py": ""}, tag="py3-none-any", requires=["beta"])
    locked = set()
    for wheels in ((one, other), (other, one)):
        for wheel in wheels:
            index.withdraw(wheel[0])
        for wheel in wheels:
            index.add(*wheel)
        project_of(world)
        assert inside("lock", "--upgrade").status == 0
        locked.add((world.project / "pylock.toml").read_bytes())
        (world.project / "pylock.toml").unlink()
    assert len(locked) == 1
