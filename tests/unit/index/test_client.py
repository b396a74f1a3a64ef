from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version
from typing_extensions import override

from pyvstore.errors import FetchError
from pyvstore.index import client as client_module
from pyvstore.index.client import IndexClient
from pyvstore.index.spec import IndexSpec
from pyvstore.index.transport import ClosedError
from tests.support.loopback import HTML_TYPE, JSON_TYPE, LoopbackIndex, Reply, Request
from tests.support.wheels import build_wheel
from tests.unit.index.conftest import QUICK, Listener, MakeClient

DEMO = NormalizedName("demo")
PAGE = "/simple/demo/"


@pytest.fixture(autouse=True)
def _demo(index: LoopbackIndex) -> None:
    index.add(*build_wheel("demo", "1.0"))


def refused(client: IndexClient, name: str = "demo") -> FetchError:
    with pytest.raises(FetchError) as caught:
        client.page(NormalizedName(name))
    return caught.value


# ── what a page may be ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("compress", [False, True])
def test_a_page_is_read_as_json_or_html_compressed_or_not(
    index: LoopbackIndex, client: IndexClient, html: bool, compress: bool
) -> None:
    index.html, index.compress = html, compress
    page = client.page(DEMO)
    (artifact,) = page.artifacts(Version("1.0"))
    assert artifact.url == f"{index.root}/files/{artifact.filename}"
    assert artifact.core_metadata is not None
    assert artifact.index_url == index.url


def test_relative_links_are_relative_to_where_the_page_came_from(index: LoopbackIndex, client: IndexClient) -> None:
    index.redirect("/simple/demo/", f"{index.root}/elsewhere/")
    page = {"meta": {"api-version": "1.0"}, "files": [{"filename": "demo-1.0.zip", "url": "x.zip", "hashes": {}}]}
    index.answer("/elsewhere/", json.dumps(page).encode())
    assert client.page(DEMO).artifacts(Version("1.0"))[0].url == f"{index.root}/elsewhere/x.zip"


def test_a_project_that_is_not_there_is_absent(client: IndexClient, index: LoopbackIndex) -> None:
    assert refused(client, "absent").code == "no-such-project"
    index.fail(PAGE, 410)
    assert refused(client).code == "no-such-project"


@pytest.mark.parametrize("name", ["../etc", "Demo", "", "a/b", "a\x1b"])
def test_what_is_no_project_name_is_never_asked_for(client: IndexClient, index: LoopbackIndex, name: str) -> None:
    assert refused(client, name).code == "no-such-project"
    assert index.requests == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"not json", JSON_TYPE),
        (b"[" * 100_000, JSON_TYPE),
        (b'{"files": 3}', JSON_TYPE),
        (b'{"files": [{}]}', JSON_TYPE),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', JSON_TYPE),
        (b'{"meta": {"api-version": "1.0"}, "files": []}', HTML_TYPE),
        (b"<html></html>", JSON_TYPE),
        (b"<html></html>", "application/octet-stream"),
        (b"<html></html>", ""),
        (b'{"files": []}', "application/vnd.pypi.simple.v2+json"),
        (b'<meta name="pypi:repository-version" content="2.0">', HTML_TYPE),
    ],
)
def test_what_is_no_page_is_refused_with_the_url(
    index: LoopbackIndex, client: IndexClient, body: bytes, content_type: str
) -> None:
    index.answer(PAGE, body, content_type=content_type)
    error = refused(client)
    assert error.code == "index-page"
    assert f"{index.url}demo/" in str(error)
    index.behave()
    assert client.page(DEMO).versions  # nothing of it was kept


def test_a_page_beyond_the_limit_is_refused_compressed_or_not(
    index: LoopbackIndex, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGE_BYTES_LIMIT", 100_000)
    body = json.dumps({"meta": {"api-version": "1.0"}, "files": [], "x": " " * 1_000_000}).encode()
    index.answer(PAGE, body)
    assert refused(make_client()).code == "index-page"
    index.behave()
    index.compress = True
    index.misbehave(PAGE, lambda _q, r: _gzipped(r, body))
    assert refused(make_client()).code == "index-page"
    index.behave()
    index.compress = False
    index.endless(PAGE)
    assert refused(make_client()).code == "index-page"


def test_what_follows_a_compressed_page_is_not_waited_for(index: LoopbackIndex, make_client: MakeClient) -> None:
    index.compress = True
    index.endless(PAGE)
    assert make_client().page(DEMO).versions


def _gzipped(reply: Reply, body: bytes) -> Reply:
    import gzip

    reply.body = gzip.compress(body)
    reply.headers |= {"Content-Encoding": "gzip", "Content-Type": JSON_TYPE}
    return reply


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_body_that_is_not_what_its_encoding_says_is_refused(
    index: LoopbackIndex, client: IndexClient, encoding: str
) -> None:
    index.misbehave(PAGE, lambda _q, r: Reply(200, {**r.headers, "Content-Encoding": encoding}, b"{not compressed"))
    assert refused(client).code == "index-page"


# ── faults of the network ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(index: LoopbackIndex, client: IndexClient, status: int) -> None:
    index.fail(PAGE, status, times=2)
    assert client.page(DEMO).versions
    assert index.count(PAGE) == 3


def test_a_server_that_stays_in_trouble_is_given_up(index: LoopbackIndex, client: IndexClient) -> None:
    index.fail(PAGE, 503)
    error = refused(client)
    assert error.code == "index-status"
    assert "503" in " ".join(error.causes)
    assert index.count(PAGE) == QUICK.attempts


def test_retry_after_is_heeded_but_not_for_ever(index: LoopbackIndex, client: IndexClient) -> None:
    index.fail(PAGE, 429, times=1, retry_after="100000")
    started = time.monotonic()
    assert client.page(DEMO).versions
    assert QUICK.pause_limit_seconds <= time.monotonic() - started < 2


def test_cut_dropped_and_stalled_answers_are_asked_for_again(index: LoopbackIndex, client: IndexClient) -> None:
    index.cut(PAGE, 20)
    index.drop(PAGE)
    assert client.page(DEMO).versions


def test_a_cut_compressed_page_is_asked_for_again(index: LoopbackIndex, client: IndexClient) -> None:
    index.compress = True
    index.misbehave(PAGE, _cut_without_saying, times=1)
    assert client.page(DEMO).versions
    assert index.count(PAGE) == 2


def _cut_without_saying(_request: Request, reply: Reply) -> Reply:
    reply.body = reply.body[:-10]
    return reply


def test_a_server_that_never_answers_is_given_up(index: LoopbackIndex, client: IndexClient) -> None:
    index.stall(PAGE)
    error = refused(client)
    assert error.code == "index-unreachable"
    assert "time" in " ".join(error.causes)


def test_a_page_that_drips_for_ever_is_given_up(index: LoopbackIndex, make_client: MakeClient) -> None:
    import dataclasses

    body = b'{"meta": {"api-version": "1.0"}, "files": [], "x": "' + b" " * 1_000_000
    index.answer(PAGE, body)
    index.trickle(PAGE, 0.05)
    patience = dataclasses.replace(QUICK, page_seconds=0.2, attempts=1)
    assert refused(make_client(patience=patience)).code == "index-unreachable"


def test_nobody_listening_is_unreachable(make_client: MakeClient) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = refused(make_client(f"http://127.0.0.1:{port}/simple/"))
    assert error.code == "index-unreachable"
    assert refused(make_client("http://nowhere.invalid/simple/")).code == "index-unreachable"


def test_what_does_not_speak_http_is_unreachable(make_client: MakeClient) -> None:
    import socketserver

    class Rude(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            self.request.recv(1000)
            self.request.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        error = refused(make_client(f"http://127.0.0.1:{server.server_address[1]}/simple/"))
        server.shutdown()
    assert error.code == "index-unreachable"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_ends_the_search_at_once(index: LoopbackIndex, client: IndexClient, status: int) -> None:
    index.fail(PAGE, status)
    assert refused(client).code == "index-forbidden"
    assert index.count(PAGE) == 1


def test_another_status_is_an_error(index: LoopbackIndex, client: IndexClient) -> None:
    index.fail(PAGE, 418)
    error = refused(client)
    assert error.code == "index-status"
    assert "418" in str(error)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://h/x", "https://[x", ""])
def test_a_redirect_never_leads_off_the_web(index: LoopbackIndex, client: IndexClient, to: str) -> None:
    index.redirect(PAGE, to)
    assert refused(client).code == "bad-redirect"


def test_a_redirect_in_circles_is_refused(index: LoopbackIndex, client: IndexClient) -> None:
    index.redirect(PAGE, f"{index.url}demo/")
    assert refused(client).code == "bad-redirect"


def test_a_connection_is_used_again(index: LoopbackIndex, client: IndexClient) -> None:
    for number in range(5):
        index.add(*build_wheel(f"p{number}"))
    ports = set()
    index.misbehave(PAGE, lambda _q, r: r)
    for number in range(5):
        client.page(NormalizedName(f"p{number}"))
    ports = {request.headers["x-client-port"] for request in index.requests}
    assert len(ports) == 1


def test_an_idle_connection_that_the_server_closed_costs_no_attempt(
    index: LoopbackIndex, make_client: MakeClient
) -> None:
    import dataclasses

    index.add(*build_wheel("other"))
    client = make_client(patience=dataclasses.replace(QUICK, attempts=1))
    index.misbehave(PAGE, _close_afterwards)
    client.page(DEMO)
    time.sleep(0.05)
    assert client.page(NormalizedName("other")).versions


def _close_afterwards(_request: Request, reply: Reply) -> Reply:
    reply.close = True
    return reply


def test_a_closed_client_answers_no_more(client: IndexClient) -> None:
    client.close()
    with pytest.raises(ClosedError):
        client.page(DEMO)


# ── the cache ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_page_is_not_asked_for_again(index: LoopbackIndex, make_client: MakeClient) -> None:
    first = make_client().page(DEMO)
    index.forget_requests()
    second = make_client().page(DEMO)
    assert index.requests == []
    assert second.artifacts(Version("1.0")) == first.artifacts(Version("1.0"))


def test_a_stale_page_is_asked_about_and_not_sent_again(index: LoopbackIndex, make_client: MakeClient) -> None:
    index.max_age = 0
    make_client().page(DEMO)
    index.forget_requests()
    statuses: list[int] = []

    def note(_request: Request, reply: Reply) -> Reply:
        statuses.append(reply.status)
        return reply

    index.misbehave(PAGE, note)
    assert make_client().page(DEMO).versions
    assert make_client().page(DEMO).versions
    assert statuses == [304, 304]


def test_a_confirmed_page_is_fresh_again(index: LoopbackIndex, make_client: MakeClient) -> None:
    index.max_age = 0
    make_client().page(DEMO)
    index.max_age = 100
    make_client().page(DEMO)
    index.forget_requests()
    make_client().page(DEMO)
    assert index.requests == []


def test_a_page_is_confirmed_by_its_date_where_there_is_no_etag(index: LoopbackIndex, make_client: MakeClient) -> None:
    index.etag, index.max_age = False, 0
    date = "Mon, 01 Jan 2024 00:00:00 GMT"

    def dated(request: Request, reply: Reply) -> Reply:
        if request.headers.get("if-modified-since") == date:
            return Reply(304)
        reply.headers["Last-Modified"] = date
        return reply

    index.misbehave(PAGE, dated)
    for _ in range(3):
        assert make_client().page(DEMO).versions
    assert [request.headers.get("if-modified-since") for request in index.requests] == [None, date, date]


def test_refresh_asks_though_the_page_is_fresh(index: LoopbackIndex, make_client: MakeClient) -> None:
    make_client().page(DEMO)
    index.add(*build_wheel("demo", "2.0"))
    assert Version("2.0") not in make_client().page(DEMO).versions
    assert Version("2.0") in make_client(refresh=True).page(DEMO).versions


def test_a_page_that_was_believed_unasked_is_asked_for_once_when_it_is_renewed(
    index: LoopbackIndex, make_client: MakeClient
) -> None:
    make_client().page(DEMO)
    client = make_client()
    index.add(*build_wheel("demo", "2.0"))
    assert Version("2.0") not in client.page(DEMO).versions
    assert client.unasked == {DEMO}
    index.forget_requests()
    assert client.renew(DEMO)
    assert not client.renew(DEMO)
    assert Version("2.0") in client.page(DEMO).versions
    assert index.paths() == [PAGE]


@pytest.mark.parametrize("has_etag", [True, False])
def test_a_page_that_says_the_same_when_it_is_renewed_is_no_other(
    index: LoopbackIndex, make_client: MakeClient, has_etag: bool
) -> None:
    index.etag = has_etag
    make_client().page(DEMO)
    client = make_client()
    client.page(DEMO)
    index.forget_requests()
    assert not client.renew(DEMO)
    assert index.paths() == [PAGE]


def test_a_page_that_is_gone_by_now_is_another_and_one_that_cannot_be_had_is_not(
    index: LoopbackIndex, make_client: MakeClient
) -> None:
    make_client().page(DEMO)
    gone, unheard = make_client(), make_client()
    for client in (gone, unheard):
        client.page(DEMO)
    index.answer(PAGE, b"", status=404)
    assert gone.renew(DEMO)
    index.answer(PAGE, b"", status=418)
    assert not unheard.renew(DEMO)


def test_there_is_nothing_to_renew_of_what_was_just_asked_for_or_is_all_there_is(make_client: MakeClient) -> None:
    asked, offline = make_client(), make_client(offline=True)
    asked.page(DEMO)
    asked.page(DEMO)
    offline.page(DEMO)
    assert not asked.renew(DEMO)
    assert not offline.renew(DEMO)


def test_a_page_is_stale_when_the_clock_went_back(
    index: LoopbackIndex, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_client().page(DEMO)
    index.forget_requests()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    make_client().page(DEMO)
    assert index.count(PAGE) == 1


def test_offline_any_cached_page_serves_and_a_missing_one_is_named(
    index: LoopbackIndex, make_client: MakeClient
) -> None:
    index.max_age = 0
    make_client().page(DEMO)
    index.forget_requests()
    offline = make_client(offline=True)
    assert offline.page(DEMO).versions
    error = refused(offline, "absent")
    assert error.code == "offline"
    assert "absent" in str(error)
    assert "loop" in str(error)
    assert index.requests == []


def cache_files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: data + b"x",
        lambda data: data.replace(b"demo-1.0", b"demo-6.6"),
        lambda _: b"null\n",
        lambda _: b"[]\n",
        lambda _: b"{}\n",
        lambda _: b"\xff",
        lambda data: data.replace(b'"fetched_at":', b'"fetched_at":"x",'),
        lambda data: data.replace(b'"format":1', b'"format":2'),
        lambda data: data.replace(b'"status":["active",""]', b'"status":3'),
        lambda data: data.replace(b'"name":"demo"', b'"name":"other"'),
        lambda data: data.replace(b'"versions":["1.0"]', b'"versions":["1.0","2.0"]'),
        lambda data: data.replace(b"http://127", b"http://128"),
    ],
)
def test_a_damaged_cache_file_is_an_absent_one(
    index: LoopbackIndex, make_client: MakeClient, tmp_path: Path, damage: object
) -> None:
    expected = make_client().page(DEMO).artifacts(Version("1.0"))
    (path,) = cache_files(tmp_path)
    damaged = damage(path.read_bytes())  # type: ignore[operator]
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)
    index.forget_requests()
    assert make_client().page(DEMO).artifacts(Version("1.0")) == expected
    assert index.count(PAGE) == 1


def test_a_cache_that_cannot_be_written_is_done_without(make_client: MakeClient, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a directory")
    assert make_client().page(DEMO).versions


def test_two_indexes_do_not_share_pages(make_client: MakeClient) -> None:
    make_client().page(DEMO)
    with LoopbackIndex() as other:
        other.add(*build_wheel("demo", "9.0"))
        assert make_client(other.url).page(DEMO).versions == (Version("9.0"),)
    assert make_client().page(DEMO).versions == (Version("1.0"),)


def test_a_name_as_long_as_names_get_can_be_cached(index: LoopbackIndex, make_client: MakeClient) -> None:
    name = "a" * 230
    index.add(*build_wheel(name))
    make_client().page(NormalizedName(name))
    index.forget_requests()
    assert make_client().page(NormalizedName(name)).versions
    assert index.requests == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 600),
        ("public", 600),
        ("max-age=60, public", 60),
        ('public,MAX-AGE="5"', 5),
        ("s-max-age=5", 600),
        ("max-age=999999999", 24 * 3600),
        ("no-cache, max-age=60", 0),
        ("no-store", 0),
        ("max-age=abc", 600),
    ],
)
def test_cache_control_is_read(header: str, seconds: int) -> None:
    from pyvstore.index.cache import max_age_seconds

    assert max_age_seconds(header) == seconds


def test_many_processes_worth_of_clients_share_one_cache(make_client: MakeClient) -> None:
    clients = [make_client(refresh=True) for _ in range(8)]
    results: list[object] = []

    def work(one: IndexClient) -> None:
        results.extend(one.page(DEMO).versions for _ in range(5))

    threads = [threading.Thread(target=work, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(Version("1.0"),)] * 40


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_credentials_of_the_url_are_sent_and_never_told(
    index: LoopbackIndex, make_client: MakeClient, tmp_path: Path, listener: Listener
) -> None:
    index.credentials = ("me@work", "s3cret:pw")
    assert refused(make_client()).code == "index-forbidden"
    client = make_client(index.url_with_credentials)
    page = client.page(DEMO)
    assert "s3cret" not in repr(page.artifacts(Version("1.0")))
    index.fail(PAGE, 503)
    error = refused(make_client(index.url_with_credentials, refresh=True))
    for text in (repr(vars(error)), str(error), repr(listener.events)):
        assert "s3cret" not in text
    for path in cache_files(tmp_path):
        assert "s3cret" not in str(path)
        assert b"s3cret" not in path.read_bytes()


def test_a_redirect_to_another_origin_takes_no_credentials_along(make_client: MakeClient, index: LoopbackIndex) -> None:
    index.credentials = ("user", "secret")
    with LoopbackIndex() as other:
        other.add(*build_wheel("demo", "3.0"))
        index.redirect(PAGE, other.url.replace("//", "//stolen:pw@") + "demo/")
        assert make_client(index.url_with_credentials).page(DEMO).versions == (Version("3.0"),)
        (request,) = other.requests
        assert "authorization" not in request.headers
    assert "authorization" in index.requests[0].headers


def test_a_netrc_serves_exactly_its_host(
    index: LoopbackIndex, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.credentials = ("user", "secret")
    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    netrc.write_text("machine 127.0.0.1.evil.example login user password secret\ndefault login user password secret\n")
    netrc.chmod(0o600)
    assert refused(make_client()).code == "index-forbidden"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    assert make_client().page(DEMO).versions


def test_the_netrc_in_the_home_directory_is_read(index: LoopbackIndex, make_client: MakeClient, tmp_path: Path) -> None:
    index.credentials = ("user", "secret")
    netrc = tmp_path / "home" / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(0o600)
    assert make_client().page(DEMO).versions


def test_an_unreadable_netrc_is_told_and_ignored(
    make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("password s3cret nonsense")
    monkeypatch.setenv("NETRC", str(netrc))
    assert make_client().page(DEMO).versions
    (event,) = listener.events
    assert "netrc" in repr(event)
    assert "s3cret" not in repr(event)


# ── file: indexes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def local_index(tmp_path: Path) -> Path:
    root = tmp_path / "local index"
    (root / "demo").mkdir(parents=True)
    filename, content = build_wheel("demo", "1.0")
    (root / filename).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (root / "demo" / "index.html").write_text(f'<a href="../{filename}#sha256={digest}">x</a>')
    return root


def test_an_index_in_a_directory_works_offline_too(local_index: Path, make_client: MakeClient) -> None:
    for offline in (False, True):
        client = make_client(local_index.as_uri(), offline=offline)
        (artifact,) = client.page(DEMO).artifacts(Version("1.0"))
        assert artifact.url.startswith("file:///")
        assert refused(client, "absent").code == "no-such-project"


def test_a_page_in_a_directory_may_be_unreadable(
    local_index: Path, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(local_index.as_uri())
    page = local_index / "demo" / "index.html"
    page.write_text("nothing")
    assert refused(client).code == "index-page"
    monkeypatch.setattr(client_module, "PAGE_BYTES_LIMIT", 3)
    assert refused(client).code == "index-page"
    page.unlink()
    page.mkdir()
    assert refused(client).code == "index-forbidden"


def test_a_client_can_be_a_context(index: LoopbackIndex, tmp_path: Path) -> None:
    with IndexClient(IndexSpec(url=index.url, name="loop"), str(tmp_path / "cache")) as client:
        assert client.page(DEMO).versions
