"""Unpack a wheel into a stage: checked before anything is written, checked again while it is written, then sealed."""

from __future__ import annotations

import os
from typing import BinaryIO

from packaging.version import Version

from pyvstore.fs.files import make_directory, set_mode, write_chunks
from pyvstore.model.entry import EntryKey
from pyvstore.model.manifest import FileRow, Manifest
from pyvstore.store.layout import MANIFEST_NAME, SEALED_DIRECTORY
from pyvstore.wheel.contents import WheelContents
from pyvstore.wheel.manifest_format import format_manifest
from pyvstore.wheel.survey import Survey, Surveyed

_CACHE = "__pycache__"


def ingest_wheel(wheel: str, filename: str, key: EntryKey, stage: str) -> Manifest:
    """Unpack ``wheel`` into the empty directory ``stage`` and seal everything but ``stage`` itself.

    Args:
        wheel: path of the file; its sha256 is known to be ``key``'s.
        filename: the wheel's own file name, which decides name, version and tags.
        key: what it must turn out to be.
        stage: a real directory that nobody else uses.

    Raises WheelError for a wheel that must not be unpacked, is not ``key``'s, or contradicts itself, and OSError. The
    caller removes the stage then.
    """
    with open(wheel, "rb") as stream:
        contents = WheelContents.read(stream, filename, expected_name=key.name, expected_version=Version(key.version))
        survey = Survey(contents)
        directories = _make_directories(stage, [file.path for file in contents.payload])
        for file in contents.payload:
            mode = 0o555 if file.executable else 0o444
            write_chunks(f"{stage}/{file.path}", contents.chunks(file, survey), mode=mode)

    def open_file(path: str) -> BinaryIO:
        return open(f"{stage}/{path}", "rb")

    surveyed = survey.finish(open_file, wheel_sha256=key.sha256, wheel_size_bytes=os.path.getsize(wheel))
    _make_caches(stage, surveyed)
    manifest = format_manifest(surveyed.manifest, surveyed.rows)
    write_chunks(os.path.join(stage, MANIFEST_NAME), [manifest], mode=0o444)  # last: see `store.integrity`
    for directory in reversed(directories):
        set_mode(directory, SEALED_DIRECTORY)
    return surveyed.manifest


def _make_directories(stage: str, paths: list[str]) -> list[str]:
    """Make every parent of ``paths`` below ``stage``; return them, parents first."""
    made: dict[str, None] = {}
    for path in paths:
        parent = path.rpartition("/")[0]
        missing = []
        while parent and parent not in made:
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        for directory in reversed(missing):
            made[directory] = None
            make_directory(f"{stage}/{directory}", mode=0o755)
    return [f"{stage}/{directory}" for directory in made]


def _make_caches(stage: str, surveyed: Surveyed) -> None:
    """Give every directory with source a writable ``__pycache__``, which the first import of any project fills.

    Not where numba would put machine code there too: that inlines other packages, and one project's would give another
    project wrong numbers. Without the directory numba keeps its cache elsewhere.
    """
    if surveyed.uses_numba_cache:
        return
    for directory in sorted({_parent(row) for row in surveyed.rows if row.path.endswith(".py")}):
        make_directory(f"{stage}/{directory}/{_CACHE}", mode=0o755)


def _parent(row: FileRow) -> str:
    return row.path.rpartition("/")[0]
