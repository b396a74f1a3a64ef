"""The resolver's answer, written down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import InternalError, LockfileError
from pyvstore.lockfile.document import DependencyEdge
from pyvstore.lockfile.inputs import LockInputs, digest
from tests.unit.lockfile.samples import FILES, artifact, frozen, lock, sha


def _edge(name: str, version: str | None = None, marker: str | None = None) -> DependencyEdge:
    return DependencyEdge(
        name=NormalizedName(name), version=None if version is None else Version(version), marker=marker
    )


def test_the_inputs_and_their_digest_are_written_down() -> None:
    inputs = LockInputs(requires_python=">=3.12")
    document = lock(inputs=inputs)
    assert (document.inputs, document.input_digest, document.created_by) == (inputs, digest(inputs), "pyvstore")


def test_no_bound_is_written_as_none() -> None:
    document = lock(frozen("foo", requires_python=""), requires_python="")
    assert document.requires_python is None
    assert document.packages[0].requires_python is None


def test_a_file_without_a_sha256_is_refused() -> None:
    package = frozen("foo", artifacts=(artifact("foo-1.0-py3-none-any.whl", hashes={"md5": "0" * 32}),))
    with pytest.raises(LockfileError, match=r"no sha256 for foo-1\.0-py3-none-any\.whl") as caught:
        lock(package)
    assert caught.value.code == "no-hash"


def test_a_sha256_that_was_computed_is_used() -> None:
    filename = "foo-1.0-py3-none-any.whl"
    package = frozen("foo", artifacts=(artifact(filename, hashes={}),))
    document = lock(package, computed_sha256={FILES + filename: sha("x")})
    assert document.packages[0].wheels[0].sha256 == sha("x")


def test_other_kinds_of_files_are_left_out() -> None:
    names = ("foo-1.0.tar.bz2", "foo-1.0.exe", "foo-1.0.zip", "foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl")
    artifacts = tuple(map(artifact, names))
    (package,) = lock(frozen("foo", artifacts=artifacts)).packages
    assert package.sdist is not None
    assert package.sdist.filename == "foo-1.0.tar.gz"
    assert [wheel.filename for wheel in package.wheels] == ["foo-1.0-py3-none-any.whl"]


def test_a_file_that_the_index_lists_twice_is_written_once() -> None:
    same = artifact("foo-1.0-py3-none-any.whl")
    assert len(lock(frozen("foo", artifacts=(same, same))).packages[0].wheels) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://files.example/foo-1.0-py3-none-any.whl"},
        {"url": "https://me:secret@files.example/foo-1.0-py3-none-any.whl"},
        {"url": "file:///srv/foo-1.0-py3-none-any.whl"},
        {"filename": "../foo-1.0-py3-none-any.whl"},
        {"hashes": {"sha256": "abc"}},
    ],
)
def test_what_could_not_be_read_back_is_not_written(changes: dict[str, Any]) -> None:
    wheel = replace(artifact("foo-1.0-py3-none-any.whl"), **changes)
    with pytest.raises(LockfileError) as caught:
        lock(frozen("foo", artifacts=(wheel,)))
    assert caught.value.code == "lock-invalid"
    assert "foo 1.0" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_local_index_may_serve_local_files() -> None:
    wheel = artifact("foo-1.0-py3-none-any.whl", url="file:///srv/foo-1.0-py3-none-any.whl")
    document = lock(frozen("foo", artifacts=(wheel,), index_url="file:///srv/"))
    assert document.packages[0].wheels[0].url == "file:///srv/foo-1.0-py3-none-any.whl"


def test_an_edge_says_the_version_only_where_there_are_several() -> None:
    document = lock(
        frozen("app", dependencies=[_edge("one", "1.0"), _edge("two", "1.0")]),
        frozen("one"),
        frozen("two", "1.0", marker="os_name == 'nt'"),
        frozen("two", "2.0", marker="os_name != 'nt'"),
    )
    assert document.packages[0].dependencies == (_edge("one"), _edge("two", "1.0"))


def test_an_edge_says_its_marker_only_where_the_package_does_not() -> None:
    document = lock(
        frozen("app", dependencies=[_edge("color", marker='os_name=="nt"'), _edge("rich", marker='os_name=="nt"')]),
        frozen("color", marker="os_name == 'nt'"),
        frozen("rich", marker="os_name == 'nt' or python_version < '3.11'"),
    )
    assert document.packages[0].dependencies == (_edge("color"), _edge("rich", marker="os_name == 'nt'"))


@pytest.mark.parametrize(
    "packages",
    [
        (frozen("app", dependencies=["nowhere"]),),
        (frozen("app", dependencies=[_edge("foo", "3.0")]), frozen("foo")),
        (
            frozen("app", dependencies=["foo"]),
            frozen("foo", "1.0", marker="os_name == 'nt'"),
            frozen("foo", "2.0", marker="os_name != 'nt'"),
        ),
        (frozen("foo", "1.0"), frozen("foo", "2.0")),
        (frozen("foo", artifacts=()),),
        (frozen("foo", artifacts=(artifact("foo-2.0-py3-none-any.whl"),)),),
    ],
)
def test_an_answer_that_contradicts_itself_is_a_bug_of_ours(packages: tuple[object, ...]) -> None:
    with pytest.raises(InternalError):
        lock(*packages)  # type: ignore[arg-type]
