from __future__ import annotations

import email.parser
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pyvstore.errors import WheelError
from pyvstore.wheel import metadata
from pyvstore.wheel.metadata import parse_core_metadata, parse_headers, parse_wheel_file

BASE = b"Metadata-Version: 2.4\nName: Foo.Bar\nVersion: 1.0.post1\n"


def test_all_that_the_tool_needs_is_read() -> None:
    found = parse_core_metadata(
        BASE
        + b"Summary: Does things.\n in two lines\nRequires-Python: >=3.9\nRequires-Dist: a>1;\n  python_version < '4'\n"
        b"requires-dist: b\nProvides-Extra: Fancy_Extra\nProvides-Extra: fancy-extra\nProvides-Extra: dev\n"
        b"Dynamic: Requires-Dist\nClassifier: x\n\nName: not this\nRequires-Dist: neither\n"
    )
    assert (found.name, found.display_name, found.version) == ("foo-bar", "Foo.Bar", Version("1.0.post1"))
    assert found.metadata_version == "2.4"
    assert found.requires_dist == ("a>1; python_version < '4'", "b")
    assert found.provides_extra == ("fancy-extra", "dev")
    assert found.requires_python == ">=3.9"
    assert found.dynamic == ("requires-dist",)
    assert found.summary == "Does things."


def test_little_is_required() -> None:
    found = parse_core_metadata(b"Name: foo\nVersion: 1\n")
    assert (found.metadata_version, found.requires_dist, found.requires_python, found.summary) == (
        "1.0",
        (),
        None,
        None,
    )


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_any_line_ending_will_do(newline: bytes) -> None:
    data = BASE.replace(b"\n", newline) + b"Requires-Dist: a" + newline + newline + b"Requires-Dist: body" + newline
    assert parse_core_metadata(data).requires_dist == ("a",)


def test_headers_end_where_mail_parsers_end_them() -> None:
    data = BASE + b"License: MIT\nunindented text\nRequires-Dist: lost\n\nbody"
    theirs = email.parser.BytesParser().parsebytes(data)
    assert parse_core_metadata(data).requires_dist == tuple(theirs.get_all("requires-dist", ()))


def test_the_body_may_be_anything() -> None:
    assert parse_core_metadata(BASE + b"\n\xff\xfe\x00").name == "foo-bar"


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse_core_metadata(b"\xef\xbb\xbf" + BASE).name == "foo-bar"


def test_a_continuation_of_nothing_is_ignored() -> None:
    assert parse_core_metadata(b" lost\n" + BASE).name == "foo-bar"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no Name"),
        (b"\nName: foo\nVersion: 1\n", "no Name"),
        (b"Version: 1\n", "no Name"),
        (b"Name:\nVersion: 1\n", "no Name"),
        (b"Name: foo\n", "no Version"),
        (b"Name: foo\nName: bar\nVersion: 1\n", "several Name"),
        (b"Name: foo\nVersion: 1\nVersion: 2\n", "several Version"),
        (b"Name: ../foo\nVersion: 1\n", "malformed"),
        (b"Name: foo\nVersion: one\n", "malformed"),
        (b"Name: f\xff\nVersion: 1\n", "not UTF-8"),
        (b"Name: foo\nVersion: 1\nSummary: \xfc\n", "not UTF-8"),
        (b"Metadata-Version: 3.0\nName: foo\nVersion: 1\n", "not 1.x or 2.x"),
        (b"Metadata-Version: new\nName: foo\nVersion: 1\n", "not 1.x or 2.x"),
    ],
)
def test_unusable_metadata_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(WheelError) as caught:
        parse_core_metadata(data, "the METADATA of foo.whl")
    assert caught.value.code == "wheel-metadata"
    assert caught.value.message == "the METADATA of foo.whl cannot be used"
    assert reason in caught.value.causes[0]


def test_huge_headers_are_refused_and_a_huge_body_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "MAX_HEADER_BYTES", 1000)
    assert parse_core_metadata(BASE + b"\n" + b"x" * 5000).name == "foo-bar"
    with pytest.raises(WheelError) as caught:
        parse_core_metadata(BASE + b"Description: " + b"x" * 5000)
    assert "the limit is 1000" in caught.value.causes[0]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_read(data: bytes) -> None:
    with suppress(WheelError):
        assert parse_core_metadata(BASE + data).name == "foo-bar"


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z][A-Za-z-]{0,9}", fullmatch=True),
            st.from_regex(r"[!-~]{1,9}( [!-~]{1,9})?", fullmatch=True),
        ),
        min_size=1,
    )
)
def test_headers_are_read_as_mail_parsers_read_them(pairs: list[tuple[str, str]]) -> None:
    data = "".join(f"{name}: {value}\n" for name, value in pairs).encode() + b"\nbody: x\n"
    theirs = email.parser.BytesParser().parsebytes(data)
    assert {name: list(values) for name, values in parse_headers(data, "x").items()} == {
        name.lower(): theirs.get_all(name) for name in theirs
    }


def test_the_wheel_file_is_read() -> None:
    found = parse_wheel_file(
        b"Wheel-Version: 1.0\nGenerator: hand (1)\nRoot-Is-Purelib: True\nTag: py2-none-any\nTag: py3-none-any\n"
    )
    assert found.wheel_version == (1, 0)
    assert found.root_is_purelib
    assert found.generator == "hand (1)"
    assert found.tags == ("py2-none-any", "py3-none-any")
    assert found.warnings == ()
    assert not parse_wheel_file(b"Wheel-Version: 1.0\n").root_is_purelib


def test_the_wheel_files_version_decides() -> None:
    assert [code for code, _ in parse_wheel_file(b"Wheel-Version: 1.10\n").warnings] == ["wheel-version"]
    for data, code in (
        (b"Wheel-Version: 2.0\n", "wheel-version"),
        (b"Wheel-Version: 0.9\n", "wheel-version"),
        (b"Wheel-Version: x\n", "wheel-metadata"),
        (b"Tag: x\n", "wheel-metadata"),
        (b"", "wheel-metadata"),
    ):
        with pytest.raises(WheelError) as caught:
            parse_wheel_file(data)
        assert caught.value.code == code
