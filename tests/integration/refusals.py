"""What holds whenever a command refuses: a code, a status, and nothing changed anywhere."""

import os
from collections.abc import Callable, Iterator, Sequence

from tests.support.world import Outcome, World

Run = Callable[..., Outcome]
PYPROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["gamma"]\n'
_OURS = ("v1/locks", "v1/interpreters", "v1/index")


def project_of(world: World, text: str = PYPROJECT) -> None:
    """Give the world's project this pyproject.toml."""
    (world.project / "pyproject.toml").write_text(text)


def snapshot(world: World) -> dict[str, object]:
    """Everything below the world's place, but for locks and what is only remembered of Pythons and indexes."""
    found: dict[str, object] = {}
    for path in sorted(world.place.rglob("*")):
        name = path.relative_to(world.place).as_posix()
        if name.startswith(tuple(f"{world.home.name}/{part}" for part in _OURS)):
            continue
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            status = path.stat()
            found[name] = path.read_bytes() if status.st_size < 1_000_000 else status.st_size
        elif not name.startswith(world.home.name) or name.count("/") > 2:
            found[name] = "a directory" if path.is_dir() else "something else"
    return found


def refused_by_all(
    world: World, inside: Run, commands: Sequence[Sequence[str]], code: str, status: int = 1
) -> Iterator[Outcome]:
    """Run each of ``commands``, which must all fail with ``code`` and leave everything as it was; yield outcomes."""
    before = snapshot(world)
    for words in commands:
        outcome = inside(*words)
        assert f"error[{code}]: " in outcome.err, (words, outcome)
        assert outcome.status == status, (words, outcome)
        assert snapshot(world) == before, words
        yield outcome
