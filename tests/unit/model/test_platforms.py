"""The kinds of machine that a lock can be for."""

from __future__ import annotations

import pytest

from pyvstore.model.platforms import DEFAULT_PLATFORMS, PLATFORM_CLASSES, platform_name
from pyvstore.model.tags import linux_platforms, macos_platforms, supported_tags, windows_platforms


def tags(*platforms: str) -> tuple[str, ...]:
    return supported_tags(implementation="cpython", python_version=(3, 12), abi=None, platforms=platforms)


@pytest.mark.parametrize("name", PLATFORM_CLASSES)
def test_every_class_is_that_of_its_own_machines(name: str) -> None:
    platform = PLATFORM_CLASSES[name]
    assert platform.name == name
    assert platform_name(dict(platform.markers), tags(*platform.platforms)) == name


@pytest.mark.parametrize(
    ("system", "machine", "platforms", "name"),
    [
        ("linux", "x86_64", linux_platforms("x86_64", glibc=(2, 17)), "linux-x86_64"),
        ("linux", "x86_64", linux_platforms("x86_64", glibc=(2, 99)), "linux-x86_64"),
        ("linux", "x86_64", linux_platforms("x86_64", musl=(1, 1)), "linux-x86_64-musl"),
        ("linux", "x86_64", ("linux_x86_64",), "linux-x86_64"),
        ("darwin", "arm64", macos_platforms((11, 0), "arm64"), "macos-arm64"),
        ("win32", "AMD64", windows_platforms("AMD64"), "windows-x86_64"),
        ("win32", "x86", windows_platforms("x86"), "windows-x86"),
        ("linux", "mips", ("linux_mips",), None),
        ("freebsd14", "amd64", ("freebsd_14_amd64",), None),
        ("win32", "x86_64", windows_platforms("AMD64"), None),
    ],
)
def test_a_machine_is_known_by_its_system_its_processor_and_its_c_library(
    system: str, machine: str, platforms: tuple[str, ...], name: str | None
) -> None:
    assert platform_name({"sys_platform": system, "platform_machine": machine}, tags(*platforms)) == name


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("linux-x86_64", "manylinux_2_35_x86_64", "manylinux_2_36_x86_64"),
        ("linux-x86_64", "manylinux1_x86_64", "musllinux_1_2_x86_64"),
        ("linux-aarch64", "manylinux2014_aarch64", "manylinux2010_aarch64"),
        ("linux-aarch64-musl", "musllinux_1_2_aarch64", "musllinux_1_3_aarch64"),
        ("macos-arm64", "macosx_15_0_arm64", "macosx_16_0_arm64"),
        ("macos-arm64", "macosx_10_9_universal2", "macosx_10_9_x86_64"),
        ("macos-x86_64", "macosx_10_9_x86_64", "macosx_11_0_arm64"),
        ("windows-x86", "win32", "win_amd64"),
    ],
)
def test_what_markers_cannot_tell_is_assumed(name: str, inside: str, outside: str) -> None:
    assert inside in PLATFORM_CLASSES[name].platforms
    assert outside not in PLATFORM_CLASSES[name].platforms


def test_no_two_classes_are_alike() -> None:
    assert len({(item.markers, item.platforms) for item in PLATFORM_CLASSES.values()}) == len(PLATFORM_CLASSES)
    assert set(DEFAULT_PLATFORMS) <= set(PLATFORM_CLASSES)
