"""Run the command line and die, as if by SIGKILL, just before the k-th change of the disk.

    python killer.py K COMMAND...

With K = 0 nothing dies and the number of changes is printed on stderr as ``changes: N``.
"""

import os
import sys
import threading

CHANGES = frozenset(
    {
        "os.symlink",
        "os.rename",
        "os.mkdir",
        "os.remove",
        "os.rmdir",
        "os.link",
        "os.chmod",
        "os.truncate",
        "os.utime",
        "shutil.rmtree",
    }
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

lock = threading.Lock()
seen = 0
fatal = int(sys.argv[1])


def is_change(event: str, arguments: tuple[object, ...]) -> bool:
    if event == "open":
        path, _, flags = arguments
        ours = isinstance(path, str) and not path.startswith(("/dev/", "/proc/"))
        return ours and isinstance(flags, int) and bool(flags & WRITING)
    return event in CHANGES


def hook(event: str, arguments: tuple[object, ...]) -> None:
    global seen
    if is_change(event, arguments):
        with lock:
            seen += 1
            if seen == fatal:
                os._exit(137)


def main() -> None:
    from pyvstore.cli.entry import main as run

    sys.argv = ["pyvstore", *sys.argv[2:]]
    sys.dont_write_bytecode = True
    sys.addaudithook(hook)
    try:
        run()
    finally:
        if fatal == 0:
            sys.stderr.write(f"changes: {seen}\n")


if __name__ == "__main__":
    main()
