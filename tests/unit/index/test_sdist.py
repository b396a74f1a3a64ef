"""What is read from source distributions, and what hostile ones get."""

from __future__ import annotations

import contextlib
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyvstore.errors import BuildError, PyvstoreError, WheelError
from pyvstore.index import sdist
from pyvstore.index.sdist import read_static_metadata
from tests.support.sdists import SUFFIXES, build_sdist, pkg_info, write_sdist, write_tar

INFO = pkg_info(requires=["a>=1"])


def read(tmp_path: Path, content: bytes, filename: str = "demo-1.0.tar.gz") -> bytes:
    path = tmp_path / "kept"  # how it is called on disk says nothing
    path.write_bytes(content)
    return read_static_metadata(str(path), filename)


def refusal(tmp_path: Path, content: bytes, filename: str = "demo-1.0.tar.gz") -> PyvstoreError:
    with pytest.raises(PyvstoreError) as caught:
        read(tmp_path, content, filename)
    return caught.value


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_metadata_of_every_kind_of_archive_is_read(tmp_path: Path, suffix: str) -> None:
    filename, content = build_sdist(suffix=suffix, requires=["a>=1"])
    assert read(tmp_path, content, filename) == INFO


def test_an_archive_is_what_it_is_and_not_what_it_is_called(tmp_path: Path) -> None:
    assert read(tmp_path, build_sdist(suffix=".tar.xz", requires=["a>=1"])[1]) == INFO


@pytest.mark.parametrize("version", ["2.2", "2.3", "2.4", "2.5"])
def test_static_metadata_is_believed_since_two_point_two(tmp_path: Path, version: str) -> None:
    info = pkg_info(metadata_version=version)
    assert read(tmp_path, build_sdist(info=info)[1]) == info


def test_a_dynamic_field_that_no_resolution_reads_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, build_sdist(dynamic=["License-File", "Description"])[1])


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "it has no PKG-INFO"),
        ({"PKG-INFO": INFO}, "it has no PKG-INFO"),
        ({"demo-1.0/demo.egg-info/PKG-INFO": INFO}, "it has no PKG-INFO"),
        ({"../PKG-INFO": INFO, "/PKG-INFO": INFO, "./PKG-INFO": INFO}, "it has no PKG-INFO"),
        ({"demo-1.0/pkg-info": INFO}, "it has no PKG-INFO"),
        ({"demo-1.0/PKG-INFO": pkg_info(metadata_version="2.1")}, "has version 2.1, and is static only since 2.2"),
        ({"demo-1.0/PKG-INFO": pkg_info(metadata_version="1.0")}, "has version 1.0"),
        ({"demo-1.0/PKG-INFO": pkg_info(dynamic=["Requires-Dist"])}, "leaves requires-dist to the build"),
        (
            {"demo-1.0/PKG-INFO": pkg_info(dynamic=["requires-python", "PROVIDES-EXTRA"])},
            "leaves provides-extra, requires-python to the build",
        ),
    ],
)
def test_what_is_known_only_after_a_build_is_not_guessed(
    tmp_path: Path, files: dict[str, bytes], why: str, suffix: str
) -> None:
    error = refusal(tmp_path, write_sdist(files, suffix), f"demo-1.0{suffix}")
    assert isinstance(error, BuildError)
    assert error.code == "build-required"
    assert why in error.message
    assert f"demo-1.0{suffix}" in error.message


def test_a_link_or_a_directory_is_no_metadata(tmp_path: Path) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo("demo-1.0/PKG-INFO")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)

    assert "it has no PKG-INFO" in refusal(tmp_path, write_tar(fill)).message


@pytest.mark.parametrize("info", [b"", b"nonsense", b"Metadata-Version: two\nName: demo\nVersion: 1\n", b"\xff\xfe"])
def test_metadata_that_cannot_be_understood_is_refused(tmp_path: Path, info: bytes) -> None:
    assert isinstance(refusal(tmp_path, build_sdist(info=info)[1]), WheelError)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_archive_is_refused(tmp_path: Path, suffix: str) -> None:
    filename, content = build_sdist(
        suffix=suffix, files={"demo-1.0/big": bytes(range(256)) * 4096, "demo-1.0/PKG-INFO": INFO}
    )
    error = refusal(tmp_path, content[: len(content) // 2], filename)
    assert isinstance(error, WheelError)
    assert error.code == "sdist-archive"
    assert error.message == f"{filename} cannot be read"


@pytest.mark.parametrize("filename", ["demo-1.0.tar.gz", "demo-1.0.zip"])
@pytest.mark.parametrize(
    "content", [b"", b"\x1f", b"\x1f\x8b", b"PK\x03\x04", b"no archive at all", b"BZh9", b"\xfd7zXZ\0"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes, filename: str) -> None:
    assert refusal(tmp_path, content, filename).code == "sdist-archive"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_more_is_unpacked_than_an_archive_may_hold(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdist, "UNPACKED_BYTES_LIMIT", 100_000)
    monkeypatch.setattr(sdist, "FILE_BYTES_LIMIT", 1000)
    filename, content = build_sdist(suffix=suffix, info=INFO + b"x" * 1001)
    assert f"its PKG-INFO has {len(INFO) + 1001} bytes" in refusal(tmp_path, content, filename).causes[0]
    filename, content = build_sdist(suffix=suffix, files={"demo-1.0/zeros": bytes(200_000), "demo-1.0/PKG-INFO": INFO})
    if suffix == ".zip":  # nothing but the member itself is unpacked there
        assert read(tmp_path, content, filename) == INFO
    else:
        assert "it unpacks to more than 100000 bytes" in refusal(tmp_path, content, filename).causes[0]


def test_there_is_a_limit_to_the_number_of_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdist, "MEMBERS_LIMIT", 5)
    files = {f"demo-1.0/{number}": b"" for number in range(9)} | {"demo-1.0/PKG-INFO": INFO}
    assert "more than 5 members" in refusal(tmp_path, write_sdist(files)).causes[0]


def _long_name(archive: tarfile.TarFile) -> None:
    archive.format = tarfile.GNU_FORMAT
    archive.addfile(tarfile.TarInfo("x" * 8_000_000))


def _long_header(archive: tarfile.TarFile) -> None:
    archive.format = tarfile.PAX_FORMAT
    member = tarfile.TarInfo("x")
    member.pax_headers = {"comment": "x" * 8_000_000}
    archive.addfile(member)


@pytest.mark.parametrize("fill", [_long_name, _long_header])
def test_a_header_that_is_a_bomb_is_not_held_in_memory(tmp_path: Path, fill: Callable[[tarfile.TarFile], None]) -> None:
    content = write_tar(fill)
    tracemalloc.start()
    try:
        error = refusal(tmp_path, content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.code == "sdist-archive"
    assert peak < 4_000_000


def test_no_name_reaches_a_terminal_as_it_is(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"", "demo\x1b[2J-1.0.tar.gz")
    assert error.message.isprintable()
    assert all(cause.isprintable() for cause in error.causes)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_damage_is_refused_and_never_a_crash(tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    filename, content = build_sdist(suffix=suffix, requires=["a>=1"])

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=4))
    def damage(changes: list[tuple[int, int]]) -> None:
        damaged = bytearray(content)
        for position, value in changes:
            damaged[position] = value
        with contextlib.suppress(PyvstoreError):
            read(folder, bytes(damaged), filename)

    damage()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_damage_to_a_header_is_refused_and_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    import gzip

    raw = bytearray(gzip.decompress(build_sdist(files={"demo-1.0/x": b"x", "demo-1.0/PKG-INFO": INFO})[1]))
    for position, value in changes:
        raw[position] = value
    checksum = 256 + sum(raw[:148]) + sum(raw[156:512])
    raw[148:156] = b"%06o\0 " % checksum
    with contextlib.suppress(PyvstoreError):
        read(tmp_path_factory.getbasetemp(), gzip.compress(bytes(raw), 1))
