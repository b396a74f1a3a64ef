"""Events as JSON lines."""

import json
import sys
import threading
from dataclasses import fields

import pytest

from pyvstore import events
from pyvstore.cli.console import Console
from pyvstore.cli.machine import JsonReporter
from pyvstore.errors import PyvstoreError
from tests.cli.streams import put
from tests.cli.test_console import Broken

KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
]
SAMPLES = {
    "str": "text\x1b[31m",
    "int": 7,
    "float": 0.5,
    "bool": True,
    "str | None": None,
    "int | None": None,
    "tuple[str, ...]": ["text"],
}


def sample(kind: type[events.Event]) -> events.Event:
    return kind(**{field.name: SAMPLES[str(field.type)] for field in fields(kind)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_is_one_line_of_json_with_its_fields(
    monkeypatch: pytest.MonkeyPatch, kind: type[events.Event]
) -> None:
    out, err = put(monkeypatch, encoding="ascii")
    event = sample(kind)
    JsonReporter(Console()).emit(event)
    assert err.text == ""
    assert out.text.count("\n") == 1
    assert out.text.rstrip("\n").isprintable()
    line = json.loads(out.text)
    name = line.pop("event")
    assert name.replace("_", "") == kind.__name__.lower()
    assert line == {field.name: getattr(event, field.name) for field in fields(kind)}


def test_lines_of_many_threads_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = put(monkeypatch)
    reporter = JsonReporter(Console())

    def work(number: int) -> None:
        for _ in range(50):
            reporter.emit(events.DownloadAdvanced(f"{number}.whl", number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for line in out.text.splitlines()]
    assert sorted(line["size_bytes"] for line in lines) == [number for number in range(4) for _ in range(50)]


def test_events_that_a_full_disk_refuses_disturb_no_thread_and_fail_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(OSError(28, "No space left on device")))
    reporter = JsonReporter(Console())
    reporter.emit(events.Resolved(1, 0.1))
    reporter.emit(events.Resolved(2, 0.1))
    with pytest.raises(PyvstoreError) as caught:
        reporter.close()
    assert caught.value.code == "output"


def test_events_that_nobody_reads_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError(32, "Broken pipe")))
    reporter = JsonReporter(Console())
    reporter.emit(events.Resolved(1, 0.1))
    reporter.close()
