"""TLS, proxies, and the two kinds of connections behind one face."""

from __future__ import annotations

import dataclasses
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from pyvstore.errors import FetchError
from pyvstore.index.direct import system_trust
from pyvstore.index.patience import Patience
from pyvstore.index.proxied import ProxiedConnections, proxy_for
from pyvstore.index.reply import ConnectionLostError
from pyvstore.index.urls import Origin
from tests.support.loopback import LoopbackIndex
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


def test_a_redirect_never_leads_from_https_to_http(
    secure: LoopbackIndex,
    index: LoopbackIndex,
    make_client: MakeClient,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    secure.redirect(PAGE, f"{index.url}demo/")
    assert refused(make_client, secure.url).code == "bad-redirect"
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


def test_the_system_is_trusted_where_the_user_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert type(system_trust()).__module__.startswith("truststore")
    monkeypatch.setitem(sys.modules, "truststore", None)
    assert type(system_trust()) is ssl.SSLContext


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────────────────────


HTTP = Origin("http", "index.example", 80)
HTTPS = Origin("https", "index.example", 443)


@pytest.mark.parametrize(
    ("environment", "where", "proxy"),
    [
        ({}, HTTP, None),
        ({"http_proxy": "http://proxy.example:3128"}, HTTP, "http://proxy.example:3128"),
        ({"http_proxy": "http://proxy.example:3128"}, HTTPS, None),
        ({"HTTPS_PROXY": "proxy.example:3128"}, HTTPS, "http://proxy.example:3128"),
        ({"ALL_PROXY": "http://proxy.example"}, HTTPS, "http://proxy.example"),
        ({"https_proxy": "http://proxy.example", "no_proxy": "other.example,.example"}, HTTPS, None),
        ({"https_proxy": "http://proxy.example", "no_proxy": "*"}, HTTPS, None),
        ({"https_proxy": "http://proxy.example", "no_proxy": "index.example:444"}, HTTPS, "http://proxy.example"),
        ({"https_proxy": ""}, HTTPS, None),
    ],
)
def test_the_environment_names_the_proxy(
    environment: dict[str, str], where: Origin, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert proxy_for(where) == proxy


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


def test_a_closed_way_through_a_proxy_says_so(proxied: LoopbackIndex) -> None:
    way = ProxiedConnections(proxied.root, system_trust, QUICK)
    with way.send("http://index.example/simple/demo/", {}) as reply:
        reply.abort()
        buffer = memoryview(bytearray(3))
        pieces = b""
        while count := reply.read_into(buffer):
            pieces += bytes(buffer[:count])
        assert pieces.startswith(b"<!DOCTYPE html>")
    way.close()
    with pytest.raises(ConnectionLostError):
        ProxiedConnections("nonsense://", system_trust, QUICK)


def test_httpx_is_not_needed_without_a_proxy(index: LoopbackIndex, tmp_path: Path) -> None:
    index.add(*build_wheel("demo"))
    script = (
        "import sys\n"
        "from pyvstore.index.client import IndexClient\n"
        "from pyvstore.index.spec import IndexSpec\n"
        "client = IndexClient(IndexSpec(url=sys.argv[1], name='x'), sys.argv[2], offline=sys.argv[3] == 'offline')\n"
        "assert client.page('demo').versions\n"
        "print(sorted({'httpx', 'truststore', 'http.client', 'ssl'} & set(sys.modules)))\n"
    )
    seen = []
    for mode in ("online", "offline"):
        command = [sys.executable, "-c", script, index.url, str(tmp_path / "cache"), mode]
        seen.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    assert "httpx" not in seen[0]
    assert seen[1] == "[]"


# ── patience ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pauses_grow_and_have_an_end() -> None:
    patience = Patience(backoff_seconds=1, pause_limit_seconds=5)
    assert 1 <= patience.pause_before(2) <= 1.5
    assert 2 <= patience.pause_before(3) <= 3
    assert patience.pause_before(20) == 5
    assert patience.pause_before(2, "3") == 3
    assert patience.pause_before(2, "1000") == 5
    assert patience.pause_before(2, "Wed, 21 Oct 2015 07:28:00 GMT") <= 1.5
