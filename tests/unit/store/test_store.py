import hashlib
import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from pyvstore.errors import PyvstoreError, StoreError, UsageError, WheelError
from pyvstore.events import Event, StoreOpened, Warned
from pyvstore.model.entry import EntryKey, parse_entry_dirname
from pyvstore.plan.fold import Source
from pyvstore.plan.records import record_shape
from pyvstore.store.layout import MANIFEST_NAME
from pyvstore.store.location import check_apart, store_home
from pyvstore.store.records import ensure_records
from pyvstore.store.roots import project_identifier, register
from pyvstore.store.scratch import scratch, sweep_scratch
from pyvstore.store.store import Store, StoreLibrary, store_error
from tests.support.entries import LAYOUT
from tests.support.wheels import build_wheel
from tests.support.world import unseal


class Listener:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "home"))
    opened.open()
    yield opened
    for place, directories, _ in os.walk(tmp_path / "home"):
        for name in directories:
            os.chmod(os.path.join(place, name), 0o755)


def wheel_file(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "download"
    path.write_bytes(content)
    return str(path)


def key_of(content: bytes, name: str = "pkg", version: str = "1.0") -> EntryKey:
    return EntryKey(name=canonicalize_name(name), version=version, sha256=hashlib.sha256(content).hexdigest())


PKG = build_wheel("pkg", "1.0", files={"pkg/__init__.py": "x = 1\n", "pkg/data.txt": "d"})


def tree(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): stat.S_IMODE(path.lstat().st_mode) for path in [root, *root.rglob("*")]}


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_an_entry_is_published_complete_and_sealed_whatever_the_umask(store: Store, tmp_path: Path, umask: int) -> None:
    filename, content = PKG
    before = os.umask(umask)
    try:
        entry, is_new = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    finally:
        os.umask(before)
    assert is_new
    modes = tree(Path(entry.root))
    site = "lib/python/site-packages"
    assert modes["."] == modes[site] == modes[f"{site}/pkg"] == 0o555
    assert modes[f"{site}/pkg/__init__.py"] == modes[MANIFEST_NAME] == 0o444
    assert modes[f"{site}/pkg/__pycache__"] == 0o755
    assert os.listdir(store.shelf("stage")) == []


def test_an_entry_is_made_once(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    path = wheel_file(tmp_path, content)
    first, _ = store.ingest(path, key_of(content), filename)
    second, is_new = store.ingest(path, key_of(content), filename)
    assert not is_new
    assert second == first == store.find(key_of(content))


def test_many_threads_that_want_one_entry_all_get_it(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    path = wheel_file(tmp_path, content)
    made: list[bool] = []
    threads = [
        threading.Thread(target=lambda: made.append(store.ingest(path, key_of(content), filename)[1])) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 5 + [True]


def test_a_wheel_that_contradicts_itself_leaves_nothing(store: Store, tmp_path: Path) -> None:
    filename, content = build_wheel("pkg", "2.0", files={"pkg/__init__.py": "x = 1\n"})
    with pytest.raises(WheelError):
        store.ingest(wheel_file(tmp_path, content), key_of(content, version="1.0"), filename)
    assert os.listdir(store.shelf("entries")) == os.listdir(store.shelf("stage")) == []


def test_what_a_dead_maker_left_is_swept(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    left = Path(store.shelf("stage")) / key_of(content).dirname()
    (left / "sealed").mkdir(parents=True)
    (left / "sealed" / "half").touch()
    (left / "sealed").chmod(0o555)
    store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    assert os.listdir(store.shelf("stage")) == []


def test_a_directory_without_a_manifest_is_no_entry_and_is_made_anew(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    half = Path(store.shelf("entries")) / key_of(content).dirname()
    half.mkdir()
    assert store.find(key_of(content)) is None
    entry, is_new = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    assert is_new
    assert entry.root == str(half)


def test_an_interrupted_seal_is_finished_by_whoever_looks(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    entry, _ = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    os.chmod(entry.root, 0o755)
    assert store.find(key_of(content)) == entry
    assert stat.S_IMODE(os.stat(entry.root).st_mode) == 0o555


def test_two_wheels_whose_hashes_begin_alike_are_two_entries(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    key = key_of(content)
    entry, _ = store.ingest(wheel_file(tmp_path, content), key, filename)
    os.chmod(entry.root, 0o755)
    manifest = Path(entry.root) / MANIFEST_NAME
    head, rows = manifest.read_bytes().splitlines()
    other = json.loads(head)
    other["wheel_sha256"] = key.sha256[:12] + "0" * 52
    manifest.chmod(0o644)
    manifest.write_bytes(json.dumps(other).encode() + b"\n" + rows + b"\n")
    assert store.find(key) is None
    second, is_new = store.ingest(wheel_file(tmp_path, content), key, filename)
    assert is_new
    assert second.root == str(Path(store.shelf("entries")) / key.dirname(64))
    assert store.find(key) == second


@pytest.mark.parametrize("damage", ["the manifest is cut", "a file is gone", "a folder is gone"])
def test_a_damaged_entry_counts_as_absent_and_is_made_again(store: Store, tmp_path: Path, damage: str) -> None:
    filename, content = PKG
    entry, _ = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    unseal(Path(entry.root).parent)
    manifest = Path(entry.root) / MANIFEST_NAME
    site = Path(entry.root) / "lib/python/site-packages"
    if damage == "the manifest is cut":
        manifest.chmod(0o644)
        manifest.write_bytes(manifest.read_bytes()[:100])
    elif damage == "a file is gone":
        (site / "pkg-1.0.dist-info" / "METADATA").unlink()
    else:
        shutil.rmtree(site / "pkg")
    assert store.find(key_of(content)) is None
    again, is_new = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    assert is_new
    assert again == entry == store.find(key_of(content))
    assert (site / "pkg" / "data.txt").read_text() == "d"


def test_an_entry_of_a_newer_format_is_refused(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    entry, _ = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    manifest = Path(entry.root) / MANIFEST_NAME
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b'"format":1', b'"format":2', 1))
    with pytest.raises(StoreError) as caught:
        store.find(key_of(content))
    assert caught.value.code == "manifest-format"


def test_the_first_use_is_said_once(tmp_path: Path) -> None:
    listener = Listener()
    for _ in range(2):
        Store(str(tmp_path / "new" / "home"), listener).open()
    assert listener.events == [StoreOpened(str(tmp_path / "new" / "home"))]


def test_a_store_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        Store(str(tmp_path / "file" / "home")).open()
    assert "file" in caught.value.causes[0]


def test_records_are_made_once_and_list_links_first(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    entry, _ = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    source = Source(entry.manifest, entry.root)
    site = LAYOUT.site_packages
    shape = record_shape(
        source, [f"{site}/pkg", f"{site}/pkg-1.0.dist-info/METADATA"], [f"{site}/pkg-1.0.dist-info/INSTALLER"], LAYOUT
    )
    assert ensure_records(store, [shape], StoreLibrary()) == 1
    assert ensure_records(store, [shape], StoreLibrary()) == 0
    rows = (Path(store.shelf("records")) / shape.name).read_text().splitlines()
    assert rows[:2] == ["pkg,,", "pkg-1.0.dist-info/METADATA,,"]
    assert rows[2].startswith("pkg-1.0.dist-info/INSTALLER,")
    assert rows[-1] == "pkg-1.0.dist-info/RECORD,,"
    assert [row.split(",")[0] for row in rows[3:-1]] == [
        "pkg/__init__.py",
        "pkg/data.txt",
        "pkg-1.0.dist-info/WHEEL",
    ]


def test_different_shapes_have_different_records(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    entry, _ = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    source = Source(entry.manifest, entry.root)
    one = record_shape(source, [f"{LAYOUT.site_packages}/pkg"], [], LAYOUT)
    two = record_shape(source, [f"{LAYOUT.site_packages}/pkg/data.txt"], [], LAYOUT)
    assert one.name != two.name
    parsed = parse_entry_dirname(one.name.rpartition(".")[0])
    assert parsed is not None
    assert parsed[:2] == ("pkg", "1.0")


def test_planning_asks_the_store_about_an_entrys_inside(store: Store, tmp_path: Path) -> None:
    filename, content = PKG
    entry, _ = store.ingest(wheel_file(tmp_path, content), key_of(content), filename)
    source, library = Source(entry.manifest, entry.root), StoreLibrary()
    site = "lib/python/site-packages"
    assert set(library.children(source, f"{site}/pkg")) == {"__init__.py", "data.txt"}
    assert library.row(source, f"{site}/pkg/data.txt").size_bytes == 1
    assert library.content(source, f"{site}/pkg/data.txt") == b"d"
    with pytest.raises(StoreError):
        library.row(source, "absent")
    with pytest.raises(StoreError):
        library.content(source, "absent")


def test_a_farm_is_registered_once_with_machine_and_device(store: Store, tmp_path: Path) -> None:
    prefix = str(tmp_path / "project" / ".venv")
    assert register(store, prefix)
    assert not register(store, prefix)
    root = json.loads((Path(store.shelf("projects")) / (project_identifier(prefix) + ".json")).read_text())
    assert root["farm"] == prefix
    assert root["device"] == tmp_path.stat().st_dev
    assert root["machine"]


def test_scratch_room_is_gone_afterwards_and_that_of_the_dead_is_swept(store: Store) -> None:
    shelf = Path(store.shelf("tmp"))
    (shelf / "dead").mkdir()
    (shelf / "dead" / "half.whl").touch()
    (shelf / "dead.lock").touch()
    with scratch(store) as directory:
        Path(directory, "x").touch()
        sweep_scratch(store)
        assert not (shelf / "dead").exists()
        assert Path(directory, "x").exists()
    assert list(shelf.iterdir()) == []


def test_old_half_written_files_of_what_is_remembered_go_with_the_next_download(store: Store) -> None:
    shelf = Path(store.shelf("index"), "pages")
    shelf.mkdir()
    for name in (".old.0.pyvstore-tmp", ".new.0.pyvstore-tmp", "page"):
        (shelf / name).touch()
    for name in (".old.0.pyvstore-tmp", "page"):
        os.utime(shelf / name, (1_000_000, 1_000_000))
    with scratch(store):
        assert sorted(path.name for path in shelf.iterdir()) == [".new.0.pyvstore-tmp", "page"]


def test_the_store_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert store_home({"PYVSTORE_HOME": str(tmp_path)}) == str(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert store_home({"PYVSTORE_HOME": "~/store"}) == "/home/someone/store"
    assert os.path.isabs(store_home({}))
    with pytest.raises(UsageError):
        store_home({"PYVSTORE_HOME": "relative"})


@pytest.mark.parametrize("home", ["/p/.venv", "/p/.venv/store", "/p/.venv-store"])
def test_a_store_that_begins_like_the_environment_is_refused(home: str) -> None:
    with pytest.raises(StoreError) as caught:
        check_apart(home, "/p/.venv")
    assert caught.value.code == "store-location"


def test_a_store_beside_the_environment_is_fine() -> None:
    check_apart("/p/store", "/p/.venv")


@pytest.mark.parametrize(
    ("number", "word"),
    [
        *((28, "space"), (122, "quota"), (30, "PYVSTORE_HOME"), (13, "PYVSTORE_HOME"), (24, "ulimit"), (5, "dmesg")),
        *((116, "again"), (18, "again")),
    ],
)
def test_what_the_disk_says_comes_with_the_next_thing_to_do(number: int, word: str) -> None:
    error: PyvstoreError = store_error("it failed", OSError(number, os.strerror(number), "/place"))
    assert error.hint is not None
    assert word in error.hint
    assert "/place" in error.causes[0]


def written_through(store: Store, tmp_path: Path, name: str, text: str) -> Path:
    """Put an entry into the store and a file into the directory of it that farms link to, as root can."""
    entry, _ = store.ingest(wheel_file(tmp_path, PKG[1]), key_of(PKG[1]), PKG[0])
    package = Path(entry.root, "lib/python/site-packages/pkg")
    package.chmod(0o755)
    (package / "new").write_text(text)
    (package / "new").rename(package / name)
    package.chmod(0o555)
    return package


@pytest.mark.parametrize("name", ["__init__.py", "added.py"])
def test_an_entry_that_a_tool_wrote_into_counts_as_absent_and_is_made_anew(tmp_path: Path, name: str) -> None:
    listener = Listener()
    store = Store(str(tmp_path / "home"), listener)
    store.open()
    package = written_through(store, tmp_path, name, "x = 2\n")
    assert store.find(key_of(PKG[1])) is None
    assert store.find(key_of(PKG[1])) is None
    (warning,) = [event for event in listener.events if isinstance(event, Warned)]
    assert warning.code == "entry-changed"
    assert f"site-packages/pkg/{name}" in warning.message
    assert store.ingest(wheel_file(tmp_path, PKG[1]), key_of(PKG[1]), PKG[0])[1]
    assert sorted(path.name for path in package.iterdir()) == ["__init__.py", "__pycache__", "data.txt"]
    assert (package / "__init__.py").read_text() == "x = 1\n"
    assert store.find(key_of(PKG[1])) is not None
    unseal(tmp_path / "home")


def test_an_entry_whose_directories_only_look_newer_is_read_once_and_used(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_through(store, tmp_path, "__init__.py", "x = 1\n")
    assert store.find(key_of(PKG[1])) is not None
    monkeypatch.setattr("pyvstore.store.store.differences", lambda *_: pytest.fail("it was read again"))
    assert store.find(key_of(PKG[1])) is not None


def test_a_new_entry_is_not_read_again(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyvstore.store.store.differences", lambda *_: pytest.fail("it was read"))
    store.ingest(wheel_file(tmp_path, PKG[1]), key_of(PKG[1]), PKG[0])
    assert store.find(key_of(PKG[1])) is not None


def test_an_entry_that_the_disk_does_not_show_is_not_taken_for_a_damaged_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = wheel_file(tmp_path, PKG[1])
    entry, _ = store.ingest(wheel, key_of(PKG[1]), PKG[0])
    before, real = tree(Path(entry.root)), os.lstat

    def fail(path: str) -> os.stat_result:
        if str(path).endswith("/pkg"):
            raise OSError(116, "Stale file handle", path)
        return real(path)

    monkeypatch.setattr(os, "lstat", fail)
    for look in (lambda: store.find(key_of(PKG[1])), lambda: store.ingest(wheel, key_of(PKG[1]), PKG[0])):
        with pytest.raises(StoreError, match="cannot be read"):
            look()
    monkeypatch.undo()
    assert tree(Path(entry.root)) == before


def test_scratch_room_that_cannot_be_removed_is_no_failure_and_is_swept_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> None:
        raise OSError(5, "Input/output error", path)

    with scratch(store) as directory:
        monkeypatch.setattr(os, "rmdir", fail)
    monkeypatch.undo()
    assert Path(directory).exists()
    sweep_scratch(store)
    assert os.listdir(store.shelf("tmp")) == []


def test_what_cannot_be_cleared_away_hides_no_reason(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> None:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(os, "rmdir", fail)
    with pytest.raises(WheelError):
        store.ingest(wheel_file(tmp_path, b"no wheel"), key_of(b"no wheel"), PKG[0])
