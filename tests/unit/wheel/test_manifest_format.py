from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from pyvstore.errors import StoreError
from pyvstore.model.manifest import EntryPoint, FileRow, Manifest, NativeReach, Node, NodeKind
from pyvstore.wheel.manifest_format import children_of, format_manifest, parse_manifest_head, parse_manifest_rows

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
LEAVES = st.sampled_from([Node(kind) for kind in NodeKind if kind is not NodeKind.OPEN])
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda nodes: st.dictionaries(NAMES, nodes, max_size=3).map(lambda below: Node(NodeKind.OPEN, below)),
        max_leaves=8,
    ),
    max_size=4,
)
ROWS = st.lists(
    st.builds(
        FileRow, PATHS, st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(0, 2**40), st.booleans()
    ),
    unique_by=lambda row: row.path,
    max_size=6,
)
MANIFESTS = st.builds(
    Manifest,
    name=st.just(NormalizedName("foo")),
    display_name=TEXTS,
    version=TEXTS,
    wheel_filename=TEXTS,
    wheel_sha256=st.just("0" * 64),
    wheel_size_bytes=st.integers(0, 2**40),
    dist_info=st.just("foo-1.dist-info"),
    tree=TREES,
    entry_points=st.lists(st.builds(EntryPoint, NAMES, TEXTS, TEXTS, st.booleans()), max_size=3).map(
        lambda x: tuple(sorted(x))
    ),
    reach=st.lists(
        st.builds(
            NativeReach,
            PATHS,
            st.sampled_from(["elf", "pe"]),
            st.lists(TEXTS, max_size=2).map(tuple),
            st.lists(PATHS, max_size=2).map(tuple),
        ),
        max_size=4,
    ).map(lambda x: tuple(sorted(x))),
    warnings=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
)


@given(MANIFESTS, ROWS)
def test_what_is_written_is_read(manifest: Manifest, rows: list[FileRow]) -> None:
    text = format_manifest(manifest, rows)
    head, body, rest = text.split(b"\n")
    assert rest == b""
    assert parse_manifest_head(head) == manifest
    assert parse_manifest_rows(body) == tuple(sorted(rows, key=lambda row: row.path.split("/")))
    assert format_manifest(parse_manifest_head(head), reversed(parse_manifest_rows(body))) == text


MANIFEST = Manifest(
    name=NormalizedName("foo"),
    display_name="Foo",
    version="1.0",
    wheel_filename="foo-1.0-py3-none-any.whl",
    wheel_sha256="ab" * 32,
    wheel_size_bytes=123,
    dist_info="foo-1.0.dist-info",
    tree={
        "lib": Node(NodeKind.OPEN, {"x": Node(NodeKind.FOLD)}),
        "bin": Node(NodeKind.OPEN, {"y": Node(NodeKind.SCRIPT)}),
    },
    entry_points=(EntryPoint("foo", "foo.cli", "main", gui=False),),
    reach=(NativeReach("a/b.so", "elf", ("c.so",), ("d",)), NativeReach("a/c.so", "elf", ("c.so",), ("d",))),
    warnings=(("code", "Sentence"),),
)


def test_the_head_is_compact_and_sorted() -> None:
    head = format_manifest(MANIFEST, []).split(b"\n")[0]
    assert b'"tree":{"bin":{"y":"s"},"lib":{"x":"d"}}' in head
    assert b'"reach":[["elf",["c.so"],["d"],["a/b.so","a/c.so"]]]' in head
    assert b": " not in head


def head_with(**changes: Any) -> bytes:
    head = json.loads(format_manifest(MANIFEST, []).split(b"\n")[0])
    for key, value in changes.items():
        if value is None:
            del head[key]
        else:
            head[key] = value
    return json.dumps(head).encode()


def test_a_format_of_another_time_is_named() -> None:
    for number in (0, 2, 99):
        with pytest.raises(StoreError) as caught:
            parse_manifest_head(head_with(format=number))
        assert caught.value.code == "manifest-format"
        assert caught.value.hint == "upgrade pyvstore"


FIELDS = ["name", "display_name", "version", "wheel_filename", "wheel_sha256", "dist_info", "wheel_size_bytes"]
OTHERS = ["tree", "entry_points", "reach", "warnings", "format"]
NESTED: Any = "d"
for _ in range(150):
    NESTED = {"a": NESTED}
WRONG = [
    *({field: None} for field in [*FIELDS, *OTHERS]),
    *({field: 1.5} for field in [*FIELDS, *OTHERS]),
    *({field: [1]} for field in [*FIELDS, *OTHERS]),
    {"format": True},
    {"format": "1"},
    {"wheel_size_bytes": True},
    {"wheel_size_bytes": -1},
    {"tree": {"a": "z"}},
    {"tree": {"a": "o"}},
    {"tree": {"a": None}},
    {"tree": {"..": "d"}},
    {"tree": {"a/b": "d"}},
    {"tree": {"": "d"}},
    {"tree": NESTED},
    {"dist_info": "../x"},
    {"entry_points": [["../x", "a", "b", 0]]},
    {"entry_points": [["x", "a", "b"]]},
    {"entry_points": [["x", 1, "b", 0]]},
    {"reach": [["elf", [1], [], ["a"]]]},
    {"reach": [["elf", [], [], ["../a"]]]},
    {"reach": [["elf", [], ["/lib"], ["a"]]]},
    {"warnings": [["a"]]},
    {"warnings": [["a", 1]]},
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_a_malformed_head_is_a_store_error(changes: dict[str, Any]) -> None:
    with pytest.raises(StoreError) as caught:
        parse_manifest_head(head_with(**changes))
    assert caught.value.code == "manifest-malformed"


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_head_is_a_store_error(line: bytes) -> None:
    with pytest.raises(StoreError):
        parse_manifest_head(line)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"",
        b"[1]",
        b'["a"]',
        b'[["a","b"]]',
        b'[["a",1,2,0]]',
        b'[["a","b","c",0]]',
        b'[[1,"b",3,0]]',
        b'[["../a","b",3,0]]',
        b'[["/a","b",3,0]]',
        b'[["a//b","b",3,0]]',
        b'[["a","b",3,0],null]',
    ],
)
def test_malformed_rows_are_a_store_error(line: bytes) -> None:
    with pytest.raises(StoreError) as caught:
        parse_manifest_rows(line)
    assert caught.value.code == "manifest-malformed"


def row(path: str) -> FileRow:
    return FileRow(path, "0" * 64, 0, executable=False)


def test_children_are_found_by_component() -> None:
    rows = [
        row(path)
        for path in ("s/foo/b/c.py", "s/foo/a.py", "s/foo/__pycache__/x.pyc", "s/foo-bar/d.py", "s/foo.py", "foo/x")
    ]
    assert children_of(rows, "s/foo") == {"a.py": Node(NodeKind.LINK), "b": Node(NodeKind.FOLD)}
    assert list(children_of(rows, "s/foo")) == ["a.py", "b"]
    assert children_of(rows, "s/f") == {}
    assert children_of(rows, "s/foo.py") == {}
