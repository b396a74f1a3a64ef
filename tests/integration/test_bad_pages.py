"""Indexes that say nonsense: a coded refusal or a plain success, and never a secret."""

import json

import pytest

from tests.integration.refusals import Run, project_of
from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel
from tests.support.world import World


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:1/\ud800", "no-version"),
        (f"http://{'ü' * 300}/x.whl", "no-version"),
        (f"http://{'a' * 300}/x.whl", "index-unreachable"),
    ],
)
def test_a_link_that_nothing_can_encode_is_refused(
    world: World, inside: Run, index: LoopbackIndex, monkeypatch: pytest.MonkeyPatch, url: str, code: str
) -> None:
    monkeypatch.setattr("pyvstore.index.patience.Patience.pause_before", lambda *_: 0.0)
    project_of(world)
    file = {"filename": "gamma-3.0-py3-none-any.whl", "url": url, "hashes": {"sha256": "a" * 64}}
    index.answer(
        "/simple/gamma/", json.dumps({"meta": {"api-version": "1.0"}, "name": "gamma", "files": [file]}).encode()
    )
    outcome = inside("sync")
    assert outcome.status == 1
    assert f"error[{code}]" in outcome.err


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Requires-Python: \x1b[31m", 0),
        (f"Requires-Python: >={'9' * 5000}", 0),
        ("Requires-Dist: x @ http://user:hunter2@h.invalid/x.whl", 1),
        (f"Requires-Dist: x>={'9' * 5000}", 1),
        ("Requires-Dist: x; 'y' in extras", 1),
    ],
)
def test_metadata_of_an_index_with(world: World, inside: Run, index: LoopbackIndex, line: str, status: int) -> None:
    project_of(world)
    metadata = f"Metadata-Version: 2.1\nName: gamma\nVersion: 3.0\n{line}\n".encode()
    index.add(*build_wheel("gamma", "3.0", files={"gamma.py": ""}), core_metadata=metadata)
    outcome = inside("lock")
    assert outcome.status == status, outcome.err
    assert "hunter2" not in outcome.err
