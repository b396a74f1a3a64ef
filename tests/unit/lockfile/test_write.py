"""The canonical text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
import tomli
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.pylock import Pylock
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import LockfileError
from pyvstore.lockfile.document import DependencyEdge, LockDocument
from pyvstore.lockfile.freeze import FrozenNames, FrozenPackage, freeze
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.lockfile.parse import parse_lock
from pyvstore.lockfile.write import canonical_order, format_lock
from tests.unit.lockfile.samples import INDEX, artifact, frozen, lock

_WHOLE = lock(
    frozen(
        "numpy",
        "2.5",
        marker="python_version >= '3.11'",
        requires_python="<4,>=3.11",
        artifacts=(
            artifact(
                "numpy-2.5-cp312-cp312-win32.whl",
                size_bytes=3,
                upload_time=datetime(2024, 5, 1, tzinfo=timezone.utc),
            ),
            artifact("numpy-2.5.tar.gz", size_bytes=9),
            artifact("numpy-2.5-cp312-cp312-linux_i686.whl", url="https://files.example/get?id=1"),
        ),
    ),
    frozen("numpy", "1.26", marker="python_version < '3.11'"),
    frozen(
        "pandas",
        dependencies=[
            DependencyEdge(name=NormalizedName("numpy"), version=Version("2.5")),
            DependencyEdge(name=NormalizedName("numpy"), version=Version("1.26")),
            DependencyEdge(name=NormalizedName("tzdata"), marker='sys_platform == "win32"'),
        ],
    ),
    frozen("tzdata"),
    environments=["sys_platform == 'linux'", "sys_platform == 'win32'"],
    requires_python=">=3.10",
    forks=["python_version < '3.11'", 'python_version >= "3.11"'],
    names=FrozenNames(extras=["x"], dependency_groups=["dev"], default_groups=["dev"]),
    inputs=LockInputs(
        requirements=(("dependency-groups.dev", "pytest"), ("project.dependencies", "pandas>=2")),
        requires_python=">=3.10",
        index_urls=(INDEX,),
        settings=(("resolution", "lowest"),),
        environments=("os_name == 'posix'",),
    ),
)


def test_the_whole_text_is_as_written_here() -> None:
    text = re.sub(r'hashes = { sha256 = "[0-9a-f]{64}" }', "H", format_lock(_WHOLE))
    text = re.sub(r"sha256:[0-9a-f]{64}", "<digest>", text)
    assert (
        text
        == """\
# What this project installs (pylock.toml, PEP 751); `environments` says for which Python and platform.
# Commit this file. To change it, change pyproject.toml and run `pyvstore lock`.

lock-version = "1.0"
requires-python = ">=3.10"
environments = [
    "sys_platform == 'linux'",
    "sys_platform == 'win32'",
]
extras = [
    "x",
]
dependency-groups = [
    "dev",
]
default-groups = [
    "pyvstore-default",
]
created-by = "pyvstore"

[tool.pyvstore]
input-digest = "<digest>"
default-groups = [
    "dev",
]
forks = [
    "python_version < '3.11'",
    "python_version >= '3.11'",
]

[tool.pyvstore.inputs]
requires-python = ">=3.10"
indexes = [
    "https://index.example/simple/",
]
environments = [
    "os_name == 'posix'",
]
settings = { resolution = "lowest" }

[tool.pyvstore.inputs.requirements]
"dependency-groups.dev" = [
    "pytest",
]
"project.dependencies" = [
    "pandas>=2",
]

[[packages]]
name = "numpy"
version = "1.26"
marker = "python_version < '3.11'"
index = "https://index.example/simple/"
wheels = [
    { url = "https://files.example/numpy-1.26-py3-none-any.whl", H },
]

[[packages]]
name = "numpy"
version = "2.5"
marker = "python_version >= '3.11'"
requires-python = ">=3.11,<4"
index = "https://index.example/simple/"
sdist = { url = "https://files.example/numpy-2.5.tar.gz", size = 9, H }
wheels = [
    { name = "numpy-2.5-cp312-cp312-linux_i686.whl", url = "https://files.example/get?id=1", H },
    { url = "https://files.example/numpy-2.5-cp312-cp312-win32.whl", upload-time = 2024-05-01T00:00:00Z, size = 3, H },
]

[[packages]]
name = "pandas"
version = "1.0"
index = "https://index.example/simple/"
dependencies = [
    { name = "numpy", version = "1.26" },
    { name = "numpy", version = "2.5" },
    { name = "tzdata" },
]
wheels = [
    { url = "https://files.example/pandas-1.0-py3-none-any.whl", H },
]
tool.pyvstore.dependency-markers = [
    { name = "tzdata", marker = "sys_platform == 'win32'" },
]

[[packages]]
name = "tzdata"
version = "1.0"
index = "https://index.example/simple/"
wheels = [
    { url = "https://files.example/tzdata-1.0-py3-none-any.whl", H },
]
"""
    )


def test_the_whole_text_reads_back_as_the_same_document() -> None:
    assert parse_lock(format_lock(_WHOLE)) == _WHOLE
    assert parse_lock(format_lock(_WHOLE).replace("\n", "\r\n").encode()) == _WHOLE


def test_the_text_is_valid_by_packaging() -> None:
    pylock = Pylock.from_dict(tomli.loads(format_lock(_WHOLE)))
    assert [(package.name, str(package.version)) for package in pylock.packages] == [
        ("numpy", "1.26"),
        ("numpy", "2.5"),
        ("pandas", "1.0"),
        ("tzdata", "1.0"),
    ]


def test_a_lock_of_nothing_is_valid_too() -> None:
    text = format_lock(LockDocument())
    assert parse_lock(text) == LockDocument()
    assert Pylock.from_dict(tomli.loads(text)).packages == []


def test_the_order_in_which_packages_were_found_does_not_show() -> None:
    shuffled = replace(
        _WHOLE, packages=tuple(replace(package, wheels=package.wheels[::-1]) for package in _WHOLE.packages[::-1])
    )
    assert format_lock(shuffled) == format_lock(_WHOLE)
    assert canonical_order(shuffled) == _WHOLE


def test_versions_are_sorted_as_versions() -> None:
    document = lock(frozen("foo", "1.10", marker="os_name == 'nt'"), frozen("foo", "1.9", marker="os_name != 'nt'"))
    assert [str(package.version) for package in document.packages] == ["1.9", "1.10"]


def test_the_higher_build_of_two_equal_tags_is_written_first() -> None:
    names = [f"foo-1.0-{build}py3-none-any.whl" for build in ("", "9-", "10-")]
    document = lock(frozen("foo", artifacts=tuple(map(artifact, names))))
    assert [wheel.filename for wheel in document.packages[0].wheels] == names[::-1]


def test_what_is_not_from_an_index_is_not_written() -> None:
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "foo"\ndirectory = { path = "." }\n'
    with pytest.raises(LockfileError, match="foo is locked as a directory") as caught:
        format_lock(parse_lock(text))
    assert caught.value.code == "lock-source"


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_text_is_escaped_so_that_it_reads_back(text: str) -> None:
    document = LockDocument(created_by=text, dependency_groups=(text,))
    assert parse_lock(format_lock(document)) == document


_NAMES = st.sampled_from(["a", "b-c", "d2", "zope-event"])
_VERSIONS = st.sampled_from(["1.0", "1!2.0", "2.0rc1", "3.0.post1.dev2", "1.0+cpu.1"])
_TIMES = st.none() | st.datetimes(timezones=st.just(timezone.utc))


@st.composite
def _packages(draw: st.DrawFn) -> list[FrozenPackage]:
    names = draw(st.lists(_NAMES, unique=True))
    packages: list[FrozenPackage] = []
    for name in names:
        stem = f"{name.replace('-', '_')}-{draw(_VERSIONS)}"
        suffixes = ["-py3-none-any.whl", "-1-py3-none-any.whl", "-cp312-abi3-win_amd64.win32.whl", ".tar.gz", ".zip"]
        artifacts = [
            artifact(
                f"{stem}{suffix}",
                size_bytes=draw(st.none() | st.integers(0, 2**40)),
                upload_time=draw(_TIMES),
                url=draw(st.sampled_from(["https://files.example/x?q=1", f"http://f.example/{stem}{suffix}"])),
            )
            for suffix in draw(st.lists(st.sampled_from(suffixes), min_size=1, unique=True))
        ]
        changes: dict[str, Any] = {
            "artifacts": tuple(artifacts),
            "marker": draw(st.sampled_from([None, "os_name == 'nt'", "'x' in extras or os_name == \"it's\""])),
            "requires_python": draw(st.sampled_from([None, "", ">=3.8,<4,!=3.9.*"])),
            "index_url": draw(st.sampled_from([None, INDEX])),
            "dependencies": [
                DependencyEdge(
                    name=NormalizedName(target),
                    marker=draw(st.sampled_from([None, "os_name == 'nt'", "os_name != 'x'"])),
                )
                for target in draw(st.lists(st.sampled_from(names), unique=True))
            ],
        }
        packages.append(frozen(name, stem.split("-")[1], **changes))
    return packages


_LINES = st.text(st.just(" ") | st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
_INPUTS = st.builds(
    LockInputs,
    requirements=st.lists(st.tuples(_LINES, _LINES), unique=True).map(lambda rows: tuple(sorted(rows))),
    requires_python=_LINES,
    index_urls=st.lists(_LINES).map(tuple),
    settings=st.dictionaries(_LINES, _LINES).map(lambda values: tuple(sorted(values.items()))),
    environments=st.lists(_LINES).map(tuple),
)


@settings(max_examples=80)
@example([], LockInputs(requirements=(("tool.", ""),)), None, [])
@given(_packages(), _INPUTS, st.sampled_from([None, ">=3.8"]), st.lists(st.just("os_name == 'nt'"), max_size=1))
def test_every_frozen_lock_reads_back_and_is_valid_by_packaging(
    packages: list[FrozenPackage], inputs: LockInputs, requires_python: str | None, markers: list[str]
) -> None:
    document = freeze(packages, inputs, environments=markers, forks=markers, requires_python=requires_python)
    text = format_lock(document)
    assert parse_lock(text) == document
    assert format_lock(parse_lock(text)) == text
    assert (
        format_lock(
            freeze(packages[::-1], inputs, environments=markers, forks=markers, requires_python=requires_python)
        )
        == text
    )
    Pylock.from_dict(tomli.loads(text))
