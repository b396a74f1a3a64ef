"""TLS, proxies, the pool, and the ending of what hangs."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.utils import NormalizedName

from pyvstore.errors import FetchError
from pyvstore.index.connections import ConnectionLostError, Connections, system_trust
from pyvstore.index.patience import Patience
from tests.support.loopback import LoopbackIndex, Reply, Request
from tests.support.wheels import build_wheel
from tests.unit.index.conftest import QUICK, MakeClient

DEMO = NormalizedName("demo")
PAGE = "/simple/demo/"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    directory = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "3", "-subj", "/CN=loopback"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return str(certificate), str(key)


@pytest.fixture
def secure(certificate: tuple[str, str]) -> Iterator[LoopbackIndex]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with LoopbackIndex(tls=context) as server:
        server.add(*build_wheel("demo", files={"demo.bin": os.urandom(300_000)}))
        yield server


def refused(make_client: MakeClient, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        make_client(url).page(DEMO)
    return caught.value


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    secure: LoopbackIndex, make_client: MakeClient
) -> None:
    started = time.monotonic()
    error = refused(make_client, secure.url)
    assert error.code == "untrusted-server"
    assert "SSL_CERT_FILE" in str(error.hint)
    assert secure.requests == []
    assert time.monotonic() - started < 2


def test_an_authority_that_the_user_names_is_trusted(
    secure: LoopbackIndex,
    make_client: MakeClient,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    client = make_client(secure.url)
    page = client.page(DEMO)
    (artifact,) = page.artifacts(page.versions[0])
    download = client.download(artifact, str(tmp_path))
    assert download.size_bytes == artifact.size_bytes
    assert len({request.headers["x-client-port"] for request in secure.requests}) == 1


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_redirect_never_leads_from_https_to_http(
    scheme: str,
    secure: LoopbackIndex,
    index: LoopbackIndex,
    make_client: MakeClient,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    secure.redirect(PAGE, f"{index.url}demo/")
    assert refused(make_client, secure.url.replace("https", scheme)).code == "bad-redirect"
    assert index.requests == []


def test_a_stalled_secure_download_is_ended_by_its_deadline(
    secure: LoopbackIndex,
    make_client: MakeClient,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    client = make_client(secure.url, patience=dataclasses.replace(QUICK, download_seconds=0.3))
    page = client.page(DEMO)
    (artifact,) = page.artifacts(page.versions[0])
    secure.trickle(artifact.filename, 0.1)
    with pytest.raises(FetchError) as caught:
        client.download(artifact, str(tmp_path))
    assert caught.value.code == "index-unreachable"


@pytest.mark.parametrize(
    ("platform", "has_file", "module"),
    [
        ("linux", True, "ssl"),
        ("linux", False, "truststore"),
        ("darwin", True, "truststore"),
        ("win32", True, "truststore"),
    ],
)
def test_the_system_is_trusted_where_the_user_names_nothing(
    platform: str, has_file: bool, module: str, monkeypatch: pytest.MonkeyPatch, certificate: tuple[str, str]
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    usual = SimpleNamespace(cafile=certificate[0] if has_file else None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: usual)
    monkeypatch.setattr(sys, "platform", platform)
    assert type(system_trust()).__module__.partition(".")[0] == module


def test_without_the_systems_help_openssl_decides_whom_to_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "truststore", None)
    assert type(system_trust()) is ssl.SSLContext


def test_whom_the_user_names_is_trusted_on_every_platform(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    context = system_trust()
    assert type(context) is ssl.SSLContext
    assert context.cert_store_stats()["x509"] == 1


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no name but an address have one, so that going directly to a host that is not there fails at once."""
    ask = socket.getaddrinfo

    def answer(host: object, *rest: object, **options: object) -> object:
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return ask(host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


HTTP = "http://index.example/simple/demo/"
HTTPS = "https://index.example/simple/demo/"


@pytest.mark.usefixtures("no_names")
@pytest.mark.parametrize(
    ("environment", "url", "goes_through"),
    [
        ({}, HTTP, False),
        ({"http_proxy": "http://PROXY"}, HTTP, True),
        ({"http_proxy": "http://PROXY"}, HTTPS, False),
        ({"HTTPS_PROXY": "PROXY"}, HTTPS, True),
        ({"ALL_PROXY": "http://PROXY"}, HTTPS, True),
        ({"all_proxy": "http://PROXY"}, HTTP, True),
        ({"https_proxy": "http://PROXY", "no_proxy": "other.example,.example"}, HTTPS, False),
        ({"http_proxy": "http://PROXY", "no_proxy": "index.example"}, HTTP, False),
        ({"http_proxy": "http://PROXY", "NO_PROXY": "other.example"}, HTTP, True),
        ({"https_proxy": "http://PROXY", "no_proxy": "*"}, HTTPS, False),
        ({"https_proxy": "http://PROXY", "no_proxy": "index.example:444"}, HTTPS, True),
        ({"https_proxy": ""}, HTTPS, False),
    ],
)
def test_the_environment_names_the_proxy(
    environment: dict[str, str], url: str, goes_through: bool, index: LoopbackIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environment.items():
        monkeypatch.setenv(key, value.replace("PROXY", f"127.0.0.1:{index.port}"))
    connections = Connections(QUICK)
    if goes_through and url == HTTP:
        assert connections.send(url, {}).status == 404
    else:
        with pytest.raises(ConnectionLostError):
            connections.send(url, {})
    connections.close()
    host = "index.example:443" if url == HTTPS else "index.example"
    assert [request.headers["x-proxied-for"] for request in index.requests] == [host] * goes_through


@pytest.fixture
def proxied(index: LoopbackIndex, monkeypatch: pytest.MonkeyPatch) -> LoopbackIndex:
    monkeypatch.setenv("http_proxy", index.root.replace("//", "//me:pr0xy@"))
    index.add(*build_wheel("demo", files={"demo.bin": bytes(300_000)}), url="http://index.example/files/demo.whl")
    return index


def test_pages_and_files_come_through_a_proxy(proxied: LoopbackIndex, make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client("http://index.example/simple/")
    page = client.page(DEMO)
    (artifact,) = page.artifacts(page.versions[0])
    filename, content = build_wheel("demo", files={"demo.bin": bytes(300_000)})
    assert artifact.filename == filename
    proxied.add("demo.whl", content, core_metadata=False)
    download = client.download(artifact, str(tmp_path))
    assert Path(download.path).read_bytes() == content
    assert {request.headers["x-proxied-for"] for request in proxied.requests} == {"index.example"}
    assert proxied.requests[0].headers["proxy-authorization"].startswith("Basic ")


def test_a_cut_through_a_proxy_is_tried_again(proxied: LoopbackIndex, make_client: MakeClient) -> None:
    proxied.cut(PAGE, 10)
    proxied.drop(PAGE)
    assert make_client("http://index.example/simple/").page(DEMO).versions


def test_a_proxy_that_is_not_there_or_refuses_is_unreachable_or_forbidden(
    proxied: LoopbackIndex, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied.fail(PAGE, 407)
    assert refused(make_client, "http://index.example/simple/").code == "index-forbidden"
    proxied.behave()
    proxied.stall(PAGE)
    assert refused(make_client, "http://index.example/simple/").code == "index-unreachable"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert refused(make_client, "http://index.example/simple/").code == "index-unreachable"
    for nonsense in ("gopher://proxy.example", "http://[::1", "socks5://127.0.0.1:1"):
        monkeypatch.setenv("http_proxy", nonsense)
        assert refused(make_client, "http://index.example/simple/").code == "index-unreachable"


def test_a_server_that_is_not_there_is_told_in_words(make_client: MakeClient) -> None:
    assert refused(make_client, "http://127.0.0.1:1/simple/").causes == ("Connection refused",)


def test_a_tunnel_is_refused_by_what_is_no_proxy(
    index: LoopbackIndex, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", index.root)
    assert refused(make_client, "https://index.example/simple/").code == "index-unreachable"


def test_an_untrusted_server_behind_a_proxy_is_untrusted(
    secure: LoopbackIndex, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", secure.root)
    assert refused(make_client, "http://index.example/simple/").code == "untrusted-server"


# ── the pool ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def connections() -> Iterator[Connections]:
    made = Connections(QUICK)
    yield made
    made.close()


def ports(index: LoopbackIndex) -> list[str]:
    return [request.headers["x-client-port"] for request in index.requests]


def test_threads_share_connections(index: LoopbackIndex, connections: Connections) -> None:
    index.add(*build_wheel("demo"))
    index.slow(PAGE, 0.02)

    def ask(_number: int) -> int:
        with connections.send(f"{index.url}demo/", {}) as reply:
            return len(b"".join(reply.chunks()))

    with ThreadPoolExecutor(4) as pool:
        sizes = set(pool.map(ask, range(24)))
    assert len(sizes) == 1
    assert 1 <= len(set(ports(index))) <= 4


def test_a_body_that_was_left_unread_is_not_mixed_up_with_the_next_answer(
    index: LoopbackIndex, connections: Connections
) -> None:
    index.add("long.bin", bytes(3_000_000))
    index.add(*build_wheel("demo"))
    with connections.send(f"{index.root}/files/long.bin", {}) as reply:
        assert next(reply.chunks(1000)) == bytes(1000)
    with connections.send(f"{index.url}demo/", {}) as reply:
        assert b"".join(reply.chunks()).startswith(b"<!DOCTYPE html>")
    assert len(set(ports(index))) == 2


def test_a_body_comes_in_the_chunks_that_were_asked_for(index: LoopbackIndex, connections: Connections) -> None:
    index.add("some.bin", bytes(1000))
    with connections.send(f"{index.root}/files/some.bin", {}) as reply:
        assert [len(chunk) for chunk in reply.chunks(400)] == [400, 400, 200]


def test_a_body_is_what_was_sent_and_not_what_it_decodes_to(index: LoopbackIndex, connections: Connections) -> None:
    index.compress = True
    index.add(*build_wheel("demo"))
    with connections.send(f"{index.url}demo/", {"Accept-Encoding": "gzip"}) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        assert b"".join(reply.chunks()).startswith(b"\x1f\x8b")


def test_what_goes_on_the_wire_is_ascii_without_spaces(index: LoopbackIndex, connections: Connections) -> None:
    for path in ("/a b/%20é?q=ä ", ""):
        connections.send(f"{index.root}{path}", {}).close()
    assert [request.path for request in index.requests] == ["/a b/ é", "/"]


def test_a_password_of_the_users_netrc_or_a_cookie_is_never_sent(
    index: LoopbackIndex, connections: Connections, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    def bake(_request: Request, reply: Reply) -> Reply:
        reply.headers["Set-Cookie"] = "a=b; Path=/"
        return reply

    index.misbehave("/", bake)
    for _ in range(2):
        connections.send(index.root, {}).close()
    assert len(index.requests) == 2
    assert not {"authorization", "cookie"} & {key for request in index.requests for key in request.headers}


def test_a_url_that_httpx_does_not_take_is_a_lost_connection(connections: Connections) -> None:
    with pytest.raises(ConnectionLostError):
        connections.send("http://index.example/" + "a" * 70_000, {})


# ── ending what hangs ───────────────────────────────────────────────────────────────────────────────────────────


def hanging(end: Callable[[], None], chunks: Iterator[bytes]) -> float:
    """Read until the body hangs, call ``end`` from another thread, and return how long the reader then took."""
    list(itertools.islice(chunks, 1))
    timer = threading.Timer(0.1, end)
    timer.start()
    started = time.monotonic()
    with pytest.raises(ConnectionLostError):
        list(chunks)
    timer.join()
    return time.monotonic() - started


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("way", ["abort", "close"])
def test_a_read_that_hangs_is_ended_from_another_thread(
    index: LoopbackIndex,
    secure: LoopbackIndex,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    way: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    server = index if scheme == "http" else secure
    server.add("long.bin", bytes(100_000))
    server.stall("long.bin", 50_000)
    connections = Connections(dataclasses.replace(QUICK, stall_seconds=20))
    with connections.send(f"{server.root}/files/long.bin", {}) as reply:
        assert hanging(reply.abort if way == "abort" else connections.close, reply.chunks(10_000)) < 5
    connections.close()


def test_what_is_asked_after_the_end_is_lost(index: LoopbackIndex, connections: Connections) -> None:
    connections.send(index.root, {}).close()
    connections.close()
    with pytest.raises(ConnectionLostError):
        connections.send(index.root, {})


# ── what is imported ────────────────────────────────────────────────────────────────────────────────────────────


def test_httpx_is_imported_only_when_something_is_sent(index: LoopbackIndex, tmp_path: Path) -> None:
    wheel = build_wheel("demo")
    index.max_age = 600
    index.add(*wheel)
    local = tmp_path / "simple" / "demo"
    local.mkdir(parents=True)
    (local / wheel[0]).write_bytes(wheel[1])
    (local / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel[0]}">{wheel[0]}</a>')
    script = (
        "import sys\n"
        "from pyvstore.index.client import IndexClient\n"
        "from pyvstore.index.spec import IndexSpec\n"
        "spec = IndexSpec(url=sys.argv[1], name='x')\n"
        "with IndexClient(spec, sys.argv[2], offline=sys.argv[3] == 'offline') as client:\n"
        "    page = client.page('demo')\n"
        "    (artifact,) = page.artifacts(page.versions[0])\n"
        "    assert b'Name: demo' in client.metadata(artifact)\n"
        "    if sys.argv[1].startswith('file:'):\n"
        "        assert client.download(artifact, sys.argv[2]).size_bytes\n"
        "print(sorted({'httpx', 'httpcore', 'truststore', 'ssl'} & set(sys.modules)))\n"
    )
    seen = []
    cache = str(tmp_path / "cache")
    for url, mode in (
        (index.url, "online"),
        (index.url, "online"),
        (index.url, "offline"),
        (local.parent.as_uri(), "-"),
    ):
        command = [sys.executable, "-c", script, url, cache, mode]
        seen.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    assert "httpx" in seen[0]
    assert seen[1:3] == ["[]", "[]"]
    assert "httpx" not in seen[3]


# ── patience ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pauses_grow_and_have_an_end() -> None:
    patience = Patience(backoff_seconds=1, pause_limit_seconds=5)
    assert 1 <= patience.pause_before(2) <= 1.5
    assert 2 <= patience.pause_before(3) <= 3
    assert patience.pause_before(20) == 5
    assert patience.pause_before(2, "3") == 3
    assert patience.pause_before(2, "1000") == 5
    assert patience.pause_before(2, "Wed, 21 Oct 2015 07:28:00 GMT") <= 1.5
