"""The real command line with streams that are closed, full, or in an encoding without our signs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyvstore.ops import init, sync
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal

FULL = Path("/dev/full")


def shell(world: World, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``script`` with ``$PYVSTORE`` being the command line."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; pyvstore() {{ '{sys.executable}' -m pyvstore \"$@\"; }}; {script}"],
        cwd=world.project,
        env={**world.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def ready(world: World) -> World:
    world.run("add", "alpha==1.0")
    return world


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for tests that leave it in order."""
    place = tmp_path_factory.mktemp("shared")
    with LoopbackIndex() as server:
        for version in ("1.0", "1.1"):
            server.add(*build_wheel("alpha", version, files={"alpha.py": ""}))
        world = World(place, server)
        world.run("add", "alpha==1.0")
        yield world
    unseal(place)


CLOSED = {
    "list >&-": 0,
    "list 2>&-": 0,
    "list >&- 2>&-": 0,
    "list <&- >&- 2>&-": 0,
    "store path >&-": 0,
    "--version >&-": 0,
    "--help >&-": 0,
    "sync >&- 2>&-": 0,
    "sync --frozen 2>&-": 0,
    "run python -c pass >&- 2>&-": 0,
    "run --frozen python -c pass >&- 2>&-": 0,
    "remove absent 2>&-": 2,
    "remove absent >&- 2>&-": 2,
    "snyc 2>&-": 2,
    "add alpha==OTHER 2>&-": 0,
    "--json add alpha==OTHER >&-": 0,
    "list | head -0": 0,
    "store path | head -0": 0,
    "sync 2>&1 | head -0": 0,
    "add alpha==OTHER 2>&1 | head -0": 0,
    "--json add alpha==OTHER | head -0": 0,
    "--json add alpha==OTHER | head -1": 0,
}


@pytest.mark.parametrize("words", CLOSED)
def test_what_nobody_hears_changes_nothing_about_the_work(shared: World, words: str) -> None:
    other = "1.1" if (shared.site / "alpha-1.0.dist-info").exists() else "1.0"
    result = shell(shared, f"pyvstore {words}".replace("OTHER", other))
    assert result.returncode == CLOSED[words], result.stderr
    assert "Traceback" not in result.stderr
    assert "error[internal]" not in result.stderr
    assert "Exception ignored" not in result.stderr
    if "OTHER" in words:
        assert f"alpha-{other}.dist-info" in os.listdir(shared.site)


def test_help_into_a_pipe_that_closes_is_no_bug(shared: World) -> None:
    result = shell(shared, "pyvstore --help | head -0")
    assert result.returncode in {0, 1}
    assert result.stderr == ""


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["list", "store path", "--json sync --frozen"])
def test_output_that_a_full_disk_refuses_is_an_error(shared: World, words: str) -> None:
    result = shell(shared, f"pyvstore {words} > /dev/full")
    assert result.returncode == 1
    assert "error[output]: the output cannot be written\n  cause: No space left on device\n" in result.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_talk_that_a_full_disk_refuses_is_not(ready: World) -> None:
    assert shell(ready, "pyvstore sync 2> /dev/full").returncode == 0
    assert shell(ready, "pyvstore add alpha==1.1 2> /dev/full").returncode == 0


def test_no_file_of_ours_gets_the_number_of_a_closed_stream(ready: World) -> None:
    code = "import os; print(os.path.exists('/proc/self/fd/2'), os.path.exists('/proc/self/fd/0'))"
    if not Path("/proc/self/fd").exists():
        pytest.skip("there is no /proc")
    assert ready.run("run", "python", "-c", code).out == "True True\n"
    probe = ready.project / "sitecustomize.py"
    probe.write_text(
        "import os, sys\n"
        "if 'pyvstore' in sys.orig_argv:\n"
        "    def hook(event, arguments):\n"
        "        if event in ('os.symlink', 'os.link'):\n"
        "            sys.stdout.write(os.readlink('/proc/self/fd/2') + '\\n')\n"
        "            sys.stdout.flush()\n"
        "    sys.addaudithook(hook)\n"
    )
    (ready.site / "alpha.py").unlink()
    result = shell(ready, "pyvstore sync 2>&-", PYTHONPATH=f"{ready.project}:{ready.environ['PYTHONPATH']}")
    assert result.returncode == 0
    assert set(result.stdout.split()) == {"/dev/null"}


ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


def test_an_ascii_locale_gets_plain_signs(world: World) -> None:
    world.environ |= ASCII
    err = world.run("add", "alpha==1.0").err
    assert err.isascii()
    assert ", linked 2 in " in err
    assert " ~ alpha 1.0 -> 1.1\n" in world.run("add", "alpha==1.1").err


def test_a_folder_that_the_locale_cannot_spell_is_no_obstacle(world: World) -> None:
    world.project = world.place / "größe ✓"
    world.project.mkdir()
    locale = world.environ
    world.environ = {**locale, **ASCII}
    outcome = world.run("init", "--name", "app")
    assert "gr\\xf6\\xdfe \\u2713" in outcome.err or "\\udc" in outcome.err
    world.run("add", "beta")
    world.environ = locale
    assert world.python("import beta; print('yes')") == "yes"


COLORED: list[tuple[str, dict[str, str]]] = [
    ("--color always", {}),
    ("", {"FORCE_COLOR": "1"}),
    ("--color=always", {"NO_COLOR": "1"}),
]
PLAIN: list[tuple[str, dict[str, str]]] = [
    ("--color never", {"FORCE_COLOR": "1"}),
    ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}),
]


def test_colours_are_asked_for_and_refused(shared: World) -> None:
    assert "\x1b[" not in shared.fail("remove", "absent", code="requirement-unknown", status=2).err
    for words, variables in COLORED:
        result = shell(shared, f"pyvstore remove absent {words}", **variables)
        assert "\x1b[1;31merror[" in result.stderr
    for words, variables in PLAIN:
        assert "\x1b" not in shell(shared, f"pyvstore remove absent {words}", **variables).stderr


def test_colour_never_enters_data(shared: World) -> None:
    assert "\x1b" not in shared.run("--color", "always", "list").out
    for line in shared.run("--color", "always", "--json", "sync", "--frozen").out.splitlines():
        json.loads(line)


def test_names_that_other_tools_left_in_the_environment_control_no_terminal(ready: World) -> None:
    foreign = ready.site / "evil-1.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Name: ev\x1b]0;title\x07il\x1b[2J\nVersion: 1\x9b1A\r0\n", encoding="utf-8")
    outcome = ready.run("list")
    assert "evil" in outcome.out
    assert all(line.isprintable() for line in outcome.out.splitlines())


def test_versions_in_a_state_that_somebody_else_wrote_control_no_terminal(ready: World) -> None:
    path = ready.venv / "pyvstore.json"
    state = json.loads(path.read_text())
    state["packages"] = [
        ["alpha", "\x1b]0;title\x07\x1b[31m0", True, "somewhere"],
        ["\x1b[2Jgone", "1\n+ fake 2", True, "x"],
    ]
    state["complete"] = False  # so that it is not taken for granted
    path.write_text(json.dumps(state))
    lines = ready.run("sync").err.splitlines()
    assert all(line.isprintable() for line in lines)
    assert " ~ alpha 0 → 1.0" in lines
    assert not any(line.startswith("+ fake") for line in lines)


def test_a_program_that_cannot_be_started_is_explained_on_the_short_path_and_the_long(ready: World) -> None:
    script = ready.project / "no-first-line"
    script.write_text("echo hello\n")
    script.chmod(0o755)
    for words in (("run",), ("run", "--frozen")):
        assert "first line" in ready.fail(*words, "./no-first-line", code="cannot-start", status=2).err
    script.write_text("#!/no/such/interpreter\n")
    assert "first line names is not there" in ready.fail("run", "./no-first-line", code="cannot-start", status=2).err
    script.chmod(0o644)
    assert "is not executable" in ready.fail("run", "./no-first-line", code="cannot-start", status=2).err


def test_a_folder_that_is_gone_is_explained(ready: World) -> None:
    for words in ("sync", "run python -V", "list", "add beta", "relink", "store path"):
        result = shell(ready, f"mkdir gone; cd gone; rmdir ../gone; pyvstore {words}")
        assert result.returncode == 1, words
        assert "error[directory]" in result.stderr, result.stderr
    assert (
        shell(ready, f"mkdir gone; cd gone; rmdir ../gone; pyvstore --directory {ready.project} sync").returncode == 0
    )


def test_a_run_says_nothing_of_its_own_when_all_is_in_order(ready: World) -> None:
    assert ready.run("run", "--frozen", "python", "-c", "pass").err == ""
    assert ready.run("run", "--offline", "python", "-c", "pass").err == ""
    (ready.site / "alpha.py").unlink()
    assert ready.run("run", "python", "-c", "pass").err.startswith("Mended 1 path in ")


def test_a_bug_of_ours_is_told_with_a_traceback_only_when_asked(ready: World) -> None:
    (ready.project / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'pyvstore' in sys.orig_argv:\n"
        f"    import {sync.__name__}, {init.__name__}\n"
        f"    {sync.__name__}.sync = lambda *_: 1 // 0\n"
    )
    variables = {"PYTHONPATH": f"{ready.project}:{ready.environ['PYTHONPATH']}"}
    result = shell(ready, "pyvstore sync --offline", **variables)
    assert result.returncode == 255
    assert "error[internal]: this is a bug in pyvstore" in result.stderr
    assert "ZeroDivisionError" in result.stderr
    assert "Traceback" not in result.stderr
    result = shell(ready, "pyvstore -v sync --offline", **variables)
    assert result.returncode == 255
    assert "Traceback (most recent call last):" in result.stderr
