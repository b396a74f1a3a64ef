from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import pytest

from pyvstore.model.manifest import FileRow, Node, NodeKind
from pyvstore.wheel.contents import WheelContents
from pyvstore.wheel.survey import Survey, Surveyed
from tests.support.wheels import build_wheel
from tests.unit.wheel.natives import elf

SITE = "lib/python/site-packages"
NAMESPACE = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"


def survey(*, adopted: Sequence[str] = (), **recipe: Any) -> Surveyed:
    filename, data = build_wheel("foo", **recipe)
    contents = WheelContents.read(io.BytesIO(data), filename)
    survey = Survey(contents)
    written: dict[str, bytes] = {}
    for file in contents.payload:
        written[file.path] = b"".join(contents.chunks(file, None if file.path in adopted else survey))
        if file.path in adopted:
            survey.adopt(file, hashlib.sha256(written[file.path]).hexdigest())

    def open_file(path: str) -> BinaryIO:
        return io.BytesIO(written[path])

    return survey.finish(open_file, wheel_sha256=hashlib.sha256(data).hexdigest(), wheel_size_bytes=len(data))


def letters(children: Mapping[str, Node]) -> dict[str, Any]:
    return {
        name: letters(node.children) if node.kind is NodeKind.OPEN else node.kind.value
        for name, node in children.items()
    }


def tree(**recipe: Any) -> dict[str, Any]:
    return letters(survey(**recipe).manifest.tree)


def site(files: Mapping[str, str | bytes], **recipe: Any) -> dict[str, Any]:
    below = tree(files=files, **recipe)["lib"]["python"]["site-packages"]
    below.pop("foo-1.0.dist-info")
    assert isinstance(below, dict)
    return below


def data(files: Mapping[str, str | bytes]) -> dict[str, Any]:
    found = tree(files={"foo.py": ""}, data={"data": files})
    assert found["lib"].pop("python") == {"site-packages": {"foo-1.0.dist-info": DIST_INFO, "foo.py": "f"}}
    if not found["lib"]:
        del found["lib"]
    return found


DIST_INFO = {"METADATA": "f", "WHEEL": "f"}


def test_a_regular_package_folds_whatever_lies_in_it() -> None:
    files = {"foo/__init__.py": "", "foo/data/x.txt": "", "foo/ns/mod.py": "", "foo/pk/__init__.py": NAMESPACE}
    assert site(files) == {"foo": "d"}
    for init in ("__init__.pyc", "__init__.cpython-312-x86_64-linux-gnu.so", "__init__.abi3.so", "__init__.pyd"):
        assert site({f"foo/{init}": "x"}) == {"foo": "d"}


def test_libraries_and_stubs_beside_a_package_fold() -> None:
    files = {"foo/__init__.py": "", "foo.libs/libz.so": "", "foo-stubs/a.pyi": "", "nvidia.libs/x": ""}
    assert site(files) == {"foo": "d", "foo-stubs": "d", "foo.libs": "d", "nvidia.libs": "d"}


def test_modules_and_extensions_at_the_top_are_links() -> None:
    files = {"six.py": "", "_cffi_backend.cpython-312-x86_64-linux-gnu.so": "", "LICENSE": "", "sourceless.pyc": ""}
    assert set(site(files).values()) == {"f"}


def test_startup_files_are_fresh_copies() -> None:
    assert site({"foo.pth": "import foo", "foo.start": "foo:x", "foo.py": ""}) == {
        "foo.pth": "p",
        "foo.py": "f",
        "foo.start": "p",
    }
    assert site({"foo/__init__.py": "", "foo/x.pth": ""}) == {"foo": "d"}


def test_a_namespace_is_open_down_to_its_regular_packages() -> None:
    files = {
        "google/cloud/storage/__init__.py": "",
        "google/cloud/storage/blob.py": "",
        "google/cloud/mod.py": "",
        "google/cloud/docs/x.txt": "",
        "google/type/a_pb2.py": "",
    }
    assert site(files) == {"google": {"cloud": {"docs": "d", "mod.py": "f", "storage": "d"}, "type": {"a_pb2.py": "f"}}}


@pytest.mark.parametrize("init", [NAMESPACE, "__import__('pkg_resources').declare_namespace(__name__)\n"])
def test_a_namespace_with_an_init_is_open(init: str) -> None:
    assert site({"zope/__init__.py": init, "zope/event/__init__.py": ""}) == {
        "zope": {"__init__.py": "f", "event": "d"}
    }


def test_a_namespace_that_only_the_metadata_declares_is_open() -> None:
    files = {
        "zope/__init__.py": "",
        "zope/deep/__init__.py": "",
        "zope/deep/x/__init__.py": "",
        "zope/y/__init__.py": "",
    }
    below = site(files, dist_info={"namespace_packages.txt": "zope\nzope.deep\n"})
    assert below == {"zope": {"__init__.py": "f", "deep": {"__init__.py": "f", "x": "d"}, "y": "d"}}


def test_nvidia_is_open_although_it_looks_like_a_package() -> None:
    files = {"nvidia/__init__.py": "", "nvidia/cublas/__init__.py": "", "nvidia/cublas/lib/libcublas.so.12": ""}
    assert site(files) == {"nvidia": {"__init__.py": "f", "cublas": "d"}}
    assert site({"nvidia/cu13/lib/libcublas.so.13": "", "nvidia/cu13/include/a.h": ""}) == {"nvidia": {"cu13": "d"}}


def test_a_library_without_an_abi_tag_is_no_module() -> None:
    assert site({"nvidia/x/libfoo.so": "", "nvidia/y/real.so": "", "nvidia/z/libreal.abi3.so": ""}) == {
        "nvidia": {"x": "d", "y": {"real.so": "f"}, "z": {"libreal.abi3.so": "f"}}
    }
    assert site({"nvidia/x/not-a-name.py": "", "nvidia/x/a-b.so": "", "nvidia/x/.pyc": ""}) == {"nvidia": {"x": "d"}}


def test_a_tree_that_no_import_can_spell_is_open() -> None:
    files = {
        "cmeel.prefix/bin/tool": "",
        "cmeel.prefix/lib/libx.so.1": "",
        "cmeel.prefix/lib/python3.12/site-packages/eigenpy/__init__.py": "",
        "foo-data/__init__.py": "",
    }
    assert site(files) == {
        "cmeel.prefix": {
            "bin": "d",
            "lib": {"libx.so.1": "f", "python3.12": {"site-packages": {"eigenpy": "d"}}},
        },
        "foo-data": {"__init__.py": "f"},
    }


def test_junk_at_the_top_follows_the_rules_too() -> None:
    assert site({"tests/test_x.py": "", "docs/a/b.rst": "", "examples/__init__.py": ""}) == {
        "docs": {"a": "d"},
        "examples": "d",
        "tests": {"test_x.py": "f"},
    }


def test_dist_info_is_real_without_what_is_the_farms_own() -> None:
    own: dict[str, str | bytes | None] = {
        **dict.fromkeys(("INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"), ""),
        **dict.fromkeys(("licenses/MIT", "sboms/x.json", "top_level.txt"), ""),
    }
    found = tree(dist_info=own)["lib"]["python"]["site-packages"]["foo-1.0.dist-info"]
    assert found == {**DIST_INFO, "licenses": "d", "sboms": "d", "top_level.txt": "f"}


def test_configuration_and_kernelspecs_are_copies_at_any_depth() -> None:
    assert data({"etc/a/b/c.conf": "", "etc/x": "", "share/jupyter/kernels/python3/kernel.json": ""}) == {
        "etc": {"a": {"b": {"c.conf": "c"}}, "x": "c"},
        "share": {"jupyter": {"kernels": {"python3": {"kernel.json": "c"}}}},
    }


def test_directories_that_programs_share_are_real_and_fold_below() -> None:
    assert data(
        {
            "share/jupyter/labextensions/@foo/x.js": "",
            "share/jupyter/lab/settings/overrides.json": "",
            "share/jupyter/lab/extensions/a/x.tgz": "",
            "share/man/man1/foo.1": "",
            "share/foo/x": "",
            "lib/cmake/foo/x.cmake": "",
            "lib64/foo/x": "",
            "include/foo/foo.h": "",
            "opt/foo/x": "",
            "README": "",
        }
    ) == {
        "README": "c",
        "include": {"foo": "d"},
        "lib": {"cmake": "d"},
        "lib64": {"foo": "d"},
        "opt": "d",
        "share": {
            "foo": "d",
            "jupyter": {
                "lab": {"extensions": {"a": "d"}, "settings": {"overrides.json": "c"}},
                "labextensions": {"@foo": "d"},
            },
            "man": {"man1": "d"},
        },
    }


def test_native_files_in_real_directories_are_links() -> None:
    assert data({"lib/libtbb.so.12": elf(), "lib/foo.pc": "x", "bin/tool": elf()}) == {
        "bin": {"tool": "f"},
        "lib": {"foo.pc": "c", "libtbb.so.12": "f"},
    }


def test_the_interpreters_own_library_directory_is_never_one_link() -> None:
    assert data({"lib/python3.12/site-packages/x/y.py": "", "lib/python3.12/z/y.py": ""}) == {
        "lib": {"python3.12": {"site-packages": {"x": "d"}, "z": "d"}}
    }


def test_scripts_are_told_by_their_first_line() -> None:
    scripts: dict[str, str | bytes] = {
        "wheel": "#!python\n",
        "gui": "#!pythonw\r\n",
        "env": "#!/usr/bin/env python3\n",
        "absolute": "#!/usr/bin/python3.9 -E\n",
        "shell": "#!/bin/sh\n# python\n",
        "native": elf(),
        "text": "python",
    }
    assert tree(data={"scripts": scripts})["bin"] == {
        "absolute": "s",
        "env": "s",
        "gui": "s",
        "native": "f",
        "shell": "p",
        "text": "p",
        "wheel": "s",
    }


def test_headers_fold_below_their_distribution() -> None:
    assert tree(data={"headers": {"foo.h": ""}})["include"] == {"foo": "d"}


def test_rows_are_sorted_by_component_and_hold_the_truth() -> None:
    surveyed = survey(files={"foo-b.py": "b", "foo/a.py": "a", "foo.py": ""}, executable=["foo-b.py"])
    assert list(surveyed.rows[:3]) == [
        FileRow(f"{SITE}/foo/a.py", hashlib.sha256(b"a").hexdigest(), 1, executable=False),
        FileRow(
            f"{SITE}/foo-1.0.dist-info/METADATA", surveyed.rows[1].sha256, surveyed.rows[1].size_bytes, executable=False
        ),
        FileRow(
            f"{SITE}/foo-1.0.dist-info/RECORD", surveyed.rows[2].sha256, surveyed.rows[2].size_bytes, executable=False
        ),
    ]
    assert [row.path.split("/") for row in surveyed.rows] == sorted(row.path.split("/") for row in surveyed.rows)
    assert {row.path for row in surveyed.rows if row.executable} == {f"{SITE}/foo-b.py"}


def test_the_manifest_says_what_the_entry_is() -> None:
    manifest = survey(entry_points={"console_scripts": {"foo": "foo:main"}}, files={"foo/AUX.py": ""}).manifest
    assert (manifest.name, manifest.display_name, manifest.version) == ("foo", "foo", "1.0")
    assert manifest.dist_info == "foo-1.0.dist-info"
    assert manifest.wheel_filename == "foo-1.0-py3-none-any.whl"
    assert [point.name for point in manifest.entry_points] == ["foo"]
    assert [code for code, _ in manifest.warnings] == ["wheel-name-windows"]


def reach(files: Mapping[str, str | bytes], **recipe: Any) -> dict[str, tuple[str, ...]]:
    return {item.path.removeprefix(f"{SITE}/"): item.search for item in survey(files=files, **recipe).manifest.reach}


def test_a_file_that_reaches_into_another_distribution_is_recorded() -> None:
    files: dict[str, str | bytes] = {
        "foo/__init__.py": "",
        "foo/lib/a.so": elf(["libx.so"], runpath="$ORIGIN/../../nvidia/x/lib"),
    }
    assert reach(files) == {"foo/lib/a.so": (f"{SITE}/nvidia/x/lib",)}


def test_files_that_find_all_they_need_in_their_own_package_are_not_recorded() -> None:
    files: dict[str, str | bytes] = {
        "foo/__init__.py": "",
        "foo/a.so": elf(["libz-1.so"], runpath="$ORIGIN/../foo.libs:$ORIGIN"),
        "foo.libs/libz-1.so": elf(runpath="$ORIGIN"),
    }
    assert reach(files) == {}


def test_a_missing_library_is_recorded_even_inside_the_package() -> None:
    assert reach({"foo/__init__.py": "", "foo/a.so": elf(["libgone.so"], runpath="$ORIGIN")}) == {
        "foo/a.so": (f"{SITE}/foo",)
    }


def test_a_directory_that_others_may_fill_is_always_recorded() -> None:
    files = {"nvidia/cu13/lib/libcublas.so.13": elf(runpath="$ORIGIN")}
    assert reach(files) == {"nvidia/cu13/lib/libcublas.so.13": (f"{SITE}/nvidia/cu13/lib",)}
    shared = reach({"foo.py": ""}, data={"data": {"lib/libtbb.so": elf(runpath="$ORIGIN")}})
    assert shared == {"lib/libtbb.so": ("lib",)}


def test_a_broken_native_file_has_no_reach() -> None:
    assert reach({"foo/a.so": b"\x7fELF garbage"}) == {}


def test_numba_caches_are_noticed() -> None:
    assert survey(files={"foo.py": "@njit(cache=True)\ndef f(): ...\n"}).uses_numba_cache
    assert not survey(files={"foo.py": "@njit\ndef f(): ...\n"}).uses_numba_cache
    assert not survey(files={"foo.txt": "@njit(cache=True)\n"}).uses_numba_cache


def test_adopted_files_are_looked_at_by_their_written_copies() -> None:
    recipe: dict[str, Any] = {
        "files": {
            "zope/__init__.py": NAMESPACE,
            "zope/x/__init__.py": "",
            "zope/a.so": elf(["q.so"], runpath="$ORIGIN/../q"),
        },
        "data": {"scripts": {"s": "#!python\n"}},
    }
    adopted = [f"{SITE}/zope/__init__.py", f"{SITE}/zope/a.so", "bin/s"]
    assert survey(adopted=adopted, **recipe) == survey(**recipe)
