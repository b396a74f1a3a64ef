import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pyvstore.cli.guard import run_guarded
from pyvstore.index.patience import Patience
from pyvstore.ops.context import Context
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import Outcome, World, unseal


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with LoopbackIndex() as server:
        server.add(*build_wheel("alpha", "1.0", files={"alpha/__init__.py": "version = '1.0'\n"}, requires=["beta>=1"]))
        server.add(*build_wheel("alpha", "1.1", files={"alpha/__init__.py": "version = '1.1'\n"}, requires=["beta>=1"]))
        server.add(
            *build_wheel(
                "beta",
                "2.0",
                files={
                    "beta/__init__.py": "def main():\n    print('beta speaks')\n",
                    "beta/sub/__init__.py": "",
                    "space/one/__init__.py": "",
                },
                entry_points={"console_scripts": {"beta": "beta:main"}},
            )
        )
        server.add(*build_wheel("beta", "1.5", files={"beta/__init__.py": ""}))
        server.add(*build_wheel("gamma", "3.0", files={"gamma.py": "", "space/two/__init__.py": ""}))
        server.add(*build_wheel("picky", "1.0", files={"picky.py": ""}, requires=["beta<2"]))
        server.add(*build_wheel("future", "1.0", files={"future_.py": ""}, requires_python=">=3.99"))
        yield server


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> Iterator[World]:
    yield World(tmp_path, index)
    unseal(tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what gives the commands that run inside another patience; without arguments, pauses of no length."""

    def change(**changes: float) -> None:
        values: dict[str, Any] = {"attempts": 3, "backoff_seconds": 0.0, "pause_limit_seconds": 0.0, **changes}
        monkeypatch.setattr("pyvstore.cli.actions.Context", partial(Context, patience=Patience(**values)))

    change()
    return change


@pytest.fixture
def inside(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run commands in this process: the same code but for the first glance, and many times quicker.

    Whatever is run must end without a traceback, a bug, a terminal sequence or more text than anybody reads.
    """
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)

    def refuse_to_start(*_: object) -> None:
        raise OSError(0, "programs are not started by tests that run inside")

    monkeypatch.setattr(os, "execve", refuse_to_start)

    def run(*words: str) -> Outcome:
        monkeypatch.chdir(world.project)
        capsys.readouterr()
        status = run_guarded(words)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "error[internal]" not in err, err
        assert "\x1b" not in out + err
        assert (out + err).replace("\n", "").isprintable(), ascii(err)
        assert len(err) < 4000
        return Outcome(status, out, err)

    return run
