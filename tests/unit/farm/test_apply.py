import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyvstore.errors import FarmError
from pyvstore.farm.apply import apply_plan
from pyvstore.farm.observe import list_names, observe
from pyvstore.farm.state import FarmState, InstalledPackage, read_state, write_state
from pyvstore.glance import STATE_NAME, digest_files, digest_variables, fingerprint, look
from pyvstore.model.farm import File, Made, SeenDirectory, SeenFile, SeenLink
from pyvstore.plan.sync import SyncPlan


def test_links_files_and_directories_appear(tmp_path: Path) -> None:
    plan = SyncPlan(
        make_directories=("lib", "lib/site"),
        links={"lib/site/six.py": "/store/six.py"},
        files={
            "lib/site/A": File(b"a", twin="t"),
            "lib/site/B": File(b"a", twin="t"),
            "run": File(b"#!", executable=True),
        },
    )
    assert apply_plan(plan, str(tmp_path)) is None
    assert os.readlink(tmp_path / "lib/site/six.py") == "/store/six.py"
    assert (tmp_path / "lib/site/A").samefile(tmp_path / "lib/site/B")
    assert os.access(tmp_path / "run", os.X_OK)


def test_what_was_not_ours_is_moved_whole_and_each_time_to_a_new_place(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / "site/click").mkdir(parents=True)
        (tmp_path / "site/click/mine.py").write_text(content)
        plan = SyncPlan(set_aside=("site/click",), links={"site/click": "/store/click"}, files={})
        aside = apply_plan(plan, str(tmp_path))
        assert aside is not None
        assert (Path(aside) / "site/click/mine.py").read_text() == content
        (tmp_path / "site/click").unlink()
    assert list_names(str(tmp_path), "displaced") == ("1", "2")


def test_nothing_is_set_aside_through_a_link_that_leads_out(tmp_path: Path) -> None:
    prefix = tmp_path / "venv"
    (prefix / "site/click").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (prefix / "displaced").symlink_to(tmp_path / "outside")
    with pytest.raises(FarmError):
        apply_plan(SyncPlan(set_aside=("site/click",), links={}, files={}), str(prefix))
    assert list((tmp_path / "outside").iterdir()) == []
    assert (prefix / "site/click").is_dir()


def test_removing_a_module_removes_its_bytecode_but_not_that_of_others(tmp_path: Path) -> None:
    cache = tmp_path / "site/__pycache__"
    cache.mkdir(parents=True)
    (tmp_path / "site/six.py").symlink_to("/store/six.py")
    for name in ("six.cpython-312.pyc", "sixer.cpython-312.pyc"):
        (cache / name).touch()
    apply_plan(SyncPlan(remove=("site/six.py",), links={}, files={}), str(tmp_path))
    assert [path.name for path in cache.iterdir()] == ["sixer.cpython-312.pyc"]


def test_a_directory_that_still_holds_something_is_kept(tmp_path: Path) -> None:
    (tmp_path / "site/google").mkdir(parents=True)
    (tmp_path / "site/google/mine.py").touch()
    apply_plan(SyncPlan(remove_directories=("site/google",), links={}, files={}), str(tmp_path))
    assert (tmp_path / "site/google/mine.py").exists()


def test_a_directory_that_cannot_be_emptied_is_set_aside_for_the_link(tmp_path: Path) -> None:
    (tmp_path / "site/google").mkdir(parents=True)
    (tmp_path / "site/google/mine.py").touch()
    plan = SyncPlan(remove_directories=("site/google",), links={"site/google": "/store/google"}, files={})
    aside = apply_plan(plan, str(tmp_path))
    assert aside is not None
    assert (Path(aside) / "site/google/mine.py").exists()
    assert os.readlink(tmp_path / "site/google") == "/store/google"


def test_a_failure_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FarmError) as caught:
        apply_plan(SyncPlan(links={"file/link": "/x"}, files={}), str(tmp_path))
    assert caught.value.code == "farm-write"
    assert "file/link" in caught.value.causes[0]


def test_observation_sees_kinds_and_never_looks_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside/inner").mkdir(parents=True)
    prefix = tmp_path / "venv"
    (prefix / "lib/site").mkdir(parents=True)
    (prefix / "lib/site/file").write_text("x")
    (prefix / "lib/site/foreign").write_text("y")
    (prefix / "lib/site/link").symlink_to(tmp_path / "outside")
    (prefix / "unrelated").mkdir()
    seen = observe(str(prefix), {"lib/site/file", "lib/site/link/inner", "lib/site/absent/deep", "pyvenv.cfg"})
    assert seen == {
        "lib": SeenDirectory(),
        "lib/site": SeenDirectory(),
        "lib/site/file": SeenFile("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", executable=False),
        "lib/site/foreign": SeenFile("", executable=False),
        "lib/site/link": SeenLink(str(tmp_path / "outside")),
    }


def test_an_absent_farm_is_seen_as_empty(tmp_path: Path) -> None:
    assert observe(str(tmp_path / "absent"), {"lib/x"}) == {}


def state(prefix: Path, root: Path) -> FarmState:
    target = root / "store/v1/entries/six-1.17.0-0123456789ab/six.py"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    (prefix / "site").mkdir(parents=True)
    (prefix / "site/six.py").symlink_to(target)
    (prefix / "tool").write_text("x")
    python = root / "python"
    python.touch()
    stamp = (prefix / "tool").stat()
    (root / "pyproject.toml").write_text("")
    return FarmState(
        prefix=str(prefix),
        store=str(root / "store/v1"),
        complete=True,
        input_files=digest_files(str(root), ["pyproject.toml", "pylock.toml"]),
        input_variables=digest_variables({"HOME": "/h"}),
        interpreter=str(python),
        interpreter_fingerprint=fingerprint(str(python)),
        packages=(InstalledPackage(name="six", version="1.17.0", direct=True, entry="six-1.17.0-0123456789ab"),),
        made={"site": Made(), "site/six.py": Made(target=str(target)), "tool": Made(sha256="x", former="y")},
        stamps={"tool": (stamp.st_size, stamp.st_mtime_ns)},
        listings={"site": ("six.py",)},
        told=("a",),
    )


def test_a_state_reads_as_it_was_written(tmp_path: Path) -> None:
    written = state(tmp_path / ".venv", tmp_path)
    write_state(written)
    assert read_state(str(tmp_path / ".venv")) == written


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 0}', '{"format": 1}', "\x00", '{"format": 1, "links": {"../x": "/y"}}']
)
def test_a_state_that_makes_no_sense_is_lost(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_NAME).write_text(text)
    assert read_state(str(tmp_path)) is None


def test_a_state_cannot_name_a_path_outside_the_environment(tmp_path: Path) -> None:
    write_state(state(tmp_path / ".venv", tmp_path))
    path = tmp_path / ".venv" / STATE_NAME
    path.write_text(path.read_text().replace('"site/six.py"', '"../../six.py"'))
    assert read_state(str(tmp_path / ".venv")) is None


def test_a_newer_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / STATE_NAME).write_text('{"format": 99}')
    with pytest.raises(FarmError) as caught:
        read_state(str(tmp_path))
    assert caught.value.code == "farm-newer"


def test_a_glance_at_an_unchanged_farm_is_enough(tmp_path: Path) -> None:
    write_state(state(tmp_path / ".venv", tmp_path))
    found = look(str(tmp_path), str(tmp_path / ".venv"), {"HOME": "/h"})
    assert found is not None
    assert found["packages"][0][0] == "six"


def link_elsewhere(root: Path) -> None:
    (root / ".venv/site/six.py").unlink()
    (root / ".venv/site/six.py").symlink_to(root)


def file_for_link(root: Path) -> None:
    (root / ".venv/site/six.py").unlink()
    (root / ".venv/site/six.py").touch()


CHANGES: dict[str, Callable[[Path], object]] = {
    "a link is missing": lambda root: (root / ".venv/site/six.py").unlink(),
    "a link leads elsewhere": link_elsewhere,
    "a link became a file": file_for_link,
    "a link dangles": lambda root: (root / "store/v1/entries/six-1.17.0-0123456789ab/six.py").unlink(),
    "a launcher changed": lambda root: (root / ".venv/tool").write_text("changed"),
    "a launcher is gone": lambda root: (root / ".venv/tool").unlink(),
    "a package was added": lambda root: (root / ".venv/site/new").mkdir(),
    "pyproject.toml changed": lambda root: (root / "pyproject.toml").write_text("x"),
    "a lockfile appeared": lambda root: (root / "pylock.toml").touch(),
    "the interpreter is gone": lambda root: (root / "python").unlink(),
    "the interpreter was replaced": lambda root: (root / "python").write_text("new"),
    "a journal is there": lambda root: (root / ".pyvstore-journal").touch(),
    "the state is gone": lambda root: (root / ".venv" / STATE_NAME).unlink(),
    "the state is damaged": lambda root: (root / ".venv" / STATE_NAME).write_text("{"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_glance_sees_that(tmp_path: Path, change: str) -> None:
    write_state(state(tmp_path / ".venv", tmp_path))
    assert look(str(tmp_path), str(tmp_path / ".venv"), {"HOME": "/h"}) is not None
    CHANGES[change](tmp_path)
    assert look(str(tmp_path), str(tmp_path / ".venv"), {"HOME": "/h"}) is None


@pytest.mark.parametrize("variable", ["PYVSTORE_HOME", "XDG_DATA_HOME", "PYVSTORE_INDEX_URL"])
def test_a_glance_sees_a_changed_variable(tmp_path: Path, variable: str) -> None:
    write_state(state(tmp_path / ".venv", tmp_path))
    assert look(str(tmp_path), str(tmp_path / ".venv"), {"HOME": "/h", variable: "x"}) is None
    assert look(str(tmp_path), str(tmp_path / ".venv"), {"HOME": "/h", "OTHER": "x"}) is not None


def test_a_glance_at_a_farm_under_another_name_is_not_enough(tmp_path: Path) -> None:
    write_state(state(tmp_path / ".venv", tmp_path))
    (tmp_path / ".venv").rename(tmp_path / "moved")
    assert look(str(tmp_path), str(tmp_path / "moved"), {"HOME": "/h"}) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / STATE_NAME)
    with pytest.raises(FarmError, match="cannot be read"):
        read_state(str(tmp_path))
    assert look(str(tmp_path), str(tmp_path), {}) is None
    assert digest_files(str(tmp_path), [STATE_NAME])


def test_an_input_that_cannot_be_read_has_a_digest_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    unreadable = digest_files(str(tmp_path), ["input"])
    (tmp_path / "input").rmdir()
    assert digest_files(str(tmp_path), ["input"]) != unreadable
    (tmp_path / "input").touch()
    assert digest_files(str(tmp_path), ["input"]) != unreadable


def test_what_the_disk_refuses_names_the_environment_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / STATE_NAME).mkdir()
    with pytest.raises(FarmError) as caught:
        read_state(str(tmp_path))
    assert caught.value.code == "farm-unreadable"
    assert caught.value.hint is not None
    assert "mv " in caught.value.hint
    with pytest.raises(FarmError) as caught:
        write_state(FarmState(prefix=str(tmp_path), store="/s", complete=False))
    assert caught.value.code == "farm-write"
    assert os.listdir(tmp_path) == [STATE_NAME]
