from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyvstore.errors import WheelError
from pyvstore.wheel.archive import Archive, Limits
from pyvstore.wheel.directory import TAIL_BYTES
from tests.support.wheels import ENCRYPTED_FLAG, STORED, Member, deflate, write_archive


def opened(data: bytes, *, windows: bool = False, case_insensitive: bool = False) -> Archive:
    return Archive(io.BytesIO(data), label="x.whl", windows=windows, case_insensitive=case_insensitive)


def read_all(archive: Archive) -> dict[str, bytes]:
    return {name: b"".join(archive.chunks(member)) for name, member in archive.members.items()}


def causes_of(data: bytes, *, windows: bool = False) -> str:
    with pytest.raises(WheelError) as caught:
        opened(data, windows=windows)
    assert caught.value.code == "wheel-archive"
    assert "x.whl" in caught.value.message
    assert all(cause.isprintable() for cause in caught.value.causes)
    return "\n".join(caught.value.causes)


def test_a_plain_archive_is_read() -> None:
    archive = opened(
        write_archive([Member("a/b.py", b"x = 1\n"), Member("empty"), Member("raw", b"r" * 9, method=STORED)])
    )
    assert read_all(archive) == {"a/b.py": b"x = 1\n", "empty": b"", "raw": b"r" * 9}
    assert archive.warnings == ()
    assert archive.directories == ()


def test_an_archive_without_members_is_read() -> None:
    assert opened(write_archive([])).members == {}


def test_the_execute_bit_is_known() -> None:
    archive = opened(write_archive([Member("run", mode=0o100755), Member("data"), Member("no-mode", mode=0)]))
    assert {name: member.executable for name, member in archive.members.items()} == {
        "run": True,
        "data": False,
        "no-mode": False,
    }


def test_what_real_wheels_do_is_tolerated() -> None:
    data = write_archive(
        [
            Member("pkg/", mode=0o040755, method=STORED),
            Member("deflated/", mode=0o042755),
            Member("pkg/signed", b"s" * 50, descriptor="signed"),
            Member("pkg/bare", b"b" * 50, descriptor="bare"),
            Member("pkg/long", b"l" * 50, zip64=True),
            Member("pkg/long-signed", b"l" * 50, zip64=True, descriptor="signed"),
            Member("pkg/long-bare", b"l" * 50, zip64=True, descriptor="bare"),
            Member("pkg/extra", b"e", extra=struct.pack("<2HI", 0x5455, 4, 7)),
            Member("pkg/commented", b"c", comment=b"made by hand"),
            Member("pkg/dos", b"d", mode=0, made_by_system=0),
            Member("pkg/naïve".encode(), b"n"),
            Member("pkg/ünï", b"u"),
        ],
        comment=b"a comment",
        zip64=True,
    )
    archive = opened(data)
    contents = read_all(archive)
    assert contents["pkg/long-bare"] == b"l" * 50
    assert contents["pkg/naïve"] == b"n"
    assert archive.directories == ("pkg", "deflated")
    assert archive.warnings == ()


def test_a_zip64_block_with_all_fields_is_tolerated_when_it_agrees() -> None:
    block = struct.pack("<2H2Q", 1, 16, 3, len(deflate(b"abc")))
    assert read_all(opened(write_archive([Member("a", b"abc", central={"extra": block})]))) == {"a": b"abc"}


BAD_NAMES = {
    "../x": "'..'",
    "a/../../x": "'..'",
    "/etc/passwd": "absolute",
    "//server/share": "absolute",
    "C:\\x": "drive",
    "C:x": "drive",
    "c:/x": "drive",
    "\\\\server\\share": "backslash",
    "a\\b": "backslash",
    "a//b": "empty component",
    "": "empty component",
    "./a": "'.'",
    "a/./b": "'.'",
    "a\0b": "U+0000",
    "a\nb": "U+000A",
    "a\x1b[31m": "U+001B",
    "a\x7f": "U+007F",
    "a\x9bb": "U+009B",
    "a\u202egpj.py": "U+202E",
    "a\u2066b": "U+2066",
    "a\u200bb": "U+200B",
    "a\u2028b": "U+2028",
    "a" * 256: "255 bytes",
    "ü" * 128: "255 bytes",
    "/".join(["deep" * 20] * 30): "2000 bytes",
    "/".join("a" * 65): "64 directories",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused(name: str) -> None:
    assert BAD_NAMES[name] in causes_of(write_archive([Member("good"), Member(name, b"x")]))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    assert "not UTF-8" in causes_of(write_archive([Member(b"x\x82", b"x")]))


WINDOWS_NAMES = [
    "con",
    "aux.py",
    "a/NUL.txt",
    "com1",
    "lpt9.h",
    "a:b",
    "x/a:b",
    "dot.",
    "space ",
    "what?",
    "pipe|",
    "CONIN$",
]


@pytest.mark.parametrize("name", WINDOWS_NAMES)
def test_a_name_that_windows_cannot_hold_is_a_warning_here_and_an_error_there(name: str) -> None:
    data = write_archive([Member(name if name != "a:b" else "ab:c", b"x")])
    assert [code for code, _ in opened(data).warnings] == ["wheel-name-windows"]
    assert "Windows" in causes_of(data, windows=True)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Foo.py", "foo.py"),
        ("Foo/a.py", "foo/b.py"),
        ("x\u00e9", "xe\u0301"),
        ("STRASSE", "straße"),
        ("a/K", "a/\u212a"),
    ],
)
def test_names_that_a_filesystem_folds_are_a_warning_here_and_an_error_there(first: str, second: str) -> None:
    data = write_archive([Member(first), Member(second)])
    assert [code for code, _ in opened(data).warnings] == ["wheel-name-case"]
    with pytest.raises(WheelError, match="not a sound wheel archive"):
        opened(data, case_insensitive=True)


def test_ordinary_and_odd_names_that_real_wheels_have_pass() -> None:
    names = [
        "a b.txt",
        "[x].json",
        "~tilde",
        "-dash",
        "a+b",
        "x/é.txt",
        "@scope/n.js",
        ".hidden/.x",
        "#1",
        "a..b",
        "...x",
    ]
    archive = opened(write_archive([Member(name) for name in names]))
    assert list(archive.members) == names
    assert archive.warnings == ()


@pytest.mark.parametrize("second", [b"one", b"two"])
def test_a_name_that_comes_twice_is_refused(second: bytes) -> None:
    assert "comes twice" in causes_of(write_archive([Member("a", b"one"), Member("a", second)]))


def test_a_directory_entry_that_comes_twice_is_refused() -> None:
    assert "comes twice" in causes_of(write_archive([Member("a/", mode=0, method=0), Member("a/", mode=0, method=0)]))


def test_a_file_that_is_also_a_directory_is_refused() -> None:
    assert "is a file and a directory" in causes_of(write_archive([Member("a", b"x"), Member("a/b", b"y")]))
    assert "comes twice" in causes_of(write_archive([Member("a", b"x"), Member("a/", mode=0, method=0)]))


MODES = {
    0o120777: "symbolic link",
    0o020644: "neither a file",
    0o060644: "neither a file",
    0o010644: "neither a file",
    0o140644: "neither a file",
    0o040755: "neither a file",
    0o104755: "setuid",
    0o102755: "setuid",
    0o101644: "setuid",
}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_that_no_plain_file_has_is_refused(mode: int) -> None:
    assert MODES[mode] in causes_of(write_archive([Member("x", b"target", mode=mode)]))


def test_a_symlink_is_refused_whatever_system_made_it() -> None:
    assert "symbolic link" in causes_of(write_archive([Member("x", b"t", mode=0o120777, made_by_system=0)]))


def test_a_directory_entry_is_an_empty_directory() -> None:
    assert "mode of something else" in causes_of(write_archive([Member("x/", mode=0o120777, method=0)]))
    assert "directory with content" in causes_of(write_archive([Member("x/", b"hidden", mode=0o040755)]))


LIES = {
    "name": (Member("safe", b"x", local={"name": b"evil"}), "another name"),
    "longer name": (Member("safe", b"x", local={"name": b"safe2"}), "another name"),
    "size": (Member("a", b"xyz", local={"size": 2}), "another size or checksum"),
    "compressed size": (Member("a", b"xyz", local={"compressed": 1}), "another size or checksum"),
    "checksum": (Member("a", b"xyz", local={"crc": 1}), "another size or checksum"),
    "method": (Member("a", b"xyz", local={"method": 0}), "another method"),
    "flags": (Member("a", b"xyz", local={"flags": 0x800}), "other flags"),
    "descriptor size": (Member("a", b"xyz", descriptor="signed", local={"size": 9}), "another size or checksum"),
    "no descriptor": (Member("a", b"xyz", flags=8), "no data descriptor"),
    "signature": (Member("a", b"xyz", local={"signature": b"PK\x03\x05"}), "no local header"),
    "central method": (Member("a", b"xyz", central={"method": 0}), "two sizes"),
    "bzip2": (Member("a", b"xyz", method=12), "method 12"),
    "lzma": (Member("a", b"xyz", method=14), "method 14"),
    "deflate64": (Member("a", b"xyz", method=9), "method 9"),
    "encrypted": (Member("a", b"xyz", flags=ENCRYPTED_FLAG), "encrypted"),
    "strong encryption": (Member("a", b"xyz", flags=0x41), "encrypted"),
    "masked headers": (Member("a", b"xyz", flags=0x2000), "encrypted"),
    "patch": (Member("a", b"xyz", flags=0x20), "unknown flags"),
    "other disk": (Member("a", b"xyz", central={"disk": 1}), "another disk"),
    "stored size": (Member("a", b"xyz", method=0, central={"size": 2}, local={"size": 2}), "two sizes"),
    "torn extra": (Member("a", b"xyz", extra=b"\1\0\xff"), "extra field is malformed"),
    "long extra": (Member("a", b"xyz", extra=b"\x99\x99\xff\0a"), "extra field is malformed"),
    "zip64 missing": (Member("a", b"xyz", central={"size": 0xFFFFFFFF}), "ZIP64 values that are not there"),
    "zip64 missing locally": (Member("a", b"xyz", local={"size": 0xFFFFFFFF}), "ZIP64 values that are not there"),
    "zip64 contradiction": (
        Member("a", b"xyz", central={"extra": struct.pack("<2H2Q", 1, 16, 4, 5)}),
        "contradicts",
    ),
    "zip64 local contradiction": (
        Member("a", b"xyz", local={"compressed": 0xFFFFFFFF, "extra": struct.pack("<2H2Q", 1, 16, 4, 5)}),
        "contradicts",
    ),
    "zip64 length": (
        Member("a", b"xyz", central={"size": 0xFFFFFFFF, "extra": struct.pack("<2HI", 1, 4, 3)}),
        "wrong length",
    ),
    "zip64 twice": (
        Member("a", b"xyz", zip64=True, central={"extra": struct.pack("<2HQ2HQ", 1, 8, 3, 1, 8, 3)}),
        "repeats a block",
    ),
    "unicode path": (
        Member("a", b"x", central={"extra": struct.pack("<2HBI", 0x7075, 6, 1, zlib.crc32(b"a")) + b"b"}),
        "another name",
    ),
    "local unicode path": (
        Member("a", b"x", local={"extra": struct.pack("<2HBI", 0x7075, 6, 1, zlib.crc32(b"a")) + b"b"}),
        "another name",
    ),
    "bomb": (Member("a", raw=b"\3\0", central={"size": 10**6}, local={"size": 10**6}), "a bomb"),
    "offset": (Member("a", b"xyz", central={"offset": 1}), "before the first member"),
    "offset beyond": (Member("a", b"xyz", central={"offset": 5000}), "cut off"),
}


@pytest.mark.parametrize("lie", LIES)
def test_headers_that_disagree_are_refused(lie: str) -> None:
    member, reason = LIES[lie]
    assert reason in causes_of(
        write_archive([Member("first", b"1"), member]) if "offset" not in lie else write_archive([member])
    )


def test_a_wrong_descriptor_is_refused() -> None:
    data = bytearray(write_archive([Member("a", b"xyz", descriptor="signed")]))
    at = data.index(b"PK\x07\x08")
    for offset in (0, 4, 8, 12):
        broken = bytearray(data)
        broken[at + offset] ^= 1
        assert "data descriptor" in causes_of(bytes(broken))


def test_a_member_on_one_side_only_is_refused() -> None:
    assert "belong to no member" in causes_of(write_archive([Member("a", b"1"), Member("b", b"2", omit_central=True)]))
    assert "stand before the first" in causes_of(
        write_archive([Member("a", b"1", omit_central=True), Member("b", b"2")])
    )
    assert "belong to no member" in causes_of(write_archive([Member("a", b"1", omit_central=True)]))
    causes_of(write_archive([Member("a", b"1"), Member("b", b"2", omit_local=True)]))


def test_bytes_that_belong_to_nobody_are_refused() -> None:
    members = [Member("a", b"1"), Member("b", b"2")]
    assert "before it" in causes_of(write_archive(members, prefix=b"#!/bin/sh\n"))
    causes_of(write_archive(members, prefix=write_archive([Member("x")])))
    assert "bytes follow" in causes_of(write_archive(members, suffix=b"trailing"))
    assert "belong to no member" in causes_of(write_archive(members, before_directory=b"gap"))
    assert "belong to no member" in causes_of(write_archive([Member("a", b"1"), Member("b", b"2", gap_before=b"gap")]))


def test_two_end_records_are_refused() -> None:
    whole = write_archive([Member("a", b"1")])
    causes_of(whole + whole[-22:])
    inner = write_archive([Member("evil", b"2")])
    causes_of(whole + inner)
    reaching = b"PK\x05\x06" + bytes(16) + (22).to_bytes(2, "little")
    assert "two end records" in causes_of(
        write_archive([Member("a", reaching, method=STORED)])[:-22] + reaching + whole[-22:]
    )


def test_an_archive_in_the_comment_is_refused() -> None:
    assert "two end records" in causes_of(write_archive([Member("a")], comment=write_archive([Member("evil", b"2")])))
    assert "comment" in causes_of(write_archive([Member("a", b"1")], comment=b"PK\x03\x04 something"))


@pytest.mark.parametrize(
    "end",
    [
        {"disk": 1},
        {"start_disk": 1},
        {"count_here": 1},
        {"count": 9, "count_here": 9},
        {"count": 1, "count_here": 1},
        {"size": 1},
        {"offset": 1},
        {"offset": 0xFFFFFFFF},
        {"count": 0xFFFF, "count_here": 0xFFFF},
        {"comment_length": 4},
    ],
)
def test_an_end_record_that_lies_is_refused(end: dict[str, int]) -> None:
    causes_of(write_archive([Member("a", b"1"), Member("b", b"2")], end=end))


@pytest.mark.parametrize(
    ("end64", "locator", "end"),
    [
        ({"record_size": 45}, {}, {}),
        ({"count": 1, "count_here": 1}, {}, {}),
        ({"count": 3}, {}, {}),
        ({"offset": 1}, {}, {}),
        ({"size": 2**40}, {}, {}),
        ({"disk": 1}, {}, {}),
        ({}, {"disk": 1}, {}),
        ({}, {"offset": 0}, {}),
        ({}, {"disks": 2}, {}),
        ({}, {}, {"count": 3, "count_here": 3}),
        ({}, {}, {"size": 3}),
        ({"count": 300_000, "count_here": 300_000}, {}, {}),
    ],
)
def test_a_zip64_record_that_lies_is_refused(
    end64: dict[str, int], locator: dict[str, int], end: dict[str, int]
) -> None:
    members = [Member("a", b"1"), Member("b", b"2")]
    causes_of(write_archive(members, zip64=True, end64=end64, locator=locator, end=end))


def test_overlapping_members_are_refused() -> None:
    kernel = Member("a", b"x" * 1000)
    thief = Member("b", b"x" * 1000, omit_local=True, central={"offset": 0})
    assert "overlaps" in causes_of(write_archive([kernel, thief]))


def test_bombs_are_refused_by_what_they_declare() -> None:
    body = deflate(bytes(1024 * 1024))
    bomb = write_archive([Member(f"{number}", raw=body, data=bytes(1024 * 1024)) for number in range(3)])
    with pytest.raises(WheelError) as caught:
        Archive(io.BytesIO(bomb), limits=Limits(total_bytes=2 * 1024 * 1024))
    assert "the limit is" in caught.value.causes[0]
    with pytest.raises(WheelError) as caught:
        Archive(io.BytesIO(bomb), limits=Limits(ratio=100, ratio_from_bytes=1024))
    assert "a bomb" in caught.value.causes[0]


def test_a_member_never_yields_more_than_it_declares() -> None:
    for real in (200_000, 3_000_000):
        body = deflate(bytes(real))
        lie = {"size": real - 1}
        archive = opened(write_archive([Member("a", raw=body, data=bytes(real), central=dict(lie), local=dict(lie))]))
        seen: list[int] = []
        chunks = archive.chunks(archive.members["a"])
        with pytest.raises(WheelError, match="not a sound"):
            seen.extend(map(len, chunks))
        assert sum(seen) <= real - 1


def random_bytes(size: int) -> bytes:
    return random.Random(7).randbytes(size)


@pytest.mark.parametrize("method", [0, 8])
def test_large_members_are_streamed(method: int) -> None:
    content = random_bytes(1_500_000) + bytes(2_000_000)
    archive = opened(write_archive([Member("big", content, method=method), Member("small", b"s")]))
    pieces = list(archive.chunks(archive.members["big"]))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1024 * 1024


def test_members_may_be_read_in_turns() -> None:
    content = random_bytes(2_500_000)
    archive = opened(write_archive([Member("a", content, method=0), Member("b", content[::-1])]))
    turns = list(zip(archive.chunks(archive.members["a"]), archive.chunks(archive.members["b"]), strict=False))
    assert b"".join(first for first, _ in turns) == content[: sum(len(first) for first, _ in turns)]
    assert b"".join(second for _, second in turns) == content[::-1][: sum(len(second) for _, second in turns)]


@pytest.mark.parametrize("size", [10, 3_000_000])
@pytest.mark.parametrize("fault", ["crc", "short", "long", "garbage", "trailing", "torn"])
def test_damaged_content_is_found_at_the_end_at_the_latest(size: int, fault: str) -> None:
    content = random_bytes(size)
    member = Member("a", content)
    if fault == "crc":
        member.central = {"crc": 5}
    elif fault in ("short", "long"):
        member.central = {"size": size + (1 if fault == "short" else -1)}
    elif fault == "garbage":
        member.raw = b"\xff" * len(deflate(content))
    elif fault == "trailing":
        member.raw = deflate(content) + b"hidden"
    else:
        member.raw = deflate(content)[:-3]
    member.local = dict(member.central)
    archive = opened(write_archive([member]))
    with pytest.raises(WheelError) as caught:
        for _ in archive.chunks(archive.members["a"]):
            pass
    assert "'a'" in caught.value.causes[0]


def test_a_stored_member_with_a_wrong_checksum_is_refused() -> None:
    member = Member("a", random_bytes(1_100_000), method=0, central={"crc": 1}, local={"crc": 1})
    archive = opened(write_archive([member]))
    with pytest.raises(WheelError):
        list(archive.chunks(archive.members["a"]))


def test_a_file_that_shrinks_while_it_is_read_is_found() -> None:
    for size, method in ((50, 0), (1_100_000, 0), (3_000_000, 8)):
        stream = io.BytesIO(write_archive([Member("a", random_bytes(size), method=method)]))
        archive = Archive(stream)
        stream.truncate(40)
        with pytest.raises(WheelError):
            list(archive.chunks(archive.members["a"]))


def test_reading_a_whole_member_has_a_limit() -> None:
    archive = opened(write_archive([Member("a", b"12345")]))
    assert archive.read(archive.members["a"], limit_bytes=5) == b"12345"
    with pytest.raises(WheelError) as caught:
        archive.read(archive.members["a"], limit_bytes=4)
    assert "limit" in caught.value.causes[0]


@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html><html>", b"\n\n  <html lang=en>", b"\xef\xbb\xbf<!doctype HTML>", b"<?xml version='1.0'?>"],
)
def test_a_web_page_is_called_one(page: bytes) -> None:
    with pytest.raises(WheelError, match="is a web page"):
        opened(page + b"x" * 100)


def test_other_files_are_refused() -> None:
    with pytest.raises(WheelError, match="is empty"):
        opened(b"")
    assert "no ZIP file" in causes_of(b"\x1f\x8b\x08 gzip")
    assert "no end record" in causes_of(b"PK\x03\x04" + bytes(500))


def test_a_directory_that_breaks_off_is_refused() -> None:
    data = bytearray(write_archive([Member("a", b"1"), Member("b", b"2")]))
    at = data.index(b"PK\x01\x02")
    wrong = bytearray(data)
    wrong[at] = 0
    assert "malformed at member 1" in causes_of(bytes(wrong))
    data[at + 28] = 200
    causes_of(bytes(data))


def test_all_problems_are_told_at_once_but_not_a_million() -> None:
    with pytest.raises(WheelError) as caught:
        opened(write_archive([Member(f"../{number}") for number in range(100)]))
    assert len(caught.value.causes) == 41
    assert caught.value.causes[-1] == "and 60 more"


def test_messages_carry_no_control_characters() -> None:
    with pytest.raises(WheelError) as caught:
        opened(write_archive([Member("a\x1b]0;owned\x07" + "b" * 500 + "\u202e")]))
    assert all(cause.isprintable() and len(cause) < 300 for cause in caught.value.causes)


SMALL = write_archive(
    [
        Member("pkg/a.py", b"print('a')\n" * 5),
        Member("pkg/b.py", b"b", descriptor="signed"),
        Member("c", b"ccc", method=0),
    ]
)
CONTENTS = {"pkg/a.py": b"print('a')\n" * 5, "pkg/b.py": b"b", "c": b"ccc"}


@pytest.mark.parametrize("whole", [SMALL, write_archive([Member("a", b"abc", zip64=True)], zip64=True)])
def test_truncation_at_every_offset_is_refused(whole: bytes) -> None:
    for length in range(len(whole)):
        with pytest.raises(WheelError):
            opened(whole[:length])


def test_every_flipped_bit_is_refused_or_changes_no_content() -> None:
    for position in range(len(SMALL) * 8):
        data = bytearray(SMALL)
        data[position // 8] ^= 1 << (position % 8)
        try:
            contents = read_all(opened(bytes(data)))
        except WheelError:
            continue
        assert contents == CONTENTS, f"bit {position}"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_random_damage_is_refused_or_changes_no_content(data: st.DataObject) -> None:
    damaged = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(SMALL) - 1))] = data.draw(st.integers(0, 255))
    try:
        contents = read_all(opened(bytes(damaged)))
    except WheelError:
        return
    assert contents == CONTENTS


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_make_a_traceback(garbage: bytes) -> None:
    for data in (garbage, b"PK\x03\x04" + garbage, SMALL[:-22] + garbage + SMALL[-22:]):
        try:
            opened(data)
        except WheelError:
            continue
        assert garbage == b"" or data == garbage


def test_a_long_comment_is_found() -> None:
    data = write_archive([Member("a", b"1")], comment=b"c" * 0xFFFF)
    assert len(data) > TAIL_BYTES - 76
    assert read_all(opened(data)) == {"a": b"1"}
