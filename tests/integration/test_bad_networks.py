"""Networks and servers that fail and come back, speak slowly, or ask for secrets, seen from the command line."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.refusals import Run, project_of, refused_by_all
from tests.support.loopback import HTML_TYPE, JSON_TYPE, LoopbackIndex, Reply, Request
from tests.support.wheels import build_wheel
from tests.support.world import Outcome, World, unseal

pytestmark = pytest.mark.usefixtures("impatient")

GAMMA = "gamma-3.0-py3-none-any.whl"
PAGE = "/simple/gamma/"
Fault = Callable[[LoopbackIndex], object]


def forget(world: World) -> None:
    unseal(world.place)
    shutil.rmtree(world.home, ignore_errors=True)
    shutil.rmtree(world.venv, ignore_errors=True)


# ── trouble that passes ─────────────────────────────────────────────────────────────────────────────────────────


def call(method: str, *paths: str, **more: Any) -> Fault:
    """Return what calls a method of the index for each path."""

    def fault(index: LoopbackIndex) -> None:
        for path in paths:
            getattr(index, method)(path, **more)

    return fault


def each(*faults: Fault) -> Fault:
    def fault(index: LoopbackIndex) -> None:
        for one in faults:
            one(index)

    return fault


def no_ranges(index: LoopbackIndex) -> None:
    index.ranges = False


def closing(_request: Request, reply: Reply) -> Reply:
    reply.close = True
    return reply


ALL = (PAGE, GAMMA, f"{GAMMA}.metadata")
PASSING: dict[str, Fault] = {
    "503 twice": call("fail", *ALL, status=503, times=2),
    "429 with a time": call("fail", *ALL, status=429, times=1, retry_after="7"),
    "dropped twice": call("drop", *ALL, times=2),
    "cut twice": call("cut", *ALL, after=10, times=2),
    "reset twice": call("reset", *ALL, after=10, times=2),
    "reset in its last byte": lambda index: index.reset(GAMMA, len(index.content(GAMMA)) - 1),
    "one of each": each(call("fail", *ALL, status=500, times=1), call("reset", *ALL, after=5)),
    "no ranges, and cut": each(no_ranges, call("cut", GAMMA, after=300, times=2)),
    "parts that lie, and cut": each(call("lie_in_content_range", GAMMA), call("cut", GAMMA, after=300)),
    "every connection is closed": call("misbehave", *ALL, fault=closing),
    "a type in capitals with parameters": call(
        "label", PAGE, content_type=f" {JSON_TYPE.upper()} ; charset=UTF-8; q=1"
    ),
    "another host serves the page": lambda index: index.redirect(PAGE, f"http://localhost:{index.port}/simple/GAMMA/"),
    "a relative redirect": call("redirect", PAGE, to="../Gamma/"),
    "a redirect without a scheme": lambda index: index.redirect(PAGE, f"//localhost:{index.port}/simple/Gamma/"),
    "five redirects": each(
        call("redirect", PAGE, to="/1/"),
        *(call("redirect", f"/{number}/", to=f"/{number + 1}/") for number in range(1, 5)),
        call("redirect", "/5/", to="/simple/Gamma/"),
    ),
}


@pytest.mark.parametrize("what", PASSING)
def test_trouble_that_passes_is_not_even_seen(world: World, inside: Run, index: LoopbackIndex, what: str) -> None:
    project_of(world)
    PASSING[what](index)
    done = inside("sync")
    assert done.status == 0, done.err
    assert "error" not in done.err
    assert (world.site / "gamma.py").exists()


@pytest.mark.parametrize("path", [PAGE, GAMMA, f"{GAMMA}.metadata"])
@pytest.mark.parametrize("after", [0, 10])
def test_a_server_that_falls_silent_is_given_up_and_found_again(
    world: World, inside: Run, index: LoopbackIndex, impatient: Callable[..., None], path: str, after: int
) -> None:
    project_of(world)
    impatient(attempts=2, stall_seconds=0.1)
    index.stall(path, after)
    for _ in refused_by_all(world, inside, [("sync",)], "index-unreachable"):
        pass
    index.behave()
    impatient()
    assert inside("sync").status == 0


@pytest.mark.parametrize("path", [PAGE, GAMMA])
def test_what_drips_for_ever_is_given_up(
    world: World, inside: Run, index: LoopbackIndex, impatient: Callable[..., None], path: str
) -> None:
    big = build_wheel("gamma", "3.0", files={"gamma.py": "", "gamma.bin": os.urandom(200_000)})
    index.add(*big)
    index.add(*build_wheel("gamma", "1.0", files={f"x{n}.py": "" for n in range(9)}))
    for number in range(300):
        index.add(*build_wheel("gamma", f"0.{number}", files={"gamma.py": ""}))
    project_of(world)
    impatient(attempts=2, page_seconds=0.1, download_seconds=0.1)
    index.trickle(path, 0.05)
    for outcome in refused_by_all(world, inside, [("sync",)], "index-unreachable"):
        assert "did not end in time" in outcome.err or "closed in the middle" in outcome.err


def test_a_server_that_dies_and_comes_back_is_found_again(world: World, inside: Run, index: LoopbackIndex) -> None:
    project_of(world)
    assert inside("lock").status == 0
    index.stop()
    for _ in refused_by_all(world, inside, [("sync",), ("lock", "--upgrade")], "index-unreachable"):
        pass
    index.start_again()
    assert inside("sync").status == 0


# ── pages that are odd and right, and pages whose files are not ────────────────────────────────────────────────

FILE = f"/files/{GAMMA}"
HTML_PAGES: dict[str, str] = {
    "a base": f'<base href="/files/"><a href="{GAMMA}#sha256=@">x</a>',
    "a base after a base": f'<base href="/files/"><base href="/none/"><a href={GAMMA}#sha256=@>x</a>',
    "no quotes": f"<a href={FILE}#sha256=@>x",
    "entities": '<a href="&#47;files/gamma&#x2d;3.0-py3-none-any.whl#sha256&equals;@">x</a>',
    "capitals": f'<A HREF="{FILE}#SHA256=@">x</A>',
    "percent": '<a href="/files/gamma%2D3.0-py3-none-any%2Ewhl#sha256=@">x</a>',
    "spaces": f'<a  href = " {FILE}#sha256=@\n" >x</a>',
    "a mark of order": f'\ufeff<!DOCTYPE html><a href="{FILE}#sha256=@">x</a>',
    "twice": f'<a href="{FILE}#sha256=@">x</a>' * 2,
    "beside links of all kinds": (
        f'<a>x</a><a href>x</a><a href="">x</a><a href="#">x</a><a href="javascript:alert(1)//{GAMMA}">x</a>'
        f'<a href="file:///etc/{GAMMA}">x</a><a href="data:,/{GAMMA}">x</a><a href="http://h:99999/{GAMMA}">x</a>'
        f'<a href="ssh://h/{GAMMA}">x</a><a href="http://[/{GAMMA}">x</a><a href="/..%2f..%2f{GAMMA}">x</a>'
        f'<a href="/%00{GAMMA}">x</a><a href="mailto:me@h">x</a><a href="{FILE}#sha256=@">x</a>'
        '<a href="/gamma-3.1-py3-none-any.whl#sha256=short">x</a><a href="/gamma-3.1-py3-none-any.whl\x00">x</a>'
    ),
    "a yanked file beside another": (
        '<a href="/gamma-3.1.tar.gz#sha256=@" data-yanked="&lt;b&gt;\x1b[31m">x</a>'
        f'<a href="{FILE}#sha256=@">x</a>'
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HTML_PAGES)
def test_an_html_page_with(world: World, inside: Run, index: LoopbackIndex, what: str) -> None:
    text = HTML_PAGES[what].replace("@", index.sha256(GAMMA))
    index.answer(PAGE, text.encode(), content_type=HTML_TYPE)
    project_of(world)
    done = inside("sync")
    assert done.status == 0, done.err
    assert (world.project / "pylock.toml").read_text().count(index.sha256(GAMMA)) == 1


def page(*files: dict[str, Any]) -> bytes:
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "gamma", "files": list(files)}).encode()


UNUSABLE: dict[str, dict[str, Any]] = {
    "a file URL": {"url": f"file:///etc/{GAMMA}"},
    "a script": {"url": f"javascript:alert(1)//{GAMMA}"},
    "data": {"url": f"data:application/zip;base64,eA/{GAMMA}"},
    "a port that cannot be": {"url": f"https://h:99999/{GAMMA}"},
    "a port that is none": {"url": f"https://h:x/{GAMMA}"},
    "half an address": {"url": f"https://[::1/{GAMMA}"},
    "a path for a name": {"filename": f"../../{GAMMA}"},
    "an escape in its name": {"filename": "gamma-3.0-py3-none-any\x1b[31m.whl"},
    "another project's name": {"filename": "beta-3.0-py3-none-any.whl"},
    "no hash": {"hashes": {}},
    "md5 only": {"hashes": {"md5": "a" * 32}},
    "half a hash": {"hashes": {"sha256": "a" * 63}},
    "a hash that is a path": {"hashes": {"sha256": "../" * 21 + "a"}},
    "less than no size": {"size": -1},
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_page_whose_only_file_has(world: World, inside: Run, index: LoopbackIndex, what: str) -> None:
    usable = {"filename": GAMMA, "url": f"{index.root}{FILE}", "hashes": {"sha256": index.sha256(GAMMA)}}
    index.answer(PAGE, page({**usable, **UNUSABLE[what]}))
    project_of(world)
    code = "no-hash" if what in {"no hash", "md5 only"} else "no-version"
    for outcome in refused_by_all(world, inside, [("lock",), ("sync",), ("add", "gamma")], code):
        assert "\nhint: " in outcome.err
    index.behave()
    assert inside("sync").status == 0


def test_a_file_that_is_listed_twice_with_two_hashes_is_locked_once(
    world: World, inside: Run, index: LoopbackIndex
) -> None:
    usable = {"filename": GAMMA, "url": f"{index.root}{FILE}", "hashes": {"sha256": index.sha256(GAMMA)}}
    index.answer(PAGE, page(usable, usable, {**usable, "hashes": {"sha256": "a" * 64}}))
    project_of(world)
    done = inside("sync")
    assert done.status == 0, done.err
    assert (world.project / "pylock.toml").read_text().count(f'{GAMMA}"') == 1


def test_a_page_that_unpacks_to_too_much_is_refused(
    world: World, inside: Run, index: LoopbackIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyvstore.index.client.PAGE_BYTES_LIMIT", 100_000)
    bomb = gzip.compress(page() + b" " * 10_000_000)
    index.misbehave(PAGE, lambda _q, _r: Reply(200, {"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"}, bomb))
    project_of(world)
    for outcome in refused_by_all(world, inside, [("sync",)], "index-page"):
        assert "larger than 100000 bytes" in outcome.err
    index.behave()
    index.endless(PAGE)
    for outcome in refused_by_all(world, inside, [("sync",)], "index-page"):
        assert "larger than 100000 bytes" in outcome.err


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_an_index_may_be_anywhere_on_this_machine(world: World, inside: Run, index: LoopbackIndex, host: str) -> None:
    if host == "[::1]" and not index.listen_on_ipv6_too():
        pytest.skip("this machine has no IPv6")
    project_of(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYVSTORE_INDEX_URL", f"http://{host}:{index.port}/simple/")
        index.host = host
        index.add(*build_wheel("gamma", "3.0", files={"gamma.py": ""}))
        done = inside("sync")
        assert done.status == 0, done.err
        assert f"http://{host}:{index.port}/files/" in (world.project / "pylock.toml").read_text()


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────

USER, SECRET = "u5er-name", "hunter2+/:@secret"
SPELLINGS = ("hunter2", "aHVudGVyMg", "dTVlci1uYW1lOmh1bnRlcjI", USER)  # in clear, and as the header has it


@pytest.fixture
def private(index: LoopbackIndex) -> LoopbackIndex:
    index.credentials = (USER, SECRET)
    return index


def no_secret(world: World, outcome: Outcome) -> None:
    """Nothing that was said or written below the world's place holds a secret; the netrc does."""
    for spelling in SPELLINGS:
        assert spelling not in outcome.out + outcome.err, spelling
        for path in world.place.rglob("*"):
            assert spelling not in path.name
            if path.is_file() and not path.is_symlink() and path.name != "netrc":
                assert spelling.encode() not in path.read_bytes(), path
            elif path.is_symlink():
                assert spelling not in os.readlink(path)


def by_url(_world: World, index: LoopbackIndex, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PYVSTORE_INDEX_URL", index.url_with_credentials.replace("%2B/", "%2B%2F"))


def by_netrc(world: World, _index: LoopbackIndex, patch: pytest.MonkeyPatch) -> None:
    path = world.place / "netrc"
    path.write_text(f"machine 127.0.0.1 login {USER} password {SECRET}\n")
    path.chmod(0o600)
    patch.setenv("NETRC", str(path))


TROUBLE: dict[str, tuple[Fault, int]] = {
    "nothing": (lambda _index: None, 0),
    "401": (lambda index: index.fail(PAGE, 401), 1),
    "404": (lambda index: index.fail(PAGE, 404), 1),
    "500": (lambda index: index.fail(PAGE, 500), 1),
    "a redirect to another host": (lambda index: index.redirect(PAGE, "http://other.invalid/x"), 1),
    "a redirect to another port": (lambda index: index.redirect(PAGE, "http://127.0.0.1:1/x"), 1),
    "a page that is none": (lambda index: index.answer(PAGE, b"{"), 1),
    "a file that is another": (lambda index: index.corrupt(GAMMA), 1),
    "a file that is gone": (lambda index: index.fail(GAMMA, 404), 1),
    "a connection that is cut": (lambda index: index.reset(GAMMA, 10, times=99), 1),
}


@pytest.mark.parametrize("way", [by_url, by_netrc])
@pytest.mark.parametrize("what", TROUBLE)
def test_a_secret_is_in_no_output_and_in_no_file(
    world: World,
    inside: Run,
    private: LoopbackIndex,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    way: Callable[[World, LoopbackIndex, pytest.MonkeyPatch], None],
) -> None:
    way(world, private, monkeypatch)
    project_of(world)
    fault, status = TROUBLE[what]
    fault(private)
    for words in (["lock", "-v"], ["sync", "-v"], ["sync", "--json", "-v"], ["add", "gamma", "-v"], ["list"]):
        outcome = inside(*words)
        no_secret(world, outcome)
    assert inside("sync").status == status
    assert any("authorization" in request.headers for request in private.requests)


def test_a_secret_goes_to_its_own_host_and_port_only(
    world: World, inside: Run, private: LoopbackIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_url(world, private, monkeypatch)
    project_of(world)
    with LoopbackIndex() as other:
        other.add(GAMMA, private.content(GAMMA))
        private.redirect(PAGE, f"{other.url}gamma/")
        done = inside("sync")
        assert done.status == 0, done.err
        assert other.requests
        assert not any("authorization" in request.headers for request in other.requests)
    no_secret(world, done)


def test_a_link_with_a_secret_is_locked_without_it(world: World, inside: Run, index: LoopbackIndex) -> None:
    url = f"http://{USER}:hunter2@127.0.0.1:{index.port}{FILE}"
    index.answer(PAGE, page({"filename": GAMMA, "url": url, "hashes": {"sha256": index.sha256(GAMMA)}}))
    project_of(world)
    done = inside("sync", "-v")
    assert done.status == 0, done.err
    lock = (world.project / "pylock.toml").read_text()
    assert "hunter2" not in lock + done.err
    assert USER not in lock + done.err


@pytest.mark.parametrize(
    "proxy",
    ["http://u5er-name:hunter2@127.0.0.1:1", "nonsense://u5er-name:hunter2@h", "http://u5er-name:hunter2@[half"],
)
def test_a_proxys_secret_is_not_told(world: World, inside: Run, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    project_of(world)
    outcome = inside("lock", "-v")
    assert outcome.status == 1
    assert "error[index-unreachable]" in outcome.err
    no_secret(world, outcome)
