"""Index URLs: one spelling, and no credentials that travel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.requirements.urls import parse_index_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://index.example/simple", "https://index.example/simple/"),
        ("https://index.example/simple//", "https://index.example/simple/"),
        ("HTTPS://Index.Example:443/Simple/", "https://index.example/Simple/"),
        ("http://localhost:8080", "http://localhost:8080/"),
        ("http://[::1]:80/s", "http://[::1]/s/"),
        ("file:///srv/wheels", "file:///srv/wheels/"),
        ("file://localhost/srv/wheels/", "file:///srv/wheels/"),
    ],
)
def test_an_index_url_has_one_spelling(text: str, url: str) -> None:
    assert parse_index_url(text).url == url
    assert parse_index_url(url).url == url


def test_credentials_are_parted_from_the_url_and_not_printed() -> None:
    location = parse_index_url("https://me:p%40ss@index.example/simple/")
    assert (location.url, location.username, location.password) == ("https://index.example/simple/", "me", "p@ss")
    assert "p@ss" not in repr(location)
    assert "me" not in repr(location).replace("Index", "").replace("name", "")


def test_a_token_without_a_password_is_a_user_name() -> None:
    location = parse_index_url("https://token@index.example/")
    assert (location.username, location.password) == ("token", None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("https://index.example/a b", "is empty or has characters"),
        ("https://index.example/\x1b[0m", "is empty or has characters"),
        ("https://\u0131ndex.example/", "is empty or has characters"),
        ("https://${TOKEN}@index.example/", "variables are never expanded"),
        ("https://index.example\\@evil.example/", "backslash"),
        ("ftp://index.example/", "must begin with"),
        ("index.example/simple", "must begin with"),
        ("javascript:alert(1)", "must begin with"),
        ("https:///simple/", "has no host"),
        ("https://index.example:notaport/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://index.example/?a=b", "query"),
        ("https://index.example/?", "query"),
        ("https://index.example/#x", "query or a fragment"),
        ("file://host/share", "must be file:///"),
        ("file:////", "must be file:///"),
    ],
)
def test_what_is_no_index_url_is_refused_without_repeating_it(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_index_url(text)
    assert not text or text not in str(caught.value)


@given(st.text(st.characters(codec="ascii"), max_size=40).map("https://".__add__) | st.text(max_size=20))
def test_any_text_is_refused_or_brought_to_a_spelling_that_stays(text: str) -> None:
    try:
        url = parse_index_url(text).url
    except ValueError:
        return
    assert parse_index_url(url).url == url
    assert "@" not in url.split("/")[2]
