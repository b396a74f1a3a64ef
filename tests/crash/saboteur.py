"""Run the command line on a machine that fails at the k-th operation on the disk.

Started once, it imports everything and then forks a child for each line on stdin: a JSON object with

    place, project, environ, command   where and what; only operations below `place` count, reading ones too
    fatal                              k; 0: nothing fails
    fault                              the name of an errno, or of a signal that arrives then
    forever                            the errno from then on, but where that operation cannot fail so

and answers each with one: ``status`` (as a shell has it), ``err``, and ``operations``, those that counted.
"""

import builtins
import errno
import fcntl
import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

BY_PATH = (
    *("open", "mkdir", "rmdir", "unlink", "remove", "rename", "replace", "symlink", "link", "chmod", "stat", "lstat"),
    *("readlink", "listdir", "scandir", "utime", "truncate"),
)
BY_DESCRIPTOR = ("write", "fsync", "fchmod", "fstat", "close", "ftruncate")
FREEING = frozenset({"rmdir", "unlink", "remove", "close", "stat", "lstat", "fstat", "readlink", "listdir", "scandir"})
OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
OF_WRITING = OF_SPACE | {errno.EROFS}
READING = frozenset({"stat", "lstat", "fstat", "readlink", "listdir", "scandir", "close", "flock", "read"})

real_readlink = os.readlink
order: dict[str, Any] = {}
lock = threading.Lock()
seen = 0
operations: list[str] = []


def is_possible(name: str, fault: str) -> bool:
    """Whether a disk could answer this operation with this error; a signal may always arrive."""
    error = getattr(errno, fault, None)
    if error in OF_WRITING and name in READING:
        return False
    return not (error in OF_SPACE and name in FREEING)


def visit(name: str, path: object) -> None:
    global seen
    text, place, fatal = str(path), order["place"] + "/", order["fatal"]
    if not (text + "/").startswith(place) or not is_possible(name, order["fault"]):
        return
    with lock:
        seen += 1
        operations.append(f"{name} {text[len(place) :]}")
        fails = seen == fatal or (order["forever"] and 0 < fatal < seen)
    if fails and order["fault"].startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, order["fault"]))
    elif fails:
        error = getattr(errno, order["fault"])
        # Like the system, name no file where only a descriptor was given.
        raise OSError(error, os.strerror(error), *([] if name in BY_DESCRIPTOR else [text]))


def path_of(descriptor: object) -> str:
    try:
        return real_readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def by_path(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def operate(*arguments: Any, **keywords: Any) -> Any:
        first = arguments[0] if arguments else "."
        # Of a link, what is made is the second.
        target = arguments[1] if name in {"symlink", "link", "rename", "replace"} else first
        if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            visit("read", target)
        else:
            visit(name, path_of(target) if isinstance(target, int) else target)
        return real(*arguments, **keywords)

    return operate


def by_descriptor(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def operate(descriptor: int, *arguments: Any, **keywords: Any) -> Any:
        path = path_of(descriptor)
        try:
            visit(name, path)
        except OSError:
            if name == "close":  # the descriptor is gone all the same
                real(descriptor)
            raise
        return real(descriptor, *arguments, **keywords)

    return operate


class Raw(io.FileIO):
    """A file that asks before it writes or reads."""

    def write(self, data: Any) -> int:  # type: ignore[explicit-override]
        visit("write", path_of(self.fileno()))
        return super().write(data)

    def readall(self) -> bytes:  # type: ignore[explicit-override]
        visit("read", path_of(self.fileno()))
        return super().readall()

    def readinto(self, buffer: Any) -> int:  # type: ignore[explicit-override]
        visit("read", path_of(self.fileno()))
        return super().readinto(buffer)


def opening(real: Callable[..., Any]) -> Callable[..., Any]:
    def operate(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        is_read = not set(mode) & set("wax+")
        visit("read" if is_read else "open", path_of(file) if isinstance(file, int) else file)
        path = path_of(file) if isinstance(file, int) else file
        if mode in {"rb", "wb"} and isinstance(path, str) and path.startswith(order["place"]):
            raw = Raw(file, mode)
            return io.BufferedReader(raw) if is_read else io.BufferedWriter(raw)
        return real(file, mode, *arguments, **keywords)

    return operate


def sabotage() -> None:
    for name in BY_PATH:
        setattr(os, name, by_path(name, getattr(os, name)))
    for name in BY_DESCRIPTOR:
        setattr(os, name, by_descriptor(name, getattr(os, name)))
    fcntl.flock = by_descriptor("flock", fcntl.flock)
    builtins.open = opening(builtins.open)


def obey(report: int) -> None:
    """Run the command in this process, which is a child, and exit."""
    from pyvstore.cli.entry import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where we run in the background
    os.chdir(order["project"])
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.argv = ["pyvstore", *order["command"]]
    sabotage()
    status: object = 0
    try:
        run()
    except SystemExit as end:
        status = end.code
    threading._shutdown()  # type: ignore[attr-defined]
    sys.stderr.flush()
    with real_fdopen(report, "w") as stream:
        json.dump(operations, stream)
    os._exit(status if isinstance(status, int) else 1)


real_fdopen = os.fdopen


def answer() -> dict[str, Any]:
    with tempfile.TemporaryFile() as report, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            with open(os.devnull, "r+b") as nowhere:
                os.dup2(nowhere.fileno(), 0)
                os.dup2(nowhere.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                obey(report.fileno())
            finally:  # what is not caught here would run the parent's code a second time
                sys.excepthook(*sys.exc_info())
                os._exit(99)
        _, status = os.waitpid(child, 0)
        status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        report.seek(0)
        err.seek(0)
        said = err.read().decode()
        return {"status": status, "err": said, "operations": json.loads(report.read() or b"[]")}


def main() -> None:
    import pyvstore

    sys.dont_write_bytecode = True
    for module in pkgutil.walk_packages(pyvstore.__path__, "pyvstore."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for line in sys.stdin:
        order.update(json.loads(line))
        sys.stdout.write(json.dumps(answer()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
