from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal


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
