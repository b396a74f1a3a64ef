from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from pyvstore.index.tags import start_tags

Tag = tuple[str, dict[str, str | None]]


def tags(text: str) -> list[Tag]:
    return [(name, dict(attributes)) for name, attributes in start_tags(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("<", []),
        ("< a>", []),
        ("<a>", [("a", {})]),
        ("<A HREF=X>", [("a", {"href": "X"})]),
        ("<a href='x' Href=\"y\">", [("a", {"href": "x"})]),
        ('<a href = "a > b">', [("a", {"href": "a > b"})]),
        ("<a href=x/>", [("a", {"href": "x/"})]),
        ("<br/><a/href=x>", [("br", {}), ("a", {"href": "x"})]),
        ("<a href>", [("a", {"href": None})]),
        ("<a href=>", [("a", {"href": ""})]),
        ("<a =x=y>", [("a", {"=x": "y"})]),
        ("<a x='1'y=2>", [("a", {"x": "1", "y": "2"})]),
        ("<a x=&lt;&#47;&amp;&#x2f>", [("a", {"x": "</&/"})]),
        (f"<a x=&#{'9' * 5000};>", [("a", {"x": f"&#{'9' * 5000};"})]),
        ("<!DOCTYPE html><?xml <a>?><a>", [("a", {})]),
        ("<!-- <a> --><b>", [("b", {})]),
        ("<!--><b>", [("b", {})]),
        ("<!-- <a>", []),
        ("<![CDATA[<a>]]><b>", [("b", {})]),
        ("</a <b><c>", [("c", {})]),
        ("<script>'<a>'</script ><b>", [("script", {}), ("b", {})]),
        ("<style><a></Style><b>", [("style", {}), ("b", {})]),
        ("<script><a>", [("script", {})]),
        ("<a x='", []),
        ("<a x", []),
        ("<<a>", [("a", {})]),
    ],
)
def test_a_text_has_these_tags(text: str, expected: list[Tag]) -> None:
    assert tags(text) == expected


class _Standard(HTMLParser):
    """The standard library's own, for texts where it is right."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tag] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(reversed(attrs))))


_words = st.text(st.sampled_from("abcXYZ09-_."), min_size=1, max_size=6)
_values = st.text(st.sampled_from("ab <>&;#x/='\n"), max_size=12).map(lambda value: f'"{value}"')
_pairs = st.lists(st.tuples(_words, st.none() | _words | _values), max_size=4)
_elements = st.tuples(st.sampled_from(["a", "A", "base", "meta", "p"]), _pairs)


def _written(element: tuple[str, list[tuple[str, str | None]]]) -> str:
    name, pairs = element
    return f"<{name} {' '.join(key if value is None else f'{key}={value}' for key, value in pairs)}>text &amp; text"


@given(st.lists(_elements, max_size=5))
def test_what_is_written_well_is_read_as_by_everybody(elements: list[tuple[str, list[tuple[str, str | None]]]]) -> None:
    text = "<!-- x -->".join(map(_written, elements))
    standard = _Standard()
    standard.feed(text)
    standard.close()
    assert tags(text) == standard.found


PIECES = (
    "<a href='x' ",
    '<a x="',
    "<!--",
    "<![CDATA[",
    "<!",
    "<?",
    "</",
    "<",
    "<a ",
    "=",
    "'",
    "/",
    " ",
    "<script>",
    "&#",
)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", ["<x>", "<a ", "<script>"])
def test_a_text_without_an_end_takes_no_longer_than_it_is_long(before: str, piece: str) -> None:
    started = time.process_time()
    tags(before + piece * 100_000)
    assert time.process_time() - started < 2
