import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyvstore.requirements.indexes import PUBLIC_INDEX_URL
from tests.network.machine import Machine
from tests.support.world import unseal


def answers() -> bool:
    request = urllib.request.Request(f"{PUBLIC_INDEX_URL}six/", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def registry() -> None:
    """Skip where no registry answers: that is no failure of ours."""
    if not answers():
        pytest.skip("no package registry answers here")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One store for all tests of a run, as on a machine."""
    place = tmp_path_factory.mktemp("store")
    yield place
    unseal(place)
    shutil.rmtree(place)


@pytest.fixture
def machine(tmp_path: Path, home: Path, registry: None) -> Machine:
    del registry
    return Machine(tmp_path, home, dict(os.environ))
