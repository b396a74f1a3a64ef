from __future__ import annotations

import os
import platform
import sys
import sysconfig

import pytest
from packaging import tags

from pyvstore.model.tags import (
    Floor,
    linux_platforms,
    macos_platforms,
    platform_floor,
    supported_tags,
    windows_platforms,
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="compares with the running Python on Linux")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="compares with the running CPython")
def test_the_tags_of_the_running_python_are_those_of_packaging() -> None:
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    if name != "glibc":
        pytest.skip("not a glibc")
    major, minor = version.split(".")[:2]
    found = supported_tags(
        implementation=sys.implementation.name,
        python_version=sys.version_info[:2],
        abi=None,
        platforms=linux_platforms(platform.machine(), glibc=(int(major), int(minor))),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )
    assert list(found) == list(dict.fromkeys(map(str, tags.sys_tags())))


def test_an_old_python_supports_neither_newer_pythons_nor_newer_stable_abis() -> None:
    found = supported_tags(
        implementation="CPython", python_version=(3, 9), abi=None, platforms=linux_platforms("x86_64", glibc=(2, 17))
    )
    assert found[0] == "cp39-cp39-linux_x86_64"
    assert "cp39-abi3-manylinux2014_x86_64" in found
    assert "cp38-abi3-manylinux_2_17_x86_64" in found
    assert "py3-none-any" in found
    assert not any(tag.startswith(("cp310", "py310")) for tag in found)


def test_a_free_threaded_python_has_its_own_abi_and_no_abi3() -> None:
    found = supported_tags(
        implementation="cpython",
        python_version=(3, 13),
        abi=None,
        platforms=("linux_x86_64",),
        free_threaded=True,
    )
    assert found[0] == "cp313-cp313t-linux_x86_64"
    assert not any("-abi3-" in tag for tag in found)


def test_a_debug_build_uses_ordinary_wheels_too() -> None:
    found = supported_tags(implementation="cpython", python_version=(3, 12), abi="cp312d", platforms=("linux_x86_64",))
    assert found[:2] == ("cp312-cp312d-linux_x86_64", "cp312-cp312-linux_x86_64")


def test_pypy_has_its_abi_the_generic_tag_and_pure_python() -> None:
    found = supported_tags(implementation="pypy", python_version=(3, 10), abi="pypy310_pp73", platforms=("win_amd64",))
    assert found[0] == "pp310-pypy310_pp73-win_amd64"
    assert "pp3-none-any" in found
    assert "py3-none-any" in found
    assert not any("abi3" in tag for tag in found)


def test_an_unknown_implementation_uses_pure_wheels_only_when_its_abi_is_unknown() -> None:
    found = supported_tags(implementation="graalpy", python_version=(3, 11), abi=None, platforms=("linux_x86_64",))
    assert found[0] == "graalpy311-none-linux_x86_64"
    assert "py3-none-any" in found


def test_a_target_without_platforms_is_refused_instead_of_taking_the_tools_own() -> None:
    with pytest.raises(ValueError, match="without platform tags"):
        supported_tags(implementation="cpython", python_version=(3, 12), abi=None, platforms=())


def test_manylinux_tags_go_down_to_the_floor_of_the_architecture_with_the_old_names_in_their_places() -> None:
    intel = linux_platforms("x86_64", glibc=(2, 18))
    assert intel[:5] == (
        "linux_x86_64",
        "manylinux_2_18_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
    )
    assert intel[-2:] == ("manylinux_2_5_x86_64", "manylinux1_x86_64")
    assert linux_platforms("aarch64", glibc=(2, 18))[-2:] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64")


def test_a_musl_machine_has_musllinux_tags_only() -> None:
    assert linux_platforms("x86_64", musl=(1, 2)) == (
        "linux_x86_64",
        "musllinux_1_2_x86_64",
        "musllinux_1_1_x86_64",
        "musllinux_1_0_x86_64",
    )


def test_a_32_bit_arm_python_on_a_64_bit_machine_runs_armv7l_wheels() -> None:
    found = linux_platforms("armv8l", glibc=(2, 17))
    assert found[:2] == ("linux_armv8l", "linux_armv7l")
    assert "manylinux2014_armv7l" in found


def test_an_architecture_that_manylinux_does_not_know_has_its_own_tag_only() -> None:
    assert linux_platforms("mips", glibc=(2, 31)) == ("linux_mips",)


def test_macos_and_windows_platforms() -> None:
    assert macos_platforms((12, 0), "arm64")[:2] == ("macosx_12_0_arm64", "macosx_12_0_universal2")
    assert "macosx_10_9_x86_64" in macos_platforms((14, 0), "x86_64")
    assert windows_platforms("AMD64") == ("win_amd64",)
    assert windows_platforms("aarch64") == ("win_arm64",)
    assert windows_platforms("x86") == ("win32",)


@pytest.mark.parametrize(
    ("platform_tag", "floor", "machine"),
    [
        ("manylinux_2_28_x86_64", "glibc 2.28", "x86_64"),
        ("manylinux2014_aarch64", "glibc 2.17", "aarch64"),
        ("manylinux2010_i686", "glibc 2.12", "i686"),
        ("manylinux1_x86_64", "glibc 2.5", "x86_64"),
        ("MANYLINUX1_x86_64", "glibc 2.5", "x86_64"),
        ("musllinux_1_2_armv7l", "musl 1.2", "armv7l"),
        ("macosx_11_0_arm64", "macOS 11.0", "arm64"),
        ("macosx_10_9_universal2", "macOS 10.9", "universal2"),
    ],
)
def test_a_platform_tag_says_what_a_machine_has_at_least(platform_tag: str, floor: str, machine: str) -> None:
    found = platform_floor(platform_tag)
    assert found is not None
    assert (str(found[0]), found[1]) == (floor, machine)


@pytest.mark.parametrize(
    "platform_tag",
    ["any", "linux_x86_64", "win_amd64", "manylinux3000_x86_64", "manylinux_x_28_x86_64", "manylinux_2_28", ""],
)
def test_other_platform_tags_say_nothing_of_that(platform_tag: str) -> None:
    assert platform_floor(platform_tag) is None


def test_floors_are_compared_as_numbers() -> None:
    assert Floor("glibc", (2, 5)) < Floor("glibc", (2, 17)) < Floor("glibc", (2, 28))
