"""Links that share an inode where that is possible, and are links all the same where it is not."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyvstore.fs.links import Linker


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    (tmp_path / "shelf").mkdir()
    return Linker(lambda target: str(tmp_path / "shelf" / target.replace("/", "_")))


@pytest.mark.parametrize("sharing", [True, False])
def test_replacing_a_link_is_one_step_and_leaves_the_target(linker: Linker, tmp_path: Path, sharing: bool) -> None:
    place = tmp_path / "farm"
    (place / "old").mkdir(parents=True)
    (place / "link").symlink_to(place / "old")
    for _ in range(2):
        (linker if sharing else Linker()).replace("/new", str(place / "link"))
        assert os.readlink(place / "link") == "/new"
        assert sorted(path.name for path in place.iterdir()) == ["link", "old"]


def test_links_to_one_target_are_one_inode(linker: Linker, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        linker.make("/target", str(tmp_path / name))
    assert {os.readlink(tmp_path / name) for name in "abc"} == {"/target"}
    assert len({os.lstat(tmp_path / name).st_ino for name in "abc"}) == 1
    assert os.listdir(tmp_path / "shelf") == ["_target"]


def test_what_is_there_is_not_replaced(linker: Linker, tmp_path: Path) -> None:
    linker.make("/target", str(tmp_path / "a"))
    with pytest.raises(FileExistsError):
        linker.make("/target", str(tmp_path / "a"))
    linker.make("/other", str(tmp_path / "b"))
    with pytest.raises(FileExistsError):
        linker.make("/target", str(tmp_path / "b"))
    assert os.readlink(tmp_path / "b") == "/other"


@pytest.mark.parametrize(
    "damage",
    [
        lambda twin: twin.symlink_to("/elsewhere"),
        lambda twin: twin.write_text("no link"),
        lambda twin: twin.mkdir(),
        lambda _: None,
    ],
    ids=["another target", "a file", "a directory", "gone"],
)
def test_a_damaged_shelf_is_not_believed(linker: Linker, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    linker.make("/target", str(tmp_path / "a"))
    twin = tmp_path / "shelf" / "_target"
    twin.unlink()
    damage(twin)
    for name in ("b", "c"):
        linker.make("/target", str(tmp_path / name))
        assert os.readlink(tmp_path / name) == "/target"


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_links_cannot_be_shared_they_are_made_one_by_one(
    linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    asked = []

    def refuse(source: str, destination: str, **_: object) -> None:
        asked.append(source)
        raise OSError(code, os.strerror(code), source, None, destination)

    monkeypatch.setattr(os, "link", refuse)
    for name in ("a", "b", "c"):
        linker.make("/target", str(tmp_path / name))
    assert {os.readlink(tmp_path / name) for name in "abc"} == {"/target"}
    # What holds for the whole file system is asked once only.
    assert len(asked) == (1 if code in {errno.EXDEV, errno.EOPNOTSUPP} else 6)
