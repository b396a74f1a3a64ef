"""Environments that are deleted, moved, copied, shared, and worked on by other tools."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import Outcome, World, unseal


def ready(world: World) -> str:
    world.run("add", "alpha", "gamma")
    assert world.python("import alpha, beta, gamma, space.one, space.two; print(alpha.version)") == "1.1"
    return world.store_hash()


def works(world: World) -> bool:
    code = "import alpha, beta, gamma, space.one, space.two; print(alpha.version)"
    return world.python(code) == "1.1" and world.run("run", "beta").out == "beta speaks\n"


def test_a_deleted_environment_is_relinked_without_network(world: World) -> None:
    store = ready(world)
    shutil.rmtree(world.venv)
    world.index.forget_requests()
    world.run("relink", PYVSTORE_INDEX_URL="http://127.0.0.1:9/simple/")
    assert works(world)
    assert world.index.count() == 0
    assert world.store_hash() == store


def test_a_moved_project_is_relinked_and_its_launchers_know_the_new_place(world: World) -> None:
    store = ready(world)
    files = world.files()
    moved = world.place / "moved here"
    world.project.rename(moved)
    world.project = moved
    outcome = world.run("relink")
    assert works(world)
    assert not (world.venv / "displaced").exists()
    assert "alpha" not in outcome.err
    assert subprocess.run([world.venv / "bin" / "beta"], check=True, capture_output=True, text=True).stdout
    assert world.store_hash() == store
    assert world.files() == files


def test_a_moved_project_heals_itself_at_the_next_run(world: World) -> None:
    ready(world)
    moved = world.place / "moved"
    world.project.rename(moved)
    world.project = moved
    assert world.run("run", "beta").out == "beta speaks\n"


def test_a_copy_of_a_project_becomes_a_farm_of_its_own(world: World) -> None:
    ready(world)
    copy = world.place / "worktree"
    shutil.copytree(world.project, copy, symlinks=True)
    original = world.project
    world.project = copy
    world.run("relink")
    assert works(world)
    assert str(copy) in (copy / ".venv/bin/beta").read_text()
    world.project = original
    assert str(original) in (original / ".venv/bin/beta").read_text()
    assert len(list((world.home / "v1" / "projects").iterdir())) == 2


def link_elsewhere(world: World) -> None:
    (world.site / "alpha").unlink()
    (world.site / "alpha").symlink_to("/nowhere")


DAMAGES: dict[str, Callable[[World], object]] = {
    "a link is gone": lambda world: (world.site / "alpha").unlink(),
    "a link leads elsewhere": link_elsewhere,
    "the metadata is gone": lambda world: shutil.rmtree(world.site / "alpha-1.1.dist-info"),
    "a launcher is gone": lambda world: (world.venv / "bin/beta").unlink(),
    "a launcher was changed": lambda world: (world.venv / "bin/beta").write_text("#!/bin/false\n"),
    "the configuration is gone": lambda world: (world.venv / "pyvenv.cfg").unlink(),
    "the state is gone": lambda world: (world.venv / "pyvstore.json").unlink(),
    "the state is nonsense": lambda world: (world.venv / "pyvstore.json").write_text("{"),
    "the namespace is gone": lambda world: shutil.rmtree(world.site / "space"),
    "site-packages is gone": lambda world: shutil.rmtree(world.site),
    "the interpreter link is gone": lambda world: (world.venv / "bin/python").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_relink_mends_a_farm_where(world: World, damage: str) -> None:
    store = ready(world)
    before = {path.relative_to(world.venv) for path in world.venv.rglob("*") if "__pycache__" not in path.parts}
    DAMAGES[damage](world)
    world.run("relink")
    assert works(world)
    after = {
        path.relative_to(world.venv)
        for path in world.venv.rglob("*")
        if "__pycache__" not in path.parts and "displaced" not in path.parts
    }
    assert after == before
    assert world.store_hash() == store


def test_what_a_user_put_in_our_place_is_set_aside_not_deleted(world: World) -> None:
    ready(world)
    (world.site / "alpha").unlink()
    (world.site / "alpha").mkdir()
    (world.site / "alpha" / "__init__.py").write_text("version = 'mine'\n")
    outcome = world.run("relink")
    assert "warning[set-aside]" in outcome.err
    assert works(world)
    (kept,) = (world.venv / "displaced").rglob("__init__.py")
    assert kept.read_text() == "version = 'mine'\n"


def test_relink_says_what_the_store_lacks_and_sync_fetches_it(world: World) -> None:
    ready(world)
    unseal(world.home)
    shutil.rmtree(next((world.home / "v1" / "entries").glob("alpha-*")))
    assert "alpha 1.1" in world.fail("relink", code="entry-missing").err
    world.run("sync")
    assert works(world)


def test_a_store_deleted_under_a_living_environment_is_refilled(world: World) -> None:
    ready(world)
    unseal(world.home)
    shutil.rmtree(world.home)
    assert world.run("run", "beta").out == "beta speaks\n"
    assert works(world)
    assert len(list((world.home / "v1" / "projects").iterdir())) == 1


def test_an_entry_that_lost_a_directory_is_made_again_by_sync(world: World) -> None:
    store = ready(world)
    unseal(world.home)
    (package,) = (world.home / "v1" / "entries").glob("alpha-*/lib/python/site-packages/alpha")
    shutil.rmtree(package)
    assert "alpha 1.1" in world.fail("relink", code="entry-missing").err
    world.run("sync")
    assert works(world)
    shutil.rmtree(world.place / "again", ignore_errors=True)
    assert len(store) == len(world.store_hash())


def test_what_a_tool_wrote_through_a_link_is_seen_by_the_next_command_and_sync_makes_the_entry_again(
    world: World,
) -> None:
    store = ready(world)
    package = (world.site / "alpha").resolve()
    package.chmod(0o755)  # as root, for whom modes are none
    (package / "__init__.py").unlink()
    (package / "__init__.py").write_text("version = 'omega'\n")
    (world.site / "omega-1.0.dist-info").mkdir()
    assert "the store does not have alpha" in world.fail("sync", "--check", code="out-of-sync").err
    told = world.fail("relink", code="entry-missing").err
    assert "warning[entry-changed]: alpha-1.1-" in told
    assert "warning[entry-changed]" in world.run("sync").err
    assert works(world)
    assert world.store_hash() == store


def test_a_store_that_moved_is_a_relink(world: World) -> None:
    ready(world)
    moved = world.place / "another-home"
    world.home.rename(moved)
    world.home = moved
    world.environ["PYVSTORE_HOME"] = str(moved)
    world.run("relink")
    assert works(world)
    assert os.readlink(world.site / "alpha").startswith(str(moved))


def files_outside(world: World) -> set[Path]:
    """Every regular file that is in no project's environment."""
    return {
        path
        for path in world.place.rglob("*")
        if path.is_file() and not path.is_symlink() and ".venv" not in path.parts and "__pycache__" not in path.parts
    }


def test_a_second_project_with_the_same_lock_adds_only_its_registration(world: World) -> None:
    store = ready(world)
    files = world.files()
    world.project = world.place / "second"
    world.project.mkdir()
    for name, content in files.items():
        (world.project / name).write_bytes(content)
    before = files_outside(world)
    world.run("sync")
    assert works(world)
    (new,) = files_outside(world) - before
    assert new.parent == world.home / "v1" / "projects"
    assert world.store_hash() == store
    regular = [path for path in world.venv.rglob("*") if path.is_file() and not path.is_symlink()]
    assert all(path.suffix != ".py" or path.parent.name == "__pycache__" for path in regular)


def test_bytecode_is_shared_by_projects(world: World) -> None:
    ready(world)
    caches = list((world.home / "v1" / "entries").rglob("alpha/__pycache__/*.pyc"))
    assert len(caches) == 1


def make_folder(place: Path) -> None:
    place.mkdir()
    (place / "x").touch()


def make_link(place: Path) -> None:
    place.with_name("real").mkdir()
    place.symlink_to("real")


def make_venv(place: Path) -> None:
    place.mkdir()
    (place / "pyvenv.cfg").write_text("home = /usr/bin\n")


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a file": lambda place: place.write_text("x"),
    "a folder": make_folder,
    "a link": make_link,
    "a dangling link": lambda place: place.symlink_to("nowhere"),
    "another tool's environment": make_venv,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_not_ours_in_the_environments_place_is_never_touched(world: World, kind: str) -> None:
    FOREIGN[kind](world.venv)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in world.project.rglob("*"))
    outcome = world.try_run("add", "gamma")
    assert outcome.status == 1
    assert "error[" in outcome.err
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in world.project.rglob("*")) == before


def test_many_processes_that_sync_one_lock_at_once_all_succeed(world: World) -> None:
    ready(world)
    projects = []
    for number in range(6):
        project = world.place / f"p{number}"
        project.mkdir()
        for name, content in world.files().items():
            (project / name).write_bytes(content)
        projects.append(project)
    unseal(world.home)
    shutil.rmtree(world.home)

    def sync(project: Path) -> Outcome:
        return world.try_run("sync", cwd=project)

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(sync, projects))
    assert [outcome.status for outcome in outcomes] == [0] * 6, outcomes
    assert list((world.home / "v1" / "stage").iterdir()) == []
    assert list((world.home / "v1" / "tmp").iterdir()) == []


def test_two_adds_at_once_in_one_project_both_happen_or_one_says_why(world: World) -> None:
    world.run("init")
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda name: world.try_run("add", name), ["alpha", "gamma"]))
    assert [outcome.status for outcome in outcomes] == [0, 0], outcomes
    assert works(world)


def pip(world: World, *words: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(world.venv / "bin" / "python"), *words]
    variables = {"PIP_INDEX_URL": world.index.url, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environ = {name: value for name, value in world.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(command, env={**environ, **variables}, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def uv(world: World, *words: str) -> None:
    environ = {name: value for name, value in world.environ.items() if name != "PYTHONPATH"}
    environ |= {
        "VIRTUAL_ENV": str(world.venv),
        "UV_INDEX_URL": world.index.url,
        "UV_CACHE_DIR": str(world.place / "uv"),
    }
    command = [str(Path(sys.executable).with_name("uv")), "--no-config", "pip", *words]
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=world.place)
    assert result.returncode == 0, result.stderr


TOOLS: dict[str, Callable[[World], None]] = {
    "pip uninstall": lambda world: pip(world, "uninstall", "-y", "alpha", "beta"),
    "pip install -U": lambda world: pip(world, "install", "-U", "alpha"),
    "pip install --force-reinstall": lambda world: pip(world, "install", "--force-reinstall", "beta"),
    "uv pip uninstall": lambda world: uv(world, "uninstall", "alpha", "beta"),
    "uv pip install -U": lambda world: uv(world, "install", "-U", "alpha"),
    "uv pip install --reinstall": lambda world: uv(world, "install", "--reinstall", "beta"),
    "uv pip install into the namespace": lambda world: uv(world, "install", "delta"),
}


@pytest.fixture
def newer(index: LoopbackIndex, world: World) -> World:
    ready(world)
    index.add(*build_wheel("alpha", "1.2", files={"alpha/__init__.py": "version = '1.2'\n", "alpha/new.py": ""}))
    index.add(*build_wheel("delta", "1.0", files={"space/three/__init__.py": ""}))
    return world


@pytest.mark.parametrize("tool", TOOLS)
def test_no_tool_changes_the_store_and_relink_restores(newer: World, tool: str) -> None:
    world = newer
    store = world.store_hash()
    TOOLS[tool](world)
    assert world.store_hash() == store
    world.run("relink")
    assert works(world)
    assert world.store_hash() == store
    assert {item for item in os.listdir(world.site) if item.startswith("alpha-")} == {"alpha-1.1.dist-info"}


def test_after_an_uninstall_nothing_of_the_package_is_left(newer: World) -> None:
    pip(newer, "uninstall", "-y", "beta")
    assert not list(newer.site.glob("beta*"))
    assert not (newer.venv / "bin" / "beta").exists()
    assert not (newer.site / "space" / "one").exists()


def test_what_a_tool_reinstalled_and_relink_restored_is_removed_without_a_trace(newer: World) -> None:
    uv(newer, "install", "--reinstall", "beta")
    newer.run("relink")
    assert not (newer.site / "beta-1.0.dist-info" / "REQUESTED").exists()
    newer.run("remove", "alpha", "gamma")
    assert list(newer.site.glob("*.dist-info")) == []


def test_the_metadata_lists_files_that_exist(world: World) -> None:
    ready(world)
    code = (
        "from importlib.metadata import distribution as d, packages_distributions as p\n"
        "files = d('beta').files\n"
        "assert all(f.locate().exists() for f in files), [f for f in files if not f.locate().exists()]\n"
        "print(sorted(map(str, files))[0], p()['beta'], d('beta').read_text('INSTALLER').strip())"
    )
    assert world.python(code) == "../../../bin/beta ['beta'] pyvstore"


def test_a_distribution_that_another_tool_adds_is_kept_and_mentioned_once(newer: World) -> None:
    uv(newer, "install", "delta")
    assert "warning[foreign]" in newer.run("sync").err
    assert newer.run("sync").err.startswith("Checked ")
    assert newer.python("import space.three; print('kept')") == "kept"


def another_python() -> str:
    """Return a Python of this machine of another version than the one that runs the tests; skip without."""
    others = [Path(place) for place in map(shutil.which, ("python3.10", "python3.13", "python3.12")) if place]
    versions = sorted(Path("~/.pyenv/versions").expanduser().glob("3.1[0-3].*/bin/python"))
    for path in (*versions, *others):
        command = [str(path), "-c", "import sys; print(sys.version_info[:2])"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0 and result.stdout.strip() != str(sys.version_info[:2]):
            return str(path)
    pytest.skip("there is only one Python here")


def test_a_deleted_environment_comes_back_for_the_python_that_the_lock_is_for(world: World) -> None:
    other = another_python()
    world.environ["PATH"] += f":{Path(other).parent}"
    world.run("init")
    text = (world.project / "pyproject.toml").read_text()
    command = [other, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
    minor = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (world.project / "pyproject.toml").write_text(re.sub(r">=3[.]\d+", f"=={minor}.*", text))
    world.run("add", "alpha")
    version, files = world.python("import sys; print(sys.version)"), world.files()
    for command in (["relink"], ["sync"], ["sync", "--locked"], ["sync", "--frozen"], ["lock"]):
        shutil.rmtree(world.venv, ignore_errors=True)
        world.run(*command)
        assert world.files() == files, command
        assert command == ["lock"] or world.python("import alpha, sys; print(sys.version)") == version, command


def test_another_python_is_a_sync_away_and_the_entries_are_shared(world: World) -> None:
    current, other = sys.version_info[:2], another_python()
    world.run("init", "--python", other)
    text = (world.project / "pyproject.toml").read_text()
    (world.project / "pyproject.toml").write_text(
        text.replace('requires-python = ">=3.1', 'requires-python = ">=3.8" # "')
    )
    world.run("add", "alpha", "--python", other)
    first = world.python("import sys; print(sys.version_info[:2])")
    entries = set(os.listdir(world.home / "v1" / "entries"))
    world.run("sync", "--python", f"{current[0]}.{current[1]}")
    assert world.python("import alpha, sys; print(sys.version_info[:2])") != first
    assert set(os.listdir(world.home / "v1" / "entries")) == entries
    assert len(list(world.venv.glob("lib/*"))) == 1


def venv(place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)


def uv_venv(place: Path) -> None:
    uv_program = Path(sys.executable).with_name("uv")
    subprocess.run([uv_program, "--no-config", "venv", "-q", "--offline", "-p", sys.executable, place], check=True)


def conda(place: Path) -> None:
    (place / "conda-meta").mkdir(parents=True)
    (place / "conda-meta" / "history").touch()


REAL: dict[str, Callable[[Path], object]] = {"python -m venv": venv, "uv venv": uv_venv, "conda": conda}


@pytest.mark.parametrize("kind", REAL)
def test_no_command_touches_or_uses_an_environment_that_another_tool_made(world: World, kind: str) -> None:
    world.run("add", "alpha")
    files = world.files()
    shutil.rmtree(world.venv)
    REAL[kind](world.venv)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in world.venv.rglob("*"))
    python = ["python", "-c", "pass"]
    for command in (["sync"], ["relink"], ["add", "gamma"], ["run", *python], ["run", "--no-sync", *python], ["list"]):
        world.fail(*command, code="environment-not-ours")
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in world.venv.rglob("*")) == before
    assert world.files() == files


def test_a_link_to_another_projects_environment_is_not_followed(world: World) -> None:
    store = ready(world)
    other = world.place / "other"
    other.mkdir()
    for name, content in world.files().items():
        (other / name).write_bytes(content)
    (other / ".venv").symlink_to(world.venv)
    before = (world.venv / "pyvstore.json").read_bytes()
    for command in (["sync"], ["relink"], ["remove", "gamma"], ["run", "beta"], ["list"]):
        world.fail(*command, code="environment-not-ours", cwd=other)
    assert (world.venv / "pyvstore.json").read_bytes() == before
    assert works(world)
    assert world.store_hash() == store


def test_a_project_reached_through_a_link_is_the_same_project(world: World) -> None:
    ready(world)
    way = world.place / "way"
    way.symlink_to(world.project)
    for shown in (str(way), str(world.project)):
        assert world.run("sync", cwd=way, PWD=shown).err.startswith("Checked ")
        assert world.run("--directory", str(way), "sync", PWD=shown).err.startswith("Checked ")
    assert len(list((world.home / "v1" / "projects").iterdir())) == 1


def test_a_lockfile_that_is_not_compared_leaves_a_state_that_is_true(world: World) -> None:
    ready(world)
    world.run("sync")  # sees the bytecode that the first imports left
    state = world.venv / "pyvstore.json"
    before = state.stat().st_mtime_ns
    for command in (["sync", "--frozen"], ["relink"]):
        world.run(*command)
        assert state.stat().st_mtime_ns == before
    text = (world.project / "pyproject.toml").read_text()
    (world.project / "pyproject.toml").write_text(re.sub(r'\n    "gamma[^"]*",', "", text))
    world.run("sync", "--frozen")
    assert (world.site / "gamma.py").exists()
    world.run("sync")
    assert not (world.site / "gamma.py").exists()


def test_adding_removing_syncing_and_relinking_at_once_end_in_what_the_files_say(world: World) -> None:
    ready(world)
    commands = [["remove", "gamma"], ["add", "beta"], ["sync"], ["relink"]]
    with ThreadPoolExecutor(len(commands)) as pool:
        outcomes = list(pool.map(lambda command: world.try_run(*command), commands))
    assert [outcome.status for outcome in outcomes] == [0, 0, 0, 0], outcomes
    assert "gamma" not in world.files()["pylock.toml"].decode()
    world.run("sync", "--check")


def test_an_environment_that_somebody_deletes_meanwhile_is_an_error_and_then_mended(world: World) -> None:
    ready(world)
    with ThreadPoolExecutor(1) as pool:
        for command in ("sync", "relink") * 2:
            outcome = pool.submit(world.try_run, command)
            while not outcome.done():
                shutil.rmtree(world.venv, ignore_errors=True)
            ended = outcome.result()
            assert ended.status in {0, 1}, ended.err
            assert ended.status == 0 or re.search(r"error\[farm-(unreadable|write)\]", ended.err), ended.err
    world.run("sync")
    assert works(world)


@pytest.mark.parametrize("shelf", ["", *("entries", "stage", "tmp", "locks", "projects", "records")])
def test_a_file_in_the_place_of_a_folder_of_the_store_is_an_error_and_stays(world: World, shelf: str) -> None:
    place = world.home / "v1" / shelf
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    outcome = world.fail("add", "alpha", code="store")
    assert "move it out of the way" in outcome.err
    assert place.read_text() == "mine"
    assert world.files() == {}
