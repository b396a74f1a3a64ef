from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.index.grouping import MalformedPageError
from pyvstore.index.page import ProjectPage, parse_upload_time
from pyvstore.index.simple_html import parse_html_page
from pyvstore.index.simple_json import parse_json_page

NAME = NormalizedName("demo")
ROOT = "https://index.example/simple/"
PAGE = "https://index.example/simple/demo/"
SHA = "ab" * 32


def parse_json(page: object) -> ProjectPage:
    return parse_json_page(NAME, ROOT, PAGE, json.dumps(page).encode())


def parse_html(text: str, page_url: str = PAGE) -> ProjectPage:
    return parse_html_page(NAME, ROOT, page_url, text.encode())


def entry(filename: str = "demo-1.0-py3-none-any.whl", /, **more: object) -> dict[str, object]:
    more = {key.replace("_", "-"): value for key, value in more.items()}
    return {"filename": filename, "url": f"https://files.example/{filename}", "hashes": {"sha256": SHA}, **more}


def page_of(*files: object, **more: object) -> dict[str, object]:
    return {"meta": {"api-version": "1.1"}, "name": "demo", "files": list(files), **more}


def only(page: ProjectPage) -> Any:
    (version,) = page.versions
    (artifact,) = page.artifacts(version)
    return artifact


def test_a_json_file_becomes_an_artifact() -> None:
    artifact = only(
        parse_json(
            page_of(
                entry(
                    size=7,
                    yanked="broken\x1b[31m",
                    requires_python=">=3.8",
                    upload_time="2024-02-03T04:05:06.789Z",
                    core_metadata={"sha256": SHA.upper()},
                )
            )
        )
    )
    assert artifact.name == "demo"
    assert artifact.version == Version("1.0")
    assert artifact.url == "https://files.example/demo-1.0-py3-none-any.whl"
    assert artifact.sha256 == SHA
    assert artifact.size_bytes == 7
    assert artifact.requires_python == ">=3.8"
    assert artifact.upload_time == datetime(2024, 2, 3, 4, 5, 6, 789000, tzinfo=timezone.utc)
    assert artifact.yanked == "broken"
    assert artifact.core_metadata == {"sha256": SHA}
    assert artifact.index_url == ROOT


def test_an_html_link_becomes_an_artifact() -> None:
    artifact = only(
        parse_html(
            "<!DOCTYPE html><html><head><meta name='pypi:repository-version' content='1.3'></head><body>"
            f'<a href="../../files/demo-1.0-py3-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.8" '
            f'data-yanked="bad &amp; worse" data-core-metadata="sha256={SHA}">anything</a></body></html>'
        )
    )
    assert artifact.filename == "demo-1.0-py3-none-any.whl"
    assert artifact.url == "https://index.example/files/demo-1.0-py3-none-any.whl"
    assert artifact.hashes == {"sha256": SHA}
    assert artifact.requires_python == ">=3.8"
    assert artifact.yanked == "bad & worse"
    assert artifact.core_metadata == {"sha256": SHA}
    assert artifact.size_bytes is None


def test_metadata_may_be_announced_under_the_old_names_and_without_hashes() -> None:
    for key in ("core-metadata", "dist-info-metadata"):
        assert only(parse_json(page_of(entry() | {key: True}))).core_metadata == {}
        assert only(parse_json(page_of(entry() | {key: False}))).core_metadata is None
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        link = f'<a href="https://h/demo-1.0-py3-none-any.whl" {key}="true">x</a>'
        assert only(parse_html(link)).core_metadata == {}
    assert only(parse_json(page_of(entry()))).core_metadata is None


def test_metadata_of_a_source_distribution_is_not_believed() -> None:
    assert only(parse_json(page_of(entry("demo-1.0.tar.gz", core_metadata=True)))).core_metadata is None


def test_yanked_without_a_reason_has_an_empty_one() -> None:
    assert only(parse_json(page_of(entry(yanked=True)))).yanked == ""
    assert only(parse_json(page_of(entry(yanked="")))).yanked == ""
    assert only(parse_json(page_of(entry(yanked=False)))).yanked is None
    assert only(parse_html('<a href="https://h/demo-1.0-py3-none-any.whl" data-yanked>x</a>')).yanked == ""


def test_a_base_element_moves_relative_links() -> None:
    text = '<html><base href="https://mirror.example/x/"><a href="demo-1.0-py3-none-any.whl">d</a>'
    assert only(parse_html(text)).url == "https://mirror.example/x/demo-1.0-py3-none-any.whl"


def test_a_base_element_cannot_lead_to_this_machine() -> None:
    with pytest.raises(MalformedPageError):
        parse_html('<html><base href="file:///etc/"><a href="demo-1.0-py3-none-any.whl">d</a>')
    with pytest.raises(MalformedPageError):
        parse_html('<html><base href="https://[/"><a href="demo-1.0-py3-none-any.whl">d</a>')


UNUSABLE_FILENAMES = [
    "demo-1.0-py2.7.egg",
    "demo-1.0.win32.exe",
    "demo-1.0.tar.bz2",
    "other-1.0-py3-none-any.whl",
    "other-1.0.tar.gz",
    "demo.whl",
    "demo-1.0-any.whl",
    "demo--py3-none-any.whl",
    "demo-1.0-1-2-py3-none-any.whl",
    "demo-not_a_version-py3-none-any.whl",
    "demo-.tar.gz",
    "../demo-1.0-py3-none-any.whl",
    "a/demo-1.0-py3-none-any.whl",
    "a\\demo-1.0-py3-none-any.whl",
    "demo-1.0-py3-none-any\x1b.whl",
    "demo-1.0-py3-none-any\n.whl",
    "-demo-1.0-py3-none-any.whl",
    f"demo-1.0-1{'a' * 255}-py3-none-any.whl",
    "demo" + "-1" * 100_000 + ".tar.gz",
    "",
]


@pytest.mark.parametrize("filename", UNUSABLE_FILENAMES)
def test_a_file_that_cannot_be_used_is_skipped_and_counted(filename: str) -> None:
    page = parse_json(page_of({"filename": filename, "url": "https://h/x", "hashes": {}}, entry()))
    assert page.skipped == 1
    assert only(page).filename == "demo-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "file:///etc/passwd"},
        {"url": "javascript:alert(1)"},
        {"url": "ssh://h/x"},
        {"url": "https://[half"},
        {"url": "https://h:99999/x.whl"},
        {"url": "https://h:port/x.whl"},
        {"url": "https://h:-1/x.whl"},
        {"url": "https://:443/x.whl"},
        {"size": -1},
        {"hashes": {"sha256": "short"}},
        {"hashes": {"sha256": "g" * 64}},
        {"hashes": {"md5": "0", "sha256": "../../etc"}},
        {"core-metadata": {"sha256": "../../etc"}},
        {"dist-info-metadata": {"sha256": "0"}},
    ],
)
def test_a_file_with_a_senseless_value_is_skipped(changes: dict[str, object]) -> None:
    page = parse_json(page_of(entry("demo-2.0-py3-none-any.whl") | changes, entry()))
    assert page.skipped == 1
    assert only(page).version == Version("1.0")


@given(st.permutations([entry("demo-1.0-py3-none-any.whl"), entry("demo-2.0.tar.gz", size=3)]), st.booleans())
def test_one_odd_file_changes_nothing_for_the_others(files: list[dict[str, object]], first: bool) -> None:
    odd = entry("demo-3.0-py3-none-any.whl", url="https://user@h/demo-3.0-py3-none-any.whl?x=1")
    bad = entry("demo-4.0-py3-none-any.whl", url="ssh://h/x")
    clean = parse_json(page_of(*files))
    mixed = parse_json(page_of(*([odd, bad, *files] if first else [*files, odd, bad])))
    for version in clean.versions:
        assert clean.artifacts(version) == mixed.artifacts(version)
    (artifact,) = mixed.artifacts(Version("3.0"))
    assert artifact.url == "https://h/demo-3.0-py3-none-any.whl?x=1"
    assert mixed.skipped == 1


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("demo-1.0-py3-none-any.whl", "1.0"),
        ("Demo-1.0-1-py3-none-any.whl", "1.0"),
        ("demo-1.0+local.1-py3-none-any.whl", "1.0+local.1"),
        ("demo-1.0_1-py3-none-any.whl", "1.0.post1"),
        ("demo-1!2.0-py3-none-any.whl", "1!2.0"),
        ("demo-1.0.tar.gz", "1.0"),
        ("demo-1.0-1.tar.gz", "1.0.post1"),
        ("demo-1.0rc1.zip", "1.0rc1"),
    ],
)
def test_the_version_is_read_from_the_file_name(filename: str, version: str) -> None:
    assert only(parse_json(page_of(entry(filename)))).version == Version(version)


def test_names_of_projects_are_compared_normalised() -> None:
    files = [entry(name) for name in ("My.Demo-1.0-py3-none-any.whl", "my-demo-1.0.tar.gz", "my_demo-1.0-1.tar.gz")]
    name = NormalizedName("my-demo")
    page = parse_json_page(name, ROOT, PAGE, json.dumps(page_of(*files)).encode())
    assert set(page.versions) == {Version("1.0"), Version("1.0.post1")}
    assert page.skipped == 0


def test_spellings_of_one_version_are_one_version() -> None:
    page = parse_json(page_of(entry("demo-1.0-py3-none-any.whl"), entry("demo-1.0.0.tar.gz"), entry("demo-1.tar.gz")))
    (version,) = page.versions
    assert len(page.artifacts(version)) == 3
    assert page.artifacts(Version("9")) == ()


MALFORMED: list[object] = [
    [],
    "text",
    None,
    {"meta": {"api-version": "1.0"}},
    {"meta": [], "files": []},
    page_of() | {"files": {}},
    page_of("text"),
    page_of(entry(), {"filename": 3, "url": "https://h/x", "hashes": {}}),
    page_of(entry() | {"url": None}),
    page_of(entry() | {"hashes": []}),
    page_of(entry() | {"hashes": {"sha256": 3}}),
    page_of({"filename": "demo-1.0.tar.gz"}),
    page_of(entry(size="7")),
    page_of(entry(size=True)),
    page_of(entry(yanked=3)),
    page_of(entry(requires_python=3)),
    page_of(entry(upload_time=3)),
    page_of(entry(core_metadata="yes")),
    page_of(entry(core_metadata={"sha256": None})),
    page_of() | {"meta": {"api-version": "2.0"}},
    page_of() | {"meta": {"api-version": "one"}},
    page_of() | {"meta": {"api-version": 1.1}},
    page_of() | {"project-status": "archived"},
    page_of() | {"project-status": {"status": 3}},
]


@pytest.mark.parametrize("page", MALFORMED)
def test_json_of_a_wrong_shape_is_no_page(page: object) -> None:
    with pytest.raises(MalformedPageError):
        parse_json(page)


@pytest.mark.parametrize("data", [b"", b"<html>", b'{"files": [', b"\xff\xfe{}", b"[" * 200_000, b'{"a":' * 200_000])
def test_what_is_not_json_is_no_page(data: bytes) -> None:
    with pytest.raises(MalformedPageError):
        parse_json_page(NAME, ROOT, PAGE, data)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.99"])
def test_every_minor_version_of_the_api_is_read(version: str) -> None:
    assert parse_json(page_of(entry(), meta={"api-version": version})).versions
    assert parse_html(f'<meta name="pypi:repository-version" content="{version}"><p>').versions == ()


@pytest.mark.parametrize(
    "text", ['{"files": []}', "plain text", "", '<meta name="pypi:repository-version" content="2.0">']
)
def test_what_is_not_html_of_version_1_is_no_page(text: str) -> None:
    with pytest.raises(MalformedPageError):
        parse_html(text)


def test_html_may_be_deep_broken_and_strange() -> None:
    text = (
        "<div>" * 20_000
        + '<a href="https://h/demo-1.0-py3-none-any.whl">'
        + "<!-- x --><a <a href=''><a><a href='https://[x'>"
    )
    page = parse_html(text)
    assert page.versions == (Version("1.0"),)
    assert page.skipped <= 1


@pytest.mark.parametrize(
    "make",
    [
        parse_json,
        lambda _: parse_html(
            '<meta name="pypi:project-status" content="archived">'
            '<meta name="pypi:project-status-reason" content="moved\x1b[2J">'
        ),
    ],
)
def test_the_project_status_is_told(make: Callable[[object], ProjectPage]) -> None:
    page = make(page_of() | {"project-status": {"status": "archived", "reason": "moved\x1b[2J"}})
    assert page.status == ("archived", "moved")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ("2024-01-02T03:04:05.123456789+02:00", datetime(2024, 1, 2, 1, 4, 5, 123456, tzinfo=timezone.utc)),
        ("2024-01-02 03:04:05-0130", datetime(2024, 1, 2, 4, 34, 5, tzinfo=timezone.utc)),
        ("2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ("2024-13-02T03:04:05Z", None),
        ("9999-12-31T23:59:59-99:59", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_upload_times_are_utc_or_unknown(text: str | None, expected: datetime | None) -> None:
    assert parse_upload_time(text) == expected


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 2), datetime(9998, 1, 1), timezones=OFFSETS))  # noqa: DTZ001 - bounds are naive
def test_every_iso_time_is_understood(moment: datetime) -> None:
    assert parse_upload_time(moment.isoformat()) == moment


def test_a_page_survives_being_written_in_lines() -> None:
    page = parse_json(
        page_of(
            entry(), entry("demo-2.0.tar.gz", url="../x/demo-2.0.tar.gz"), {"filename": "x", "url": "", "hashes": {}}
        )
    )
    header, lines = page.to_lines()
    again = ProjectPage.from_lines(ROOT, json.loads(json.dumps(header)), lines)
    assert again.versions == page.versions
    assert again.skipped == page.skipped == 1
    assert [again.artifacts(version) for version in again.versions] == [page.artifacts(v) for v in page.versions]
    assert again.to_lines() == page.to_lines()
