"""From an empty folder to a running program and back, through the command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tomli
from packaging.pylock import Pylock

from tests.support.loopback import LoopbackIndex, Reply, Request
from tests.support.wheels import build_wheel
from tests.support.world import World


def pyproject(world: World) -> dict[str, object]:
    project = tomli.loads((world.project / "pyproject.toml").read_text())["project"]
    assert isinstance(project, dict)
    return project


def test_add_in_an_empty_folder_does_the_whole_job(world: World) -> None:
    outcome = world.run("add", "alpha")
    project = pyproject(world)
    assert project["name"] == "project"
    assert project["dependencies"] == ["alpha>=1.1"]
    assert project["requires-python"] == ">=" + world.python("import sys; print('%d.%d' % sys.version_info[:2])")
    assert world.python("import alpha, beta; print(alpha.version)") == "1.1"
    assert os.readlink(world.site / "alpha").startswith(str(world.home / "v1" / "entries" / "alpha-1.1-"))
    assert world.run("run", "beta").out == "beta speaks\n"
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert lines[0].startswith("Packages are kept once for this machine in ")
    assert lines[1].startswith("Using CPython 3.")
    assert lines[2].startswith("Resolved 2 packages in ")
    assert lines[3].startswith("Downloaded 2 (")
    assert " · linked 2 in " in lines[3]
    assert lines[4:] == [" + alpha 1.1", "   (+ 1 dependency)", f"Made {world.project / 'pyproject.toml'}"]


def test_add_writes_what_was_asked_and_keeps_the_rest_of_the_file(world: World) -> None:
    text = '# mine\n[project]\nname = "app"\nversion = "1"\n'
    text += 'dependencies = [\n  "gamma",  # why\n]\n\n[tool.other]\nx = 1\n'
    (world.project / "pyproject.toml").write_text(text)
    world.run("add", "beta>=1,<3", "Alpha==1.0")
    after = (world.project / "pyproject.toml").read_text()
    assert '"gamma",  # why' in after
    assert after.startswith("# mine\n[project]\n")
    assert after.endswith("[tool.other]\nx = 1\n")
    assert sorted(pyproject(world)["dependencies"]) == ["alpha==1.0", "beta>=1,<3", "gamma"]  # type: ignore[call-overload]
    assert world.python("import alpha, gamma, space.one, space.two; print(alpha.version)") == "1.0"


def test_adding_again_changes_nothing(world: World) -> None:
    world.run("add", "alpha")
    before = world.files()
    world.run("add", "alpha")
    assert world.files() == before


@pytest.mark.parametrize(
    ("requirement", "code"),
    [("absent", "no-such-project"), ("alpha>9", "no-version"), ("future", "no-python")],
)
def test_an_add_that_has_no_answer_leaves_no_file(world: World, requirement: str, code: str) -> None:
    world.fail("add", requirement, code=code)
    assert world.files() == {}
    world.run("add", "gamma")


def test_a_misspelled_package_is_answered_with_one_that_this_machine_knows(world: World) -> None:
    assert "check the spelling" in world.fail("add", "alphha", code="no-such-project").err
    world.run("add", "alpha")
    assert "hint: did you mean `alpha`?" in world.fail("add", "alphha", code="no-such-project").err
    assert "did you mean" not in world.fail("add", "unlike-anything", code="no-such-project").err
    assert "hint: did you mean `alpha`?" in world.fail("remove", "alppha", code="requirement-unknown", status=2).err


def test_removing_what_only_others_need_says_who_needs_it(world: World) -> None:
    world.run("add", "alpha", "gamma")
    outcome = world.fail("remove", "beta", code="requirement-unknown", status=2)
    assert "  cause: beta is here because alpha needs it\n" in outcome.err
    assert "hint: it requires alpha, gamma\n" in world.fail("remove", "x", code="requirement-unknown", status=2).err


@pytest.mark.parametrize("words", [("add", "gamma"), ("remove", "alpha"), ("sync",)])
def test_somebody_elses_environment_is_refused_before_anything_is_fetched(world: World, words: tuple[str, ...]) -> None:
    world.run("add", "alpha")
    (world.project / "pylock.toml").unlink()
    shutil.rmtree(world.venv)
    (world.venv / "lib").mkdir(parents=True)
    before, asked = world.files(), len(world.index.requests)
    world.fail(*words, code="environment-not-ours")
    assert world.files() == before
    assert len(world.index.requests) == asked


def test_an_add_that_conflicts_leaves_both_files_as_they_were(world: World) -> None:
    world.run("add", "alpha", "beta>=2")
    before, store = world.files(), world.store_hash()
    outcome = world.fail("add", "picky", code="no-solution")
    assert "picky" in outcome.err
    assert "beta" in outcome.err
    assert world.files() == before
    assert world.store_hash() == store
    assert world.run("sync").err.startswith("Checked ")


def test_a_file_that_is_not_what_the_index_promised_is_refused_and_nothing_is_kept(
    world: World, index: LoopbackIndex
) -> None:
    index.corrupt("gamma-3.0-py3-none-any.whl")
    world.fail("add", "gamma", code="hash-mismatch")
    assert world.files() == {}
    assert list((world.home / "v1" / "entries").iterdir()) == []
    index.behave()
    world.run("add", "gamma")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_add_leaves_both_files_as_they_were(
    world: World, index: LoopbackIndex, number: signal.Signals, status: int
) -> None:
    world.run("add", "gamma")
    before = world.files()
    index.stall("alpha-1.1-py3-none-any.whl", after=10)
    index.forget_requests()
    child = subprocess.Popen(
        [sys.executable, "-m", "pyvstore", "add", "alpha"],
        cwd=world.project,
        env=world.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not index.count("/files/alpha-1.1-py3-none-any.whl") and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(number)
    _, err = child.communicate(timeout=20)
    assert child.returncode == status, err
    assert "Traceback" not in err
    assert world.files() == before
    assert list((world.home / "v1" / "tmp").iterdir()) == []
    index.behave()
    world.run("add", "alpha")


@pytest.mark.parametrize("where", ["page", "metadata", "head", "body", "drip"])
def test_ctrl_c_ends_a_command_within_a_second_wherever_the_index_hangs(
    world: World, index: LoopbackIndex, where: str
) -> None:
    filename, content = build_wheel("slow", "1.0", files={"slow.py": "", "slow.bin": os.urandom(3_000_000)})
    index.add(filename, content)
    asked = {"page": "/simple/slow/", "metadata": f"/files/{filename}.metadata"}.get(where, f"/files/{filename}")
    if where == "head":
        index.slow(asked, 60)
    elif where == "drip":
        index.trickle(asked, 0.2)
    else:
        index.stall(asked, after=10)
    took = []
    for _ in range(3):  # the machine may be busy once
        index.forget_requests()
        child = subprocess.Popen(
            [sys.executable, "-m", "pyvstore", "add", "slow"],
            cwd=world.project,
            env=world.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 30
        while asked not in index.paths() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
        took.append(time.monotonic() - started)
        assert child.returncode == 130, err
        assert "Traceback" not in err
        assert list((world.home / "v1" / "tmp").iterdir()) == []
        if took[-1] < 1:
            break
    assert min(took) < 1
    assert world.files() == {}


def test_remove_takes_out_the_package_and_what_only_it_needed(world: World) -> None:
    world.run("add", "alpha", "gamma")
    outcome = world.run("remove", "alpha")
    assert pyproject(world)["dependencies"] == ["gamma>=3.0"]
    names = {path.name for path in world.site.iterdir() if path.name != "__pycache__"}
    assert names == {"gamma.py", "gamma-3.0.dist-info", "space"}
    assert not (world.venv / "bin" / "beta").exists()
    assert [path.name for path in (world.site / "space").iterdir()] == ["two"]
    assert " - alpha 1.1" in outcome.err
    world.fail("remove", "gama", code="requirement-unknown", status=2)


def test_the_lock_is_standard_and_the_same_from_two_machines(
    world: World, tmp_path: Path, index: LoopbackIndex
) -> None:
    world.run("add", "alpha", "gamma")
    first = (world.project / "pylock.toml").read_bytes()
    lock = Pylock.from_dict(tomli.loads(first.decode()))
    lock.validate()
    assert [package.name for package in lock.packages] == ["alpha", "beta", "gamma"]
    for package in lock.packages:
        for wheel in package.wheels or ():
            assert wheel.size
            assert wheel.hashes["sha256"]
            assert wheel.url is not None
            assert wheel.url.startswith(index.root)
    assert [item["name"] for item in lock.packages[0].dependencies or ()] == ["beta"]
    other = World(tmp_path / "other", index)
    shutil.copy(world.project / "pyproject.toml", other.project / "pyproject.toml")
    other.run("lock")
    assert (other.project / "pylock.toml").read_bytes() == first
    (world.project / "pylock.toml").unlink()
    world.run("lock")
    assert (world.project / "pylock.toml").read_bytes() == first


def test_old_pins_are_kept_when_something_else_is_added(world: World, index: LoopbackIndex) -> None:
    world.run("add", "alpha==1.0")
    text = (world.project / "pyproject.toml").read_text()
    (world.project / "pyproject.toml").write_text(text.replace("alpha==1.0", "alpha>=1.0"))
    index.add(*build_wheel("beta", "9.0", files={"beta/__init__.py": ""}))
    world.run("add", "gamma")
    locked = (world.project / "pylock.toml").read_text()
    assert "alpha-1.0-py3" in locked
    assert "beta-2.0-py3" in locked


def test_a_sync_with_nothing_to_do_asks_the_network_nothing_and_says_one_line(
    world: World, index: LoopbackIndex
) -> None:
    world.run("add", "alpha")
    index.forget_requests()
    outcome = world.run("sync")
    assert outcome.err.startswith("Checked 2 packages in ")
    assert len(outcome.err.splitlines()) == 1
    assert index.count() == 0


def test_sync_follows_a_changed_pyproject_and_locked_refuses_to(world: World) -> None:
    world.run("add", "alpha")
    text = (world.project / "pyproject.toml").read_text()
    (world.project / "pyproject.toml").write_text(text.replace('"alpha>=1.1"', '"alpha>=1.1", "gamma"'))
    before = world.files()
    outcome = world.fail("sync", "--locked", code="lock-stale")
    assert "gamma was added to project.dependencies" in outcome.err
    world.fail("sync", "--check", code="lock-stale")
    assert world.files() == before
    assert world.run("sync", "--frozen").err.startswith("Checked 2 ")
    world.run("sync")
    assert world.python("import gamma; print('yes')") == "yes"
    world.run("sync", "--locked")


def test_frozen_and_locked_need_a_lockfile_and_exclude_each_other(world: World) -> None:
    world.run("init")
    world.fail("sync", "--frozen", code="lock-missing")
    world.fail("sync", "--locked", code="lock-missing")
    world.fail("sync", "--frozen", "--locked", code="usage", status=2)


def test_check_and_dry_run_look_and_change_nothing(world: World) -> None:
    world.run("add", "alpha")
    assert world.run("sync", "--check").err == "Nothing would change\n"
    (world.site / "alpha").unlink()
    world.fail("sync", "--check", code="out-of-sync")
    outcome = world.run("sync", "--dry-run")
    assert "Would change 1 path" in outcome.err
    assert not (world.site / "alpha").exists()
    world.run("sync")
    assert (world.site / "alpha").is_symlink()


def test_a_dry_run_of_a_first_sync_downloads_nothing(world: World, index: LoopbackIndex) -> None:
    world.run("add", "alpha")
    shutil.rmtree(world.venv)
    other = World(world.place / "elsewhere", index)
    for name, content in world.files().items():
        (other.project / name).write_bytes(content)
    outcome = other.run("sync", "--dry-run")
    assert "+ alpha 1.1" in outcome.err
    assert not other.venv.exists()
    assert list((other.home / "v1" / "entries").iterdir()) == []


def test_offline_says_exactly_what_is_missing_and_works_when_nothing_is(world: World, index: LoopbackIndex) -> None:
    world.fail("add", "alpha", "--offline", code="offline")
    assert world.files() == {}
    world.run("add", "alpha")
    index.forget_requests()
    shutil.rmtree(world.venv)
    world.run("sync", "--offline")
    assert index.count() == 0
    other = World(world.place / "elsewhere", index)
    for name, content in world.files().items():
        (other.project / name).write_bytes(content)
    outcome = other.fail("sync", "--offline", code="offline")
    assert "alpha 1.1" in outcome.err
    assert "beta 2.0" in outcome.err


def test_every_new_environment_says_its_python_and_an_old_one_does_not(world: World) -> None:
    world.run("add", "gamma")
    for _ in range(2):  # the second time, all was worked out before
        shutil.rmtree(world.venv)
        assert world.run("sync").err.startswith("Using CPython 3.")
    (world.site / "gamma.py").unlink()
    assert "Using" not in world.run("sync").err


def test_run_syncs_first_and_passes_on_arguments_and_exit_status(world: World) -> None:
    world.run("add", "gamma")
    shutil.rmtree(world.venv)
    assert (
        world.run("run", "python", "-c", "import gamma, sys; print(sys.argv[1:])", "-q", "--x").out == "['-q', '--x']\n"
    )
    assert world.try_run("run", "python", "-c", "raise SystemExit(7)").status == 7
    assert world.try_run("run", "--", "python", "-c", "raise SystemExit(8)").status == 8
    world.fail("run", "absent-program", code="no-command", status=2)
    assert "did you mean `pyvstore run python`?" in world.fail("run", "pythonn", code="no-command", status=2).err
    assert f"paths begin at {world.project}" in world.fail("run", "absent.py", code="no-command", status=2).err
    assert "at ./absent" in world.fail("run", "./absent", code="no-command", status=2).err
    (world.project / "tool.sh").write_text("echo hello\n")
    assert "`pyvstore run sh ./tool.sh`" in world.fail("run", "./tool.sh", code="cannot-start", status=2).err
    (world.project / "script.py").write_text("import gamma\nprint('script')\n")
    assert world.run("run", "script.py").out == "script\n"
    shutil.rmtree(world.venv)
    world.fail("run", "--no-sync", "python", code="no-environment")


def test_run_heals_a_damaged_environment_before_it_starts_the_program(world: World) -> None:
    world.run("add", "alpha")
    (world.site / "alpha").unlink()
    assert world.run("run", "python", "-c", "import alpha; print(alpha.version)").out == "1.1\n"


def test_the_environment_of_the_program_is_the_projects(world: World) -> None:
    world.run("add", "gamma")
    code = "import os, sys; print(sys.prefix, os.environ['VIRTUAL_ENV'], os.environ['PATH'].split(':')[0])"
    assert world.run("run", "python", "-c", code).out.split() == [
        str(world.venv),
        str(world.venv),
        str(world.venv / "bin"),
    ]


def test_that_the_project_itself_is_not_installed_is_said_once(world: World) -> None:
    (world.project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["gamma"]\n[build-system]\nrequires = ["hatchling"]\n'
    )
    assert "warning[project-not-installed]" in world.run("run", "python", "-c", "").err
    assert world.run("run", "python", "-c", "").err == ""
    (world.site / "gamma.py").unlink()
    assert "project-not-installed" not in world.run("run", "python", "-c", "").err


def test_list_shows_what_is_there_and_what_is_not_ours(world: World) -> None:
    world.run("add", "alpha")
    assert world.run("list").out.splitlines() == ["alpha 1.1", "beta  2.0"] or "alpha" in world.run("list").out
    assert json.loads(world.run("list", "--json").out) == [
        {"name": "alpha", "version": "1.1"},
        {"name": "beta", "version": "2.0"},
    ]
    foreign = world.site / "Foreign-5.0.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: Foreign\nVersion: 5.0\n")
    assert "foreign" in world.run("list").out
    assert "not from the lockfile" in world.run("list").out


def test_store_path_is_printed_as_data(world: World) -> None:
    assert world.run("store", "path").out == f"{world.home / 'v1'}\n"
    assert json.loads(world.run("store", "path", "--json").out) == {"path": str(world.home / "v1")}


def test_the_last_event_of_a_command_that_fails_is_its_error(world: World) -> None:
    outcome = world.fail("--json", "add", "no-such-thing", code="no-such-project")
    *_, last = map(json.loads, outcome.out.splitlines())
    assert (last["event"], last["code"], last["status"]) == ("failed", "no-such-project", 1)
    (slip,) = map(json.loads, world.fail("snyc", "--json", code="usage", status=2).out.splitlines())
    assert slip["hint"] == "did you mean `pyvstore sync`?"


def test_making_a_project_is_told_and_so_are_the_files_that_were_written(world: World) -> None:
    first = world.run("add", "alpha", "--json")
    written = [event["path"] for event in map(json.loads, first.out.splitlines()) if event["event"] == "file_written"]
    assert written == [str(world.project / name) for name in ("pyproject.toml", "pylock.toml")]
    assert '"event": "project_made"' in first.out
    assert "file_written" not in world.run("add", "alpha", "--json").out
    assert "Made" not in world.run("remove", "alpha").err


@pytest.mark.parametrize("words", [("init",), ("add", "alpha")])
def test_a_person_hears_that_a_project_was_made_here(world: World, words: tuple[str, ...]) -> None:
    assert world.run(*words).err.splitlines()[-1] == f"Made {world.project / 'pyproject.toml'}"


def test_init_makes_a_project_once(world: World) -> None:
    world.run("init", "--name", "my-app")
    assert pyproject(world)["name"] == "my-app"
    world.fail("init", code="project-exists")
    world.run("sync")
    assert world.python("print('works')") == "works"


def test_commands_work_from_a_folder_below_and_with_directory(world: World) -> None:
    world.run("add", "alpha")
    below = world.project / "src" / "deep"
    below.mkdir(parents=True)
    assert world.run("sync", cwd=below).err.startswith("Checked 2 ")
    assert world.run("--directory", str(world.project), "sync", cwd=world.place).err.startswith("Checked 2 ")
    assert world.run("sync", "-q").err == ""
    world.fail("sync", code="no-project", cwd=world.place)


def test_a_misspelled_command_or_option_is_explained(world: World) -> None:
    assert "sync" in world.fail("snyc", code="usage", status=2).err
    assert "--frozen" in world.fail("sync", "--frozn", code="usage", status=2).err
    world.fail("add", "numpy=2", code="requirement", status=2)
    assert world.run("--version").out.startswith("pyvstore ")


@pytest.mark.parametrize("variant", ["html", "no-core-metadata", "no-ranges", "no-hashes-of-metadata"])
def test_any_kind_of_index_will_do(tmp_path: Path, variant: str) -> None:
    with LoopbackIndex(html=variant == "html", ranges=variant != "no-ranges") as server:
        server.add(
            *build_wheel("alpha", "1.0", files={"alpha/__init__.py": ""}, requires=["beta"]),
            core_metadata=variant in {"html", "no-hashes-of-metadata"},
        )
        server.add(*build_wheel("beta", "2.0", files={"beta/__init__.py": ""}), core_metadata=False)
        world = World(tmp_path / variant, server)
        world.run("add", "alpha")
        assert world.python("import alpha, beta; print('yes')") == "yes"


def test_an_index_that_stumbles_is_asked_again(world: World, index: LoopbackIndex) -> None:
    index.fail_once("/simple/gamma/", 503)
    index.cut("gamma-3.0-py3-none-any.whl", after=100)
    world.run("add", "gamma")
    assert index.count("/simple/gamma/") == 2


def test_metadata_that_is_not_the_wheels_is_refused_and_the_wheels_own_believed_next(
    world: World, index: LoopbackIndex
) -> None:
    lie = b"Metadata-Version: 2.1\nName: liar\nVersion: 1.0\n"
    index.add(*build_wheel("liar", "1.0", files={"liar.py": ""}, requires=["beta"]), core_metadata=lie)
    world.fail("add", "liar", code="metadata-mismatch")
    assert world.files() == {}
    world.run("add", "liar")
    assert world.python("import liar, beta; print('both')") == "both"


def test_parts_of_a_wheel_that_are_another_wheels_are_refused_and_the_lock_made_from_them_can_be_made_anew(
    world: World, index: LoopbackIndex
) -> None:
    filename, honest = build_wheel(
        "liar", "1.0", files={"liar.py": "", "pad.bin": bytes(range(200))}, requires=["beta"]
    )
    lies = (
        build_wheel("liar", "1.0", files={"liar.py": "", "pad.bin": bytes(range(size)) * 2})[1]
        for size in range(1, 256)
    )
    lie = next(content for content in lies if len(content) == len(honest))
    index.add(filename, honest, core_metadata=False)

    def part_of_the_lie(_request: Request, reply: Reply) -> Reply:
        if reply.status == 206:
            start, _, rest = reply.headers["Content-Range"].removeprefix("bytes ").partition("-")
            reply.body = lie[int(start) : int(rest.partition("/")[0]) + 1]
        return reply

    index.misbehave(filename, part_of_the_lie)
    (world.project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["liar"]\nrequires-python = ">=3.10"\n'
    )
    world.run("lock")
    outcome = world.fail("sync", code="metadata-mismatch")
    assert "liar 1.0" in outcome.err
    assert "remove pylock.toml" in outcome.err
    (world.project / "pylock.toml").unlink()
    world.run("sync")
    assert world.python("import liar, beta; print('both')") == "both"


def test_json_gives_one_event_a_line(world: World) -> None:
    outcome = world.run("--json", "add", "gamma")
    events = [json.loads(line) for line in outcome.out.splitlines()]
    assert {"interpreter_chosen", "resolved", "download_finished", "ingested", "package_changed", "synced"} <= {
        event["event"] for event in events
    }
    assert outcome.err == ""
