"""Several small files that change together.

A rename replaces one file atomically; two files need a third to say what is going on. The new contents are written
into a journal beside the files; the journal's own rename is the commit point; then the files are replaced and the
journal removed. Whoever next opens the folder finishes a journal that it finds (`recover`), so after a kill all files
are old or all are new.

A journal may come with a cloned repository, so it is data from a stranger: only names that the caller expects are
written, and never through a link that leads out of the folder.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
from collections.abc import Collection, Mapping

from pyvstore.fs.files import sweep_temporaries, write_atomic
from pyvstore.fs.removal import remove_file

JOURNAL_NAME = ".pyvstore-journal"
_LIMIT_BYTES = 128 * 1024 * 1024


def replace_together(directory: str, contents: Mapping[str, bytes | None]) -> None:
    """Replace the named files of ``directory`` (None removes), all or none.

    Keys are plain file names. A link to another place in the folder stays and its target is replaced. When the disk
    refuses (OSError), or the user interrupts, all files are as they were; where even that cannot be done, the journal
    stays and `recover` finishes.
    """
    for name in contents:
        if os.path.basename(name) != name or name in {"", ".", ".."}:
            raise ValueError(f"not a plain file name: {name!r}")
    before = {name: _content(_within(directory, name)) for name in contents}
    journal = os.path.join(directory, JOURNAL_NAME)
    names = {name: None if data is None else base64.b64encode(data).decode() for name, data in contents.items()}
    try:
        write_atomic(journal, json.dumps({"format": 1, "files": names}).encode(), durable=True)
        _finish(directory, contents)
    except BaseException:
        with contextlib.suppress(OSError):
            _finish(
                directory, {name: data for name, data in before.items() if data != _content(_within(directory, name))}
            )
        raise


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def recover(directory: str, expected: Collection[str]) -> bool:
    """Finish an interrupted `replace_together` of files named in ``expected``; return whether there was one.

    A journal that cannot be read, or that names anything else, is not ours and is removed unread. Half-written copies
    of those files are swept.
    """
    sweep_temporaries(directory, (*expected, JOURNAL_NAME))
    journal = os.path.join(directory, JOURNAL_NAME)
    try:
        status = os.lstat(journal)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LIMIT_BYTES:
        remove_file(journal)
        return False
    with open(journal, "rb") as stream:
        data = stream.read()
    try:
        files = json.loads(data)["files"]
        names = {
            str(name): None if text is None else base64.b64decode(text, validate=True) for name, text in files.items()
        }
        if not names.keys() <= set(expected):
            raise ValueError(data)  # noqa: TRY301 - one way out for every malformed journal
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        remove_file(journal)
        return False
    _finish(directory, names)
    return True


def _finish(directory: str, contents: Mapping[str, bytes | None]) -> None:
    for name, data in contents.items():
        path = _within(directory, name)
        if data is None:
            remove_file(path)
        else:
            mode = 0o644
            if os.path.exists(path):
                mode = os.stat(path).st_mode & 0o777
            write_atomic(path, data, mode=mode, durable=True)
    remove_file(os.path.join(directory, JOURNAL_NAME))


def _within(directory: str, name: str) -> str:
    """Return the path to replace for ``name``: what it links to if that lies in ``directory``, else itself."""
    path = os.path.join(directory, name)
    home, real = os.path.realpath(directory), os.path.realpath(path)
    return real if os.path.dirname(real) == home or real.startswith(home + os.sep) else path
