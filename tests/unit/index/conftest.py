from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyvstore.events import Event
from pyvstore.index.client import IndexClient, open_transport
from pyvstore.index.download import Downloader
from pyvstore.index.patience import Patience
from pyvstore.index.spec import IndexSpec
from tests.support.loopback import LoopbackIndex

QUICK = Patience(
    connect_seconds=2,
    stall_seconds=0.3,
    page_seconds=2,
    download_seconds=5,
    attempts=3,
    backoff_seconds=0.01,
    pause_limit_seconds=0.05,
)


class Listener:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._mutex = threading.Lock()

    def emit(self, event: Event) -> None:
        with self._mutex:
            self.events.append(event)


@pytest.fixture(autouse=True)
def _no_proxy_and_no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with LoopbackIndex() as server:
        yield server


@pytest.fixture
def listener() -> Listener:
    return Listener()


MakeClient = Callable[..., IndexClient]


@pytest.fixture
def make_client(index: LoopbackIndex, tmp_path: Path, listener: Listener) -> Iterator[MakeClient]:
    """A new client (as in a new process) over the same cache."""
    made: list[IndexClient] = []

    def make(
        url: str | None = None, *, offline: bool = False, refresh: bool = False, patience: Patience = QUICK
    ) -> IndexClient:
        client = IndexClient(
            IndexSpec(url=url or index.url, name="loop"),
            str(tmp_path / "cache"),
            offline=offline,
            refresh=refresh,
            reporter=listener,
            patience=patience,
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> IndexClient:
    return make_client()


@pytest.fixture
def downloader(index: LoopbackIndex, tmp_path: Path, listener: Listener) -> Iterator[Downloader]:
    transport = open_transport([IndexSpec(url=index.url, name="loop")], reporter=listener, patience=QUICK)
    yield Downloader(transport, str(tmp_path / "cache"), offline=False, reporter=listener)
    transport.close()
