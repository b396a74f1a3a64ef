"""Only `pyvstore.fs` changes the disk: by reading the code, and by watching it work."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pyvstore"
WATCHER = Path(__file__).with_name("watcher.py")
OUTSIDE_FS = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "fs" not in path.parents)

OS_CHANGES = {
    *(
        "mkdir",
        "makedirs",
        "remove",
        "unlink",
        "rmdir",
        "removedirs",
        "rename",
        "renames",
        "replace",
        "link",
        "symlink",
    ),
    *("chmod", "fchmod", "lchmod", "chown", "fchown", "lchown", "truncate", "ftruncate", "utime", "mkfifo", "mknod"),
    *("open", "write", "pwrite", "writev", "sendfile", "copy_file_range", "setxattr", "removexattr", "chflags"),
}
PATH_CHANGES = {"write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "unlink", "rmdir", "mkdir"}
SHUTIL_LOOKS = {"which", "disk_usage", "get_terminal_size"}
ALLOWED = {
    # A standard stream that is closed or broken is led to the null device.
    ("cli/console.py", "os.open(os.devnull, os.O_WRONLY)"),
    ("cli/entry.py", "os.open(os.devnull, os.O_RDWR)"),
}


def changes_in(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that change the disk, or that could without saying so."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open" and may_write(node, 1):
            yield node
        if not isinstance(function, ast.Attribute):
            continue
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        if (
            (owner == "os" and function.attr in OS_CHANGES)
            or owner == "tempfile"
            or (owner == "shutil" and function.attr not in SHUTIL_LOOKS)
            or (owner not in {"os", "shutil"} and function.attr in PATH_CHANGES)
            or (owner == "io" and function.attr == "open" and may_write(node, 1))
            or (owner not in {"os", "io"} and function.attr == "open" and says_that_it_writes(node))
            or (function.attr in {"ZipFile", "TarFile"} and may_write(node, 1))
        ):
            yield node


def says_that_it_writes(call: ast.Call) -> bool:
    """Whether a method named like that of `Path` gets a mode; many others are named ``open`` too."""
    given = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    texts = [item.value for item in given if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return any(text and set(text) <= set("rwaxbt+") and set(text) & set("wax+") for text in texts)


def may_write(call: ast.Call, position: int) -> bool:
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[position : position + 1]
    if not modes:
        return False
    mode = modes[0]
    return not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)) or bool(set(mode.value) & set("wax+"))


@pytest.mark.parametrize(
    "code",
    [
        "os.mkdir('x')",
        "os.open('x', os.O_RDONLY)",
        "open('x', 'w')",
        "open('x', mode='ab')",
        "open('x', mode)",
        "io.open('x', 'r+')",
        "Path('x').write_text('y')",
        "path.open('x')",
        "shutil.rmtree('x')",
        "tempfile.mkdtemp()",
        "zipfile.ZipFile('x', 'w')",
    ],
)
def test_the_scan_sees(code: str) -> None:
    assert list(changes_in(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["open('x')", "open('x', 'rb')", "os.stat('x')", "shutil.which('x')", "'a'.replace('b', 'c')"]
)
def test_the_scan_passes(code: str) -> None:
    assert not list(changes_in(ast.parse(code)))


@pytest.mark.parametrize("path", OUTSIDE_FS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_outside_fs_has_no_call_that_changes_the_disk(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {(name, ast.unparse(call)) for call in changes_in(tree)}
    assert found <= ALLOWED
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "shutil", "tempfile"}:
            raise AssertionError(f"{name}:{node.lineno} imports from {node.module}, which the scan cannot follow")


def test_every_exception_is_still_needed() -> None:
    for name, call in ALLOWED:
        assert call in (PACKAGE / name).read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with LoopbackIndex() as index:
        index.add(*build_wheel("alpha", "1.0", files={"alpha/__init__.py": "", "space/one.py": ""}))
        index.add(
            *build_wheel(
                "beta",
                files={"beta.py": "def main(): pass", "space/two.py": ""},
                entry_points={"console_scripts": {"beta": "beta:main"}},
                data={"data": {"etc/beta.conf": "x"}},
            )
        )
        yield World(tmp_path, index)
    unseal(tmp_path)


def test_every_change_that_a_command_makes_goes_through_fs(world: World) -> None:
    commands = ["init", "add alpha", "add beta", "remove alpha", "sync", "lock", "list", "relink", "sync --check"]
    total = 0
    for number, command in enumerate(commands):
        if number == 7:
            (world.venv / "bin" / "beta").unlink()
        result = subprocess.run(
            [sys.executable, WATCHER, str(PACKAGE), *command.split()],
            cwd=world.project,
            env=world.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        match = re.search(r"^changes: (\d+)$", result.stderr, re.MULTILINE)
        assert match is not None
        total += int(match[1])
        assert [line for line in result.stderr.splitlines() if line.startswith("stranger: ")] == []
    assert total > 100
