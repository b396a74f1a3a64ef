"""What was worked out before for exactly the same inputs: which Python, and which wheels.

Only answers that nobody asked for in a special way are recalled: those for the Python that discovery chose (never one
given with ``--python``), and for a lockfile that was compared with pyproject.toml. Importing this module brings in no
parser, no resolver and no network.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import cast

from pyvstore import __version__
from pyvstore.errors import InterpreterError
from pyvstore.farm.state import read_state
from pyvstore.glance import digest_files, digest_variables, fingerprint
from pyvstore.interpreter.cache import InterpreterCache
from pyvstore.model.environment import Interpreter
from pyvstore.model.parts import Parts, format_parts
from pyvstore.model.selection import Pin, Selection
from pyvstore.ops.context import Project
from pyvstore.ops.converge import PROJECT_INPUTS
from pyvstore.store.selections import read_selection, write_selection

TYPE_CHECKING = False  # a type only
if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_DISCOVERY_VARIABLES = ("PATH", "PYENV_ROOT", "PYENV_VERSION")


@dataclass(frozen=True, slots=True)
class Memo:
    """What the project's files mean.

    Attributes:
        selection: the wheels.
        interpreter: the Python that discovery chose.
        mention: what is worth saying once, see `ops.work_out`.
    """

    selection: Selection
    interpreter: Interpreter
    mention: str | None


def recall(project: Project, parts: Parts) -> Memo | None:
    """Return what the project's files mean for ``parts``, if that was worked out before; None means: work it out.

    An environment that exists for another Python, or a Python that was replaced, is a reason to work it out again.
    """
    kept = read_selection(project.store, _digest(project, parts))
    try:
        if kept is None or kept["usual"] is None:
            return None
        answer = kept["answers"][kept["usual"]]
        if fingerprint(kept["usual"]) != answer["fingerprint"]:
            return None
        state = read_state(project.prefix)
        if state is not None and state.interpreter != kept["usual"]:
            return None
        interpreter = InterpreterCache(project.store.shelf("interpreters")).get(kept["usual"])
        mention = answer["mention"]
        selection = Selection(pins=tuple(_pin(row) for row in answer["pins"]), parts=parts)
        return Memo(selection, interpreter, mention if isinstance(mention, str) else None)
    except (OSError, KeyError, TypeError, ValueError, InterpreterError):
        return None


def remember(project: Project, memo: Memo, *, is_usual: bool) -> None:
    """Keep what the project's files mean for one Python; only a usual one is ever recalled.

    Others are kept beside it so that the answer of a later sync finds its place: all answers for the same files are one
    file of the shelf.
    """
    digest, python = _digest(project, memo.selection.parts), memo.interpreter.executable
    try:
        identity = fingerprint(python)
    except OSError:  # it went away since
        return
    pins = [
        [pin.name, pin.version, pin.filename, pin.url, pin.sha256, pin.size_bytes, list(pin.dependencies), pin.direct]
        for pin in memo.selection.pins
    ]
    answer = {"fingerprint": identity, "mention": memo.mention, "pins": pins}
    kept = read_selection(project.store, digest) or {}
    answers = kept.get("answers")
    usual = python if is_usual else kept.get("usual")
    after = {"usual": usual, "answers": {**(answers if isinstance(answers, dict) else {}), python: answer}}
    if after != kept:
        write_selection(project.store, digest, after)


def _pin(row: list[object]) -> Pin:
    name, version, filename, url, sha256, size_bytes, dependencies, direct = row
    return Pin(
        name=cast("NormalizedName", name),
        version=str(version),
        filename=str(filename),
        url=str(url),
        sha256=str(sha256),
        size_bytes=size_bytes if isinstance(size_bytes, int) else None,
        dependencies=tuple(cast("list[NormalizedName]", dependencies)),
        direct=bool(direct),
    )


def _digest(project: Project, parts: Parts) -> str:
    context = project.context
    inputs = [
        __version__,
        digest_files(project.root, PROJECT_INPUTS),
        digest_files("", [context.user_settings_path()]),
        digest_variables(context.environ),
        [context.environ.get(name) for name in _DISCOVERY_VARIABLES],
        format_parts(parts),
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
