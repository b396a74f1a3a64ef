from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyvstore.errors import FetchError
from pyvstore.index import urls
from pyvstore.index.spec import IndexSpec
from pyvstore.index.urls import Credentials, Origin

PAGE = "https://index.example/simple/demo/"


def test_credentials_are_split_off_and_decoded() -> None:
    assert urls.split_credentials("https://me%40work:p%3Aw@index.example/simple/") == (
        "https://index.example/simple/",
        Credentials("me@work", "p:w"),
    )
    assert urls.split_credentials(PAGE) == (PAGE, None)


def test_what_is_shown_of_a_url_tells_no_secret_and_moves_no_cursor() -> None:
    shown = urls.redact("https://user:secret@index.example/a\x1b[2Jb?token=secret#secret")
    assert shown == "https://index.example/ab"
    assert urls.redact("https://[half") == "<unreadable URL>"


def test_an_index_has_one_root_and_one_key_with_and_without_credentials_and_slash() -> None:
    plain = IndexSpec(url="https://index.example/simple", name="a")
    secret = IndexSpec(url="https://u:p@index.example/simple/", name="b")
    assert plain.root == secret.root == "https://index.example/simple/"
    assert plain.key == secret.key
    assert secret.credentials == ("u", "p")
    assert plain.credentials is None


@pytest.mark.parametrize("url", ["https://index.example:port/", "https://[::1/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        urls.split_credentials(url)
    assert caught.value.code == "bad-url"


@pytest.mark.parametrize("url", ["ftp://index.example/x", "file:///x", "https:///x", "nonsense"])
def test_only_web_urls_with_a_host_have_an_origin(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        urls.origin(url)
    assert caught.value.code == "bad-url"


def test_an_origin_knows_its_default_port() -> None:
    assert urls.origin("HTTPS://Index.Example/x") == Origin("https", "index.example", 443)
    assert urls.origin("http://index.example:8080") == Origin("http", "index.example", 8080)


@pytest.mark.parametrize(
    ("reference", "absolute"),
    [
        ("../../files/a.whl#sha256=1", "https://index.example/files/a.whl"),
        ("https://user:pw@other.example/a.whl?x=1", "https://other.example/a.whl?x=1"),
        ("//other.example/a.whl", "https://other.example/a.whl"),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("ssh://host/a.whl", None),
        ("https://[broken/a.whl", None),
        ("https://host:99999999/a.whl", None),
        ("https://host:99999/a.whl", None),
        ("https://host:port/a.whl", None),
        ("https://ho\x08st/a.whl", None),
        ("https://ho st/a.whl", None),
        ("https://ho\\st/a.whl", None),
        ("https://host:8443/a.whl", "https://host:8443/a.whl"),
        ("data:application/zip;base64,eA==", None),
        ("http:///a.whl", None),
    ],
)
def test_links_lead_to_the_web_or_nowhere(reference: str, absolute: str | None) -> None:
    assert urls.resolve(PAGE, reference) == absolute


def test_a_file_page_may_link_to_files() -> None:
    assert urls.resolve("file:///srv/simple/demo/", "a.whl") == "file:///srv/simple/demo/a.whl"


def test_a_file_url_of_another_machine_is_refused() -> None:
    with pytest.raises(FetchError):
        urls.file_path("file://server/share/a.whl")
    assert urls.file_path("file://localhost/a%20b") == "/a b"


@given(st.text())
def test_printable_text_has_no_control_characters(text: str) -> None:
    shown = urls.printable(text, 50)
    assert len(shown) <= 50
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)


def test_terminal_sequences_go_whole() -> None:
    assert urls.printable("\x1b]0;title\x07a\x1b[31mred\x1b[0m\x1b]8;;http://x\x1b\\link\u202eevil") == "aredlink evil"


@given(st.text(max_size=40))
@example("files.example/;")
@example("files.example:99999/x.whl")
@example(":443/x.whl")
@example("files.example:/x.whl")
def test_a_url_that_needs_no_resolving_resolves_to_itself(rest: str) -> None:
    url = f"https://{rest}"
    if urls.is_plain(url):
        assert urls.resolve(PAGE, url) == url


@pytest.mark.parametrize(
    ("reference", "canonical"),
    [
        ("a b/x.whl", "https://index.example/simple/demo/a%20b/x.whl"),
        ("größe/x.whl", "https://index.example/simple/demo/gr%C3%B6%C3%9Fe/x.whl"),
        ("a%20b/x.whl", "https://index.example/simple/demo/a%20b/x.whl"),
        ("a\\b/x.whl?q=ä b", "https://index.example/simple/demo/a%5Cb/x.whl?q=%C3%A4%20b"),
        ("https://bücher.example:8080/x.whl", "https://xn--bcher-kva.example:8080/x.whl"),
        ("https://h.example", "https://h.example/"),
        ("x\ud800.whl", None),
    ],
)
def test_a_link_is_written_as_a_lockfile_may_hold_it(reference: str, canonical: str | None) -> None:
    assert urls.resolve("https://index.example/simple/demo/", reference) == canonical
