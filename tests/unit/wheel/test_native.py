from __future__ import annotations

import io
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.model.manifest import NativeReach
from pyvstore.wheel.native import native_format, outward_reach, read_native
from tests.unit.wheel.natives import elf, fat, macho, pe

HERE = "lib/python/site-packages/torch/lib"


def reach(data: bytes, path: str = f"{HERE}/libtorch.so") -> NativeReach:
    form = native_format(data[:64])
    assert form is not None
    return read_native(path, form, io.BytesIO(data))


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_elf_files_tell_what_they_need_and_where(wide: bool, order: str) -> None:
    data = elf(
        ["libcublas.so.12", "libc.so.6", "libc.so.6"],
        runpath="$ORIGIN:$ORIGIN/../../nvidia/cublas/lib:${ORIGIN}/../../../../lib:/usr/local/lib:$ORIGINAL/x:relative:",
        wide=wide,
        order=order,
    )
    assert reach(data) == NativeReach(
        f"{HERE}/libtorch.so",
        "elf",
        ("libcublas.so.12", "libc.so.6"),
        (HERE, "lib/python/site-packages/nvidia/cublas/lib", "lib/lib"),
    )


def test_rpath_and_runpath_both_count() -> None:
    assert reach(elf(rpath="$ORIGIN/a", runpath="$ORIGIN/b")).search == (f"{HERE}/a", f"{HERE}/b")


def test_search_directories_outside_the_prefix_are_left_out() -> None:
    data = elf(runpath="$ORIGIN/../../../../..:$ORIGIN/../../../../../../x:$ORIGIN/../../../../../bin")
    assert reach(data).search == ("bin",)


def test_an_elf_file_without_a_dynamic_section_wants_nothing() -> None:
    data = bytearray(elf(["x"], runpath="$ORIGIN"))
    data[64 + 56] = 6
    assert reach(bytes(data)) == NativeReach(f"{HERE}/libtorch.so", "elf", (), ())


def test_an_elf_file_without_a_string_table_wants_nothing() -> None:
    data = elf(["x"], runpath="$ORIGIN")
    without = data.replace((5).to_bytes(8, "little") + (0x1000 + 176).to_bytes(8, "little"), bytes(8) + bytes(8))
    assert without != data
    assert reach(without).search == ()


def test_an_elf_file_whose_strings_are_not_loaded_wants_nothing() -> None:
    data = elf(["x"], runpath="$ORIGIN").replace((0x1000 + 176).to_bytes(8, "little"), (1).to_bytes(8, "little"))
    assert reach(data).search == ()


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_macho_files_tell_what_they_need_and_where(wide: bool, order: str) -> None:
    data = macho(
        [
            "@rpath/sub/libA.dylib",
            "@rpath/libB.dylib",
            "@loader_path/../dyn/libC.dylib",
            "/usr/lib/libSystem.B.dylib",
            "libD.dylib",
        ],
        ["@loader_path/../../other", "@executable_path/x", "/opt/lib", "@loader_path"],
        wide=wide,
        order=order,
    )
    found = reach(data)
    assert found.needed == ("libA.dylib", "libB.dylib", "libC.dylib", "/usr/lib/libSystem.B.dylib", "libD.dylib")
    assert set(found.search) == {
        "lib/python/site-packages/other",
        "lib/python/site-packages/other/sub",
        HERE,
        f"{HERE}/sub",
        "lib/python/site-packages/torch/dyn",
    }


@pytest.mark.parametrize("long", [True, False])
def test_all_architectures_of_a_fat_file_count(long: bool) -> None:
    data = fat(macho(["libA.dylib"]), macho(["libB.dylib"], ["@loader_path"], order=">", wide=False), long=long)
    assert reach(data) == NativeReach(f"{HERE}/libtorch.so", "macho", ("libA.dylib", "libB.dylib"), (HERE,))


@pytest.mark.parametrize("wide", [True, False])
def test_pe_files_tell_what_they_need_and_search_their_own_directory(wide: bool) -> None:
    data = pe(["shiboken6.abi3.dll", "KERNEL32.dll"], ["late.dll"], wide=wide)
    assert reach(data) == NativeReach(
        f"{HERE}/libtorch.so", "pe", ("shiboken6.abi3.dll", "KERNEL32.dll", "late.dll"), (HERE,)
    )
    assert reach(pe(wide=wide)).needed == ()


def test_formats_are_told_by_their_first_bytes() -> None:
    assert native_format(elf()) == "elf"
    assert native_format(macho()) == native_format(fat(macho())) == "macho"
    assert native_format(pe()) == "pe"
    assert native_format(b"\xca\xfe\xba\xbe\0\0\0\x34") is None, "a Java class"
    for other in (b"", b"MZ", b"#!/bin/sh", b"\x7fEL", b"import os"):
        assert native_format(other) is None


@pytest.mark.parametrize(
    "whole", [elf(["a"], runpath="$ORIGIN"), macho(["a"], ["@loader_path"]), fat(macho(["a"])), pe(["a"], ["b"])]
)
def test_a_torn_native_file_is_no_error(whole: bytes) -> None:
    form = native_format(whole)
    assert form is not None
    for length in range(len(whole)):
        read_native("x/y", form, io.BytesIO(whole[:length]))


@given(
    st.sampled_from(
        [elf(["a"], runpath="$ORIGIN"), macho(["a"], ["@loader_path"]), fat(macho(["a"])), pe(["a"], ["b"])]
    ),
    st.data(),
)
def test_a_damaged_native_file_is_no_error(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    form = native_format(whole)
    assert form is not None
    assert read_native("x/y", form, io.BytesIO(bytes(damaged))).path == "x/y"


@pytest.mark.parametrize("form", ["elf", "macho", "pe"])
@given(garbage=st.binary(max_size=200))
def test_garbage_is_no_error(form: str, garbage: bytes) -> None:
    read_native("x/y", form, io.BytesIO(garbage))
    read_native("x/y", form, io.BytesIO(b"\x7fELF\2\1" + garbage))


def test_a_real_library_of_this_machine_is_read() -> None:
    directory = sysconfig.get_config_var("DESTSHARED")
    libraries = sorted(Path(directory).glob("*.so")) if directory else []
    if not libraries:
        pytest.skip("this Python has no extension modules as files")
    needed: set[str] = set()
    for library in libraries:
        with library.open("rb") as file:
            form = native_format(file.read(64))
            assert form is not None
            needed.update(read_native("x/y.so", form, file).needed)
    assert any("lib" in name for name in needed)


def native(*, needed: tuple[str, ...] = (), search: tuple[str, ...] = ()) -> NativeReach:
    return NativeReach("p/a.so", "elf", needed, search)


def kept(one: NativeReach) -> tuple[NativeReach, ...]:
    return outward_reach([one], held={"own.so"}, is_private=lambda directory: directory.startswith("p"))


def test_files_that_look_inside_only_are_not_kept() -> None:
    assert kept(native()) == ()
    assert kept(native(needed=("elsewhere.so",))) == (), "it searches nowhere"
    assert kept(native(needed=("own.so", "libc.so.6", "libstdc++.so.6", "libz.so.1"), search=("p/lib",))) == ()


def test_files_that_look_outside_are_kept_with_what_is_foreign() -> None:
    assert kept(native(needed=("own.so",), search=("p/lib", "q"))) == (native(search=("p/lib", "q")),)
    assert kept(native(needed=("foreign.so", "libm.so.6"), search=("p",))) == (
        native(needed=("foreign.so",), search=("p",)),
    )
