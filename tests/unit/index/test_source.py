from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import BuildError, FetchError, PyvstoreError, WheelError
from pyvstore.index.page import ProjectPage
from pyvstore.index.source import IndexSource, mentioned, representative
from pyvstore.index.workers import CancelledError, Task, Workers
from pyvstore.model.artifact import Artifact
from pyvstore.resolution.source import CandidateSource, OfferedRelease
from tests.support.loopback import LoopbackIndex
from tests.support.sdists import build_sdist
from tests.support.wheels import build_wheel
from tests.unit.index.conftest import MakeClient

DEMO = NormalizedName("demo")
MakeSource = Callable[..., IndexSource]


@pytest.fixture
def make_source(make_client: MakeClient) -> Iterator[MakeSource]:
    made: list[IndexSource] = []

    def make(
        *,
        offline: bool = False,
        usable: Callable[[Artifact], bool] = lambda _artifact: True,
        excluded: Callable[[Artifact], str | None] = lambda _artifact: None,
    ) -> IndexSource:
        made.append(IndexSource(make_client(offline=offline), usable=usable, excluded=excluded))
        return made[-1]

    yield make
    for source in made:
        source.close()


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 3
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def settled(index: LoopbackIndex) -> int:
    """Wait until no request has come for a while; return how many there were."""
    seen = -1
    while seen != len(index.requests):
        seen = len(index.requests)
        time.sleep(0.1)
    return seen


def newest(releases: list[OfferedRelease]) -> OfferedRelease:
    return max(releases, key=lambda one: one.version)


def test_the_source_is_what_the_resolver_asks_for(make_source: MakeSource) -> None:
    source: CandidateSource = make_source()
    assert source is not None


def test_releases_have_their_files(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo", "2.0"), yanked="broken")
    index.add("demo-2.0.tar.gz", b"x", yanked=True)
    index.add("demo-1.0.zip", b"x")
    index.add("demo-1.0.tar.gz", b"x")
    index.add(*build_wheel("demo", "1.0"), yanked=True)
    old, new = make_source().releases(DEMO)
    assert (old.name, old.version, old.requires_python, old.yanked) == (DEMO, Version("1.0"), None, None)
    assert [one.filename for one in old.wheels] == ["demo-1.0-py3-none-any.whl"]
    assert old.sdist is not None
    assert old.sdist.filename == "demo-1.0.tar.gz"
    assert new.yanked == "broken"


def test_a_release_yanked_without_a_reason_is_yanked(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo"), yanked=True)
    (release,) = make_source().releases(DEMO)
    assert release.yanked == ""
    assert release.sdist is None


def test_metadata_says_what_the_wheel_says(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo", requires=["a>=1"], extras={"X_y": ["b"]}, requires_python=">=3.8"))
    source = make_source()
    metadata = source.metadata(newest(list(source.releases(DEMO))))
    assert metadata.requires_dist == ("a>=1", 'b ; extra == "X_y"')
    assert metadata.provides_extra == ("x-y",)
    assert metadata.requires_python == ">=3.8"


def test_metadata_that_cannot_be_understood_is_a_wheel_error(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo"), core_metadata=b"nonsense")
    source = make_source()
    with pytest.raises(WheelError):
        source.metadata(newest(list(source.releases(DEMO))))


def test_a_release_without_a_wheel_says_what_its_source_distribution_says(
    index: LoopbackIndex, make_source: MakeSource
) -> None:
    index.add(*build_sdist("demo", requires=["a>=1"], extras={"X_y": ["b"]}, requires_python=">=3.8"))
    source = make_source()
    metadata = source.metadata(newest(list(source.releases(DEMO))))
    assert metadata.requires_dist == ("a>=1", 'b ; extra == "X_y"')
    assert (metadata.provides_extra, metadata.requires_python) == (("x-y",), ">=3.8")


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"x", WheelError, "sdist-archive"),
        (build_sdist("demo", dynamic=["Requires-Dist"])[1], BuildError, "build-required"),
    ],
)
def test_a_source_distribution_that_does_not_say_all_is_refused(
    index: LoopbackIndex, make_source: MakeSource, content: bytes, kind: type[PyvstoreError], code: str
) -> None:
    index.add("demo-1.0.tar.gz", content)
    source = make_source()
    with pytest.raises(kind) as caught:
        source.metadata(newest(list(source.releases(DEMO))))
    assert caught.value.code == code


def test_a_source_distribution_is_silent_where_there_is_a_wheel(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_sdist("demo", requires=["a"]))
    index.add(*build_wheel("demo", requires=["b"]))
    source = make_source()
    assert source.metadata(newest(list(source.releases(DEMO)))).requires_dist == ("b",)
    assert index.count("demo-1.0.tar.gz") == 0


def test_a_release_without_a_file_that_counts_says_why(index: LoopbackIndex, make_source: MakeSource) -> None:
    for version, year in (("1.0", 2020), ("2.0", 2022)):
        index.add(*build_wheel("demo", version), upload_time=f"{year}-05-01T00:00:00Z")
    index.add(*build_sdist("demo", "2.0"), upload_time="2020-06-01T00:00:00Z")
    index.add(*build_wheel("demo", "3.0"))

    def excluded(artifact: Artifact) -> str | None:
        if artifact.upload_time is None:
            return "of unknown age"
        return "too new" if artifact.upload_time.year > 2020 else None

    old, mixed, unknown = make_source(excluded=excluded).releases(DEMO)
    assert [(one.excluded, len(one.wheels), one.sdist is None) for one in (old, mixed, unknown)] == [
        (None, 1, True),
        (None, 0, False),
        ("of unknown age", 0, True),
    ]
    assert unknown.yanked is None
    with pytest.raises(BuildError, match="no file that can be read"):
        representative(unknown)


def test_what_does_not_count_is_not_fetched_ahead(index: LoopbackIndex, make_source: MakeSource) -> None:
    for minor in range(3):
        index.add(*build_wheel("demo", f"1.{minor}"))
    source = make_source(excluded=lambda artifact: None if str(artifact.version) == "1.0" else "too new")
    source.prefetch([DEMO])
    assert eventually(lambda: index.count("/files/") == 1)
    settled(index)
    assert [request.path for request in index.requests if "/files/" in request.path] == [
        "/files/demo-1.0-py3-none-any.whl.metadata"
    ]


def test_a_quarantined_project_is_refused_with_the_reason(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo"))
    index.set_status("demo", "quarantined", "malware\x1b[2J")
    with pytest.raises(FetchError) as caught:
        make_source().releases(DEMO)
    assert caught.value.code == "project-quarantined"
    assert caught.value.causes == ("malware",)


def test_an_archived_project_is_used(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo"))
    index.set_status("demo", "archived")
    assert make_source().releases(DEMO)


def test_every_question_is_asked_of_the_index_once(index: LoopbackIndex, make_source: MakeSource) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    source = make_source()
    for _ in range(3):
        source.metadata(newest(list(source.releases(DEMO))))
        source.prefetch([DEMO])
    settled(index)
    assert sorted(index.paths()) == [f"/files/{filename}.metadata", "/simple/demo/"]


def test_an_error_is_kept_too(index: LoopbackIndex, make_source: MakeSource) -> None:
    source = make_source()
    for _ in range(2):
        with pytest.raises(FetchError) as caught:
            source.releases(DEMO)
        assert caught.value.code == "no-such-project"
    assert len(index.requests) == 1


def test_dependencies_are_fetched_before_they_are_asked_for(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(
        *build_wheel("demo", requires=["child-a>1", "child.b; sys_platform == 'win32'"], extras={"x": ["unwanted"]})
    )
    index.add(*build_wheel("child-a", requires=["grandchild"]))
    index.add(*build_wheel("child-b"))
    index.add(*build_wheel("grandchild", requires=["demo", "absent"]))
    index.add(*build_wheel("unwanted"))
    make_source().prefetch([DEMO])
    assert eventually(lambda: index.count("/files/grandchild") == 1)
    settled(index)
    assert index.count("/simple/unwanted/") == 0
    assert index.count("/simple/") == 5  # the absent one was asked for, in silence
    assert len(index.requests) == len(set(index.paths()))


def test_the_newest_usable_version_is_guessed(index: LoopbackIndex, make_source: MakeSource) -> None:
    for version in ("1.0", "2.0", "3.0", "4.0rc1"):
        index.add(*build_wheel("demo", version), requires_python=">=4" if version == "3.0" else None)
    make_source(usable=lambda artifact: artifact.requires_python is None).prefetch([DEMO])
    assert eventually(lambda: index.count("/files/") > 0)
    settled(index)
    assert [path for path in index.paths() if path.startswith("/files/")] == [
        "/files/demo-2.0-py3-none-any.whl.metadata"
    ]


def test_after_three_rejections_the_next_ten_are_fetched(index: LoopbackIndex, make_source: MakeSource) -> None:
    for minor in range(30):
        index.add(*build_wheel("demo", f"1.{minor}"))
    source = make_source()
    releases = sorted(source.releases(DEMO), key=lambda one: one.version, reverse=True)
    for release in releases[:2]:
        source.metadata(release)
    assert settled(index) == 3
    source.metadata(releases[2])
    assert eventually(lambda: index.count("/files/") == 13)
    assert settled(index) == 14
    before = len(index.requests)
    for release in releases[3:12]:
        source.metadata(release)
    assert len(index.requests) == before


def test_metadata_can_be_asked_for_ahead(index: LoopbackIndex, make_source: MakeSource) -> None:
    for minor in range(4):
        index.add(*build_wheel("demo", f"1.{minor}"))
    index.add(*build_sdist("demo", "2.0"))
    source = make_source()
    source.prefetch_metadata(source.releases(DEMO))
    assert eventually(lambda: index.count("/files/") == 5)


def test_offline_nothing_is_guessed_and_the_missing_is_named(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo"))
    source = make_source()
    release = newest(list(source.releases(DEMO)))
    source.metadata(release)
    settled(index)
    index.forget_requests()
    offline = make_source(offline=True)
    assert offline.metadata(newest(list(offline.releases(DEMO)))) == source.metadata(release)
    with pytest.raises(FetchError) as caught:
        offline.releases(NormalizedName("absent"))
    assert caught.value.code == "offline"
    assert index.requests == []


def test_answers_do_not_depend_on_what_arrives_first(index: LoopbackIndex, make_source: MakeSource) -> None:
    for minor in range(6):
        index.add(*build_wheel("demo", f"1.{minor}", requires=[f"child=={minor}"]))
        index.add(*build_wheel("child", str(minor)))

    def story(source: IndexSource) -> list[object]:
        answers: list[object] = [(release.version, source.metadata(release)) for release in source.releases(DEMO)]
        return [*answers, [release.version for release in source.releases(NormalizedName("child"))]]

    calm = story(make_source())
    index.slow("/simple/child/", 0.1)
    index.slow("demo-1.5-py3-none-any.whl.metadata", 0.1)
    assert story(make_source()) == calm


def test_the_cheapest_wheel_stands_for_the_release(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add(*build_wheel("demo", tag="cp312-cp312-win_amd64"), core_metadata=False)
    index.add(*build_wheel("demo", tag="py3-none-any", files={"demo.py": "x" * 5000}), core_metadata=False)
    index.add(*build_wheel("demo", tag="cp311-cp311-win_amd64"))
    index.add(*build_wheel("demo", tag="cp310-cp310-win_amd64"), yanked=True)
    (release,) = make_source().releases(DEMO)
    assert representative(release).filename == "demo-1.0-cp311-cp311-win_amd64.whl"


def test_a_wheel_that_may_leave_out_what_others_require_speaks_for_none(
    index: LoopbackIndex, make_source: MakeSource
) -> None:
    linux = "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"
    index.add(*build_wheel("demo", tag=linux, requires=["child"], files={"demo.py": "x" * 5000}))
    index.add(*build_wheel("demo", tag="cp312-cp312-win32"))
    index.add(*build_wheel("demo", tag="cp312-cp312-win_amd64"))
    source = make_source()
    (release,) = source.releases(DEMO)
    assert source.metadata(release).requires_dist == ("child",)
    only_windows = representative(release, lambda artifact: artifact.filename.endswith("win_amd64.whl"))
    assert only_windows.filename == "demo-1.0-cp312-cp312-win_amd64.whl"


def test_names_in_requirements_are_found_outside_extras() -> None:
    lines = ["A_b>=1", "c[x]; python_version>'3'", "d; extra == 'x'", " e @ https://h/e.whl", ">=1", ""]
    assert mentioned(lines) == {"a-b", "c", "e"}


def test_a_page_of_nothing_has_no_releases(index: LoopbackIndex, make_source: MakeSource) -> None:
    index.add_project("demo")
    source = make_source()
    assert source.releases(DEMO) == ()
    page = source._page_task(DEMO).result()
    assert isinstance(page, ProjectPage)


# ── workers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_is_done_once_by_whoever_comes_first() -> None:
    count: list[int] = []
    task = Task(lambda: count.append(1))
    workers = Workers(4)
    for _ in range(5):
        workers.submit(task)
    task.result()
    task.run()
    assert count == [1]
    workers.close()


def test_a_task_that_nobody_has_begun_is_done_by_who_asks() -> None:
    workers = Workers(1)
    gate = threading.Event()
    workers.submit(Task(gate.wait))
    waiting = Task(threading.get_ident)
    workers.submit(waiting)
    assert waiting.result() == threading.get_ident()
    gate.set()
    workers.close()


def test_closing_cancels_what_has_not_begun() -> None:
    workers = Workers(1)
    gate = threading.Event()
    running = Task(gate.wait)
    workers.submit(running)
    eventually(lambda: running._claimed)
    waiting = Task(lambda: 1)
    told: list[str] = []
    waiting.when_done(lambda: told.append("waiting"))
    workers.submit(waiting)
    workers.close()
    late = Task(lambda: 1)
    workers.submit(late)
    for task in (waiting, late):
        with pytest.raises(CancelledError):
            task.result()
    assert told == ["waiting"]
    running.cancel()
    gate.set()
    assert running.result()
    running.when_done(lambda: told.append("running"))
    assert told == ["waiting", "running"]


def test_threads_are_started_as_needed_and_end_when_closed() -> None:
    before = threading.active_count()
    workers = Workers(3)
    assert threading.active_count() == before
    first = Task(lambda: 1)
    workers.submit(first)
    first.wait(1)
    time.sleep(0.02)
    second = Task(lambda: 2)
    workers.submit(second)
    assert second.wait(1)
    assert threading.active_count() == before + 1
    workers.close()
    assert eventually(lambda: threading.active_count() == before)


def test_an_error_in_a_task_reaches_everybody_who_asks() -> None:
    def work() -> int:
        raise ValueError("no")

    task = Task(work)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            task.result()


def test_what_did_not_change_is_kept_when_pages_are_renewed(index: LoopbackIndex, make_source: MakeSource) -> None:
    other = NormalizedName("other")
    index.add(*build_wheel("demo", "1.0"))
    index.add(*build_wheel("other", "1.0"))
    before = make_source()
    for name in (DEMO, other):
        before.metadata(before.releases(name)[-1])
    source = make_source()
    old = {name: source.metadata(source.releases(name)[-1]) for name in (DEMO, other)}
    index.add(*build_wheel("demo", "1.1"))
    assert not source.renew([other])
    assert source.renew()
    assert [str(release.version) for release in source.releases(DEMO)] == ["1.0", "1.1"]
    assert source.metadata(source.releases(DEMO)[0]) is not old[DEMO]
    assert source.metadata(source.releases(other)[0]) is old[other]
    assert not source.renew()
