from __future__ import annotations

import csv
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.errors import WheelError
from pyvstore.wheel import record
from pyvstore.wheel.record import RecordRow, format_farm_record, parse_record
from tests.support.wheels import format_rows, record_hash

HASH = record_hash(b"x")
DIGEST = hashlib.sha256(b"x").digest()


def test_rows_are_parsed() -> None:
    rows, warnings = parse_record(f'a.py,{HASH},1\r\n"b,""c.py",{HASH}=,\nd,,\n\nempty/,,\n'.encode(), "x")
    assert rows == {
        "a.py": RecordRow("a.py", "sha256", DIGEST, 1),
        'b,"c.py': RecordRow('b,"c.py', "sha256", DIGEST, None),
        "d": RecordRow("d", "", b"", None),
    }
    assert warnings == ()


def test_a_byte_order_mark_is_no_part_of_the_first_path() -> None:
    assert parse_record(b"\xef\xbb\xbfa,,\n", "x")[0].keys() == {"a"}


def test_harmless_faults_are_warnings() -> None:
    rows, warnings = parse_record(f"a\\b.py,{HASH},1\nc\\d.py,{HASH},1\ne,,\ne,,\n".encode(), "x")
    assert rows.keys() == {"a/b.py", "c/d.py", "e"}
    assert [code for code, _ in warnings] == ["record-backslash", "record-duplicate"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("../a,,", "'..'"),
        ("a/../../b,,", "'..'"),
        ("..\\b,,", "'..'"),
        ("/a,,", "absolute"),
        ("C:\\a,,", "drive"),
        ("a//b,,", "empty"),
        ("./a,,", "'.'"),
        ("a\x1b,,", "U+001B"),
        ("a", "1 fields"),
        ("a,b", "2 fields"),
        ("a,,,", "4 fields"),
        ("a,md5=abc,1", "too weak"),
        ("a,MD5=abc,1", "too weak"),
        ("a,sha1=abc,1", "too weak"),
        ("a,sha224=abc,1", "too weak"),
        ("a,crc32=abc,1", "none that pyvstore knows"),
        ("a,sha256,1", "none that pyvstore knows"),
        ("a,sha256=abc,1", "wrong length"),
        ("a,sha256=a,1", "malformed"),
        ("a,sha256=!!!!,1", "malformed"),
        ("a,sha256=ü,1", "malformed"),
        (f"a,{HASH},-1", "not a number"),
        (f"a,{HASH},1.5", "not a number"),
        (f"a,{HASH},٣", "not a number"),
        (f"a,{HASH}," + "9" * 40, "not a number"),
    ],
)
def test_a_bad_row_is_refused(row: str, reason: str) -> None:
    with pytest.raises(WheelError) as caught:
        parse_record(f"good,,\n{row}\n".encode(), "foo.whl")
    assert caught.value.code == "wheel-record"
    assert "foo.whl" in caught.value.message
    assert reason in caught.value.causes[0]


@pytest.mark.parametrize("data", [b"\xff,,\n", b'"a,,\n', b'"a"b,,\n', b"x" * 200_000 + b",,"])
def test_what_is_no_csv_is_refused(data: bytes) -> None:
    with pytest.raises(WheelError, match="cannot be trusted"):
        parse_record(data, "x")


def test_a_gigantic_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MAX_RECORD_BYTES", 10)
    with pytest.raises(WheelError) as caught:
        parse_record(b"0123456789a", "x")
    assert "the limit is 10" in caught.value.causes[0]


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MAX_MEMBERS", 3)
    for rows in (b"a,,\nb,,\nc,,\nd,,\n", b"../a,,\n" * 4):
        with pytest.raises(WheelError) as caught:
            parse_record(rows, "x")
        assert "more than 3 rows" in caught.value.causes[0]


def test_the_farms_record_lists_links_first_then_files_then_the_wheels_rows_then_itself() -> None:
    text = format_farm_record(
        links=("pygments", "../../../bin/ruff"),
        files=("../../../bin/pygmentize", "pygments-1.dist-info/INSTALLER"),
        rows=[("pygments/a,b.py", DIGEST.hex(), 1), ("../../../share/x", DIGEST.hex(), 2)],
        record="pygments-1.dist-info/RECORD",
    )
    assert text.decode().split("\n") == [
        "pygments,,",
        "../../../bin/ruff,,",
        "../../../bin/pygmentize,,",
        "pygments-1.dist-info/INSTALLER,,",
        f'"pygments/a,b.py",{HASH},1',
        f"../../../share/x,{HASH},2",
        "pygments-1.dist-info/RECORD,,",
        "",
    ]


def test_no_path_is_listed_twice() -> None:
    text = format_farm_record(
        links=("six.py", "d/RECORD"),
        files=("six.py", "b"),
        rows=[("six.py", DIGEST.hex(), 1), ("d/RECORD", DIGEST.hex(), 1)],
        record="d/RECORD",
    )
    assert text == b"six.py,,\nb,,\nd/RECORD,,\n"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1), unique=True))
def test_any_path_survives_the_quoting(paths: list[str]) -> None:
    text = format_farm_record(links=paths, files=(), rows=(), record="RECORD")
    assert [row[0] for row in csv.reader(io.StringIO(text.decode(), newline=""))][: len(paths)] == [
        path for path in paths if path != "RECORD"
    ][: len(paths)] + (["RECORD"] if "RECORD" in paths else [])


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,8}(/[a-z ,\"é]{1,8}){0,3}", fullmatch=True), st.binary(max_size=4)),
        unique_by=lambda row: row[0],
    )
)
def test_what_is_written_is_read(files: list[tuple[str, bytes]]) -> None:
    data = format_rows([(path, record_hash(content), str(len(content))) for path, content in files])
    rows, warnings = parse_record(data, "x")
    assert [(row.path, row.digest, row.size_bytes) for row in rows.values()] == [
        (path, hashlib.sha256(content).digest(), len(content)) for path, content in files
    ]
    assert warnings == ()
