from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyvstore.errors import FetchError
from pyvstore.events import DownloadAdvanced, DownloadFinished, DownloadStarted
from pyvstore.index import body as body_module
from pyvstore.index.client import open_transport
from pyvstore.index.download import AHEAD_LIMIT, Downloader
from pyvstore.index.spec import IndexSpec
from pyvstore.index.transport import ClosedError
from tests.support.loopback import LoopbackIndex, Reply, Request
from tests.unit.index.conftest import QUICK, Listener

CONTENT = os.urandom(700_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
FILENAME = "demo-1.0-py3-none-any.whl"


@dataclass(frozen=True)
class Wanted:
    url: str
    filename: str = FILENAME
    name: str = "demo"
    sha256: str | None = SHA
    size_bytes: int | None = len(CONTENT)


@pytest.fixture
def wanted(index: LoopbackIndex) -> Wanted:
    return Wanted(index.add(FILENAME, CONTENT, core_metadata=False))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    directory = tmp_path / "target"
    directory.mkdir()
    return directory


def refused(downloader: Downloader, wanted: Wanted, target: Path) -> FetchError:
    with pytest.raises(FetchError) as caught:
        downloader.download(wanted, str(target))
    assert list(target.iterdir()) == []
    return caught.value


def test_a_download_is_complete_and_told(
    downloader: Downloader, wanted: Wanted, target: Path, listener: Listener
) -> None:
    download = downloader.download(wanted, str(target))
    assert Path(download.path) == target / FILENAME
    assert Path(download.path).read_bytes() == CONTENT
    assert (download.filename, download.sha256, download.size_bytes) == (FILENAME, SHA, len(CONTENT))
    assert [path.name for path in target.iterdir()] == [FILENAME]
    first, *middle, last = listener.events
    assert first == DownloadStarted(FILENAME, len(CONTENT))
    assert last == DownloadFinished(FILENAME, len(CONTENT))
    assert sum(event.size_bytes for event in middle if isinstance(event, DownloadAdvanced)) == len(CONTENT)


def test_what_is_not_known_is_computed(downloader: Downloader, wanted: Wanted, target: Path) -> None:
    unknown = dataclasses.replace(wanted, sha256=None, size_bytes=None)
    assert downloader.download(unknown, str(target)).sha256 == SHA


def test_another_hash_is_refused_with_both_hashes_and_nothing_is_kept(
    downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    error = refused(downloader, dataclasses.replace(wanted, sha256="0" * 64), target)
    assert error.code == "hash-mismatch"
    assert "demo" in str(error)
    assert "0" * 64 in " ".join(error.causes)
    assert SHA in " ".join(error.causes)


@pytest.mark.parametrize("size_bytes", [1, len(CONTENT) - 1, len(CONTENT) + 1])
@pytest.mark.parametrize("says_length", [True, False])
def test_another_size_is_refused(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path, size_bytes: int, says_length: bool
) -> None:
    if not says_length:
        index.misbehave(FILENAME, _without_length)
    error = refused(downloader, dataclasses.replace(wanted, size_bytes=size_bytes), target)
    if says_length or size_bytes < len(CONTENT):
        assert error.code == "hash-mismatch"
        assert str(size_bytes) in " ".join(error.causes)
    else:
        assert error.code == "index-unreachable"  # cannot be told from a connection that is always cut


def _without_length(_request: Request, reply: Reply) -> Reply:
    reply.length, reply.close = -1, True
    return reply


def test_a_file_of_unknown_size_has_a_limit(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "UNKNOWN_SIZE_LIMIT", 2_000_000)
    index.endless(FILENAME)
    error = refused(downloader, dataclasses.replace(wanted, size_bytes=None), target)
    assert error.code == "hash-mismatch"


def test_a_cut_download_is_resumed_where_it_broke(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    index.cut(FILENAME, 600_000, times=1)
    assert Path(downloader.download(wanted, str(target)).path).read_bytes() == CONTENT
    ranges = [request.headers.get("range") for request in index.requests]
    assert ranges[0] is None
    assert str(ranges[1]).startswith("bytes=")
    assert ranges[1] != "bytes=0-"


def test_progress_earns_more_attempts(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    index.cut(FILENAME, 280_000, times=2)
    index.drop(FILENAME, times=1)
    assert downloader.download(wanted, str(target)).sha256 == SHA


def test_without_ranges_a_cut_download_starts_over(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path, listener: Listener
) -> None:
    index.ranges = False
    index.cut(FILENAME, 600_000, times=1)
    assert downloader.download(wanted, str(target)).sha256 == SHA
    advanced = [event.size_bytes for event in listener.events if isinstance(event, DownloadAdvanced)]
    assert sum(advanced) == len(CONTENT)
    assert min(advanced) < 0


@pytest.mark.parametrize("said", ["bytes 0-9/10", "nonsense"])
def test_a_wrong_part_is_not_appended(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path, said: str
) -> None:
    index.cut(FILENAME, 600_000, times=1)
    index.lie_in_content_range(FILENAME, said)
    assert Path(downloader.download(wanted, str(target)).path).read_bytes() == CONTENT


def test_a_file_that_changed_in_the_middle_is_fetched_anew(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    index.corrupt(FILENAME, times=1)
    index.cut(FILENAME, 600_000, times=1)
    assert Path(downloader.download(wanted, str(target)).path).read_bytes() == CONTENT
    assert len(index.requests) == 3


def test_a_resumed_download_asks_for_the_same_file(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    def tagged(_request: Request, reply: Reply) -> Reply:
        reply.headers["ETag"] = '"v1"'
        return reply

    index.misbehave(FILENAME, tagged)
    index.cut(FILENAME, 600_000, times=1)
    downloader.download(wanted, str(target))
    assert index.requests[1].headers["if-range"] == '"v1"'


def test_a_server_in_trouble_is_asked_again(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    index.fail(FILENAME, 503, times=2)
    assert downloader.download(wanted, str(target)).sha256 == SHA
    index.fail(FILENAME, 503)
    (target / FILENAME).unlink()
    assert refused(downloader, wanted, target).code == "index-status"


def test_a_stalled_download_is_given_up(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path
) -> None:
    index.stall(FILENAME, after=1000)
    started = time.monotonic()
    assert refused(downloader, wanted, target).code == "index-unreachable"
    assert time.monotonic() - started < 5


def test_a_download_that_drips_for_ever_is_given_up(
    index: LoopbackIndex, wanted: Wanted, target: Path, tmp_path: Path, listener: Listener
) -> None:
    patience = dataclasses.replace(QUICK, download_seconds=0.3)
    transport = open_transport([IndexSpec(url=index.url, name="loop")], patience=patience)
    downloader = Downloader(transport, str(tmp_path / "cache"), offline=False, reporter=listener)
    index.trickle(FILENAME, 0.1)
    started = time.monotonic()
    assert refused(downloader, wanted, target).code == "index-unreachable"
    assert time.monotonic() - started < 2
    transport.close()


@pytest.mark.parametrize(
    ("status", "code"), [(404, "no-such-file"), (410, "no-such-file"), (403, "index-forbidden"), (418, "index-status")]
)
def test_a_refusal_is_said(
    index: LoopbackIndex, downloader: Downloader, wanted: Wanted, target: Path, status: int, code: str
) -> None:
    index.fail(FILENAME, status)
    assert refused(downloader, wanted, target).code == code
    assert len(index.requests) == 1


@pytest.mark.parametrize("filename", ["../evil.whl", "/etc/evil", "a\\b", "C:evil", "..", "", "a\0b"])
def test_a_file_name_that_leads_elsewhere_is_refused(
    downloader: Downloader, wanted: Wanted, target: Path, filename: str
) -> None:
    assert refused(downloader, dataclasses.replace(wanted, filename=filename), target).code == "bad-filename"


def test_offline_the_missing_file_is_named(wanted: Wanted, target: Path, tmp_path: Path, listener: Listener) -> None:
    transport = open_transport([])
    downloader = Downloader(transport, str(tmp_path / "cache"), offline=True, reporter=listener)
    error = refused(downloader, wanted, target)
    assert error.code == "offline"
    assert FILENAME in str(error)
    assert listener.events == []


def test_a_directory_that_is_not_there_is_said(downloader: Downloader, wanted: Wanted, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        downloader.download(wanted, str(tmp_path / "absent"))
    assert FILENAME in str(caught.value)


def test_a_local_file_is_copied_and_judged_alike(
    downloader: Downloader, target: Path, tmp_path: Path, listener: Listener
) -> None:
    source = tmp_path / FILENAME
    source.write_bytes(CONTENT)
    wanted = Wanted(source.as_uri())
    assert Path(downloader.download(wanted, str(target)).path).read_bytes() == CONTENT
    assert listener.events[-1] == DownloadFinished(FILENAME, len(CONTENT))
    (target / FILENAME).unlink()
    assert refused(downloader, dataclasses.replace(wanted, sha256="0" * 64), target).code == "hash-mismatch"
    assert refused(downloader, dataclasses.replace(wanted, size_bytes=3), target).code == "hash-mismatch"
    assert refused(downloader, dataclasses.replace(wanted, url=wanted.url + "x"), target).code == "no-such-file"


def many(index: LoopbackIndex, count: int = 6) -> list[Wanted]:
    found = []
    for number in range(count):
        content = os.urandom(10_000 * (number + 1))
        filename = f"p{number}-1.0-py3-none-any.whl"
        url = index.add(filename, content, core_metadata=False)
        sha256 = hashlib.sha256(content).hexdigest()
        found.append(Wanted(url, filename, f"p{number}", sha256, len(content)))
    return found


def test_many_files_arrive_each_with_its_own(index: LoopbackIndex, downloader: Downloader, target: Path) -> None:
    wanted = many(index)
    arrived = dict(downloader.download_all(wanted, str(target)))
    assert set(arrived) == set(wanted)
    for one, download in arrived.items():
        assert download.sha256 == one.sha256
    assert len(list(target.iterdir())) == len(wanted)


def test_the_largest_file_is_begun_first(
    index: LoopbackIndex, target: Path, tmp_path: Path, listener: Listener
) -> None:
    transport = open_transport([], patience=QUICK)
    downloader = Downloader(transport, str(tmp_path / "c"), offline=False, reporter=listener, concurrency=1)
    wanted = many(index)
    wanted[2] = dataclasses.replace(wanted[2], size_bytes=None)
    list(downloader.download_all(wanted, str(target)))
    begun = [event.filename[:2] for event in listener.events if isinstance(event, DownloadStarted)]
    assert begun == ["p2", "p5", "p4", "p3", "p1", "p0"]
    transport.close()


def test_files_are_handed_over_while_others_still_arrive(
    index: LoopbackIndex, downloader: Downloader, target: Path
) -> None:
    wanted = many(index, 2)
    index.slow(wanted[1].filename, 0.25)
    started = time.monotonic()
    arrived = downloader.download_all(wanted, str(target))
    assert next(arrived)[0] == wanted[0]
    assert time.monotonic() - started < 0.2
    assert next(arrived)[0] == wanted[1]
    assert list(arrived) == []


def test_downloads_do_not_run_far_ahead_of_who_takes_them(
    index: LoopbackIndex, downloader: Downloader, target: Path
) -> None:
    wanted = many(index, AHEAD_LIMIT * 3)
    arrived = downloader.download_all(wanted, str(target))
    for taken in range(1, len(wanted) + 1):
        next(arrived)
        begun = min(taken + AHEAD_LIMIT, len(wanted))
        if taken in {1, 5, len(wanted)}:
            deadline = time.monotonic() + 5
            while len(index.requests) < begun and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.1)  # for what should not come
            assert len(index.requests) == begun
    assert list(arrived) == []


def test_the_first_error_stops_the_others(index: LoopbackIndex, downloader: Downloader, target: Path) -> None:
    wanted = many(index, 30)
    index.wrong_hash(wanted[29].filename)
    bad = dataclasses.replace(wanted[29], sha256="0" * 64)
    for one in wanted[:29]:
        index.slow(one.filename, 0.1)
    with pytest.raises(FetchError) as caught:
        list(downloader.download_all([*wanted[:29], bad], str(target)))
    assert caught.value.code == "hash-mismatch"
    time.sleep(0.2)
    assert len(index.requests) < 30
    assert not [path for path in target.iterdir() if path.name.endswith(".pyvstore-tmp")]


def test_leaving_the_loop_stops_the_downloads(
    index: LoopbackIndex, target: Path, tmp_path: Path, listener: Listener
) -> None:
    transport = open_transport([], patience=dataclasses.replace(QUICK, stall_seconds=30))
    downloader = Downloader(transport, str(tmp_path / "cache"), offline=False, reporter=listener)
    wanted = many(index, 4)
    for one in wanted[1:]:
        index.stall(one.filename, 5000)
    started = time.monotonic()
    for one, _download in downloader.download_all(wanted, str(target)):
        assert one == wanted[0]
        break
    assert time.monotonic() - started < 5
    assert [path.name for path in target.iterdir()] == [wanted[0].filename]
    transport.close()


def test_a_local_copy_can_be_cancelled(downloader: Downloader, target: Path, tmp_path: Path) -> None:
    import threading

    source = tmp_path / FILENAME
    source.write_bytes(CONTENT)
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ClosedError):
        downloader._download(Wanted(source.as_uri()), str(target), cancelled, set())
    assert list(target.iterdir()) == []


def test_a_remote_download_can_be_cancelled(downloader: Downloader, wanted: Wanted, target: Path) -> None:
    import threading

    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ClosedError):
        downloader._download(wanted, str(target), cancelled, set())
    assert list(target.iterdir()) == []


def test_nothing_to_download_is_done_at_once(downloader: Downloader, target: Path) -> None:
    assert list(downloader.download_all([], str(target))) == []


def test_ctrl_c_during_a_slow_download_ends_the_process_at_once(index: LoopbackIndex, target: Path) -> None:
    wanted = many(index, 4)
    for one in wanted:
        index.stall(one.filename, 5000)
    script = textwrap.dedent(
        """
        import json, sys
        from dataclasses import dataclass
        from pyvstore.events import SILENT
        from pyvstore.index.client import open_transport
        from pyvstore.index.download import Downloader

        @dataclass(frozen=True)
        class Wanted:
            url: str
            filename: str
            name: str = "demo"
            sha256: str | None = None
            size_bytes: int | None = None

        target, *urls = json.load(sys.stdin)
        downloader = Downloader(open_transport([]), target, offline=False, reporter=SILENT)
        print("begun", flush=True)
        for _ in downloader.download_all([Wanted(url, url.rpartition("/")[2]) for url in urls], target):
            pass
        """
    )
    import json

    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([str(target), *(one.url for one in wanted)]))
        process.stdin.close()
        assert process.stdout.readline() == "begun\n"
        deadline = time.monotonic() + 5
        while index.count("/files/") < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        # A tenth of a second on an idle machine; waiting for the stalled threads would be thirty.
        assert time.monotonic() - started < 3
    assert process.returncode != 0
    assert list(target.iterdir()) == []
