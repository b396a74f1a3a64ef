"""Indexes that answer badly, seen from the command line: a coded error with a hint, or success after trying again."""

import gzip
import json
from collections.abc import Callable, Sequence

import pytest

from tests.integration.refusals import Run, project_of, refused_by_all
from tests.support.loopback import HTML_TYPE, JSON_TYPE, LoopbackIndex, Reply
from tests.support.world import Outcome, World

pytestmark = pytest.mark.usefixtures("impatient")

GAMMA = "gamma-3.0-py3-none-any.whl"
PAGE = "/simple/gamma/"
METADATA = f"{GAMMA}.metadata"
Fault = Callable[[LoopbackIndex], object]


def answer(path: str, status: int = 200, body: bytes = b"", **headers: str) -> Fault:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda index: index.misbehave(path, lambda _q, _r: Reply(status, dict(named), body))


def page(value: object, content_type: str = JSON_TYPE) -> Fault:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return answer(PAGE, 200, body, content_type=content_type)


def call(method: str, path: str, *arguments: object, **more: object) -> Fault:
    return lambda index: getattr(index, method)(path, *arguments, **more)


def both(*faults: Fault) -> Fault:
    return lambda index: [fault(index) for fault in faults]


def statuses(path: str) -> dict[str, tuple[Fault, str]]:
    """What holds of every URL alike."""
    again = (429, 500, 502, 503, 504)
    odd = (203, 204, 206, 300, 304, 400, 451, 501, 599)
    return {
        **{f"{status} of {path}": (answer(path, status), "index-forbidden") for status in (401, 403, 407)},
        **{f"{status} of {path}": (answer(path, status, retry_after="0"), "index-status") for status in again},
        **{f"{status} of {path}": (answer(path, status), "index-status") for status in odd},
        f"429 of {path} that asks for a year": (answer(path, 429, retry_after="31536000"), "index-status"),
        f"503 of {path} that asks for a date": (
            answer(path, 503, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"),
            "index-status",
        ),
        f"redirect of {path} in circles": (call("redirect", path, path), "bad-redirect"),
        f"redirect of {path} to a file": (call("redirect", path, "file:///etc/passwd"), "bad-redirect"),
        f"redirect of {path} to a script": (call("redirect", path, "javascript:alert(1)"), "bad-redirect"),
        f"redirect of {path} to data": (call("redirect", path, "data:text/html,x"), "bad-redirect"),
        f"redirect of {path} to ssh": (call("redirect", path, "ssh://h/x"), "bad-redirect"),
        f"redirect of {path} to nowhere": (answer(path, 302), "bad-redirect"),
        f"redirect of {path} to a port that cannot be": (call("redirect", path, "http://h:99999/"), "bad-redirect"),
        f"redirect of {path} to half an address": (call("redirect", path, "http://[::1/"), "bad-redirect"),
        f"redirect of {path} to where nobody is": (call("redirect", path, "http://127.0.0.1:1/x"), "index-unreachable"),
        f"{path} dropped": (call("drop", path, times=99), "index-unreachable"),
        f"{path} cut": (call("cut", path, 10, times=99), "index-unreachable"),
        f"{path} reset": (call("reset", path, 10, times=99), "index-unreachable"),
        f"{path} in no protocol": (call("say", path, b"SSH-2.0-OpenSSH_9.6\r\n"), "index-unreachable"),
        f"{path} as HTTP/0.9": (call("say", path, b"<html></html>"), "index-unreachable"),
        f"{path} with a status that is none": (call("say", path, b"HTTP/1.1 OK\r\n\r\n"), "index-unreachable"),
        f"{path} with two lengths": (
            call("say", path, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            "index-unreachable",
        ),
        f"{path} with a length of five thousand digits": (
            call("say", path, b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx"),
            "index-unreachable",
        ),
        f"{path} with a negative length": (
            call("say", path, b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx"),
            "index-unreachable",
        ),
        f"{path} with chunks that are none": (
            call("say", path, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "index-unreachable",
        ),
        f"{path} with headers without end": (
            call("say", path, b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000),
            "index-unreachable",
        ),
    }


BAD_PAGES: dict[str, tuple[Fault, str]] = {
    **statuses(PAGE),
    "404": (answer(PAGE, 404), "no-such-project"),
    "410": (answer(PAGE, 410), "no-such-project"),
    # ── labels ───────────────────────────────────────────────────────────────────────────────────────────────
    "no type": (call("label", PAGE, content_type=None), "index-page"),
    "an empty type": (call("label", PAGE, content_type=""), "index-page"),
    "another type": (call("label", PAGE, content_type="application/pdf"), "index-page"),
    "version 2": (call("label", PAGE, content_type="application/vnd.pypi.simple.v2+json"), "index-page"),
    "JSON that says HTML": (call("label", PAGE, content_type=HTML_TYPE), "index-page"),
    "HTML that says JSON": (page(b"<!DOCTYPE html><html></html>"), "index-page"),
    "a type with an escape": (call("label", PAGE, content_type="\x1b[31mtext"), "index-page"),
    # ── encodings ────────────────────────────────────────────────────────────────────────────────────────────
    "brotli": (call("label", PAGE, content_encoding="br"), "index-page"),
    "two encodings": (call("label", PAGE, content_encoding="gzip, gzip"), "index-page"),
    "plain that says gzip": (call("label", PAGE, content_encoding="gzip"), "index-page"),
    "half of gzip": (
        answer(PAGE, 200, gzip.compress(b"{}" * 999)[:-9], content_type=JSON_TYPE, content_encoding="gzip"),
        "index-unreachable",
    ),
    # ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────
    "nothing": (page(b""), "index-page"),
    "null": (page(None), "index-page"),
    "a list": (page([]), "index-page"),
    "no files": (page({"meta": {"api-version": "1.0"}}), "index-page"),
    "files that are a table": (page({"files": {}}), "index-page"),
    "files that are numbers": (page({"files": [1]}), "index-page"),
    "a size that is a text": (
        page({"files": [{"filename": GAMMA, "url": "x", "hashes": {}, "size": "1"}]}),
        "index-page",
    ),
    "a size without end": (
        page(b'{"files": [{"filename": "g", "url": "x", "hashes": {}, "size": Infinity}]}'),
        "index-page",
    ),
    "a number of five thousand digits": (page(b'{"files": [], "x": ' + b"9" * 5000 + b"}"), "index-page"),
    "brackets without end": (page(b"[" * 200_000), "index-page"),
    "version 2 of the API": (page({"meta": {"api-version": "2.0"}, "files": []}), "index-page"),
    "UTF-16": (page('{"files": 1}'.encode("utf-16")), "index-page"),
    "a hash that is a number": (
        page({"files": [{"filename": GAMMA, "url": "x", "hashes": {"sha256": 1}}]}),
        "index-page",
    ),
}


def hinted(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        assert "\nhint: " in outcome.err, outcome.err


@pytest.mark.parametrize("what", BAD_PAGES)
def test_a_page_that_is_bad_is_refused_with_a_hint_and_changes_nothing(
    world: World, inside: Run, index: LoopbackIndex, what: str
) -> None:
    fault, code = BAD_PAGES[what]
    project_of(world)
    fault(index)
    hinted(list(refused_by_all(world, inside, [("lock",), ("sync",), ("add", "beta")], code)))
    index.behave()
    done = inside("sync")
    assert done.status == 0, done.err


BAD_FILES: dict[str, tuple[Fault, str]] = {
    **statuses(GAMMA),
    "404": (answer(GAMMA, 404), "no-such-file"),
    "410": (answer(GAMMA, 410), "no-such-file"),
    "another file": (call("corrupt", GAMMA), "hash-mismatch"),
    "a page of HTML": (answer(GAMMA, 200, b"<html>log in</html>", content_type=HTML_TYPE), "hash-mismatch"),
    "nothing": (answer(GAMMA, 200), "hash-mismatch"),
    "more than was promised": (call("endless", GAMMA), "hash-mismatch"),
    "compressed": (
        answer(GAMMA, 200, gzip.compress(b"x" * 999), content_encoding="gzip"),
        "index-unreachable",
    ),
    "a part that nobody asked for": (answer(GAMMA, 206, b"x", content_range="bytes 0-0/1"), "index-status"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_file_that_is_bad_is_refused_with_a_hint_and_nothing_is_kept(
    world: World, inside: Run, index: LoopbackIndex, what: str
) -> None:
    fault, code = BAD_FILES[what]
    project_of(world)
    assert inside("lock").status == 0
    fault(index)
    hinted(list(refused_by_all(world, inside, [("sync",), ("add", "gamma")], code)))
    index.behave()
    done = inside("sync")
    assert done.status == 0, done.err
