"""What a machine must have at least for the wheels of a lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pyvstore.errors import PyvstoreError
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.floors import platform_floors
from pyvstore.lockfile.freeze import FrozenNames, FrozenPackage
from pyvstore.lockfile.select import select
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.tags import linux_platforms, macos_platforms, supported_tags
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.universe import Universe
from tests.unit.lockfile.samples import LINUX, artifact, frozen, lock


def wheels(name: str, *tags: str, **changes: Any) -> FrozenPackage:
    return frozen(name, artifacts=tuple(artifact(f"{name}-1.0-{tag}.whl") for tag in tags), **changes)


def told(document: LockDocument, platforms: Sequence[str], python: str = ">=3.11,<3.13") -> list[str]:
    universe = Universe.of(Lattice(requires_python=python, platforms=tuple(platforms)))
    return [
        f"{need.platform}: {need.floor} ({', '.join(need.packages)})" for need in platform_floors(document, universe)
    ]


LINUX_X86 = ("linux-x86_64",)


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ([], []),
        ([frozen("pure")], []),
        ([wheels("a", "cp311-abi3-manylinux_2_17_x86_64")], ["linux-x86_64: glibc 2.17 (a 1.0)"]),
        (
            [
                wheels("torch", "cp311-abi3-manylinux_2_28_x86_64"),
                wheels("numpy", "cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64"),
            ],
            ["linux-x86_64: glibc 2.28 (torch 1.0)"],
        ),
        (
            [wheels("b", "cp311-abi3-manylinux2014_x86_64"), wheels("a", "cp311-abi3-manylinux_2_17_x86_64")],
            ["linux-x86_64: glibc 2.17 (a 1.0, b 1.0)"],
        ),
        # the oldest of the wheels that serve one Python, the newest over the Pythons
        (
            [wheels("a", "cp311-abi3-manylinux_2_28_x86_64", "cp311-abi3-manylinux_2_17_x86_64")],
            ["linux-x86_64: glibc 2.17 (a 1.0)"],
        ),
        (
            [wheels("a", "cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64")],
            ["linux-x86_64: glibc 2.28 (a 1.0)"],
        ),
        ([wheels("a", "cp312-cp312-manylinux_2_28_x86_64", "py3-none-any")], []),
        ([wheels("a", "cp312-cp312-manylinux_2_28_x86_64", "cp310-abi3-linux_x86_64")], []),
        ([wheels("a", "cp39-cp39-manylinux_2_28_x86_64")], []),
        ([wheels("a", "py3-none-manylinux_2_28_x86_64", requires_python="<3.11")], []),
        ([wheels("a", "py3-none-manylinux_2_28_x86_64", marker="os_name == 'nt'")], []),
        ([wheels("a", "py3-none-manylinux_2_28_aarch64")], []),
    ],
)
def test_a_platform_needs_what_its_most_demanding_package_needs_at_least(
    packages: list[FrozenPackage], expected: list[str]
) -> None:
    assert told(lock(*packages), LINUX_X86) == expected


def test_every_platform_has_a_floor_of_its_own_in_their_order() -> None:
    everywhere = wheels(
        "a",
        "py3-none-manylinux_2_28_x86_64",
        "py3-none-manylinux_2_31_aarch64",
        "py3-none-musllinux_1_1_x86_64",
        "py3-none-macosx_10_9_x86_64.macosx_12_0_arm64",
        "py3-none-win_amd64",
    )
    platforms = ("macos-arm64", "macos-x86_64", "windows-x86_64", "linux-aarch64", "linux-x86_64-musl", "linux-x86_64")
    assert told(lock(everywhere), platforms) == [
        "macos-arm64: macOS 12.0 (a 1.0)",
        "macos-x86_64: macOS 10.9 (a 1.0)",
        "linux-aarch64: glibc 2.31 (a 1.0)",
        "linux-x86_64-musl: musl 1.1 (a 1.0)",
        "linux-x86_64: glibc 2.28 (a 1.0)",
    ]


def test_extras_and_groups_count_like_the_rest() -> None:
    document = lock(
        wheels("a", "py3-none-manylinux_2_28_x86_64", marker="'fast' in extras"),
        names=FrozenNames(extras=["fast"]),
    )
    assert told(document, LINUX_X86) == ["linux-x86_64: glibc 2.28 (a 1.0)"]


def test_what_the_lock_does_not_cover_needs_nothing() -> None:
    document = lock(
        wheels("a", "cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64"),
        environments=["python_version < '3.12'"],
    )
    assert told(document, LINUX_X86) == ["linux-x86_64: glibc 2.17 (a 1.0)"]


def test_a_marker_that_cuts_a_python_in_two_counts_on_both_sides() -> None:
    late = wheels("a", "py3-none-manylinux_2_28_x86_64", marker="python_full_version >= '3.12.5.dev0'")
    assert told(lock(late), LINUX_X86) == ["linux-x86_64: glibc 2.28 (a 1.0)"]


def machine(*platforms: str, minor: int = 12) -> TargetEnvironment:
    tags = supported_tags(implementation="cpython", python_version=(3, minor), abi=None, platforms=platforms)
    return TargetEnvironment(markers=LINUX.markers, tags=tags)


OLD_LINUX = machine(*linux_platforms("x86_64", glibc=(2, 17)))
OLD_MAC = machine(*macos_platforms((11, 0), "arm64"))
NEW, NEWER = "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_34_x86_64"


@pytest.mark.parametrize(
    ("environment", "tags", "needs"),
    [
        (OLD_LINUX, [NEW], "its wheels need glibc 2.28, and this machine has glibc 2.17"),
        (OLD_LINUX, [NEWER, NEW, "cp312-cp312-win_amd64"], "its wheels need glibc 2.28, and this machine has"),
        (OLD_MAC, ["cp312-cp312-macosx_14_0_arm64"], "its wheels need macOS 14.0, and this machine has macOS 11.0"),
        (OLD_LINUX, ["cp311-cp311-manylinux_2_28_x86_64"], None),
        (OLD_LINUX, ["cp312-cp312-manylinux_2_28_aarch64"], None),
        (OLD_LINUX, ["cp312-cp312-musllinux_1_2_x86_64"], None),
        (machine("win_amd64"), [NEW], None),
    ],
)
@pytest.mark.parametrize("has_sdist", [False, True])
def test_a_refusal_on_a_machine_that_is_too_old_says_what_it_lacks(
    environment: TargetEnvironment, tags: list[str], needs: str | None, has_sdist: bool
) -> None:
    files = [artifact(f"a-1.0-{tag}.whl") for tag in tags]
    files += [artifact("a-1.0.tar.gz")] if has_sdist else []
    with pytest.raises(PyvstoreError) as caught:
        select(lock(frozen("a", artifacts=tuple(files))), environment)
    error = caught.value
    assert error.code == ("build-required" if has_sdist else "no-wheel")
    if needs is None:
        assert not any("this machine has" in cause for cause in error.causes)
        assert "newer" not in (error.hint or "")
    else:
        assert any(cause.startswith(needs) for cause in error.causes)
        floor = needs.partition("need ")[2].partition(",")[0]
        assert error.hint == f"use a machine with {floor} or newer, or require a version of a that has a wheel for it"
