from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import BuildError, FetchError, PyvstoreError, WheelError
from pyvstore.index import ranges
from pyvstore.index.client import IndexClient
from pyvstore.model.artifact import Artifact
from tests.support.loopback import LoopbackIndex, Reply, metadata_of
from tests.support.sdists import build_sdist
from tests.support.wheels import build_wheel
from tests.unit.index.conftest import MakeClient

FILES = "/files/"
BIG = {"demo/data.bin": os.urandom(200_000)}


def offered(client: IndexClient, name: str = "demo") -> Artifact:
    page = client.page(NormalizedName(name))
    (artifact,) = page.artifacts(page.versions[0])
    return artifact


def refused(client: IndexClient, artifact: Artifact) -> PyvstoreError:
    with pytest.raises(PyvstoreError) as caught:
        client.metadata(artifact)
    return caught.value


def test_the_separate_file_is_taken_where_it_is_offered(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel("demo", requires=["other"])
    index.add(filename, content)
    assert client.metadata(offered(client)) == metadata_of(content)
    assert index.paths()[1:] == [f"{FILES}{filename}.metadata"]


def test_the_separate_file_is_taken_where_it_is_offered_without_a_hash(
    index: LoopbackIndex, client: IndexClient
) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    index.edit(filename, core_metadata=True)
    assert client.metadata(offered(client)) == metadata_of(content)


def test_a_separate_file_with_another_hash_is_refused(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    index.edit(filename, core_metadata={"sha256": "0" * 64})
    error = refused(client, offered(client))
    assert error.code == "hash-mismatch"
    assert "0" * 64 in " ".join(error.causes)
    assert hashlib.sha256(metadata_of(content)).hexdigest() in " ".join(error.causes)


def test_a_separate_file_that_is_promised_and_not_there_is_done_without(
    index: LoopbackIndex, client: IndexClient
) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    index.fail(f"{FILES}{filename}.metadata", 404)
    assert client.metadata(offered(client)) == metadata_of(content)


@pytest.mark.parametrize("size", [True, False])
def test_one_range_is_enough_for_a_usual_wheel(index: LoopbackIndex, client: IndexClient, size: bool) -> None:
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False, size=size)
    assert client.metadata(offered(client)) == metadata_of(content)
    assert index.count(FILES) == 1
    assert index.requests[-1].headers["range"].startswith("bytes=")


def test_metadata_far_from_the_end_takes_a_second_range(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel(
        "demo", files=BIG, mutate=lambda members: sorted(members, key=lambda one: "METADATA" not in str(one.name))
    )
    index.add(filename, content, core_metadata=False)
    assert client.metadata(offered(client)) == metadata_of(content)
    assert index.count(FILES) == 2


def test_a_server_without_ranges_sends_a_small_wheel_whole_and_that_is_used(
    index: LoopbackIndex, client: IndexClient
) -> None:
    index.ranges = False
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    assert client.metadata(offered(client)) == metadata_of(content)
    assert index.count(FILES) == 1


def test_metadata_of_a_whole_wheel_with_another_hash_is_refused(index: LoopbackIndex, client: IndexClient) -> None:
    index.ranges = False
    filename, content = build_wheel("demo")
    index.add(filename, content, core_metadata=False)
    index.wrong_hash(filename)
    assert refused(client, offered(client)).code == "hash-mismatch"


def test_a_wheel_that_had_to_be_fetched_whole_is_not_fetched_again(
    index: LoopbackIndex, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "WHOLE_LIMIT", 1000)
    index.ranges = False
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    client = make_client()
    artifact = offered(client)
    assert client.metadata(artifact) == metadata_of(content)
    index.forget_requests()
    download = make_client().download(artifact, str(tmp_path))
    assert index.requests == []
    assert Path(download.path).read_bytes() == content
    assert Path(download.path).name == filename
    # It was handed over, not copied.
    make_client(offline=True)
    assert not list((tmp_path / "cache" / "kept").iterdir())


def test_a_kept_wheel_that_was_damaged_is_fetched_again(
    index: LoopbackIndex, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "WHOLE_LIMIT", 1000)
    index.ranges = False
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    client = make_client()
    artifact = offered(client)
    client.metadata(artifact)
    (kept,) = (tmp_path / "cache" / "kept").iterdir()
    kept.write_bytes(b"damaged")
    assert Path(client.download(artifact, str(tmp_path)).path).read_bytes() == content


def test_kept_wheels_that_nobody_came_for_are_removed(
    index: LoopbackIndex, client: IndexClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "WHOLE_LIMIT", 1000)
    index.ranges = False
    kept = tmp_path / "cache" / "kept"
    kept.mkdir(parents=True)
    old = kept / ("0" * 64 + ".whl")
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    index.add(*build_wheel("demo", files=BIG), core_metadata=False)
    client.metadata(offered(client))
    assert not old.exists()
    assert len(list(kept.iterdir())) == 1


def test_a_cache_that_cannot_hold_a_whole_wheel_is_said(
    index: LoopbackIndex, client: IndexClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "WHOLE_LIMIT", 1000)
    index.ranges = False
    index.add(*build_wheel("demo", files=BIG), core_metadata=False)
    artifact = offered(client)
    (tmp_path / "cache" / "kept").write_text("not a directory")
    assert refused(client, artifact).code == "fetch"


@pytest.mark.parametrize("said", ["bytes 0-9/10", "bytes 5-4/3", "nonsense", "bytes 0-65535/*"])
def test_another_part_than_was_asked_for_is_refused(index: LoopbackIndex, client: IndexClient, said: str) -> None:
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    index.lie_in_content_range(filename, said)
    error = refused(client, offered(client))
    assert error.code == "index-metadata"


def test_a_file_of_another_size_than_the_page_says_is_refused(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    index.edit(filename, size=len(content) - 1000)
    assert refused(client, offered(client)).code == "index-metadata"


def test_a_missing_file_is_said(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    index.fail(f"{FILES}{filename}", 404)
    assert refused(client, offered(client)).code == "no-such-file"


def test_a_server_that_refuses_the_range_is_asked_for_the_whole(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    index.misbehave(filename, lambda _q, r: Reply(416) if r.status == 206 else r)
    assert client.metadata(offered(client)) == metadata_of(content)


def test_an_empty_file_is_no_wheel(index: LoopbackIndex, client: IndexClient) -> None:
    index.add("demo-1.0-py3-none-any.whl", b"", core_metadata=False)
    with pytest.raises(WheelError):
        client.metadata(offered(client))


def test_what_is_no_archive_is_refused(index: LoopbackIndex, client: IndexClient) -> None:
    index.add("demo-1.0-py3-none-any.whl", b"<html>log in</html>" * 10_000, core_metadata=False)
    with pytest.raises(WheelError):
        client.metadata(offered(client))


def test_a_source_distribution_is_fetched_once_for_what_it_says(index: LoopbackIndex, make_client: MakeClient) -> None:
    filename, content = build_sdist("demo", requires=["a>=1"])
    index.add(filename, content)
    artifact = offered(make_client())
    first = make_client().metadata(artifact)
    assert b"Requires-Dist: a>=1" in first
    assert make_client(offline=True).metadata(artifact) == first
    assert index.count("/files/") == 1


def test_a_source_distribution_that_is_not_what_was_promised_is_refused(
    index: LoopbackIndex, client: IndexClient
) -> None:
    filename, content = build_sdist("demo")
    index.add(filename, content)
    index.wrong_hash(filename)
    with pytest.raises(FetchError) as caught:
        client.metadata(offered(client))
    assert caught.value.code == "hash-mismatch"


def test_a_source_distribution_without_static_metadata_would_need_a_build(
    index: LoopbackIndex, client: IndexClient
) -> None:
    index.add(*build_sdist("demo", metadata_version="2.1"))
    with pytest.raises(BuildError) as caught:
        client.metadata(offered(client))
    assert caught.value.code == "build-required"


@pytest.mark.parametrize("core_metadata", [True, False])
def test_metadata_is_asked_for_once_in_a_lifetime(
    index: LoopbackIndex, make_client: MakeClient, core_metadata: bool
) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content, core_metadata=core_metadata)
    artifact = offered(make_client())
    make_client().metadata(artifact)
    index.forget_requests()
    for offline in (False, True):
        assert make_client(offline=offline, refresh=True).metadata(artifact) == metadata_of(content)
    assert index.requests == []


def test_metadata_of_a_wheel_without_a_hash_is_not_kept(index: LoopbackIndex, make_client: MakeClient) -> None:
    index.add(*build_wheel("demo"), hash=False)
    artifact = offered(make_client())
    make_client().metadata(artifact)
    make_client().metadata(artifact)
    assert index.count(FILES) == 2


def test_what_one_index_says_of_a_hash_is_not_believed_of_another(
    index: LoopbackIndex, make_client: MakeClient
) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    with LoopbackIndex() as liar:
        liar.add(
            filename, content, core_metadata=b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: evil\n"
        )
        client = make_client(liar.url)
        assert b"evil" in client.metadata(offered(client))
    client = make_client()
    assert b"evil" not in client.metadata(offered(client))


def test_damaged_metadata_in_the_cache_is_absent(index: LoopbackIndex, make_client: MakeClient, tmp_path: Path) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    artifact = offered(make_client())
    make_client().metadata(artifact)
    (path,) = [one for one in (tmp_path / "cache" / "metadata").rglob("*") if one.is_file()]
    path.write_bytes(path.read_bytes()[:-1])
    assert make_client().metadata(artifact) == metadata_of(content)
    assert index.count(FILES) == 2


def test_offline_missing_metadata_is_named(index: LoopbackIndex, make_client: MakeClient) -> None:
    filename, content = build_wheel("demo")
    index.add(filename, content)
    artifact = offered(make_client())
    error = refused(make_client(offline=True), artifact)
    assert error.code == "offline"
    assert filename in str(error)


def test_a_local_wheel_is_read_in_place(make_client: MakeClient, tmp_path: Path) -> None:
    filename, content = build_wheel("demo", files=BIG)
    root = tmp_path / "simple"
    (root / "demo").mkdir(parents=True)
    (root / "demo" / filename).write_bytes(content)
    (root / "demo" / "index.html").write_text(f'<a href="{filename}">x</a>')
    client = make_client(root.as_uri(), offline=True)
    artifact = offered(client)
    assert client.metadata(artifact) == metadata_of(content)
    gone = dataclasses.replace(artifact, url=artifact.url + ".gone")
    assert refused(client, gone).code == "no-such-file"


def test_a_local_file_may_vanish_while_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(FetchError):
        ranges.LocalFile(str(tmp_path / "gone"), "gone.whl").read(0, 1)


def test_no_answer_to_a_range_is_unreachable(index: LoopbackIndex, client: IndexClient) -> None:
    filename, content = build_wheel("demo", files=BIG)
    index.add(filename, content, core_metadata=False)
    index.drop(filename, times=100)
    assert refused(client, offered(client)).code == "index-unreachable"
    index.behave()
    assert client.metadata(offered(client))


def test_versions_are_told_apart(index: LoopbackIndex, client: IndexClient) -> None:
    for version in ("1.0", "2.0"):
        index.add(*build_wheel("demo", version, requires=[f"other=={version}"]))
    page = client.page(NormalizedName("demo"))
    (artifact,) = page.artifacts(Version("2.0"))
    assert b"other==2.0" in client.metadata(artifact)
