from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World, unseal


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with LoopbackIndex() as server:
        server.add(*build_wheel("alpha", "1.0", files={"alpha.py": ""}, requires=["beta>=1"]))
        server.add(*build_wheel("alpha", "1.1", files={"alpha.py": ""}, requires=["beta>=1"]))
        server.add(*build_wheel("beta", "2.0", files={"beta.py": ""}))
        server.add(*build_wheel("picky", "1.0", files={"picky.py": ""}, requires=["beta<2"]))
        yield server


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> Iterator[World]:
    yield World(tmp_path, index)
    unseal(tmp_path)
