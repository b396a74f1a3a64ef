"""Run the command line and report every change of the disk whose nearest frame of ours is not in `pyvstore.fs`.

python watcher.py PACKAGE-DIRECTORY COMMAND...
"""

import os
import sys
import threading

CHANGES = frozenset(
    {
        *("os.symlink", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.chmod", "os.chown"),
        *("os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile", "tempfile.mkstemp"),
    }
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

package = sys.argv[1]
lock = threading.Lock()
changes = 0
strangers: set[str] = set()


def is_change(event: str, arguments: tuple[object, ...]) -> bool:
    if event == "open":
        path, _, flags = arguments
        is_device = isinstance(path, str) and path.startswith(("/dev/", "/proc/"))
        return isinstance(path, str) and not is_device and isinstance(flags, int) and bool(flags & WRITING)
    return event in CHANGES


def hook(event: str, arguments: tuple[object, ...]) -> None:
    global changes
    if not is_change(event, arguments):
        return
    frame = sys._getframe(1)
    while frame.f_back is not None and not frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
    with lock:
        changes += 1
        if not frame.f_code.co_filename.startswith(os.path.join(package, "fs") + os.sep):
            strangers.add(f"{event} {arguments[0]!r} in {frame.f_code.co_filename}:{frame.f_lineno}")


def main() -> None:
    from pyvstore.cli.entry import main as run

    sys.argv = ["pyvstore", *sys.argv[2:]]
    sys.dont_write_bytecode = True
    sys.addaudithook(hook)
    try:
        run()
    finally:
        for stranger in sorted(strangers):
            sys.stderr.write(f"stranger: {stranger}\n")
        sys.stderr.write(f"changes: {changes}\n")


if __name__ == "__main__":
    main()
