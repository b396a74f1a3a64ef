"""Wheels and source distributions that were changed at random, into the store and into the resolver's questions."""

import bz2
import gzip
import hashlib
import lzma
import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
from packaging.utils import canonicalize_name

from pyvstore.index.sdist import read_static_metadata
from pyvstore.model.entry import EntryKey
from pyvstore.store.store import Store
from pyvstore.wheel.tail import Piece, find_metadata
from tests.fuzz.campaign import cases, obeys
from tests.fuzz.mutations import mutated_bytes
from tests.support.sdists import SUFFIXES, build_sdist
from tests.support.wheels import Member, build_wheel
from tests.support.world import unseal

NAME = canonicalize_name("demo")
FILES: dict[str, str | bytes] = {
    "demo/__init__.py": "x = 1\n",
    "demo/deep/data.bin": bytes(range(256)) * 8,
    "demo_one.py": "",
    "space/demo/a.py": "",
}
DATA = {"scripts": {"demo-run": "#!python\nprint(1)\n"}, "data": {"share/demo/x": "x"}, "headers": {"demo.h": ""}}
POINTS = b"[console_scripts]\ndemo = demo:main\n[gui_scripts]\ndemo-2 = demo.deep:main [x]\n"
FILENAME, HONEST = build_wheel("demo", files=FILES, data=DATA, entry_points=POINTS, requires=["alpha>=1"])
PARTS = {
    "METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: alpha>=1\n",
    "WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "entry_points.txt": POINTS,
    "namespace_packages.txt": b"space\n",
    "RECORD": b"demo/__init__.py,,\ndemo-1.0.dist-info/RECORD,,\n",
}
NUMBERS = ("crc", "size", "compressed", "flags", "method", "version", "offset", "attributes", "disk", "internal")


def bytes_of_a_wheel(random: Random) -> bytes:
    return mutated_bytes(random, HONEST)


def end_of_a_wheel(random: Random) -> bytes:
    at = HONEST.index(b"PK\1\2")
    return HONEST[:at] + mutated_bytes(random, HONEST[at:])


def texts_of_a_wheel(random: Random) -> bytes:
    part = random.choice(list(PARTS))
    changed = {part: mutated_bytes(random, PARTS[part])}
    return build_wheel("demo", files=FILES, data=DATA, dist_info={"entry_points.txt": POINTS, **changed})[1]


def members_of_a_wheel(random: Random) -> bytes:
    def change(members: list[Member]) -> list[Member]:
        for _ in range(random.choice((1, 1, 2))):
            member = random.choice(members)
            kind = random.randrange(7)
            if kind <= 1:
                member.name = mutated_bytes(random, member.raw_name)
            elif kind == 2:
                member.data = mutated_bytes(random, member.data)
            elif kind == 3:
                members.insert(random.randrange(len(members) + 1), member)
            elif kind == 4:
                fields = random.choice((member.local, member.central))
                fields[random.choice(NUMBERS)] = random.choice((0, 1, 7, 255, 8, 0xFFFF))
            elif kind == 5:
                member.mode = random.choice((0, 0o120777, 0o040755, 0o104755, 0o020666, 0o100000))
            else:
                member.extra = mutated_bytes(random, b"\1\0\10\0" + b"\xff" * 8)
        return members

    return build_wheel("demo", files=FILES, data=DATA, entry_points=POINTS, mutate=change)[1]


def paths_of_a_wheel(random: Random) -> bytes:
    """Names that RECORD lists as they are: only the names can be a reason to refuse."""
    names = {
        mutated_bytes(random, random.choice(list(FILES)).encode()).decode("utf-8", "replace"): b"x"
        for _ in range(random.choice((1, 2, 3)))
    }
    data = {
        random.choice(list(DATA)): {
            mutated_bytes(random, b"demo/tool").decode("utf-8", "replace"): random.choice((b"#!python\n", b"x"))
        }
    }
    return build_wheel("demo", files={**FILES, **names}, data=data)[1]


WHEELS = (bytes_of_a_wheel, end_of_a_wheel, texts_of_a_wheel, members_of_a_wheel, paths_of_a_wheel)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "precious").write_text("precious")
    store = Store(str(tmp_path / "store-home"))
    store.open()
    yield store
    unseal(tmp_path)


@pytest.mark.parametrize("subject", WHEELS, ids=lambda subject: subject.__name__)
def test_a_wheel_that_was_changed_at_random_is_an_entry_or_nothing(
    store: Store, tmp_path: Path, subject: Callable[[Random], bytes]
) -> None:
    ends = Counter[str]()
    path = tmp_path / "arrived"
    for name, random in cases(subject.__name__, 60):
        data = subject(random)
        path.write_bytes(data)
        key = EntryKey(name=NAME, version="1.0", sha256=hashlib.sha256(data).hexdigest())
        code = obeys(name, partial(store.ingest, str(path), key, FILENAME))
        assert (store.find(key) is None) == bool(code), name
        assert os.listdir(store.shelf("stage")) == [], name
        assert sorted(os.listdir(tmp_path)) == ["arrived", "precious", "store-home"], name
        assert os.listdir(tmp_path / "store-home") == ["v1"], name
        ends[code] += 1
    assert len(ends) > 1, ends
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize("subject", WHEELS, ids=lambda subject: subject.__name__)
def test_metadata_is_read_from_the_end_of_a_wheel_that_was_changed_at_random(
    subject: Callable[[Random], bytes],
) -> None:
    def ask(data: bytes, length: int) -> None:
        pieces = [Piece(max(0, len(data) - length), data[-length:])]
        for _ in range(5):
            found = find_metadata(pieces, len(data), FILENAME)
            if isinstance(found, bytes):
                return
            assert 0 <= found.start < found.end <= len(data)
            pieces.append(Piece(found.start, data[found.start : found.end]))
        raise AssertionError("it asks for ever")

    for name, random in cases(subject.__name__, 60):
        data, length = subject(random), random.choice((30, 200, 700, 10**6))
        obeys(name, partial(ask, data, length))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("is_packed", [True, False])
def test_a_source_distribution_that_was_changed_at_random_is_read_or_refused(
    tmp_path: Path, suffix: str, is_packed: bool
) -> None:
    filename, honest = build_sdist(suffix=suffix)
    path = tmp_path / filename
    ends = Counter[str]()
    for name, random in cases(f"{suffix} {is_packed}", 40):
        path.write_bytes(mutated_bytes(random, honest) if is_packed else _repacked(random, suffix, honest))
        ends[obeys(name, lambda: read_static_metadata(str(path), filename))] += 1
    assert len(ends) > 1, ends


def _repacked(random: Random, suffix: str, data: bytes) -> bytes:
    """Change what is inside the compression."""
    if suffix == ".tar.gz":
        return gzip.compress(mutated_bytes(random, gzip.decompress(data)), 1)
    if suffix == ".tar.bz2":
        return bz2.compress(mutated_bytes(random, bz2.decompress(data)))
    if suffix == ".tar.xz":
        return lzma.compress(mutated_bytes(random, lzma.decompress(data)), preset=0)
    at = data.index(b"PK\1\2")
    return data[:at] + mutated_bytes(random, data[at:])
